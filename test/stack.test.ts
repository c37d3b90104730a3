/**
 * Stack reports: which variables, through which inlined calls, how many bytes; and chains of calls
 * that only the kernel's verifier adds up. It must say the same of each program.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseCcArguments } from "../cli/cc/arguments.ts";
import { compileOptions } from "../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { renderDiagnostic } from "../common/diagnostics/render.ts";
import { type Compilation, compile } from "../compiler/compile.ts";
import { goldenSuite } from "./support/golden.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";
import { kernelJob, load } from "./support/toolchain.ts";

const folder = "test/cases/stack";

function compiled(path: string, words: readonly string[] = []): [Compilation, Diagnostics] {
  const parsed = parseCcArguments([...words, path]);
  if (parsed.kind !== "compile") throw new Error("bad options");
  const diagnostics = new Diagnostics();
  return [compile(path, compileOptions(parsed.options), nodeFileSystem, diagnostics), diagnostics];
}

goldenSuite({
  folder,
  input: ".c",
  expected: ".txt",
  run: (_text, _name, file) => {
    const [, diagnostics] = compiled(file);
    const lines = diagnostics.list.flatMap((each) =>
      renderDiagnostic(each, { color: false, tool: "bpfc" }),
    );
    return `${lines.join("\n")}\n`;
  },
});

kernelTest("the kernel adds up the same chains", () => {
  const path = join(folder, "chain.c");
  const [{ object }, diagnostics] = compiled(path);
  if (object === undefined) throw new Error("no object");
  const loaded = load(object, path);
  const results = askKernel(loaded.programs.map((program) => kernelJob(loaded, program)));
  const tooLarge = loaded.programs.flatMap(({ name }, i) =>
    /combined stack size of \d+ calls is \d+\. Too large/.test(results[i]?.log ?? "") ? [name] : [],
  );
  const warned = diagnostics.list.map(({ message }) => /'(\w+)'/.exec(message)?.[1]);
  expect(results.map(({ verdict }) => verdict === "accept")).toEqual(
    loaded.programs.map(({ name }) => name !== "program"),
  );
  expect(warned).toEqual(tooLarge);
});

test("--stats adds up", () => {
  const [{ stats, object }] = compiled(join(folder, "chain.c"), ["--stats"]);
  expect(stats?.map(({ name, stack }) => [name, stack])).toMatchObject([
    ["leaf", 304],
    ["middle", 0],
    ["program", 216],
    ["small", 200],
    ["probe", 280],
  ]);
  for (const { instructions, lines, objects, stack, spilledRegisters } of stats ?? []) {
    expect(lines.reduce((sum, line) => sum + line.instructions, 0)).toBe(instructions);
    expect(objects.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(stack);
    expect(spilledRegisters).toBe(0);
  }
  const slots = stats?.reduce((sum, { instructions }) => sum + instructions, 0) ?? 0;
  const code = object?.sections.filter(({ name }) => /^(\.text|xdp|tc|kprobe.*)$/.test(name)) ?? [];
  expect(code.reduce((sum, { size }) => sum + size, 0)).toBe(slots * 8);
});

test("--stats counts spills", () => {
  const [{ stats }] = compiled("test/cases/emit-accepted/register-pressure.c", ["--stats"]);
  const spilling = stats?.filter(({ spilledRegisters }) => spilledRegisters > 0) ?? [];
  expect(spilling.length).toBeGreaterThan(0);
  for (const { spillStores, spillLoads } of spilling) {
    expect(spillStores).toBeGreaterThan(0);
    expect(spillLoads).toBeGreaterThan(0);
  }
});
