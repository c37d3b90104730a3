/**
 * Random programs of csmith through bpfc and the VM, against gcc on this machine: both print a
 * checksum of all global variables. Integer-only, with bit-fields, packed structs, unions, volatiles
 * and pointers. Programs that need more than 512 bytes of stack run in a VM with a larger one;
 * programs that gcc's build does not end in time are not counted, nor are those that want more
 * instructions than the VM counts and that gcc's build takes its time for. SIGINT ends it with a report.
 * Run: npx tsx bench/csmith.ts [--count 1000] [--seed 1] [--levels 0,2] [--cpus v1,v2,v3,v4]
 *        [--engine jit] [--jobs 2] [--keep FOLDER]
 *        [--options="--max-funcs 10 --builtins …"]   options of csmith instead of the usual ones
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isFailure, type SeedResult, type Task } from "./csmith/judge.ts";
import type { Order } from "./csmith/worker.ts";

const { values: cli } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    levels: { type: "string", default: "0,2" },
    cpus: { type: "string", default: "v1,v2,v3,v4" },
    engine: { type: "string", default: "jit" },
    jobs: { type: "string", default: "2" },
    keep: { type: "string" },
    options: { type: "string" },
  },
});

const usualOptions =
  "--concise --max-funcs 4 --max-block-depth 3 --max-block-size 3 --max-expr-complexity 6 " +
  "--max-array-dim 2 --max-array-len-per-dim 4 --max-struct-fields 6 " +
  "--bitfields --packed-struct --unions --volatiles --pointers --math64";
const csmithOptions = cli.options ?? usualOptions;
/** Seconds for one seed; a worker that takes longer hangs. */
const limit = 300;
let wanted = Number(cli.count);
const work = mkdtempSync(join(tmpdir(), "bpfc-csmith-"));
const task: Task = {
  options: ["--no-argc", "--quiet", ...csmithOptions.split(" ")],
  variants: cli.levels
    .split(",")
    .flatMap((level) => cli.cpus.split(",").map((cpu) => [`-O${level}`, `-mcpu=${cpu}`])),
  engine: cli.engine === "interpreter" ? "interpreter" : "jit",
  work,
  keep: cli.keep,
};

const counts = new Map<string, number>();
const count = (what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1);
};
let nextSeed = Number(cli.seed);
let ended = 0;
let underWay = 0;
const failing = new Set<number>();

function record({ seed, expected, verdicts }: SeedResult): void {
  if (expected === undefined) {
    count("seeds whose program does not end");
    return;
  }
  if (verdicts.some(({ kind }) => kind === "not ended")) count("programs too long for the VM");
  else ended += 1;
  for (const { variant, kind, text, needsLargeStack } of verdicts) {
    if (kind === "not ended") continue;
    count(kind);
    if (needsLargeStack) count("with a larger stack");
    if (!isFailure(kind)) continue;
    failing.add(seed);
    console.log(`seed ${seed} ${variant}: ${kind}: ${text} instead of ${expected}`);
  }
}

function finish(): void {
  rmSync(work, { recursive: true, force: true });
  const numbers = [...counts].map(([what, number]) => `${what} ${number}`).join(", ");
  const variants = task.variants.map((words) => words.join(" ")).join(", ");
  console.log(`csmith ${csmithOptions}`);
  console.log(`seeds ${cli.seed} to ${nextSeed - 1}, ${ended} programs, each: ${variants}`);
  console.log(`${numbers}; failing seeds: ${[...failing].join(" ") || "none"}`);
  if (failing.size > 0) process.exitCode = 1;
}

/** Gives a worker its next seed, or lets it go. */
function feed(worker: ChildProcess): void {
  if (ended + underWay >= wanted) {
    worker.disconnect();
    return;
  }
  const seed = nextSeed;
  nextSeed += 1;
  underWay += 1;
  const timer = setTimeout(() => {
    failing.add(seed);
    count("hang");
    console.log(`seed ${seed}: no answer after ${limit} s`);
    underWay -= 1;
    worker.removeAllListeners();
    worker.kill("SIGKILL");
    startWorker();
  }, limit * 1000);
  worker.once("message", (result: SeedResult) => {
    clearTimeout(timer);
    underWay -= 1;
    record(result);
    feed(worker);
  });
  const order: Order = { seed };
  worker.send(order);
}

let running = 0;
function startWorker(): void {
  const worker = fork(join(import.meta.dirname, "csmith/worker.ts"));
  running += 1;
  worker.on("exit", () => {
    running -= 1;
    if (running === 0) finish();
  });
  const order: Order = { task };
  worker.send(order);
  feed(worker);
}

// Interrupted, it ends what is under way and reports what there is.
process.on("SIGINT", () => {
  wanted = 0;
});
for (let i = 0; i < Number(cli.jobs); i += 1) startWorker();
