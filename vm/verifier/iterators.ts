/** Open-coded iterators: slots of the stack that hold their state, and the loops that they bound. */
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { rejectBug } from "./backtrack.ts";
import { pushPath, widenImprecise } from "./branching.ts";
import { inRcuSection } from "./btf-pointers.ts";
import { btfName } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { KernelFunction } from "./kfuncs.ts";
import { hasFlag } from "./kfuncs.ts";
import { writeUnknown } from "./memory.ts";
import { becomeNonNull } from "./null-checks.ts";
import { acquireReference, releaseAndInvalidate } from "./references.ts";
import { editReg, MutableReg, type Reg, zeroReg } from "./reg.ts";
import { kind, typeFlag } from "./reg-types.ts";
import { slotOf, unusedSlot } from "./stack-objects.ts";
import { allBytes, byteKind, byteOf, currentFrame, emptySlot, type State } from "./state.ts";
import { errno, Rejection } from "./stop.ts";
import { previousVisit, sameCallsites } from "./visits.ts";

/** Where an iterator's first slot is. */
export interface IteratorPlace {
  readonly frame: number;
  readonly slot: number;
}

interface IteratorType {
  readonly btf: Btf;
  readonly id: TypeId;
  readonly slots: number;
}

const namePrefix = "bpf_iter_";

function nameOf({ btf, id }: IteratorType): string {
  const name = btfName(btf, id);
  return `iter_${name.startsWith(namePrefix) ? name.slice(namePrefix.length) : name}`;
}

function typeOf(env: Env, kfunc: KernelFunction, argument: number): IteratorType {
  const { kernel } = env.input;
  const param = kfunc.proto.params[argument];
  const pointer =
    kernel && param && btfTypeById(kernel.btf, skipModifierIds(kernel.btf, param.type));
  if (kernel === undefined || pointer?.kind !== "ptr") {
    env.reject(`expected valid iter pointer as arg #${argument}`, errno.invalid);
  }
  const id = skipModifierIds(kernel.btf, pointer.type);
  const size = btfSizeOf(kernel.btf, id);
  if (size === undefined || size % 8 !== 0 || size === 0) {
    env.reject(`expected valid iter pointer as arg #${argument}`, errno.invalid);
  }
  return { btf: kernel.btf, id, slots: size / 8 };
}

function hasIteratorBytes(env: Env, place: IteratorPlace, slots: number): boolean {
  const { stack } = env.state.frames[place.frame]!;
  for (let i = 0; i < slots; i += 1) {
    const slot = stack[place.slot - i] ?? emptySlot;
    for (let byte = 0; byte < 8; byte += 1) {
      if (byteOf(slot, byte) === byteKind.iter) return true;
    }
  }
  return false;
}

function createIterator(
  env: Env,
  register: number,
  kfunc: KernelFunction,
  type: IteratorType,
): void {
  const reg = env.regs[register]!;
  const index = slotOf(env, reg, "iter", type.slots);
  const isFree =
    index === unusedSlot ||
    (index >= 0 && !hasIteratorBytes(env, { frame: reg.frame, slot: index }, type.slots));
  if (!isFree) {
    env.reject(`expected uninitialized ${nameOf(type)} as arg #${register - 1}`, errno.invalid);
  }
  for (let i = 0; i < type.slots; i += 1) {
    writeUnknown(env, register, i * 8, 8);
  }
  markSlots(env, reg, kfunc, type);
}

function markSlots(env: Env, reg: Reg, kfunc: KernelFunction, type: IteratorType): void {
  const first = slotOf(env, reg, "iter", type.slots);
  if (first < 0) throw new Rejection(errno.invalid);
  const frame = env.state.frames[reg.frame]!;
  const reference = acquireReference(env, env.insn);
  for (let i = 0; i < type.slots; i += 1) {
    const state = new MutableReg();
    state.type = kind.stack;
    if (hasFlag(kfunc, "KF_RCU_PROTECTED")) {
      state.type |= inRcuSection(env) ? typeFlag.rcu : typeFlag.untrusted;
    }
    state.refObjId = i === 0 ? reference : 0;
    state.btf = type.btf;
    state.btfId = type.id;
    state.btfName = nameOf(type);
    state.iterator = { state: "active", depth: 0 };
    frame.stack[first - i] = { types: allBytes(byteKind.iter), reg: state };
    env.liveStack?.write(frame.frameNo, first - i);
    env.scratchSlot(first - i);
  }
}

/** The first slot of an iterator that was created before. */
function findIterator(
  env: Env,
  register: number,
  kfunc: KernelFunction,
  type: IteratorType,
): IteratorPlace {
  const reg = env.regs[register]!;
  const bad = (): never =>
    env.reject(`expected an initialized ${nameOf(type)} as arg #${register - 1}`, errno.invalid);
  const index = slotOf(env, reg, "iter", type.slots);
  if (index < 0) bad();
  const { stack, frameNo } = env.state.frames[reg.frame]!;
  for (let i = 0; i < type.slots; i += 1) {
    const { reg: state, types } = stack[index - i] ?? emptySlot;
    if ((state.type & typeFlag.untrusted) !== 0) {
      env.reject(`expected an RCU CS when using ${kfunc.name}`, 71);
    }
    if ((i === 0) !== (state.refObjId !== 0)) bad();
    if (state.iterator === undefined || state.btf !== type.btf || state.btfId !== type.id) bad();
    if (types !== allBytes(byteKind.iter)) bad();
  }
  for (let i = 0; i < type.slots; i += 1) {
    env.liveStack?.read(env, frameNo, index - i);
    env.scratchSlot(index - i);
  }
  return { frame: reg.frame, slot: index };
}

function destroyIterator(env: Env, place: IteratorPlace, slots: number): void {
  const frame = env.state.frames[place.frame]!;
  for (let i = 0; i < slots; i += 1) {
    const { refObjId } = frame.stack[place.slot - i]!.reg;
    if (i === 0) releaseAndInvalidate(env, refObjId);
    frame.stack[place.slot - i] = emptySlot;
    env.liveStack?.write(frame.frameNo, place.slot - i);
    env.scratchSlot(place.slot - i);
  }
}

/** An iterator argument; gives its place and reference for those that exist already. */
export function processIterator(
  env: Env,
  register: number,
  kfunc: KernelFunction,
): { readonly place: IteratorPlace; readonly refObjId: number } | undefined {
  const reg = env.regs[register]!;
  if (reg.type !== kind.stack) {
    env.reject(`arg#${register - 1} expected pointer to an iterator on stack`, errno.invalid);
  }
  const type = typeOf(env, kfunc, register - 1);
  if (hasFlag(kfunc, "KF_ITER_NEW")) {
    createIterator(env, register, kfunc, type);
    return undefined;
  }
  const place = findIterator(env, register, kfunc, type);
  const { refObjId } = env.state.frames[place.frame]!.stack[place.slot]!.reg;
  if (hasFlag(kfunc, "KF_ITER_DESTROY")) destroyIterator(env, place, type.slots);
  return { place, refObjId };
}

export function iteratorAt(state: State, place: IteratorPlace): Reg {
  return state.frames[place.frame]!.stack[place.slot]!.reg;
}

function setIterator(state: State, place: IteratorPlace, isActive: boolean): void {
  const { stack } = state.frames[place.frame]!;
  const { types, reg } = stack[place.slot]!;
  const edited = editReg(reg);
  const depth = reg.iterator?.depth ?? 0;
  edited.iterator = isActive ? { state: "active", depth: depth + 1 } : { state: "drained", depth };
  stack[place.slot] = { types, reg: edited };
}

/** One path goes on with an element, the current one with the iterator drained and NULL in r0. */
export function advanceIterator(env: Env, place: IteratorPlace): void {
  const { state } = env;
  if (iteratorAt(state, place).iterator?.state === "active") {
    const { parent } = state;
    if (parent === undefined || parent.insn !== env.insn || !sameCallsites(parent, state)) {
      rejectBug(env, "bad parent state for iter next call");
    }
    const previous = previousVisit(env, parent, env.insn);
    const queued = pushPath(env, env.insn + 1, env.insn);
    setIterator(queued, place, true);
    if (previous !== undefined) widenImprecise(previous, queued);
    const { regs } = currentFrame(queued);
    regs[0] = becomeNonNull(env, regs[0]!);
  }
  setIterator(state, place, false);
  env.regs[0] = zeroReg;
}
