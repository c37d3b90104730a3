/**
 * How compile time and memory grow with program size: series of generated programs of many shapes,
 * from 1,000 to 100,000 instructions, through the built bpfc and clang-19 -O2 -g. Programs depend on
 * shape and size alone. Times are user + system CPU of whole processes, minima over the rounds; the
 * growth exponent is the slope between the two largest sizes of log(time above an empty program)
 * over log(size): 1 is linear. Sizes are as asked for, since a table has no instructions.
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
import { shapes } from "./scaling-shapes.ts";
import { head } from "./scaling-tools.ts";

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
  const exponent = Math.log(to.time / from.time) / Math.log(to.size / from.size);
  return exponent.toFixed(2);
}

interface Point {
  readonly size: number;
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
    if (ours.ok) points.bpfc.push({ size, time: ours.time - empty.bpfc });
    if (theirs.ok) points.clang.push({ size, time: theirs.time - empty.clang });
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
