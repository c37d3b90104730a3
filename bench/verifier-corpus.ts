/**
 * Confusion matrix of our verifier against judged cases:
 * `npx tsx bench/verifier-corpus.ts FILE.jsonl[.gz] [--bases BASES.jsonl] [--show KIND] [--limit N] [--by-base]`.
 * KIND is false-accept, false-reject, unsupported, reason, text, processed or r6. Bases give their
 * mutants what these leave out. Without a file: the cases that the tests have, all of them. With
 * --by-base there is one matrix per base: per repository for the cases of bench/verifier-programs.ts.
 * Kernel types are the running kernel's, if it shows them.
 */
import { readCase } from "../vm/verifier/cases.ts";
import { report, showUnsupported } from "./verifier-report.ts";
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
      report(score, options.show, options.limit);
      showUnsupported(score);
    }
  }
}

run(readOptions(process.argv.slice(2)));
