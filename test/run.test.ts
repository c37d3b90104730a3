/**
 * C programs that give one number, with the number that gcc's program prints: the mechanisms that
 * random programs found wrong, and those that they use most. Each runs at -O0 and -O2, for three
 * CPUs, in both engines of the VM and in the kernel.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LoadedObject } from "../linker/program.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runProgram } from "../vm/programs/run.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";
import { compileFile, kernelJob, load } from "./support/toolchain.ts";

const folder = join(import.meta.dirname, "cases/run");
const files = readdirSync(folder).filter((name) => name.endsWith(".c"));
const expected: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(join(folder, "expected.json"), "utf8"),
);
const variants = ["-O0", "-O2"].flatMap((level) =>
  ["v1", "v3", "v4"].map((cpu) => [level, `-mcpu=${cpu}`]),
);

const loadVariant = (file: string, words: readonly string[]): LoadedObject =>
  load(compileFile(join(folder, file), ["-w", ...words]), file);

function resultIn(loaded: LoadedObject, engine: "jit" | "interpreter"): number {
  const kernel = new Kernel();
  const set = kernel.load(loaded);
  if ("message" in set) throw new Error(set.message);
  const program = set.programs.get("program");
  if (program === undefined) throw new Error("no program");
  const result = runProgram(kernel, program, { engine });
  expect(result.error).toBeUndefined();
  return result.retval;
}

/**
 * They follow pointers kept in globals, which are numbers to the kernel, or index the stack with what
 * it cannot bound: the kernel refuses both.
 */
const notForKernel = new Set(["memory.c", "packed-fields.c", "self-copy.c", "volatile-copy.c"]);

function inKernel(file: string): unknown[] {
  const jobs = variants.map((words) => {
    const loaded = loadVariant(file, words);
    const program = loaded.programs[0];
    if (program === undefined) throw new Error("no program");
    return { ...kernelJob(loaded, program), runs: [{ ctx: "00".repeat(8), plain: true }] };
  });
  return askKernel(jobs).map(({ verdict, runs, log }) =>
    verdict === "accept" ? (runs?.[0]?.retval ?? 0) | 0 : log.split("\n").slice(-4),
  );
}

describe.each(files)("%s", (file) => {
  test.each(variants)("%s %s", (...words) => {
    const loaded = loadVariant(file, words);
    const results = [resultIn(loaded, "jit"), resultIn(loaded, "interpreter")];
    expect(results).toEqual([expected[file], expected[file]]);
  });

  if (notForKernel.has(file)) return;
  kernelTest("in the kernel", () => {
    expect(inKernel(file)).toEqual(variants.map(() => expected[file]));
  });
});
