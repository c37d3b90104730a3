/** Load, store and atomic instructions, and the legacy packet loads. */

import { pushPath } from "./branching.ts";
import type { Env } from "./env.ts";
import { returnFromFunction } from "./function-calls.ts";
import { accessAt } from "./memory.ts";
import { atomicOp, insnClass, memMode, type RawInsn, sizeOf } from "./opcodes.ts";
import { programType } from "./program-variants.ts";
import { checkResources } from "./references.ts";
import { notInitReg, type Reg, zeroReg } from "./reg.ts";
import { isPacketKind, isSocketKind, kind, kindOf, typeFlag, typeName } from "./reg-types.ts";
import { checkWritable, clearCallerSaved, readReg, setReg, setUnknown } from "./registers.ts";
import { errno } from "./stop.ts";

/** Kinds that are loaded through rewritten instructions: one instruction cannot serve two kinds. */
function needsOwnInsn(type: number): boolean {
  switch (kindOf(type)) {
    case kind.ctx:
    case kind.socket:
    case kind.sockCommon:
    case kind.tcpSock:
    case kind.xdpSock:
    case kind.btfId:
    case kind.arena:
      return true;
    case kind.mem:
      return (type & typeFlag.untrusted) !== 0;
    default:
      return false;
  }
}

/** The same instruction must always go through the same kind of pointer, where the kind matters. */
function notePointerKind(env: Env, type: number, mergesTrust: boolean): void {
  const { pointerKind } = env.facts;
  const first = pointerKind[env.insn]!;
  if (first === 0) {
    pointerKind[env.insn] = type;
    return;
  }
  if (type === first || !(needsOwnInsn(type) || needsOwnInsn(first))) return;
  if (!mergesTrust || !isObjectOrMemory(type) || !isObjectOrMemory(first)) {
    env.reject("same insn cannot be used with different pointers", errno.invalid);
  }
  const isMemory = kindOf(type) === kind.mem || kindOf(first) === kind.mem;
  const flags = (type | first) & (typeFlag.untrusted | typeFlag.readOnly);
  pointerKind[env.insn] = (isMemory ? kind.mem : kind.btfId) | flags;
}

function isObjectOrMemory(type: number): boolean {
  const base = kindOf(type);
  return base === kind.btfId || base === kind.mem;
}

function load(env: Env, insn: RawInsn, signed: boolean, isAtomic: boolean): void {
  const base = readReg(env, insn.src);
  checkWritable(env, insn.dst);
  const { type } = base;
  accessAt(env, {
    register: insn.src,
    offset: insn.off,
    size: sizeOf(insn.code),
    isRead: true,
    value: insn.dst,
    isStrict: isAtomic,
    signed,
  });
  notePointerKind(env, type, !isAtomic);
}

function store(env: Env, insn: RawInsn, isStrict: boolean): void {
  readReg(env, insn.src);
  const { type } = readReg(env, insn.dst);
  accessAt(env, {
    register: insn.dst,
    offset: insn.off,
    size: sizeOf(insn.code),
    isRead: false,
    value: insn.src,
    isStrict,
    signed: false,
  });
  notePointerKind(env, type, false);
}

export function checkLoad(env: Env, insn: RawInsn): void {
  load(env, insn, (insn.code & 0xe0) === memMode.memsx, false);
}

export function checkStore(env: Env, insn: RawInsn): void {
  if ((insn.code & 7) === insnClass.stx) {
    if ((insn.code & 0xe0) === memMode.atomic) {
      checkAtomic(env, insn);
      return;
    }
    if (insn.imm !== 0) env.reject("BPF_STX uses reserved fields", errno.invalid);
    store(env, insn, false);
    return;
  }
  if ((insn.code & 0xe0) !== memMode.mem || insn.src !== 0) {
    env.reject("BPF_ST uses reserved fields", errno.invalid);
  }
  const { type } = readReg(env, insn.dst);
  if (kindOf(type) === kind.ctx) env.contextConstant ??= env.insn;
  accessAt(env, {
    register: insn.dst,
    offset: insn.off,
    size: sizeOf(insn.code),
    isRead: false,
    value: -1,
    isStrict: false,
    signed: false,
  });
  notePointerKind(env, type, false);
}

const readModifyWrite: ReadonlySet<number> = new Set([
  atomicOp.add,
  atomicOp.and,
  atomicOp.or,
  atomicOp.xor,
  atomicOp.add | atomicOp.fetch,
  atomicOp.and | atomicOp.fetch,
  atomicOp.or | atomicOp.fetch,
  atomicOp.xor | atomicOp.fetch,
  atomicOp.xchg,
  atomicOp.cmpxchg,
]);

/** Bitwise operations that give the old value back cannot be recovered from a fault. */
const notInArena: ReadonlySet<number> = new Set([
  atomicOp.and | atomicOp.fetch,
  atomicOp.or | atomicOp.fetch,
  atomicOp.xor | atomicOp.fetch,
]);

function isAtomicTarget(reg: Reg, operation: number): boolean {
  const { type } = reg;
  if (type === kind.arena) return !notInArena.has(operation);
  return !(type === kind.ctx || isPacketKind(type) || type === kind.flowKeys || isSocketKind(type));
}

function checkAtomicTarget(env: Env, register: number, word: string): void {
  const reg = env.regs[register]!;
  if (isAtomicTarget(reg, env.insnAt(env.insn).imm)) return;
  env.reject(`BPF_ATOMIC ${word} R${register} ${typeName(reg.type)} is not allowed`);
}

/** Register that receives the old value; -1 if the operation does not fetch. */
function fetchRegister(insn: RawInsn): number {
  if ((insn.imm & atomicOp.fetch) === 0) return -1;
  return insn.imm === atomicOp.cmpxchg ? 0 : insn.src;
}

function checkReadModifyWrite(env: Env, insn: RawInsn): void {
  const size = sizeOf(insn.code);
  if (size !== 4 && size !== 8) env.reject("invalid atomic operand size", errno.invalid);
  readReg(env, insn.src);
  readReg(env, insn.dst);
  if (insn.imm === atomicOp.cmpxchg) readReg(env, 0);
  checkAtomicTarget(env, insn.dst, "stores into");
  const fetched = fetchRegister(insn);
  if (fetched >= 0) {
    checkWritable(env, fetched);
    setUnknown(env, fetched);
  }
  const access = {
    register: insn.dst,
    offset: insn.off,
    size,
    isStrict: true,
    signed: false,
  };
  accessAt(env, { ...access, isRead: true, value: -1 });
  if (fetched >= 0) accessAt(env, { ...access, isRead: true, value: fetched });
  accessAt(env, { ...access, isRead: false, value: -1 });
  if (env.regs[insn.dst]!.type === kind.arena) notePointerKind(env, kind.arena, false);
}

function checkAtomic(env: Env, insn: RawInsn): void {
  if (insn.imm === atomicOp.loadAcquire) {
    readReg(env, insn.src);
    checkAtomicTarget(env, insn.src, "loads from");
    load(env, insn, false, true);
    return;
  }
  if (insn.imm === atomicOp.storeRelease) {
    readReg(env, insn.dst);
    checkAtomicTarget(env, insn.dst, "stores into");
    store(env, insn, true);
    return;
  }
  if (!readModifyWrite.has(insn.imm)) {
    const op = (insn.imm >>> 0).toString(16).padStart(2, "0");
    env.reject(`BPF_ATOMIC uses invalid atomic opcode ${op}`, errno.invalid);
  }
  checkReadModifyWrite(env, insn);
}

const legacyTypes: ReadonlySet<number> = new Set([
  programType.socketFilter,
  programType.schedCls,
  programType.schedAct,
]);

/** LD_ABS and LD_IND: the context must be in r6; r1–r5 are lost. Gives the next instruction. */
export function checkPacketLoad(env: Env, insn: RawInsn): number {
  const isIndirect = (insn.code & 0xe0) === memMode.ind;
  if (!legacyTypes.has(env.input.programType)) {
    env.reject("BPF_LD_[ABS|IND] instructions not allowed for this program type", errno.invalid);
  }
  const isBad = insn.dst !== 0 || insn.off !== 0 || (!isIndirect && insn.src !== 0);
  if (isBad || sizeOf(insn.code) === 8) {
    env.reject("BPF_LD_[ABS|IND] uses reserved fields", errno.invalid);
  }
  const context = readReg(env, 6);
  checkResources(env, true, "BPF_LD_[ABS|IND]");
  if (context.type !== kind.ctx) {
    env.reject("at the time of BPF_LD_ABS|IND R6 != pointer to skb", errno.invalid);
  }
  if (isIndirect) readReg(env, insn.src);
  checkContextUnmodified(env, context);
  clearCallerSaved(env);
  env.regs[0] = notInitReg;
  setUnknown(env, 0);
  return env.state.frames.length > 1 ? leaveByFailedLoad(env) : env.insn + 1;
}

/** A load outside of the packet ends the function, with 0 as its result. */
function leaveByFailedLoad(env: Env): number {
  pushPath(env, env.insn + 1, env.insn);
  setReg(env, 0, zeroReg);
  env.liveStack?.update();
  return returnFromFunction(env);
}

function checkContextUnmodified(env: Env, reg: Reg): void {
  if (reg.off !== 0) {
    env.reject(`dereference of modified ctx ptr R6 off=${reg.off} disallowed`);
  }
}
