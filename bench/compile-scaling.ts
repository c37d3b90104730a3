/**
 * How compile time and memory grow with program size: series of generated programs of five shapes,
 * from 1,000 to 100,000 instructions, through the built bpfc and clang-19 -O2 -g. Programs depend on
 * shape and size alone. Times are user + system CPU of whole processes, minima over the rounds; the
 * growth exponent is the slope between the two largest sizes of log(time above an empty program)
 * over log(instructions): 1 is linear.
 * For -mcpu=v4, which has the long jumps that such functions need; clang gets a larger stack than BPF has, for it runs out of registers in such programs.
 * Run: npm run build && npx tsx bench/compile-scaling.ts [--sizes 1000,10000,100000] [--shape NAME]
 *      [--rounds 1] [--limit SECONDS] [--no-clang]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readElf } from "../common/object/read-elf.ts";

const { values: cli } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,3000,10000,30000,100000" },
    shape: { type: "string" },
    rounds: { type: "string", default: "1" },
    limit: { type: "string", default: "300" },
    clang: { type: "boolean", default: true },
  },
  allowNegative: true,
});
/** SHF_EXECINSTR. */
const EXECUTABLE = 4;

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "bpfc-scaling-"));
const environment = { ...process.env };
delete environment["NODE_EXTRA_CA_CERTS"];

/** Small numbers that look random and are the same every time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

const repeat = (count: number, line: (index: number) => string): string =>
  Array.from({ length: Math.max(1, Math.round(count)) }, (_, index) => line(index)).join("\n");

const head = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct entry { __u64 a[64]; __u32 b[64]; __u16 c[64]; __u8 d[64]; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct entry); } table SEC(".maps");
char LICENSE[] SEC("license") = "GPL";
`;
const lookup = `	__u32 zero = 0;
	struct entry *e = bpf_map_lookup_elem(&table, &zero);
	if (!e) return 0;
`;

/** Programs of about so many instructions. */
const shapes: Readonly<Record<string, (instructions: number) => string>> = {
  /** One basic block that loads, computes and stores. */
  straight(instructions) {
    const next = numbers(1);
    const body = repeat(instructions / 5.5, () => {
      const [x, y, z] = [next(64), next(64), next(64)];
      return `	e->a[${x}] += e->b[${y}] * ${next(1000)} ^ e->c[${z}];`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}${body}\n	return 2;\n}\n`;
  },
  /** A chain of conditions with values that live across them. */
  branches(instructions) {
    const next = numbers(2);
    const body = repeat(instructions / 7, () => {
      const [x, y] = [next(64), next(64)];
      return `	if (e->b[${x}] > ${next(1000)}) s += e->a[${y}]; else s ^= e->d[${x}];`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = ctx->data_end - ctx->data;\n${body}\n	return s & 1;\n}\n`;
  },
  /** Many functions of some forty instructions, called one after the other. */
  functions(instructions) {
    const next = numbers(3);
    const count = instructions / 42;
    const functions = repeat(count, (index) => {
      const lines = repeat(4, () => `	if (e->a[${next(64)}] > n) s += e->b[${next(64)}] * n;`);
      return `__attribute__((noinline)) static __u64 f${index}(struct entry *e, __u64 n) {\n	__u64 s = n;\n${lines}\n	e->a[${next(64)}] = s;\n	return s;\n}`;
    });
    const calls = repeat(count, (index) => `	s += f${index}(e, s);`);
    return `${head}${functions}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = 1;\n${calls}\n	return s & 1;\n}\n`;
  },
  /** One switch with a case per value. */
  switch(instructions) {
    const next = numbers(4);
    const cases = repeat(
      instructions / 6,
      (index) =>
        `	case ${index * 3 + next(3)}: s += e->a[${next(64)}] ^ ${next(100000)}; e->b[${next(64)}] = s; break;`,
    );
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = 0;\n	switch (ctx->ingress_ifindex) {\n${cases}\n	}\n	return s & 1;\n}\n`;
  },
  /** Loops in sequence, each with a large body. */
  loops(instructions) {
    const next = numbers(5);
    const loops = repeat(instructions / 210, (index) => {
      const lines = repeat(30, () => {
        const [x, y] = [next(64), next(64)];
        return `		s${next(4)} += e->a[${x}] * i; e->b[${y}] = s${next(4)};`;
      });
      return `	for (__u32 i = 0; i < ${index + 100}; i++) {\n${lines}\n	}`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s0 = 0, s1 = 1, s2 = 2, s3 = 3;\n${loops}\n	return (s0 ^ s1 ^ s2 ^ s3) & 1;\n}\n`;
  },
  /** Helper calls with arguments on the stack, and values that live across them. */
  calls(instructions) {
    const next = numbers(6);
    const body = repeat(instructions / 11, () => {
      const key = next(1000);
      return `	key = ${key} + (__u32)s; p = bpf_map_lookup_elem(&table, &key); if (p) s += p->a[${next(64)}];`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n	__u64 s = 1; __u32 key; struct entry *p;\n${body}\n	return s & 1;\n}\n`;
  },
};

interface Measurement {
  /** Seconds of CPU. */
  readonly time: number;
  /** Peak resident set in megabytes. */
  readonly memory: number;
  readonly ok: boolean;
}

const failed: Measurement = { time: Number.NaN, memory: Number.NaN, ok: false };

/** Runs a command by GNU time or, where that is missing, the shell's account of children. */
function run(command: readonly string[]): Measurement {
  const script = `import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(use.ru_utime + use.ru_stime, use.ru_maxrss, code)`;
  const result = spawnSync("timeout", [cli.limit, "python3", "-c", script, ...command], {
    encoding: "utf8",
    env: environment,
  });
  if (result.status !== 0) return failed;
  const [time = 0, memory = 0, code = 1] = result.stdout.trim().split(" ").map(Number);
  return { time, memory: memory / 1024, ok: code === 0 };
}

/** The least of several runs. */
function best(command: readonly string[]): Measurement {
  const runs = Array.from({ length: Number(cli.rounds) }, () => run(command));
  return runs.reduce((least, each) => (each.time < least.time ? each : least));
}

function instructionsOf(file: string): number {
  const object = readElf(readFileSync(file), file, new Diagnostics());
  const code = (object?.sections ?? []).filter(({ flags }) => (flags & EXECUTABLE) !== 0);
  return code.reduce((sum, section) => sum + section.data.length / 8, 0);
}

const object = join(work, "out.o");
const bpfc = (file: string): string[] => [
  process.execPath,
  join(root, "dist/bpfc.cjs"),
  ...["cc", "-O2", "-mcpu=v4", "-c", file, "-o", object],
];
const clang = (file: string): string[] => [
  ...["clang-19", "-target", "bpf", "-mcpu=v4", "-O2", "-g", "-nostdinc", "-mllvm"],
  ...["-bpf-stack-size=1000000", "-I", join(root, "compiler/include"), "-c", file, "-o", object],
];

function slope(from: Point | undefined, to: Point | undefined): string {
  if (from === undefined || to === undefined) return "-";
  const exponent = Math.log(to.time / from.time) / Math.log(to.instructions / from.instructions);
  return exponent.toFixed(2);
}

interface Point {
  readonly instructions: number;
  readonly time: number;
}

function show(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}

function measureShape(shape: string, make: (instructions: number) => string): void {
  const points: { bpfc: Point[]; clang: Point[] } = { bpfc: [], clang: [] };
  const base = join(work, "empty.c");
  writeFileSync(base, `${head}SEC("xdp") int p(void *ctx) { return 2; }\n`);
  const empty = { bpfc: best(bpfc(base)).time, clang: best(clang(base)).time };
  for (const size of cli.sizes.split(",").map(Number)) {
    const file = join(work, `${shape}-${size}.c`);
    writeFileSync(file, make(size));
    const ours = best(bpfc(file));
    const instructions = ours.ok ? instructionsOf(object) : 0;
    const theirs = cli.clang ? best(clang(file)) : failed;
    const theirInstructions = theirs.ok ? instructionsOf(object) : 0;
    const row = [
      shape,
      size,
      instructions,
      theirInstructions,
      ours.ok ? ours.time.toFixed(2) : "fails",
      theirs.ok ? theirs.time.toFixed(2) : "fails",
      (ours.time / theirs.time).toFixed(2),
      ours.memory.toFixed(0),
      theirs.memory.toFixed(0),
    ];
    show(row);
    if (ours.ok) points.bpfc.push({ instructions, time: ours.time - empty.bpfc });
    if (theirs.ok)
      points.clang.push({ instructions: theirInstructions, time: theirs.time - empty.clang });
  }
  const growth = (list: readonly Point[]): string => slope(list.at(-2), list.at(-1));
  console.log(
    `${shape}: growth exponent bpfc ${growth(points.bpfc)}, clang ${growth(points.clang)}`,
  );
}

show(["shape", "asked", "bpfc insns", "clang insns", "bpfc s", "clang s", "ratio", "MB", "MB"]);
for (const [shape, make] of Object.entries(shapes))
  if (cli.shape === undefined || cli.shape === shape) measureShape(shape, make);
rmSync(work, { recursive: true });
