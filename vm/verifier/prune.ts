/** Whether a state that was already found safe covers another one. */

import type { Scalar } from "../../common/domain/scalar.ts";
import { tnumContains } from "../../common/domain/tnum.ts";
import type { Env } from "./env.ts";
import { isPreciseReg, isPreciseSlot } from "./precision-marks.ts";
import { type Reg, unknownReg } from "./reg.ts";
import { kind, kindOf } from "./reg-types.ts";
import { byteKind, byteOf, type Frame, type Slot, type State } from "./state.ts";

/**
 * `loose`: numbers that decided nothing are ignored. `within`: loops, where marks are not complete:
 * every number counts. `exact`: to find infinite loops.
 */
export type Exactness = "loose" | "within" | "exact";

/** Old ids stand for new ones, one to one. */
export class IdMap {
  readonly #oldToNew = new Map<number, number>();
  readonly #newToOld = new Map<number, number>();
  #fresh = 0x4000_0000;

  matches(old: number, current: number): boolean {
    if ((old === 0) !== (current === 0)) return false;
    if (old === 0) return true;
    const mapped = this.#oldToNew.get(old);
    if (mapped !== undefined) return mapped === current;
    if (this.#newToOld.has(current)) return false;
    this.#oldToNew.set(old, current);
    this.#newToOld.set(current, old);
    return true;
  }

  /** Numbers without an id are linked to nothing, which any one id may stand for. */
  matchesScalar(old: number, current: number): boolean {
    this.#fresh += 2;
    return this.matches(old || this.#fresh, current || this.#fresh + 1);
  }
}

function rangeWithin(old: Scalar, current: Scalar): boolean {
  return (
    old.umin <= current.umin &&
    old.umax >= current.umax &&
    old.smin <= current.smin &&
    old.smax >= current.smax &&
    old.u32min <= current.u32min &&
    old.u32max >= current.u32max &&
    old.s32min <= current.s32min &&
    old.s32max >= current.s32max
  );
}

function sameScalar(a: Scalar, b: Scalar): boolean {
  if (a === b) return true;
  return (
    a.value === b.value &&
    a.mask === b.mask &&
    a.umin === b.umin &&
    a.umax === b.umax &&
    a.smin === b.smin &&
    a.smax === b.smax &&
    a.u32min === b.u32min &&
    a.u32max === b.u32max &&
    a.s32min === b.s32min &&
    a.s32max === b.s32max
  );
}

/** Everything but ids. */
function sameReg(a: Reg, b: Reg): boolean {
  return (
    a.type === b.type &&
    a.off === b.off &&
    a.map === b.map &&
    a.mapUid === b.mapUid &&
    a.range === b.range &&
    a.btf === b.btf &&
    a.btfId === b.btfId &&
    a.dynptr?.type === b.dynptr?.type &&
    a.dynptr?.isFirst === b.dynptr?.isFirst &&
    sameScalar(a.scalar, b.scalar)
  );
}

export function regsExact(old: Reg, current: Reg, ids: IdMap): boolean {
  return (
    sameReg(old, current) &&
    ids.matches(fullId(old), fullId(current)) &&
    ids.matches(old.refObjId, current.refObjId)
  );
}

function coversScalar(old: Scalar, current: Scalar): boolean {
  return rangeWithin(old, current) && tnumContains(old, current);
}

/** Numbers a constant apart from the others with their id form classes of their own. */
function fullId(reg: Reg): number {
  return reg.link === 0 ? reg.id : reg.id + reg.link * 2 ** 32;
}

function scalarSafe(
  old: Reg,
  current: Reg,
  ids: IdMap,
  exact: Exactness,
  isPrecise: boolean,
): boolean {
  if (exact === "loose" && !isPrecise) return true;
  if (!coversScalar(old.scalar, current.scalar)) return false;
  // A number that was linked to nothing may be linked now: that only tells more of it.
  if (old.id === 0) return true;
  if (old.link !== current.link || (old.link !== 0 && old.off !== current.off)) return false;
  return ids.matchesScalar(fullId(old), fullId(current));
}

function regSafe(
  old: Reg,
  current: Reg,
  ids: IdMap,
  exact: Exactness,
  isPrecise: boolean,
): boolean {
  if (exact === "exact") return regsExact(old, current, ids);
  if (old.type === kind.notInit) return true;
  if (old.type !== current.type) return false;
  switch (kindOf(old.type)) {
    case kind.scalar:
      return scalarSafe(old, current, ids, exact, isPrecise);
    case kind.mapKey:
    case kind.mapValue:
    case kind.mem:
    case kind.buf:
    case kind.tpBuffer:
      return (
        old.off === current.off &&
        old.map === current.map &&
        old.mapUid === current.mapUid &&
        old.range === current.range &&
        coversScalar(old.scalar, current.scalar) &&
        ids.matches(old.id, current.id) &&
        ids.matches(old.refObjId, current.refObjId)
      );
    case kind.packetMeta:
    case kind.packet:
      return (
        old.range <= current.range &&
        old.off === current.off &&
        ids.matches(old.id, current.id) &&
        coversScalar(old.scalar, current.scalar)
      );
    case kind.stack:
      return regsExact(old, current, ids) && old.frame === current.frame;
    case kind.arena:
      return true;
    default:
      return regsExact(old, current, ids);
  }
}

/** Eight bytes as one number, if they can be seen so: data of any value is an unknown number. */
function scalarOfSlot(slot: Slot): Reg | undefined {
  const isWhole = byteOf(slot, 0) === byteKind.spill && byteOf(slot, 7) === byteKind.spill;
  if (isWhole && slot.reg.type === kind.scalar) return slot.reg;
  for (let i = 0; i < 8; i += 1) {
    const type = byteOf(slot, i);
    if (type !== byteKind.misc && type !== byteKind.invalid) return undefined;
  }
  return unknownReg;
}

function contentSafe(
  old: Slot,
  current: Slot,
  ids: IdMap,
  exact: Exactness,
  isPrecise: boolean,
): boolean {
  switch (byteOf(old, 7)) {
    case byteKind.spill:
      return regSafe(old.reg, current.reg, ids, exact, isPrecise);
    case byteKind.dynptr:
      return (
        old.reg.dynptr?.type === current.reg.dynptr?.type &&
        old.reg.dynptr?.isFirst === current.reg.dynptr?.isFirst &&
        ids.matches(old.reg.refObjId, current.reg.refObjId)
      );
    case byteKind.iter:
      return (
        old.reg.btf === current.reg.btf &&
        old.reg.btfId === current.reg.btfId &&
        old.reg.iterator?.state === current.reg.iterator?.state &&
        ids.matches(old.reg.refObjId, current.reg.refObjId)
      );
    case byteKind.irq:
      return (
        old.reg.irqOwner === current.reg.irqOwner &&
        ids.matches(old.reg.refObjId, current.reg.refObjId)
      );
    default:
      return true;
  }
}

/** `current` is undefined below the part of the stack that was used. */
function slotSafe(
  old: Slot,
  current: Slot | undefined,
  ids: IdMap,
  exact: Exactness,
  isPrecise: boolean,
): boolean {
  if (old === current && old.types === 0) return true;
  if (exact !== "loose" && old.types !== current?.types) return false;
  for (let i = 0; i < 8; i += 1) {
    const type = byteOf(old, i);
    if (type === byteKind.invalid || type === byteKind.misc) continue;
    if (current === undefined) return false;
    const oldScalar = scalarOfSlot(old);
    const scalar = oldScalar && scalarOfSlot(current);
    if (oldScalar !== undefined && scalar !== undefined) {
      return regSafe(oldScalar, scalar, ids, exact, isPrecise);
    }
    if (type !== byteOf(current, i)) return false;
    if (i === 7) return contentSafe(old, current, ids, exact, isPrecise);
  }
  return true;
}

function stackSafe(old: Frame, current: Frame, ids: IdMap, exact: Exactness): boolean {
  for (let i = 0; i < old.stack.length; i += 1) {
    if (!slotSafe(old.stack[i]!, current.stack[i], ids, exact, isPreciseSlot(old, i))) return false;
  }
  return true;
}

function refsSafe(old: State, current: State, ids: IdMap): boolean {
  if (old.refs.length !== current.refs.length) return false;
  if (old.activePreempt !== current.activePreempt || old.activeRcu !== current.activeRcu) {
    return false;
  }
  if (old.activeLocks !== current.activeLocks) return false;
  if (!ids.matches(old.activeIrq, current.activeIrq)) return false;
  if (!ids.matches(old.activeLockId, current.activeLockId)) return false;
  if (old.activeLockOf !== current.activeLockOf) return false;
  return old.refs.every((ref, i) => {
    const other = current.refs[i]!;
    return ref.kind === other.kind && ids.matches(ref.id, other.id) && ref.lockOf === other.lockOf;
  });
}

function frameSafe(
  env: Env,
  old: Frame,
  current: Frame,
  insn: number,
  ids: IdMap,
  exact: Exactness,
): boolean {
  if (old.callbackDepth > current.callbackDepth) return false;
  const live = env.facts.liveBefore[insn]!;
  for (let r = 0; r < 11; r += 1) {
    if ((live & (1 << r)) === 0) continue;
    const isPrecise = isPreciseReg(old, r);
    if (!regSafe(old.regs[r]!, current.regs[r]!, ids, exact, isPrecise)) return false;
  }
  return stackSafe(old, current, ids, exact);
}

/** Whether everything that may happen from `current` may happen from `old` too. */
export function statesEqual(env: Env, old: State, current: State, exact: Exactness): boolean {
  if (old.frames.length !== current.frames.length) return false;
  if (old.inSleepable !== current.inSleepable) return false;
  const ids = new IdMap();
  if (!refsSafe(old, current, ids)) return false;
  for (let i = 0; i < old.frames.length; i += 1) {
    const a = old.frames[i]!;
    const b = current.frames[i]!;
    if (a.callsite !== b.callsite || a.subprog !== b.subprog) return false;
    const insn = old.frames[i + 1]?.callsite ?? old.insn;
    if (!frameSafe(env, a, b, insn, ids, exact)) return false;
  }
  return true;
}

/** A cheap test before the exact one: the current frame's registers and stack sizes agree. */
export function mayBeLooping(old: State, current: State): boolean {
  if (old.frames.length !== current.frames.length) return false;
  const a = old.frames[old.frames.length - 1]!;
  const b = current.frames[current.frames.length - 1]!;
  for (let r = 0; r < 11; r += 1) {
    const x = a.regs[r]!;
    const y = b.regs[r]!;
    if (x !== y && !(sameReg(x, y) && x.id === y.id && x.refObjId === y.refObjId)) return false;
  }
  return true;
}

/** Two visits of a loop with another number of steps of some active iterator between them. */
export function activeDepthsDiffer(old: State, current: State): boolean {
  for (let f = old.frames.length - 1; f >= 0; f -= 1) {
    const { stack } = old.frames[f]!;
    for (let s = 0; s < stack.length; s += 1) {
      const slot = stack[s]!;
      if (byteOf(slot, 0) !== byteKind.iter || slot.reg.iterator?.state !== "active") continue;
      const other = current.frames[f]?.stack[s]?.reg.iterator;
      if (slot.reg.iterator.depth !== other?.depth) return true;
    }
  }
  return false;
}
