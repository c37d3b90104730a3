/** Paths that are left for later. */
import type { Env } from "./env.ts";
import { isPreciseReg, isPreciseSlot } from "./precision-marks.ts";
import { IdMap, regsExact } from "./prune.ts";
import { type Reg, unknownReg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { copyState, type Frame, isSpilledReg, newState, type State } from "./state.ts";
import { errno } from "./stop.ts";

const maxPending = 8192;

function push(env: Env, state: State, insn: number, previous: number): void {
  const { trail, processed: fork } = env;
  env.pending.push({ state, insn, previous, log: env.log.position, trail, fork });
  if (env.pending.length > maxPending) {
    env.reject(`The sequence of ${env.pending.length} jumps is too complex.`, errno.tooBig);
  }
}

/** A copy of the current state that goes on at `insn`. */
export function pushPath(env: Env, insn: number, previous: number): State {
  const state = copyState(env.state);
  push(env, state, insn, previous);
  if (state.parent !== undefined) state.parent.branches += 1;
  return state;
}

/** A callback that starts on its own, with a fresh stack. */
export function pushAsync(env: Env, insn: number, previous: number, frame: Frame): State {
  const state = newState();
  state.frames = [frame];
  state.firstInsn = 0;
  state.lastInsn = 0;
  push(env, state, insn, previous);
  return state;
}

function widenReg(old: Reg, current: Reg, ids: IdMap, isPrecise: boolean): Reg {
  if (old.type !== kind.scalar || current.type !== kind.scalar || isPrecise) return current;
  return regsExact(old, current, ids) ? current : unknownReg;
}

/** Between two rounds of a loop: numbers that changed and decided nothing become unknown. */
export function widenImprecise(old: State, current: State): void {
  const ids = new IdMap();
  for (let i = current.frames.length - 1; i >= 0; i -= 1) {
    const frame = current.frames[i]!;
    const before = old.frames[i];
    if (before === undefined) continue;
    for (let r = 0; r < 10; r += 1) {
      frame.regs[r] = widenReg(before.regs[r]!, frame.regs[r]!, ids, isPreciseReg(before, r));
    }
    const count = Math.min(frame.stack.length, before.stack.length);
    for (let s = 0; s < count; s += 1) {
      const a = before.stack[s]!;
      const b = frame.stack[s]!;
      if (!isSpilledReg(a) || !isSpilledReg(b)) continue;
      const reg = widenReg(a.reg, b.reg, ids, isPreciseSlot(before, s));
      if (reg !== b.reg) frame.stack[s] = { types: b.types, reg };
    }
  }
}
