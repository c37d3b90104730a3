/**
 * Random packet programs (random-packet-programs/) by clang-19 and by bpfc in the kernel: what it takes from
 * clang it must take from bpfc, and then both must answer the same packets alike: return value, packet,
 * maps. Says also how both compare in instructions emitted and processed, and which programs are far off.
 * Run: npx tsx bench/random-packets.ts [--count 1000] [--seed 1] [--cpus v3] [--level 2] [--statements 40]
 *        [--packets 12] [--keep FOLDER]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { askKernel, type KernelResult } from "../test/support/kernel.ts";
import { compileFile, hex } from "../test/support/toolchain.ts";
import { runClang } from "./compile-object.ts";
import { differences, type KernelSide, kernelSide } from "./kernel-side.ts";
import { lastReason, processedOf } from "./kernel-verdict.ts";
import { PacketMaker } from "./packets.ts";
import { geometricMean } from "./programs.ts";
import { randomPacketProgram } from "./random-packet-programs/generate.ts";

const { values: cli } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    cpus: { type: "string", default: "v3" },
    level: { type: "string", default: "2" },
    statements: { type: "string", default: "40" },
    packets: { type: "string", default: "12" },
    keep: { type: "string" },
  },
});
const headers = join(import.meta.dirname, "../compiler/include");
const work = mkdtempSync(join(tmpdir(), "bpfc-packets-"));
/** Programs that the kernel is asked about at once. */
const batchSize = 16;

interface Pair {
  readonly seed: number;
  readonly cpu: string;
  readonly path: string;
  readonly clang: KernelSide;
  readonly bpfc: KernelSide;
}

const counts = new Map<string, number>();
const outliers: { readonly ratio: number; readonly text: string }[] = [];
const ratios: { emitted: number[]; processed: number[] } = { emitted: [], processed: [] };

function report(what: string, { seed, cpu }: { seed: number; cpu: string }, detail = ""): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
  if (what === "same" || what.startsWith("refused from both")) return;
  console.log(`${what}: seed ${seed} ${cpu} ${detail}`);
  if (cli.keep === undefined) return;
  mkdirSync(cli.keep, { recursive: true });
  writeFileSync(join(cli.keep, `${seed}.c`), randomPacketProgram(seed, Number(cli.statements)));
}

function compileBoth(seed: number, cpu: string): Pair | undefined {
  const path = join(work, `${seed}.c`);
  writeFileSync(path, randomPacketProgram(seed, Number(cli.statements)));
  const maker = new PacketMaker(seed);
  const runs = Array.from({ length: Number(cli.packets) }, (_, at) => ({
    data: hex(at % 4 === 3 ? maker.noise(14 + 40 * at) : maker.next()),
  }));
  const common = [`-O${cli.level}`, `-mcpu=${cpu}`, "-fwrapv", "-fno-strict-aliasing", "-w"];
  const words = [...common, "-nostdinc", "-I", headers];
  const { object, error } = runClang(words, path);
  if (object === undefined) {
    report("refused by clang", { seed, cpu }, error);
    return undefined;
  }
  try {
    const ours = compileFile(path, words);
    return {
      seed,
      cpu,
      path,
      clang: kernelSide(object, path, runs),
      bpfc: kernelSide(ours, path, runs),
    };
  } catch (error) {
    report("REFUSED BY BPFC", { seed, cpu }, String(error).slice(0, 300));
    return undefined;
  }
}

function judge(pair: Pair, clang: KernelResult, bpfc: KernelResult): void {
  const accepted = [clang, bpfc].map(({ verdict }) => verdict === "accept");
  if (!accepted[0] && !accepted[1]) return report("refused from both", pair);
  if (!accepted[1]) return report("REFUSED FROM BPFC ONLY", pair, lastReason(bpfc.log));
  if (!accepted[0]) {
    counts.set("refused from clang only", (counts.get("refused from clang only") ?? 0) + 1);
    return;
  }
  const differing = differences([pair.clang, clang], [pair.bpfc, bpfc]);
  report(differing.length === 0 ? "same" : "DIFFERENT", pair, differing.join(" "));
  const emitted = pair.bpfc.instructions / pair.clang.instructions;
  const processed = processedOf(bpfc) / processedOf(clang);
  ratios.emitted.push(emitted);
  ratios.processed.push(processed);
  const name = `seed ${pair.seed} ${pair.cpu}: emitted ${pair.bpfc.instructions}/${pair.clang.instructions}, processed ${processedOf(bpfc)}/${processedOf(clang)}`;
  const isLarge =
    pair.bpfc.instructions > Math.max(1.15 * pair.clang.instructions, pair.clang.instructions + 2);
  if (isLarge) outliers.push({ ratio: emitted, text: `${emitted.toFixed(2)} ${name}` });
  if (processed > 1.5) outliers.push({ ratio: processed, text: `${processed.toFixed(2)} ${name}` });
}

function judgeAll(pairs: readonly Pair[]): void {
  const results = askKernel(pairs.flatMap(({ clang, bpfc }) => [clang.job, bpfc.job]));
  for (const [at, pair] of pairs.entries()) {
    const [clang, bpfc] = [results[2 * at], results[2 * at + 1]];
    if (clang !== undefined && bpfc !== undefined) judge(pair, clang, bpfc);
  }
}

let waiting: Pair[] = [];
const first = Number(cli.seed);
for (let seed = first; seed < first + Number(cli.count); seed += 1) {
  for (const cpu of cli.cpus.split(",")) {
    const pair = compileBoth(seed, cpu);
    if (pair !== undefined) waiting.push(pair);
  }
  if (waiting.length < batchSize && seed + 1 < first + Number(cli.count)) continue;
  judgeAll(waiting);
  waiting = [];
}
rmSync(work, { recursive: true, force: true });
outliers.sort((a, b) => b.ratio - a.ratio);
for (const { text } of outliers.slice(0, 40)) console.log(text);
console.log([...counts].map(([what, count]) => `${count} ${what}`).join(", "));
console.log(
  `emitted ${geometricMean(ratios.emitted).toFixed(3)}, processed ${geometricMean(ratios.processed).toFixed(3)} x clang's, ${outliers.length} outliers`,
);
