/**
 * Lowering: small C files and their IR (not optimised), and self-checking programs that run in the
 * VM at every level, for every CPU and both byte orders.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseCcArguments } from "../cli/cc/arguments.ts";
import { compileOptions } from "../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { lowerUnit } from "../compiler/4-lower/lower.ts";
import { printIr } from "../compiler/4-lower/print-ir.ts";
import { verifyModule } from "../compiler/4-lower/verify-ir.ts";
import { compile } from "../compiler/compile.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runProgram } from "../vm/programs/run.ts";
import { goldenSuite } from "./support/golden.ts";
import { compileFile, load } from "./support/toolchain.ts";

/** The IR of a file before optimisation; the IR verifier must have nothing to say. `// options: …` adds words. */
function loweredText(text: string, file: string): string {
  const words = /^\/\/ options: (.*)$/m.exec(text)?.[1]?.split(" ") ?? ["-fno-strict-aliasing"];
  const parsed = parseCcArguments(["-D__TARGET_ARCH_x86", ...words, file]);
  if (parsed.kind !== "compile") throw new Error("bad options");
  const options = compileOptions(parsed.options);
  const diagnostics = new Diagnostics();
  const { checked } = compile(file, options, nodeFileSystem, diagnostics, "checked");
  expect(diagnostics.list.filter(({ severity }) => severity === "error")).toEqual([]);
  if (checked === undefined) throw new Error("not checked");
  const { strictAliasing = true } = options;
  const module = lowerUnit(checked, options.target, diagnostics, { strictAliasing });
  expect(verifyModule(module)).toEqual([]);
  return printIr(module);
}

goldenSuite({
  folder: "test/cases/lower",
  input: ".c",
  expected: ".ir",
  run: (text, _name, file) => loweredText(text, file),
});

const folder = join(import.meta.dirname, "cases/lower/run");
const programs = readdirSync(folder).filter((name) => name.endsWith(".c"));
const work = mkdtempSync(join(tmpdir(), "bpfc-lower-"));
afterAll(() => rmSync(work, { recursive: true }));

/** The line of the first check that failed; 0 where all hold. */
function failedLine(file: string, words: readonly string[], engine: "jit" | "interpreter"): number {
  const loaded = load(compileFile(join(folder, file), ["-w", ...words]), file);
  const kernel = new Kernel({ endian: loaded.endian });
  const set = kernel.load(loaded);
  if ("message" in set) throw new Error(set.message);
  const program = set.programs.get("program");
  if (program === undefined) throw new Error("no program");
  const result = runProgram(kernel, program, { engine });
  expect(result.error).toBeUndefined();
  return result.retval;
}

const targets: readonly (readonly [words: readonly string[], engine: "jit" | "interpreter"])[] = [
  [["-O0", "-mcpu=v1"], "jit"],
  [["-O2", "-mcpu=v1"], "jit"],
  [["-O0", "-mcpu=v3"], "interpreter"],
  [["-O1", "-mcpu=v3"], "jit"],
  [["-O2", "-mcpu=v3"], "jit"],
  [["-O0", "-mcpu=v4"], "jit"],
  [["-O2", "-mcpu=v4"], "interpreter"],
  [["-O0", "-mcpu=v3", "-target", "bpfeb"], "interpreter"],
  [["-O2", "-mcpu=v3", "-target", "bpfeb"], "interpreter"],
];

describe.each(programs)("%s", (file) => {
  /** Versions below 3 have no atomic operation but addition without a result. */
  const fits = (words: readonly string[]): boolean =>
    !(file === "atomics.c" && words.includes("-mcpu=v1"));
  test.each(targets.filter(([words]) => fits(words)))("%j in the %s", (words, engine) => {
    expect(failedLine(file, words, engine)).toBe(0);
  });

  test.skipIf(spawnSync("gcc", ["--version"]).status !== 0)("holds on this machine too", () => {
    const binary = join(work, file.replace(".c", ""));
    const flags = ["-std=gnu17", "-w", "-fwrapv", "-O1"];
    expect(spawnSync("gcc", [...flags, join(folder, file), "-o", binary]).status).toBe(0);
    const { stdout } = spawnSync(binary, { encoding: "utf8" });
    expect(stdout).toBe("");
  });
});
