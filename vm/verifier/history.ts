/** The path taken since the last checkpoint, as far as going back along it needs it. */
import type { Env } from "./env.ts";
import type { HistoryEntry, LinkedReg, State } from "./state.ts";

/** The entry of the current instruction; several facts about one instruction share it. */
function currentEntry(env: Env): HistoryEntry {
  if (env.historyEntry !== undefined) return env.historyEntry;
  const entry: HistoryEntry = {
    insn: env.insn,
    previous: env.previousInsn,
    stackAccess: false,
    frame: 0,
    slot: 0,
    dstIsStack: false,
    srcIsStack: false,
    linked: undefined,
  };
  env.state.history.push(entry);
  env.historyEntry = entry;
  return entry;
}

/** This instruction was reached by a jump, or must be found again for another reason. */
export function noteJump(env: Env): void {
  currentEntry(env);
}

/** A register was spilled to or filled from this slot. */
export function noteStackAccess(env: Env, frame: number, slot: number): void {
  const entry = currentEntry(env);
  entry.stackAccess = true;
  entry.frame = frame;
  entry.slot = slot;
}

export function noteStackOperands(env: Env, dstIsStack: boolean, srcIsStack: boolean): void {
  if (!dstIsStack && !srcIsStack) return;
  const entry = currentEntry(env);
  entry.dstIsStack ||= dstIsStack;
  entry.srcIsStack ||= srcIsStack;
}

/** A branch told something of all these registers at once. */
export function noteLinked(env: Env, linked: readonly LinkedReg[]): void {
  currentEntry(env).linked = linked;
}

/** The entry for an instruction, if the last of `count` entries is its. */
export function entryFor(state: State, count: number, insn: number): HistoryEntry | undefined {
  const entry = count > 0 ? state.history[count - 1] : undefined;
  return entry !== undefined && entry.insn === insn ? entry : undefined;
}

/** The instruction before `insn` on the path; undefined at the state's beginning. */
export function previousOnPath(
  state: State,
  insn: number,
  count: number,
): { insn: number; count: number } | undefined {
  if (insn === state.firstInsn) {
    if (count === 0) return undefined;
    if (count === 1 && state.history[0]?.insn === insn) return undefined;
  }
  const entry = entryFor(state, count, insn);
  if (entry !== undefined) return { insn: entry.previous, count: count - 1 };
  return { insn: insn - 1, count };
}
