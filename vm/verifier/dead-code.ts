/**
 * Code that no path reached is removed before a program is compiled. An address of a function that
 * is removed with it is not adjusted: it then points at what moved to that place, which may be no
 * function at all, and the kernel gives up.
 */
import type { Env } from "./env.ts";
import { isFunctionAddress, isLoadImm64 } from "./opcodes.ts";
import { errno } from "./stop.ts";

interface Run {
  readonly start: number;
  readonly count: number;
}

/** Marks both slots of two-slot instructions. */
function keptSlots(env: Env): Uint8Array {
  const kept = env.facts.seen.slice();
  env.insns.forEach((insn, at) => {
    if (kept[at] === 1 && isLoadImm64(insn)) kept[at + 1] = 1;
  });
  return kept;
}

function removedRuns(kept: Uint8Array): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < kept.length; at += 1) {
    if (kept[at] === 1) continue;
    let end = at;
    while (end < kept.length && kept[end] === 0) end += 1;
    runs.push({ start: at, count: end - at });
    at = end;
  }
  return runs;
}

/** Where an address loaded at `from` points once the runs are gone, one after the other. */
function targetAfter(runs: readonly Run[], from: number, to: number): number {
  let removed = 0;
  let source = from;
  let target = to;
  for (const { start, count } of runs) {
    const offset = start - removed;
    removed += count;
    const isBehind = source >= offset + count;
    if (target >= offset + count || (isBehind && target >= offset)) target -= count;
    if (isBehind) source -= count;
  }
  return target;
}

/** Starts of the functions that are left, as they then are. */
function keptStarts(env: Env, kept: Uint8Array): Set<number> {
  const starts = new Set<number>();
  let removed = 0;
  for (let at = 0; at < kept.length; at += 1) {
    if (kept[at] === 0) removed += 1;
    else if (env.subprograms.some((sub) => sub.start === at)) starts.add(at - removed);
  }
  return starts;
}

export function checkCallbacksKept(env: Env): void {
  const kept = keptSlots(env);
  const runs = removedRuns(kept);
  if (runs.length === 0) return;
  const starts = keptStarts(env, kept);
  if (starts.size < 2) return;
  env.insns.forEach((insn, at) => {
    if (kept[at] === 0 || !isFunctionAddress(insn)) return;
    if (starts.has(targetAfter(runs, at, at + insn.imm + 1))) return;
    env.reject(`verifier bug: No program to jit at insn ${at} (subprog < 0)`, errno.fault);
  });
}
