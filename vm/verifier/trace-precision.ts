/** The log's account of how precision is followed backwards (level 2). */
import type { Wanted } from "./backtrack.ts";
import type { Env } from "./env.ts";
import { printInsn } from "./print-insn.ts";
import { printState } from "./print-state.ts";
import type { State } from "./state.ts";

function registerList(mask: number): string {
  const names: string[] = [];
  for (let r = 0; r < 32; r += 1) if ((mask & (1 << r)) !== 0) names.push(`r${r}`);
  return names.join(",");
}

/** Slots of two halves of a mask, as offsets from the frame pointer. */
export function slotList(low: number, high: number): string {
  const names: number[] = [];
  for (let slot = 0; slot < 64; slot += 1) {
    const half = slot < 32 ? low : high;
    if ((half & (1 << (slot & 31))) !== 0) names.push(-(slot + 1) * 8);
  }
  return names.join(",");
}

export function traceRange(
  env: Env,
  frame: number,
  last: number,
  first: number,
  next: number,
): void {
  if (!env.log.isDetailed) return;
  env.log.trace(
    `mark_precise: frame${frame}: last_idx ${last} first_idx ${first} subseq_idx ${next} \n`,
  );
}

export function traceFallback(env: Env, frame: number): void {
  if (!env.log.isDetailed) return;
  env.log.trace(`mark_precise: frame${frame}: falling back to forcing all scalars precise\n`);
}

export function traceStep(env: Env, wanted: Wanted, at: number): void {
  if (!env.log.isDetailed || env.insnAt(at).code === 0) return;
  const { frame } = wanted;
  const registers = registerList(wanted.regs[frame]!);
  const slots = slotList(wanted.low[frame]!, wanted.high[frame]!);
  env.log.trace(
    `mark_precise: frame${frame}: regs=${registers} stack=${slots} before ${at}: ${printInsn(env, at)}\n`,
  );
}

export function traceParent(env: Env, state: State, wanted: Wanted, frame: number): void {
  if (!env.log.isDetailed) return;
  const registers = registerList(wanted.regs[frame]!);
  const slots = slotList(wanted.low[frame]!, wanted.high[frame]!);
  env.log.trace(
    `mark_precise: frame${frame}: parent state regs=${registers} stack=${slots}: ${printState(env, state, frame, true)}\n`,
  );
}

/** What a state that prunes asks of the one that is pruned. */
export function tracePropagation(env: Env, wanted: Wanted): void {
  if (!env.log.isDetailed) return;
  for (let frame = wanted.frame; frame >= 0; frame -= 1) {
    const registers = registerList(wanted.regs[frame]!);
    const slots = slotList(wanted.low[frame]!, wanted.high[frame]!);
    const names = [registers, slots === "" ? "" : `fp${slots.replaceAll(",", ",fp")}`];
    const text = names.filter((name) => name !== "").join(",");
    if (text !== "") env.log.trace(`frame ${frame}: propagating ${text}\n`);
  }
}
