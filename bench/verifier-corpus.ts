/**
 * Confusion matrix of our verifier against judged cases:
 * `npx tsx bench/verifier-corpus.ts FILE.jsonl[.gz] [--bases BASES.jsonl] [--show KIND] [--limit N] [--by-base]`.
 * KIND is false-accept, false-reject, unsupported, reason, text, processed or r6. Bases give their
 * mutants what these leave out. Without a file: the cases that the tests have, all of them. With
 * --by-base there is one matrix per base: per repository for the cases of bench/verifier-programs.ts.
 * Kernel types are the running kernel's, if it shows them.
 */
import { readCase } from "../vm/verifier/cases.ts";
import { readBases, readLines, runningKernelTypes, Score } from "./verifier-score.ts";

interface Options {
  readonly files: readonly string[];
  readonly bases: string;
  readonly show: string | undefined;
  readonly limit: number;
  readonly byBase: boolean;
}

const folder = new URL("../test/cases/verifier/", import.meta.url).pathname;
const ownFiles = ["mutants", "random", "bounds"].map((name) => `${folder}${name}.jsonl.gz`);

function readOptions(argv: readonly string[]): Options {
  const after = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  const file = argv[0]?.startsWith("--") ? undefined : argv[0];
  return {
    files: file === undefined ? ownFiles : [file],
    bases: after("--bases") ?? `${folder}bases.jsonl.gz`,
    show: after("--show"),
    limit: Number(after("--limit") ?? 20),
    byBase: argv.includes("--by-base"),
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function report(score: Score, options: Options): void {
  const verdicts = [...score.counts].filter(([kind]) => kind.includes("→")).sort();
  for (const [kind, count] of verdicts) console.log(`${kind.padEnd(24)} ${count}`);
  for (const kind of ["false-accept", "false-reject", "unsupported"]) {
    console.log(`${kind.padEnd(24)} ${score.get(kind)}`);
  }
  for (const kind of ["reason", "text", "processed", "processed within 10 %", "r6"]) {
    console.log(`same ${kind.padEnd(19)} ${percent(score.share(`${kind}-same`, kind))}`);
  }
  const speed = score.microseconds / score.processed;
  console.log(`µs (CPU) per instruction ${speed.toFixed(2)} (set-up of each program included)`);
  const shown = score.differences.filter(({ kind }) => kind === options.show);
  for (const { item, verdict } of shown.slice(0, options.limit)) {
    const { expected } = item;
    console.log(`${item.id}
  kernel: ${expected?.verdict} ${expected?.reason} (${expected?.processed}) ${expected?.r6 ?? ""}
  ours:   ${verdict.verdict} ${verdict.reason} (${verdict.processed}) ${verdict.watched ?? ""}`);
  }
}

function showUnsupported(score: Score): void {
  const reasons = new Map<string, number>();
  for (const { kind, verdict } of score.differences) {
    if (kind !== "unsupported") continue;
    reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
  }
  const sorted = [...reasons].sort((a, b) => b[1] - a[1]);
  for (const [reason, count] of sorted) console.log(`  ${String(count).padStart(5)} ${reason}`);
}

function run(options: Options): void {
  const defaults = readBases(options.bases);
  for (const file of options.files) {
    const scores = new Map<string, Score>();
    for (const line of readLines(file)) {
      const item = readCase(line, { defaults, kernel: runningKernelTypes() });
      if (item === undefined) continue;
      const base = options.byBase ? item.base : "";
      const score = scores.get(base) ?? new Score();
      scores.set(base, score);
      score.judge(item);
    }
    for (const [base, score] of scores) {
      console.log(`== ${file} ${base}`);
      report(score, options);
      showUnsupported(score);
    }
  }
}

run(readOptions(process.argv.slice(2)));
