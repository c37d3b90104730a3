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

// What the kernel says where it must refuse the case: its first line is "kernel: message" in a
// comment. A pointer in a variable, for one, is a number to it.
function refusalOf(file: string): string | undefined {
  return /^\/\* kernel: (.+) \*\//.exec(readFileSync(join(folder, file), "utf8"))?.[1];
}

/** Per variant the number that the kernel's run gives, or its log. */
function inKernel(file: string): (number | string)[] {
  const jobs = variants.map((words) => {
    const loaded = loadVariant(file, words);
    const program = loaded.programs[0];
    if (program === undefined) throw new Error("no program");
    return { ...kernelJob(loaded, program), runs: [{ ctx: "00".repeat(8), plain: true }] };
  });
  return askKernel(jobs).map(({ verdict, runs, log }) =>
    verdict === "accept" ? (runs?.[0]?.retval ?? 0) | 0 : log,
  );
}

describe.each(files)("%s", (file) => {
  test.each(variants)("%s %s", (...words) => {
    const loaded = loadVariant(file, words);
    const results = [resultIn(loaded, "jit"), resultIn(loaded, "interpreter")];
    expect(results).toEqual([expected[file], expected[file]]);
  });

  const refusal = refusalOf(file);
  kernelTest(refusal === undefined ? "in the kernel" : "refused by the kernel", () => {
    const wanted = refusal === undefined ? expected[file] : expect.stringContaining(refusal);
    expect(inKernel(file)).toEqual(variants.map(() => wanted));
  });
});
