/**
 * How the compiler's work grows with a function, counted and not timed: how often passes look at
 * instructions and blocks, of the IR and of machine code, in programs of one shape and two sizes. Four
 * times the program may cost a little more than four times the work, far less than sixteen times.
 */
import { expect, test, vi } from "vitest";
import { shapes } from "../bench/scaling-shapes.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { functionPasses } from "../compiler/5-optimize/passes.ts";
import { compile } from "../compiler/compile.ts";

const counts = vi.hoisted(() => ({ ir: 0, machine: 0 }));

/** Counts each reading of a property from now on. */
const counted = vi.hoisted(
  () =>
    <T extends object>(object: T, key: keyof T, kind: keyof typeof counts): T => {
      let value = object[key];
      return Object.defineProperty(object, key, {
        enumerable: true,
        get: () => {
          counts[kind] += 1;
          return value;
        },
        set: (next) => {
          value = next;
        },
      });
    },
);

vi.mock("../compiler/4-lower/ir-builder.ts", async (original) => {
  const module = await original<typeof import("../compiler/4-lower/ir-builder.ts")>();
  return {
    ...module,
    createBlock: (...args: Parameters<typeof module.createBlock>) =>
      counted(module.createBlock(...args), "instructions", "ir"),
    createInstruction: (...args: Parameters<typeof module.createInstruction>) =>
      counted(module.createInstruction(...args), "operation", "ir"),
    appendInstruction: (...args: Parameters<typeof module.appendInstruction>) =>
      counted(module.appendInstruction(...args), "operation", "ir"),
  };
});

vi.mock("../compiler/6-select/machine.ts", async (original) => {
  const module = await original<typeof import("../compiler/6-select/machine.ts")>();
  return {
    ...module,
    newMachineBlock: (...args: Parameters<typeof module.newMachineBlock>) =>
      counted(module.newMachineBlock(...args), "instructions", "machine"),
  };
});

vi.mock("../compiler/6-select/operands.ts", async (original) => {
  const module = await original<typeof import("../compiler/6-select/operands.ts")>();
  return {
    ...module,
    visitRegisters: (...args: Parameters<typeof module.visitRegisters>) => {
      counts.machine += 1;
      module.visitRegisters(...args);
    },
  };
});

/** Instructions of the smaller program; loops are some two hundred each. */
const small: Readonly<Record<string, number>> = {
  straight: 500,
  branches: 500,
  switch: 500,
  loops: 840,
  chains: 500,
  inlined: 800,
  elseIf: 1000,
  smallLoops: 150,
};

/** Loops of one wide constant each, as many as asked for. The larger program is beyond the size up to which loops are looked at one by one. */
function smallLoops(count: number): string {
  const loop = (at: number): string =>
    `for (int i = 0; i < n; i++) { s += (s >> ${1 + (at % 31)}) ^ i; s ^= 0x123456789abcULL; }`;
  const body = Array.from({ length: count }, (_, at) => loop(at)).join("\n");
  return `unsigned long f(unsigned long s, int n) { ${body} return s; }`;
}

const programs: typeof shapes = { ...shapes, smallLoops };
const factor = 4;
/** What windows that are full only in the larger program cost, and n log n; a square would be 4. */
const allowed = 1.75;
/** Passes that did less than this look at nothing much. */
const least = 1000;

/** Readings by pass of the optimiser; `machine` for what is after it. */
let work = new Map<string, number>();

for (const pass of functionPasses.values()) {
  const run = pass.run;
  vi.spyOn(pass, "run").mockImplementation((fn, context) => {
    const before = counts.ir;
    const changed = run(fn, context);
    work.set(pass.name, (work.get(pass.name) ?? 0) + counts.ir - before);
    return changed;
  });
}

function workOf(shape: string, instructions: number): ReadonlyMap<string, number> {
  counts.machine = 0;
  work = new Map();
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "test.c": programs[shape]?.(instructions) ?? "" });
  const target = { ...defaultPreprocessOptions.target, cpu: "v4" } as const;
  const { object } = compile("test.c", { ...defaultPreprocessOptions, target }, files, diagnostics);
  expect(diagnostics.list.map(({ message }) => message)).toEqual([]);
  expect(object).toBeDefined();
  return work.set("machine", counts.machine);
}

for (const [shape, size] of Object.entries(small)) {
  test(`${shape}: no pass does more than its share in a larger program`, () => {
    const before = workOf(shape, size);
    const after = workOf(shape, size * factor);
    expect(before.get("simplify-cfg")).toBeGreaterThan(size);
    expect(before.get("machine")).toBeGreaterThan(least);
    const growth = [...after].flatMap(([pass, count]) =>
      count < least * factor ? [] : [{ pass, by: count / (before.get(pass) ?? 1) }],
    );
    expect(growth.filter(({ by }) => by > factor * allowed)).toEqual([]);
  });
}
