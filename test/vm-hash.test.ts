/**
 * Random operations of programs on hash maps of many shapes: compiled code works on their tables by
 * itself, so it must agree with the interpreter, and both with the running kernel.
 */
import { expect, test } from "vitest";
import { portableCase } from "../linker/portable-case.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { type RunOptions, runProgram } from "../vm/programs/run.ts";
import { randomNumbers } from "./support/fuzz.ts";
import { askKernel, type KernelJob, kernelTest } from "./support/kernel.ts";
import { loadAssembly } from "./support/load-assembly.ts";

const types = { hash: 1, "per-CPU hash": 5, "LRU hash": 9, "per-CPU LRU hash": 10 } as const;
const keySizes = [1, 3, 4, 5, 8, 12, 16, 20, 33, 64, 68];
const valueSizes = [1, 4, 8, 12, 24, 260];
const operations = 60;

const below = randomNumbers(11);

/** r6 sums up what the operations give; keys differ in their first and last byte. */
function programText(type: number, keySize: number, valueSize: number): string {
  const maxEntries = type >= 9 ? 1000 : 4;
  const lines = ["r6 = 0"];
  for (let at = 8; at <= 384; at += 8) lines.push(`*(u64 *)(r10 - ${at}) = 0`);
  const key = -80;
  const value = -384;
  for (let i = 0; i < operations; i += 1) {
    lines.push(`*(u8 *)(r10 - ${-key}) = ${below(3)}`);
    if (keySize > 1) lines.push(`*(u8 *)(r10 - ${-key - keySize + 1}) = ${below(3)}`);
    lines.push("r1 = map ll", "r2 = r10", `r2 += ${key}`);
    const pick = below(4);
    if (pick === 0) lines.push("call 3", "r6 += r0", "r6 *= 31");
    else if (pick < 3) {
      lines.push(`*(u8 *)(r10 - ${-value - below(valueSize)}) = ${below(256)}`);
      lines.push("r3 = r10", `r3 += ${value}`, `r4 = ${[0, 0, 0, 1, 2, 3, 4][below(7)]}`);
      lines.push("call 2", "r6 += r0", "r6 *= 31");
    } else {
      const at = below(valueSize);
      lines.push("call 1", "r6 *= 31", "if r0 == 0 goto +4", `r1 = *(u8 *)(r0 + ${at})`);
      lines.push("r6 += r1", "r1 += 1", `*(u8 *)(r0 + ${at}) = r1`);
    }
  }
  return `
	.section maps,"aw",@progbits
	.globl map
	.type map,@object
	.size map, 20
map:
	.long ${type}, ${keySize}, ${valueSize}, ${maxEntries}, 0
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
	${lines.join("\n\t")}
	r0 = r6
	exit
	.section license,"aw",@progbits
	.asciz "GPL"
`;
}

const shapes = Object.entries(types).flatMap(([name, type]) =>
  keySizes.flatMap((keySize, i) => {
    const valueSize = valueSizes[i % valueSizes.length] as number;
    return [{ name: `${name} ${keySize} → ${valueSize}`, type, keySize, valueSize }];
  }),
);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const kernel = new Kernel({ cpuCount: 1 });

function runOnce(text: string, options: RunOptions): { r0: bigint; entries: string[] } {
  const set = kernel.load(loadAssembly(text));
  if ("message" in set) throw new Error(set.message);
  const [program] = [...set.programs.values()];
  if (program === undefined) throw new Error("no program");
  const { r0, error } = runProgram(kernel, program, { packet: new Uint8Array(14), ...options });
  expect(error).toBeUndefined();
  const size = set.maps.get("map")?.description.valueSize ?? 0;
  const listed = set.maps.get("map")?.entries() ?? [];
  const entries = listed.map(([k, v]) => `${hex(k)} ${hex(v.subarray(0, size))}`).sort();
  for (const map of set.maps.values()) kernel.destroyMap(map);
  kernel.unload(program);
  return { r0, entries };
}

test("compiled code and the interpreter agree on hash maps", () => {
  for (const { name, type, keySize, valueSize } of shapes) {
    const text = programText(type, keySize, valueSize);
    const wanted = runOnce(text, { engine: "interpreter" });
    expect(runOnce(text, { engine: "jit", verified: true }), name).toEqual(wanted);
    expect(runOnce(text, { engine: "jit" }), name).toEqual(wanted);
  }
});

kernelTest("the kernel agrees on hash maps", () => {
  const perCpu: readonly number[] = [5, 10];
  // A program finds only its own CPU's values in the per-CPU ones, so only results are compared.
  const texts = shapes.map((s) => programText(s.type, s.keySize, s.valueSize));
  const jobs = texts.map((text): KernelJob => {
    const object = loadAssembly(text);
    const job = portableCase(object, object.programs[0] as never) as KernelJob;
    return { ...job, runs: [{ data: "00".repeat(14) }], dump: true };
  });
  for (const [i, result] of askKernel(jobs).entries()) {
    const { name, type } = shapes[i] as (typeof shapes)[number];
    expect(result.verdict, `${name}: ${result.log.slice(-300)}`).toBe("accept");
    const got = runOnce(texts[i] as string, { engine: "jit", verified: true });
    expect(Number(BigInt.asIntN(32, got.r0)), name).toBe((result.runs?.[0]?.retval ?? 0) | 0);
    if (perCpu.includes(type)) continue;
    const entries = result.maps?.[0]?.map((entry) => entry.join(" ")).sort();
    expect(got.entries, name).toEqual(entries);
  }
});
