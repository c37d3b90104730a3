/** Dynptrs: two stack slots that stand for memory with a size known at run time. */
import type { Env } from "./env.ts";
import { acquireReference, releaseAndInvalidate } from "./references.ts";
import {
  type DynptrInfo,
  type DynptrType,
  MutableReg,
  notInitReg,
  type Reg,
  unknownReg,
} from "./reg.ts";
import { kind, kindOf, typeFlag } from "./reg-types.ts";
import { badSlot, slotOf } from "./stack-objects.ts";
import { allBytes, byteKind, byteOf, emptySlot, type Frame, mapRegs, type Slot } from "./state.ts";
import { errno, Rejection } from "./stop.ts";

const dynptrSize = 16;
const dynptrSlots = 2;

function frameOf(env: Env, reg: Reg): Frame {
  return env.state.frames[reg.frame]!;
}

function dynptrSlot(env: Env, reg: Reg): number {
  return slotOf(env, reg, "dynptr", dynptrSlots);
}

function isDynptrSlot(slot: Slot | undefined): boolean {
  return slot !== undefined && byteOf(slot, 7) === byteKind.dynptr;
}

/** Both halves of a dynptr are still there, the first one at `index`. */
function isWhole(frame: Frame, index: number): boolean {
  const first = frame.stack[index];
  const second = frame.stack[index - 1];
  if (first === undefined || second === undefined) return false;
  if (!first.reg.dynptr?.isFirst) return false;
  for (let i = 0; i < 8; i += 1) {
    if (byteOf(first, i) !== byteKind.dynptr || byteOf(second, i) !== byteKind.dynptr) return false;
  }
  return true;
}

/** Pointers into a dynptr's memory die with it. */
function invalidateSlices(env: Env, id: number): void {
  mapRegs(env.state, (reg) => {
    const isSlice = reg.dynptrId === id && id !== 0;
    const base = kindOf(reg.type);
    return isSlice && (base === kind.mem || base === kind.packet) ? unknownReg : reg;
  });
}

/** A write to part of a dynptr's slots ends it, unless something was acquired through it. */
export function destroyDynptrAt(env: Env, frame: Frame, index: number): void {
  const slot = frame.stack[index];
  if (!isDynptrSlot(slot)) return;
  const first = slot!.reg.dynptr?.isFirst ? index : index + 1;
  const firstSlot = frame.stack[first]!;
  if (firstSlot.reg.dynptr?.type === "ringbuf") {
    env.reject("cannot overwrite referenced dynptr", errno.invalid);
  }
  env.scratchSlot(first);
  env.scratchSlot(first - 1);
  const { id } = firstSlot.reg;
  frame.stack[first] = emptySlot;
  frame.stack[first - 1] = emptySlot;
  invalidateSlices(env, id);
}

function halfOf(info: DynptrInfo, id: number, refObjId: number): Reg {
  const reg = new MutableReg();
  reg.type = kind.dynptr;
  reg.dynptr = info;
  reg.id = id;
  reg.refObjId = refObjId;
  return reg;
}

/** Creates a dynptr where the argument points to. */
function markDynptr(env: Env, reg: Reg, flags: number, clonedRef: number): void {
  const index = dynptrSlot(env, reg);
  if (index < 0) throw new Rejection(errno.invalid);
  const frame = frameOf(env, reg);
  destroyDynptrAt(env, frame, index);
  destroyDynptrAt(env, frame, index - 1);
  const type = dynptrTypeOf(flags) ?? "local";
  const id = env.newId();
  let refObjId = 0;
  if (type === "ringbuf") refObjId = clonedRef === 0 ? acquireReference(env, env.insn) : clonedRef;
  const types = allBytes(byteKind.dynptr);
  frame.stack[index] = { types, reg: halfOf({ type, isFirst: true }, id, refObjId) };
  frame.stack[index - 1] = { types, reg: halfOf({ type, isFirst: false }, id, refObjId) };
  env.scratchSlot(index);
  env.scratchSlot(index - 1);
  env.liveStack?.write(frame.frameNo, index);
  env.liveStack?.write(frame.frameNo, index - 1);
}

/** Ends a dynptr that is submitted or discarded; false if there is none. */
export function unmarkDynptr(env: Env, reg: Reg): boolean {
  const index = dynptrSlot(env, reg);
  if (index < 0) return false;
  const frame = frameOf(env, reg);
  const first = frame.stack[index]!.reg;
  if (first.refObjId === 0) {
    forgetDynptr(env, frame, index);
    return true;
  }
  releaseAndInvalidate(env, first.refObjId);
  frame.stack.forEach((slot, i) => {
    const isClone = slot.reg.refObjId === first.refObjId && slot.reg.dynptr?.isFirst;
    if (isClone && isDynptrSlot(slot)) forgetDynptr(env, frame, i);
  });
  return true;
}

function forgetDynptr(env: Env, frame: Frame, index: number): void {
  for (const at of [index, index - 1]) {
    frame.stack[at] = emptySlot;
    env.scratchSlot(at);
    env.liveStack?.write(frame.frameNo, at);
  }
}

/** Whether a release argument holds something acquired. */
export function isAcquiredDynptr(env: Env, reg: Reg): boolean {
  const index = dynptrSlot(env, reg);
  return index >= 0 && (frameOf(env, reg).stack[index]?.reg.refObjId ?? 0) !== 0;
}

/** The dynptr's first half that an argument points to. */
export function dynptrAt(env: Env, reg: Reg): Reg {
  if (reg.type === kind.dynptr) return reg;
  const index = dynptrSlot(env, reg);
  return index < 0 ? notInitReg : frameOf(env, reg).stack[index]!.reg;
}

/** How a helper's dynptr argument is used. */
export interface DynptrUse {
  readonly arg: number;
  readonly flags: number;
  readonly writeBytes: (offset: number) => void;
  /** A clone shares the reference of what it was made from. */
  readonly clonedRef?: number;
}

/** Checks a dynptr argument; one that the helper makes gets its slots. */
export function processDynptrArg(env: Env, register: number, use: DynptrUse): void {
  const reg = env.regs[register]!;
  const { flags } = use;
  if (reg.type !== kind.stack && reg.type !== kind.dynptr) {
    env.reject(
      `arg#${use.arg} expected pointer to stack or const struct bpf_dynptr`,
      errno.invalid,
    );
  }
  if ((flags & typeFlag.uninit) === 0) {
    checkInitialized(env, reg, use);
    return;
  }
  if (reg.type === kind.dynptr || dynptrSlot(env, reg) === badSlot) {
    env.reject("Dynptr has to be an uninitialized dynptr", errno.invalid);
  }
  for (let at = 0; at < dynptrSize; at += 8) use.writeBytes(at);
  markDynptr(env, reg, flags, use.clonedRef ?? 0);
}

function checkInitialized(env: Env, reg: Reg, use: DynptrUse): void {
  if (reg.type === kind.dynptr) {
    if ((use.flags & typeFlag.readOnly) === 0) {
      env.reject("cannot pass pointer to const bpf_dynptr, the helper mutates it", errno.invalid);
    }
    return;
  }
  const index = dynptrSlot(env, reg);
  const frame = frameOf(env, reg);
  if (index < 0 || !isWhole(frame, index)) {
    env.reject(`Expected an initialized dynptr as arg #${use.arg}`, errno.invalid);
  }
  for (const at of [index, index - 1]) {
    env.liveStack?.read(env, frame.frameNo, at);
    env.scratchSlot(at);
  }
  const wanted = dynptrTypeOf(use.flags);
  if (wanted === undefined || frame.stack[index]!.reg.dynptr?.type === wanted) return;
  env.reject(`Expected a dynptr of type ${wanted} as arg #${use.arg}`, errno.invalid);
}

const typeFlags: readonly (readonly [number, DynptrType])[] = [
  [typeFlag.dynptrLocal, "local"],
  [typeFlag.dynptrRingbuf, "ringbuf"],
  [typeFlag.dynptrSkb, "skb"],
  [typeFlag.dynptrXdp, "xdp"],
  [typeFlag.dynptrSkbMeta, "skb_meta"],
];

/** The kind of dynptr that flags name, if they name one. */
export function dynptrTypeOf(flags: number): DynptrType | undefined {
  return typeFlags.find(([flag]) => (flags & flag) !== 0)?.[1];
}

export function dynptrFlag(type: DynptrType): number {
  return typeFlags.find(([, name]) => name === type)?.[0] ?? 0;
}
