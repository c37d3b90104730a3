/** Compiled code, the interpreter and the running kernel compute the same. */
import { describe, expect, test } from "vitest";
import { portableCase } from "../linker/portable-case.ts";
import { buildFlowGraph } from "../vm/jit/blocks.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import type { Program } from "../vm/program.ts";
import { advanceTime, type RunOptions, type RunResult, runProgram } from "../vm/programs/run.ts";
import { askKernel, type KernelJob, kernelTest } from "./support/kernel.ts";
import { loadAssembly } from "./support/load-assembly.ts";
import { randomProgram } from "./support/random-bpf.ts";

const packet = new Uint8Array(14);
const kernel = new Kernel();

function load(text: string): Program {
  const set = kernel.load(loadAssembly(text));
  if ("message" in set) throw new Error(set.message);
  return [...set.programs.values()][0] as Program;
}

/** All engines' results for one program; they must agree. */
function runEverywhere(program: Program, options: RunOptions = {}): RunResult {
  const wanted = runProgram(kernel, program, { packet, ...options, engine: "interpreter" });
  for (const verified of [false, true]) {
    const got = runProgram(kernel, program, { packet, ...options, engine: "jit", verified });
    expect(got.error?.message).toBe(wanted.error?.message);
    expect(got.r0).toBe(wanted.r0);
    if (!verified && wanted.error === undefined) expect(got.insns).toBe(wanted.insns);
  }
  return wanted;
}

test("random programs agree between the engines", () => {
  for (let seed = 1000; seed < 1600; seed += 1) {
    const text = randomProgram(seed);
    const program = load(text);
    const { error } = runEverywhere(program);
    expect(error, text).toBeUndefined();
    kernel.unload(program);
  }
});

kernelTest("random programs compute what the kernel computes", () => {
  const programs = Array.from({ length: 300 }, (_, i) => loadAssembly(randomProgram(i + 1)));
  const jobs = programs.map(
    (object): KernelJob => ({
      ...(portableCase(object, object.programs[0] as never) as KernelJob),
      log_level: 1,
      runs: [{ data: "00".repeat(14) }],
    }),
  );
  let compared = 0;
  for (const [i, result] of askKernel(jobs).entries()) {
    // Too complex for the verifier's budget is the one reason why it may refuse.
    expect(result.verdict === "accept" || result.log.includes("BPF program is too large")).toBe(
      true,
    );
    if (result.verdict !== "accept") continue;
    const program = load(randomProgram(i + 1));
    const { retval } = runEverywhere(program);
    expect(retval, `seed ${i + 1}`).toBe((result.runs?.[0]?.retval ?? 0) | 0);
    kernel.unload(program);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(250);
});

const program = (body: string): string => `
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
${body}
	.section license,"aw",@progbits
	.asciz "GPL"
`;

describe("control flow", () => {
  test("a loop with two entries runs through the dispatcher", () => {
    const text = program(`
	r0 = 0
	r2 = 5
	r3 = *(u32 *)(r1 + 12)
	if r3 == 7 goto middle
start:
	r0 += 1
middle:
	r0 += 10
	r2 += -1
	if r2 != 0 goto start
	exit`);
    const loaded = load(text);
    expect(buildFlowGraph(loaded.insns, 0).isReducible).toBe(false);
    expect(runEverywhere(loaded).retval).toBe(55);
    const context = new Uint8Array(24);
    context[12] = 7;
    expect(runEverywhere(loaded, { context }).retval).toBe(54);
  });

  test("blocks may be deeper than JavaScript may call", () => {
    const count = 9_000;
    const steps = Array.from({ length: count }, () => "\tr0 += 1\n\tif r1 == r0 goto end");
    const loaded = load(program(`\tr0 = 0\n${steps.join("\n")}\nend:\n\texit`));
    expect(runEverywhere(loaded).retval).toBe(count);
  });

  test("registers are what the caller had, or 0, around calls", () => {
    const loaded = load(`
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
	r0 = 5
	r1 = 7
	r2 = 3
	r6 = 11
	call part
	r0 += r1
	r0 += r6
	exit
	.section .text,"ax",@progbits
	.type part,@function
part:
	r0 += r6
	r1 = 100
	r6 = 50
	r0 += r2
	exit
	.section license,"aw",@progbits
	.asciz "GPL"
`);
    expect(runEverywhere(loaded).retval).toBe(3 + 7 + 11);
  });

  test("callbacks run on frames of their own", () => {
    const text = program(`
	*(u64 *)(r10 - 8) = 0
	r1 = 10
	r2 = add ll
	r3 = r10
	r3 += -8
	r4 = 0
	call 181
	r0 <<= 16
	r1 = *(u64 *)(r10 - 8)
	r0 |= r1
	exit
	.text
	.type add,@function
add:
	*(u64 *)(r10 - 8) = r1
	r3 = *(u64 *)(r2 + 0)
	r3 += r1
	*(u64 *)(r2 + 0) = r3
	r0 = 0
	if r1 < 6 goto +1
	r0 = 1
	exit`);
    expect(runEverywhere(load(text)).retval).toBe((7 << 16) | 21);
  });

  test("timers run when the clock passes them", () => {
    const text = `
	.section maps,"aw",@progbits
	.globl tm
	.type tm,@object
	.size tm, 20
tm:
	.long 2, 4, 24, 2, 0
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
	*(u32 *)(r10 - 4) = 1
	r1 = tm ll
	r2 = r10
	r2 += -4
	call 1
	if r0 == 0 goto out
	r6 = r0
	r6 += 8
	r1 = r6
	r2 = tm ll
	r3 = 1
	call 169
	r1 = r6
	r2 = tick ll
	call 170
	r1 = r6
	r2 = 1000
	r3 = 0
	call 171
out:
	r0 = 2
	exit
	.text
	.type tick,@function
tick:
	r4 = *(u32 *)(r2 + 0)
	r5 = *(u64 *)(r3 + 0)
	r5 += r4
	*(u64 *)(r3 + 0) = r5
	r1 = r3
	r1 += 8
	r2 = 1000
	r3 = 0
	call 171
	r0 = 0
	exit
	.section license,"aw",@progbits
	.asciz "GPL"
`;
    const timed = new Kernel();
    const set = timed.load(loadAssembly(text));
    if ("message" in set) throw new Error(set.message);
    const { error } = runProgram(timed, set.programs.get("main") as Program, { packet });
    expect(error).toBeUndefined();
    const count = (): number | undefined => set.maps.get("tm")?.entries()[1]?.[1][0];
    expect(advanceTime(timed, 999n)).toEqual([]);
    expect(count()).toBe(0);
    expect(advanceTime(timed, 3001n)).toEqual([]);
    expect(count()).toBe(4);
  });

  test("unaligned accesses across granules are checked to the byte", () => {
    for (const [offset, fails] of [
      [-9, false],
      [-8, false],
      [-7, true],
      [-3, true],
      [-1, true],
    ]) {
      const text = program(`
	r1 = r10
	r1 += ${offset}
	r0 = *(u64 *)(r1 + 0)
	exit`);
      const loaded = load(text);
      const results = (["jit", "interpreter"] as const).map((engine) =>
        runProgram(kernel, loaded, { packet, engine }),
      );
      for (const { error } of results) {
        expect(error?.kind).toBe(fails ? "bad-address" : undefined);
        expect(error?.slot).toBe(fails ? 2 : undefined);
      }
      expect(results[0]?.error).toEqual(results[1]?.error);
    }
  });

  test("code that never ends stops", () => {
    for (const engine of ["jit", "interpreter"] as const) {
      const { error } = runProgram(kernel, load(program("goto -1")), {
        packet,
        engine,
        fuel: 9999,
      });
      expect(error?.kind).toBe("out-of-fuel");
    }
  });
});
