/**
 * How fast compiled programs run in the kernel: each workload compiled by clang-19 and by bpfc, run
 * by BPF_PROG_TEST_RUN in turns. The time is the minimum over the rounds and over several loads (where
 * the kernel puts the code decides a fifth of a short loop's time), less that of a program that does
 * nothing; both programs must give the same number and packet, and leave the same maps and variables. The spread of a side is how
 * much longer than the best load its middle one takes: what chance decides.
 * Run: npx tsx bench/kernel-run-time.ts [--rounds 10] [--loads 12] [--cpu v3] [--match TEXT] [--repeat 2000]
 *        [--folder bench/kernel-workloads]
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ObjectFile } from "../common/object/object-file.ts";
import { askKernelInTurns, type KernelResult } from "../test/support/kernel.ts";
import { compileFile, hex } from "../test/support/toolchain.ts";
import { runClang } from "./compile-object.ts";
import { differences, type KernelSide, kernelSide } from "./kernel-side.ts";
import { synPacket } from "./packets.ts";
import { geometricMean } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    loads: { type: "string", default: "12" },
    cpu: { type: "string", default: "v3" },
    match: { type: "string", default: "" },
    repeat: { type: "string", default: "2000" },
    folder: { type: "string", default: join(import.meta.dirname, "kernel-workloads") },
  },
});
const { folder } = cli;
const headers = join(import.meta.dirname, "../compiler/include");
const words = ["-O2", `-mcpu=${cli.cpu}`, "-nostdinc", "-I", headers];

function withClang(path: string): ObjectFile {
  const { object, error } = runClang(words, path);
  if (object === undefined) throw new Error(`clang: ${error}`);
  return object;
}

const run = { data: hex(synPacket()), repeat: Number(cli.repeat) };
const prepare = (object: ObjectFile, path: string): KernelSide => kernelSide(object, path, [run]);

/** Each load's best time, shortest first. */
function bestTimes(results: readonly (KernelResult | undefined)[]): number[] {
  const best = results.map((result) => {
    const times = (result?.runs ?? []).map(({ duration }) => duration ?? Number.POSITIVE_INFINITY);
    return Math.min(...times);
  });
  return best.sort((a, b) => a - b);
}

function bestTime(results: readonly (KernelResult | undefined)[]): number {
  return bestTimes(results)[0] ?? Number.POSITIVE_INFINITY;
}

/** How much longer the middle one of the loads takes than the best, in hundredths of that. */
function spreadOf(results: readonly (KernelResult | undefined)[], base: number): number {
  const times = bestTimes(results);
  const [best, middle] = [times[0] ?? 0, times[times.length >> 1] ?? 0];
  return Math.round((100 * (middle - best)) / Math.max(best - base, 1));
}

for (const needed of ["null.c", "workload.h"]) {
  if (existsSync(join(folder, needed))) continue;
  console.error(`${folder} has no ${needed}: copy it from bench/kernel-workloads`);
  process.exit(1);
}
const names = readdirSync(folder).filter((name) => name.endsWith(".c") && name !== "null.c");
const nullProgram = prepare(withClang(join(folder, "null.c")), "null.c");
console.log(
  `bpfc / clang-19 at -O2 -mcpu=${cli.cpu}, nanoseconds per run, ${cli.loads} loads of ${cli.rounds} rounds`,
);
console.log(`${"".padEnd(18)}${"clang".padStart(8)}${"bpfc".padStart(8)}   ratio  spread   insns`);
const ratios: number[] = [];
for (const name of names.filter((each) => each.includes(cli.match))) {
  const path = join(folder, name);
  const clang = prepare(withClang(path), path);
  const bpfc = prepare(compileFile(path, words), path);
  const jobs = [nullProgram, clang, bpfc].map(({ job }) => job);
  const loads = Array.from({ length: Number(cli.loads) }, () =>
    askKernelInTurns(jobs, Number(cli.rounds)),
  );
  const [none, theirs, ours] = loads[0] ?? [];
  if (none === undefined || theirs === undefined || ours === undefined)
    throw new Error("no answer");
  const rejected = [none, theirs, ours].filter(({ verdict }) => verdict !== "accept");
  if (rejected.length > 0) {
    const reason = rejected.map(({ log }) => log.split("\n").slice(-6).join(" / "));
    console.log(
      `${name}: rejected from ${theirs.verdict === "accept" ? "bpfc" : "clang"}: ${reason}`,
    );
    continue;
  }
  const timeOf = (which: number): number => bestTime(loads.map((results) => results[which]));
  const base = timeOf(0);
  const times = [timeOf(1) - base, timeOf(2) - base] as const;
  const ratio = times[1] / times[0];
  ratios.push(ratio);
  const notes = [
    ...(times[0] < 200 ? ["less than 200 ns"] : []),
    ...(differences([clang, theirs], [bpfc, ours]).length === 0 ? [] : ["DIFFERENT RESULTS"]),
  ];
  const cells = times.map((time) => String(time).padStart(8)).join("");
  const spread = [1, 2].map((which) => {
    const results = loads.map((each) => each[which]);
    return `${spreadOf(results, base)}`.padStart(3);
  });
  const size = `${bpfc.instructions}/${clang.instructions}`;
  const title = name.replace(".c", "").padEnd(18);
  const figures = `${ratio.toFixed(3).padStart(8)}  ${spread.join("/")} %`;
  console.log(`${title}${cells}${figures}  ${size} ${notes.join(", ")}`.trimEnd());
}
const worst = Math.max(...ratios).toFixed(3);
console.log(`geometric mean ${geometricMean(ratios).toFixed(3)}, highest ${worst}`);
