/**
 * Precision: a number that a verdict depended on must be compared exactly when states are pruned.
 * Marks are put on checkpoints by following the value backwards along the path.
 */
import { backtrack, cannotFollow, rejectBug, Wanted } from "./backtrack.ts";
import type { Env } from "./env.ts";
import { entryFor, previousOnPath } from "./history.ts";
import { isPreciseReg, isPreciseSlot, setPreciseSlot } from "./precision-marks.ts";
import { kind } from "./reg-types.ts";
import { type Frame, isSpilledReg, type State } from "./state.ts";
import {
  traceFallback,
  traceParent,
  tracePropagation,
  traceRange,
  traceStep,
} from "./trace-precision.ts";

/** Whether marks were added. */
export interface Change {
  changed: boolean;
}

function markFrameRegs(frame: Frame, wanted: Wanted, at: number, change: Change): void {
  for (let r = 0; r < 10; r += 1) {
    if (!wanted.hasReg(r, at)) continue;
    if (frame.regs[r]!.type !== kind.scalar || isPreciseReg(frame, r)) {
      wanted.clearReg(r, at);
      continue;
    }
    frame.preciseRegs |= 1 << r;
    change.changed = true;
  }
}

function markFrameSlots(frame: Frame, wanted: Wanted, at: number, change: Change): void {
  if (!wanted.hasAnySlot(at)) return;
  for (let index = 0; index < 64; index += 1) {
    if (!wanted.hasSlot(at, index)) continue;
    const slot = frame.stack[index];
    const isScalarSpill = slot !== undefined && isSpilledReg(slot) && slot.reg.type === kind.scalar;
    if (!isScalarSpill || isPreciseSlot(frame, index)) {
      wanted.clearSlot(at, index);
      continue;
    }
    setPreciseSlot(frame, index);
    change.changed = true;
  }
}

/** Marks what is wanted in a checkpoint; what needs no further search is no longer wanted. */
function markCheckpoint(env: Env, state: State, wanted: Wanted, change: Change): void {
  for (let at = wanted.frame; at >= 0; at -= 1) {
    const frame = state.frames[at];
    if (frame === undefined) continue;
    markFrameRegs(frame, wanted, at, change);
    markFrameSlots(frame, wanted, at, change);
    traceParent(env, state, wanted, at);
  }
}

/** The path is not understood: every number of every checkpoint on it counts. */
export function markAllPrecise(env: Env, start: State): void {
  traceFallback(env, start.frames.length - 1);
  for (let state = start.parent; state !== undefined; state = state.parent) {
    for (const frame of state.frames) {
      for (let r = 0; r < 10; r += 1) {
        if (frame.regs[r]!.type === kind.scalar) frame.preciseRegs |= 1 << r;
      }
      frame.stack.forEach((slot, index) => {
        if (isSpilledReg(slot) && slot.reg.type === kind.scalar) setPreciseSlot(frame, index);
      });
    }
  }
}

/** New checkpoints start without marks. */
export function clearPrecision(state: State): void {
  for (const frame of state.frames) {
    frame.preciseRegs = 0;
    frame.preciseStackLow = 0;
    frame.preciseStackHigh = 0;
  }
}

/** Arguments of a function that is verified on its own have no origin to look for. */
function finishAtEntry(env: Env, state: State, wanted: Wanted, change: Change): void {
  const mask = wanted.regs[wanted.frame]!;
  if ((mask & ~0x3e) !== 0 || wanted.hasAnySlot(wanted.frame)) {
    rejectBug(env, "backtracking func entry");
  }
  markFrameRegs(state.frames[wanted.frame]!, wanted, wanted.frame, change);
}

/** Steps back through one state; true if everything was found. */
function searchState(
  env: Env,
  state: State,
  wanted: Wanted,
  start: State,
  from: { last: number; following: number; skipsFirst: boolean },
): boolean {
  let count = state.history.length;
  let at = from.last;
  let following = from.following;
  let skips = from.skipsFirst;
  for (;;) {
    if (!skips) {
      const entry = entryFor(state, count, at);
      traceStep(env, wanted, at);
      if (backtrack(env, wanted, at, following, entry) === cannotFollow) {
        markAllPrecise(env, start);
        wanted.clear();
        return true;
      }
    }
    skips = false;
    if (wanted.isEmpty) return true;
    following = at;
    const previous = previousOnPath(state, at, count);
    if (previous === undefined) return false;
    at = previous.insn;
    count = previous.count;
    if (at >= env.insns.length) rejectBug(env, "backtracking idx");
  }
}

function search(env: Env, start: State, wanted: Wanted, change: Change): void {
  if (wanted.isEmpty) return;
  let state = start;
  let last = start.insn;
  let following = -1;
  let skipsFirst = true;
  for (;;) {
    traceRange(env, wanted.frame, last, state.firstInsn, following);
    if (last < 0) {
      finishAtEntry(env, state, wanted, change);
      return;
    }
    if (searchState(env, state, wanted, start, { last, following, skipsFirst })) return;
    skipsFirst = false;
    const { parent } = state;
    if (parent === undefined) break;
    markCheckpoint(env, parent, wanted, change);
    if (wanted.isEmpty) return;
    following = state.firstInsn;
    last = parent.lastInsn;
    state = parent;
  }
  if (!wanted.isEmpty) markAllPrecise(env, start);
}

/** The number in a register of the current frame decided something. */
export function markPrecise(env: Env, register: number): void {
  const { state } = env;
  const reg = env.regs[register]!;
  if (reg.type !== kind.scalar) rejectBug(env, "backtracking misuse");
  const wanted = new Wanted(state.frames.length - 1);
  wanted.setReg(register);
  state.insn = env.insn;
  search(env, state, wanted, { changed: false });
}

/** The number in a stack slot decided something. */
export function markSlotPrecise(env: Env, frame: number, slot: number): void {
  const wanted = new Wanted(env.state.frames.length - 1);
  wanted.setSlot(frame, slot);
  search(env, env.state, wanted, { changed: false });
}

/** Pruning by `old` relies on what was precise in it: the same must be so on the way to `current`. */
export function propagatePrecision(env: Env, old: State, current: State, change: Change): void {
  const wanted = new Wanted(current.frames.length - 1);
  old.frames.forEach((frame, at) => {
    for (let r = 0; r < 10; r += 1) {
      if (isPreciseReg(frame, r) && frame.regs[r]!.type === kind.scalar) wanted.setReg(r, at);
    }
    frame.stack.forEach((slot, index) => {
      const isScalarSpill = isSpilledReg(slot) && slot.reg.type === kind.scalar;
      if (isScalarSpill && isPreciseSlot(frame, index)) wanted.setSlot(at, index);
    });
  });
  tracePropagation(env, wanted);
  search(env, current, wanted, change);
}
