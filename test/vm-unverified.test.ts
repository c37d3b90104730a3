/**
 * Random programs that no verifier would accept: loads and stores through pointers of every kind at
 * offsets within and outside of what they point to. The checked variant of compiled code and the
 * interpreter must stop at the same instruction for the same reason, or compute the same.
 */
import { expect, test } from "vitest";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runProgram } from "../vm/programs/run.ts";
import { randomNumbers } from "./support/fuzz.ts";
import { loadAssembly } from "./support/load-assembly.ts";

const below = randomNumbers(5);
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

const sizes = ["u8", "u16", "u32", "u64"] as const;
const offsets = [-520, -512, -64, -16, -9, -8, -4, -1, 0, 1, 4, 8, 13, 16, 31, 32, 60, 400];
/** r6 context, r7 packet, r8 array value, r9 hash value or 0; r1–r5 pointers made of them. */
const bases = ["r10", "r6", "r7", "r8", "r9", "r1", "r2", "r3", "r4", "r5"] as const;
const pointers = ["r1", "r2", "r3", "r4", "r5"] as const;

function statement(i: number): string {
  switch (below(9)) {
    case 0:
      return `${pick(pointers)} = ${pick(bases)}`;
    case 1:
      return `${pick(pointers)} += ${pick(offsets)}`;
    case 2:
      return `r0 &= ${pick([1, 7, 63, 255, 4095])}`;
    case 3:
      return `${pick(pointers)} += r0`;
    case 4:
      return `*(${pick(sizes)} *)(${pick(bases)} + ${pick(offsets)}) = r0`.replace("+ -", "- ");
    case 5:
    case 6:
      return `r0 = *(${pick(sizes)} *)(${pick(bases)} + ${pick(offsets)})`.replace("+ -", "- ");
    case 7:
      return pick([
        `if r0 > ${pick([3, 60, 300])} goto l${i}\n${pick(pointers)} += r0\nl${i}:`,
        `if r9 == 0 goto l${i}\nr0 = *(u8 *)(r9 + ${pick(offsets)})\nl${i}:`.replace("+ -", "- "),
        `w0 = w${below(5) + 1}\nr0 <<= ${below(8)}\n${pick(pointers)} += r0`,
        `lock *(u64 *)(${pick(bases)} ${pick(["- 8", "+ 0", "+ 8"])}) += r0`,
      ]);
    default:
      return `${pick(pointers)} -= r0`;
  }
}

/** Several accesses near each other, through one pointer that may move between them. */
function neighbours(): string {
  const base = pick(bases);
  const lines = Array.from({ length: 2 + below(5) }, () => {
    const near = pick([0, 0, 2, 4, 8, 8, 12, -4, -8]);
    const place = `*(${pick(sizes)} *)(${base} + ${base === "r10" ? -8 * (1 + below(4)) : near})`;
    const moved =
      base.startsWith("r1") || base > "r5" ? "r0 ^= 5" : `${base} += ${pick([-4, 4, 8, 1024])}`;
    return pick([`r0 = ${place}`, `r0 = ${place}`, `${place} = r0`, moved]);
  });
  return lines.join("\n\t").replaceAll("+ -", "- ");
}

/** Straight on, in one of two kinds of counted loops, or in a function that is called. */
const shapes: readonly ((body: string) => string)[] = [
  (body) => `${body}
	exit`,
  (body) => `r9 = 0
loop:
	${body}
	${pick(pointers)} += ${pick([1, 4, 8])}
	r9 += ${pick([1, 2])}
	if r9 < ${2 + below(9)} goto loop
	exit`,
  (body) => `r9 = ${1 + below(8)}
loop:
	${body}
	w9 += -1
	if w9 != 0 goto loop
	exit`,
  (body) => `call part
	r1 = r8
	r2 = r10
	r2 += -16
	r3 = r6
	r4 = r7
	r5 = r7
	${pick(["", "call part"])}
	exit
	.section .text,"ax",@progbits
	.type part,@function
part:
	r6 = r3
	r7 = r1
	r8 = r2
	r9 = r5
	${body}
	exit`,
];

function programText(length: number, shape: number): string {
  const statements = Array.from({ length }, (_, i) =>
    below(4) === 0 ? neighbours() : statement(i),
  );
  const body = (shapes[shape % shapes.length] ?? String)(statements.join("\n\t"));
  return `
	.section maps,"aw",@progbits
	.globl am
	.type am,@object
	.size am, 20
am:
	.long 2, 4, 16, 4, 0
	.globl hm
	.type hm,@object
	.size hm, 20
hm:
	.long 1, 4, 32, 4, 0
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
	r6 = r1
	*(u32 *)(r10 - 4) = ${below(3)}
	r1 = am ll
	r2 = r10
	r2 += -4
	call 1
	r8 = r0
	r1 = hm ll
	r2 = r10
	r2 += -4
	call 1
	r9 = r0
	r7 = *(u32 *)(r6 + 0)
	r1 = r7
	r2 = r8
	r3 = r10
	r4 = r6
	r5 = r9
	r0 = ${below(100)}
	${body}
	.section license,"aw",@progbits
	.asciz "GPL"
`;
}

test("compiled code that checks stops where the interpreter does", () => {
  const kernel = new Kernel();
  const packet = Uint8Array.from({ length: 60 }, (_, i) => i);
  const stops = new Map<string, number>();
  for (let seed = 0; seed < 1200; seed += 1) {
    const text = programText(1 + (seed % 14), seed);
    const set = kernel.load(loadAssembly(text));
    if ("message" in set) throw new Error(set.message);
    const program = set.programs.get("main") ?? expect.unreachable();
    const hash = set.maps.get("hm") ?? expect.unreachable();
    const run = (engine: "jit" | "interpreter") => {
      for (const key of [0, 1]) {
        kernel.mapUpdate(hash, kernel.word(key), new Uint8Array(32).fill(key));
      }
      for (const key of [0, 1, 2, 3]) {
        kernel.mapUpdate(set.maps.get("am") ?? hash, kernel.word(key), new Uint8Array(16));
      }
      const { r0, error, packet: out, insns } = runProgram(kernel, program, { packet, engine });
      const steps = error === undefined ? insns : 0;
      return { r0, error, out, steps, maps: [...set.maps.values()].map((map) => map.entries()) };
    };
    const wanted = run("interpreter");
    expect(run("jit"), text).toEqual(wanted);
    const kind = wanted.error?.kind ?? "none";
    stops.set(kind, (stops.get(kind) ?? 0) + 1);
    for (const map of set.maps.values()) kernel.destroyMap(map);
    kernel.unload(program);
  }
  for (const kind of ["none", "bad-address", "stack-overflow"]) {
    expect(stops.get(kind), kind).toBeGreaterThan(20);
  }
});
