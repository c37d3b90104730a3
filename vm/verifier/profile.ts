/** Where a verification went: processed instructions and checkpoints by C line and by function. */
import type { ProgramSpec } from "../../linker/program.ts";
import type { Verdict } from "./input.ts";

/** Counts of one place; `share` is its part of all processed instructions, 0 to 1. */
export interface ProfileEntry {
  readonly processed: number;
  /** Checkpoints (explored states) made there. */
  readonly states: number;
  readonly share: number;
}

export interface LineProfile extends ProfileEntry {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** The most times one of its instructions was processed. */
  readonly visits: number;
}

export interface FunctionProfile extends ProfileEntry {
  readonly name: string;
}

export interface VerifierProfile {
  /** Most expensive first. */
  readonly functions: readonly FunctionProfile[];
  readonly lines: readonly LineProfile[];
}

interface Counts {
  processed: number;
  states: number;
  visits: number;
}

function byCost(a: ProfileEntry, b: ProfileEntry): number {
  return b.processed - a.processed;
}

/** Sums counts over the groups that `keyOf` makes of instructions. */
function sumBy<Key>(verdict: Verdict, keyOf: (insn: number) => Key | undefined): Map<Key, Counts> {
  const sums = new Map<Key, Counts>();
  for (const [insn, visits] of (verdict.visits ?? []).entries()) {
    const key = visits === 0 ? undefined : keyOf(insn);
    if (key === undefined) continue;
    const sum = sums.get(key) ?? { processed: 0, states: 0, visits: 0 };
    sum.processed += visits;
    sum.states += verdict.checkpoints?.[insn] ?? 0;
    sum.visits = Math.max(sum.visits, visits);
    sums.set(key, sum);
  }
  return sums;
}

/** The profile of a verdict that was made with the option `profile`. */
export function profileOf(program: ProgramSpec, verdict: Verdict): VerifierProfile {
  const share = (processed: number): number =>
    verdict.processed === 0 ? 0 : processed / verdict.processed;
  const lineAt = (insn: number): string | undefined => {
    const line = program.lines.findLast(({ slot }) => slot <= insn);
    return line && JSON.stringify([line.file, line.line, line.text.trim()]);
  };
  const functionAt = (insn: number): string | undefined =>
    program.functions.findLast(({ start }) => start <= insn)?.name;
  const lines = [...sumBy(verdict, lineAt)].map(([key, { processed, states, visits }]) => {
    const [file, line, text] = JSON.parse(key) as [string, number, string];
    return { file, line, text, processed, states, visits, share: share(processed) };
  });
  const functions = [...sumBy(verdict, functionAt)].map(([name, { processed, states }]) => ({
    name,
    processed,
    states,
    share: share(processed),
  }));
  return { functions: functions.sort(byCost), lines: lines.sort(byCost) };
}
