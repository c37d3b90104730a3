/** Printing of what a comparison with the kernel found. */
import type { Score } from "./verifier-score.ts";

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Prints the confusion matrix, how far details agree, and differences of one kind. */
export function report(score: Score, show: string | undefined, limit: number): void {
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
  const shown = score.differences.filter(({ kind }) => kind === show);
  for (const { item, verdict } of shown.slice(0, limit)) {
    const { expected } = item;
    console.log(`${item.id}
  kernel: ${expected?.verdict} ${expected?.reason} (${expected?.processed}) ${expected?.r6 ?? ""}
  ours:   ${verdict.verdict} ${verdict.reason} (${verdict.processed}) ${verdict.watched ?? ""}`);
  }
}

/** Prints what is not modelled, most frequent first. */
export function showUnsupported(score: Score): void {
  const reasons = new Map<string, number>();
  for (const { kind, verdict } of score.differences) {
    if (kind !== "unsupported") continue;
    reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
  }
  const sorted = [...reasons].sort((a, b) => b[1] - a[1]);
  for (const [reason, count] of sorted) console.log(`  ${String(count).padStart(5)} ${reason}`);
}
