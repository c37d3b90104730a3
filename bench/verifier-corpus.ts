/**
 * Confusion matrix of our verifier against judged cases: `npx tsx bench/verifier-corpus.ts FILE.jsonl
 * [--bases BASES.jsonl] [--show KIND] [--limit N]`. KIND is false-accept, false-reject, unsupported,
 * reason, insn, processed or r6. Bases give BTF and map contents to cases that leave them out.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  type CaseDefaults,
  type PortableCase,
  readCase,
  watchOfCase,
} from "../vm/verifier/cases.ts";
import type { Verdict } from "../vm/verifier/input.ts";
import { verify } from "../vm/verifier/verify.ts";

interface Options {
  readonly file: string;
  readonly bases: string | undefined;
  readonly show: string | undefined;
  readonly limit: number;
}

function readOptions(argv: readonly string[]): Options {
  const valueOf = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  return {
    file: argv[0] ?? "",
    bases: valueOf("--bases"),
    show: valueOf("--show"),
    limit: Number(valueOf("--limit") ?? 20),
  };
}

function readLines(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.split("\n").filter((line) => line !== "");
}

/** Numbers and registers masked, so that reasons of one class are equal. */
export function maskReason(reason: string): string {
  return reason.replace(/\b([Rr])\d+\b/g, "$1N").replace(/-?\b(0x[0-9a-f]+|\d+)\b/g, "N");
}

function defaultsFrom(path: string | undefined): CaseDefaults | undefined {
  if (path === undefined) return undefined;
  const bases = new Map<string, Record<string, unknown>>();
  for (const line of readLines(path)) {
    const base = JSON.parse(line) as Record<string, unknown>;
    const object = String(base["object"]).replace(/\.o$/, "");
    bases.set(`${object}:${String(base["func"])}`, base);
  }
  return (name) => bases.get(name);
}

class Score {
  readonly counts = new Map<string, number>();
  readonly shown: string[] = [];
  readonly options: Options;
  nanoseconds = 0;
  processed = 0;

  constructor(options: Options) {
    this.options = options;
  }

  count(kind: string, item: PortableCase, verdict: Verdict, detail = ""): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (kind === this.options.show && this.shown.length < this.options.limit) {
      this.shown.push(
        `${item.id} ${detail}\n   kernel: ${item.expected?.verdict} ${item.expected?.reason}\n   ours:   ${verdict.verdict} @${verdict.insn} ${verdict.reason}`,
      );
    }
  }

  get(kind: string): number {
    return this.counts.get(kind) ?? 0;
  }
}

function compareStates(score: Score, item: PortableCase, verdict: Verdict): void {
  const wanted = item.expected?.r6;
  if (wanted === undefined || wanted.length === 0) return;
  const ours = (verdict.watched ?? []).map((text) => text.replace(/\(id=\d+,?/, "("));
  const same =
    wanted.length === ours.length && wanted.every((text, i) => text === null || text === ours[i]);
  score.count(same ? "r6-same" : "r6", item, verdict, `\n   ${wanted}\n   ${ours}`);
}

function compareReasons(score: Score, item: PortableCase, verdict: Verdict): void {
  const wanted = item.expected?.reason ?? "";
  const isSame = maskReason(wanted) === maskReason(verdict.reason);
  score.count(isSame ? "reason-same" : "reason", item, verdict);
  if (wanted === verdict.reason) score.count("text-same", item, verdict);
}

function compareProcessed(score: Score, item: PortableCase, verdict: Verdict): void {
  const wanted = item.expected?.processed;
  if (wanted === undefined) return;
  const isSame = wanted === verdict.processed;
  const detail = `processed ${wanted} ours ${verdict.processed}`;
  score.count(isSame ? "processed-same" : "processed", item, verdict, detail);
  if (Math.abs(wanted - verdict.processed) <= wanted * 0.1) {
    score.count("processed-close", item, verdict);
  }
}

function judge(score: Score, item: PortableCase): void {
  const wantsStates = item.expected?.r6 !== undefined;
  const options = wantsStates ? { watch: watchOfCase(item.input) } : {};
  const start = process.hrtime.bigint();
  const verdict = verify(item.input, options);
  score.nanoseconds += Number(process.hrtime.bigint() - start);
  score.processed += verdict.processed;
  const wanted = item.expected?.verdict ?? "none";
  score.count(`${wanted}→${verdict.verdict}`, item, verdict);
  if (verdict.verdict === "unsupported") return score.count("unsupported", item, verdict);
  if (wanted === "reject" && verdict.verdict === "accept") {
    return score.count("false-accept", item, verdict);
  }
  if (wanted === "accept" && verdict.verdict === "reject") {
    return score.count("false-reject", item, verdict);
  }
  compareStates(score, item, verdict);
  if (wanted === "reject") compareReasons(score, item, verdict);
  compareProcessed(score, item, verdict);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(2)} %`;
}

function report(score: Score): void {
  for (const [kind, count] of [...score.counts].sort()) console.log(`${kind.padEnd(24)} ${count}`);
  const same = (kind: string, other: string): string =>
    percent(score.get(kind), score.get(kind) + score.get(other));
  console.log(`same reason (masked)     ${same("reason-same", "reason")}`);
  console.log(
    `same reason (text)       ${percent(score.get("text-same"), score.get("reason-same") + score.get("reason"))}`,
  );
  console.log(`same processed count     ${same("processed-same", "processed")}`);
  console.log(
    `processed within 10 %    ${percent(score.get("processed-close"), score.get("processed-same") + score.get("processed"))}`,
  );
  console.log(`r6 text equal            ${same("r6-same", "r6")}`);
  console.log(
    `µs per processed insn    ${(score.nanoseconds / 1000 / score.processed).toFixed(2)}`,
  );
  for (const line of score.shown) console.log(line);
}

const options = readOptions(process.argv.slice(2));
const score = new Score(options);
const defaults = defaultsFrom(options.bases);
for (const line of readLines(options.file)) {
  const item = readCase(line, defaults);
  if (item !== undefined) judge(score, item);
}
report(score);
