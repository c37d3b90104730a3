/**
 * Confusion matrix of our verifier against judged cases:
 * `npx tsx bench/verifier-corpus.ts FILE.jsonl[.gz] [--bases BASES.jsonl] [--show KIND] [--limit N]`.
 * KIND is false-accept, false-reject, unsupported, reason, text, processed or r6. Bases give their
 * mutants what these leave out. Without a file: the cases that the tests have, all of them.
 */
import { readCase } from "../vm/verifier/cases.ts";
import { readBases, readLines, Score } from "./verifier-score.ts";

interface Options {
  readonly files: readonly string[];
  readonly bases: string;
  readonly show: string | undefined;
  readonly limit: number;
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

function run(options: Options): void {
  const defaults = readBases(options.bases);
  for (const file of options.files) {
    const score = new Score();
    for (const line of readLines(file)) {
      const item = readCase(line, defaults);
      if (item !== undefined) score.judge(item);
    }
    console.log(`== ${file}`);
    report(score, options);
  }
}

run(readOptions(process.argv.slice(2)));
