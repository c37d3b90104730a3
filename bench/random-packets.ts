/**
 * Random packet programs (random-packet-programs/) by clang-19 and by bpfc in the kernel: what it takes from
 * clang it must take from bpfc, and then both must answer the same packets alike: return value, packet,
 * maps. Says also how both compare in instructions emitted and processed, and which programs are far off.
 * Run: npx tsx bench/random-packets.ts [--count 1000] [--seed 1] [--cpus v3] [--level 2] [--statements 40]
 *        [--packets 12] [--keep FOLDER]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { isCode } from "../linker/object-view.ts";
import type { LoadedObject } from "../linker/program.ts";
import { askKernel, type KernelJob, type KernelResult } from "../test/support/kernel.ts";
import { compileFile, hex, kernelJob, kernelMaps, load } from "../test/support/toolchain.ts";
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

interface Side {
  readonly object: ObjectFile;
  readonly loaded: LoadedObject;
  readonly job: KernelJob;
  readonly instructions: number;
}

interface Pair {
  readonly seed: number;
  readonly cpu: string;
  readonly path: string;
  readonly clang: Side;
  readonly bpfc: Side;
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

function side(object: ObjectFile, path: string, runs: KernelJob["runs"]): Side {
  const loaded = load(object, path);
  const [program] = loaded.programs;
  if (program === undefined) throw new Error(`${path}: no program`);
  const instructions = object.sections.filter(isCode).reduce((sum, { size }) => sum + size / 8, 0);
  return {
    object,
    loaded,
    job: { ...kernelJob(loaded, program), ...(runs && { runs }), dump: true },
    instructions,
  };
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
  const output = join(work, "clang.o");
  const result = spawnSync(
    "clang-19",
    ["-target", "bpf", "-g", ...words, "-c", path, "-o", output],
    { encoding: "utf8" },
  );
  if (result.status !== 0) {
    report("refused by clang", { seed, cpu }, result.stderr.split("\n")[0]);
    return undefined;
  }
  const theirs = readElf(readFileSync(output), path, new Diagnostics());
  if (theirs === undefined) throw new Error("clang's object cannot be read");
  try {
    const ours = compileFile(path, words);
    return { seed, cpu, path, clang: side(theirs, path, runs), bpfc: side(ours, path, runs) };
  } catch (error) {
    report("REFUSED BY BPFC", { seed, cpu }, String(error).slice(0, 300));
    return undefined;
  }
}

/** What a program did: its numbers and packets, maps and variables by name. */
function effects({ loaded, object }: Side, { runs, maps }: KernelResult): Map<string, string> {
  const contents = kernelMaps(loaded, maps ?? []);
  const found = new Map<string, string>();
  found.set("", JSON.stringify(runs?.map(({ retval, data, errno }) => [retval, data, errno])));
  for (const { name, dataSection } of loaded.maps) {
    if (dataSection === undefined) found.set(name, JSON.stringify(contents[name]));
  }
  for (const { name, type, section, value, size } of object.symbols) {
    const place = typeof section === "number" ? object.sections[section]?.name : undefined;
    const map = loaded.maps.find(({ dataSection }) => dataSection === place);
    if (type !== "object" || map === undefined) continue;
    const held = contents[map.name]?.[0]?.split("=")[1] ?? "";
    found.set(name, held.slice(2 * value, 2 * (value + size)));
  }
  return found;
}

/** Names of what differs; variables of the file may be left out by either where they come to nothing. */
function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...a].flatMap(([name, held]) => {
    const other = b.get(name);
    return other === undefined || other === held ? [] : [name === "" ? "answers" : name];
  });
}

const processedOf = (result: KernelResult): number =>
  Number(/processed (\d+) insns/.exec(result.log)?.[1] ?? 0);

function lastReason(log: string): string {
  const lines = log
    .split("\n")
    .filter((line) => line !== "" && !/^(verification time|stack depth|processed)/.test(line));
  return lines.slice(-2).join(" / ").slice(-200);
}

function judge(pair: Pair, clang: KernelResult, bpfc: KernelResult): void {
  const accepted = [clang, bpfc].map(({ verdict }) => verdict === "accept");
  if (!accepted[0] && !accepted[1]) return report("refused from both", pair);
  if (!accepted[1]) return report("REFUSED FROM BPFC ONLY", pair, lastReason(bpfc.log));
  if (!accepted[0]) {
    counts.set("refused from clang only", (counts.get("refused from clang only") ?? 0) + 1);
    return;
  }
  const differing = differences(effects(pair.clang, clang), effects(pair.bpfc, bpfc));
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
