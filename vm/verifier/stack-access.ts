/** Loads and stores on the stack: spills and fills of registers, plain bytes, known zeros. */
import { printTnum } from "../../common/domain/tnum.ts";
import { destroyDynptrAt } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { noteStackAccess } from "./history.ts";
import type { RawInsn } from "./opcodes.ts";
import { insnClass } from "./opcodes.ts";
import { maxVariableOffset } from "./pointer-alu.ts";
import { markPrecise } from "./precision.ts";
import { constantReg, isNull, notInitReg, type Reg, unknownReg, zeroReg } from "./reg.ts";
import { kind, kindOf } from "./reg-types.ts";
import { bitWidth, setReg, withoutId, withScalarId } from "./registers.ts";
import { verboseLine } from "./source-lines.ts";
import {
  allBytes,
  byteKind,
  byteOf,
  emptySlot,
  type Frame,
  isSpilledReg,
  maxStack,
  type Slot,
  withByte,
} from "./state.ts";
import { errno } from "./stop.ts";

/** Where in the kernel's messages an access comes from. */
export type AccessDirection = "read" | "write";

/** The slot of a byte offset below the frame pointer. */
export function slotIndex(offset: number): number {
  return Math.floor((-offset - 1) / 8);
}

function byteIndex(offset: number): number {
  return (-offset - 1) % 8;
}

/** The frame that a stack pointer points into. */
export function frameOf(env: Env, reg: Reg): Frame {
  return env.state.frames[reg.frame]!;
}

function growStack(env: Env, frame: Frame, size: number): void {
  const slots = Math.ceil(size / 8);
  while (frame.stack.length < slots) frame.stack.push(emptySlot);
  const subprogram = env.subprograms[frame.subprog];
  if (subprogram !== undefined && subprogram.stackDepth < size) subprogram.stackDepth = size;
}

/** The lowest offset and the end of what an access may touch. */
export interface StackRange {
  readonly min: number;
  readonly end: number;
}

/** Both ends in the frame; the stack grows to what is used. */
export function checkStackBounds(
  env: Env,
  register: number,
  offset: number,
  size: number,
  what: "read from" | "write to",
): StackRange {
  const reg = env.regs[register]!;
  const { scalar } = reg;
  const isFixed = scalar.mask === 0n;
  if (
    !isFixed &&
    (scalar.smax >= BigInt(maxVariableOffset) || scalar.smin <= -BigInt(maxVariableOffset))
  ) {
    env.reject(`invalid unbounded variable-offset ${what} stack R${register}`);
  }
  const low = Number(isFixed ? BigInt.asIntN(64, scalar.value) : scalar.smin) + offset;
  const high = Number(isFixed ? BigInt.asIntN(64, scalar.value) : scalar.smax) + offset + size;
  if (low < -maxStack || low >= 0 || high > 0 || size < 0) {
    if (isFixed) env.reject(`invalid ${what} stack R${register} off=${low} size=${size}`);
    const range = printTnum(scalar);
    env.reject(
      `invalid variable-offset ${what} stack R${register} var_off=${range} off=${offset} size=${size}`,
    );
  }
  growStack(env, frameOf(env, reg), -low);
  return { min: low, end: high };
}

function spilledBytes(slot: Slot): number {
  let count = 0;
  for (let i = 7; i >= 0 && byteOf(slot, i) === byteKind.spill; i -= 1) count += 1;
  return count;
}

function setSlot(env: Env, frame: Frame, index: number, slot: Slot): void {
  env.scratchSlot(index);
  frame.stack[index] = slot;
}

/** Plain bytes may be read, also (since 6.3, by privileged programs) those that nothing wrote. */
function isReadableByte(env: Env, type: number): boolean {
  if (type === byteKind.misc || type === byteKind.zero) return true;
  return type === byteKind.invalid && env.options.strictStack !== true;
}

function checkReadable(env: Env, slot: Slot, offset: number, size: number): void {
  for (let i = 0; i < size; i += 1) {
    const type = byteOf(slot, byteIndex(offset + i));
    if (isReadableByte(env, type) || type === byteKind.spill) continue;
    env.reject(`invalid read from stack off ${offset}+${i} size ${size}`);
  }
}

function countBytes(slot: Slot, offset: number, size: number, wanted: number): number {
  let count = 0;
  for (let i = 0; i < size; i += 1) {
    if (byteOf(slot, byteIndex(offset + i)) === wanted) count += 1;
  }
  return count;
}

/** A read of part of a spilled number, or across its end. */
function fillPart(
  env: Env,
  frame: Frame,
  index: number,
  offset: number,
  size: number,
  dst: number,
): boolean {
  const slot = frame.stack[index]!;
  const spilled = spilledBytes(slot);
  if (size <= spilled && offset % 8 === 0) {
    let { reg } = slot;
    if (size === 4 && spilled === 4 && bitWidth(reg.scalar) <= 32) {
      reg = withScalarId(env, reg);
      if (reg !== slot.reg) frame.stack[index] = { types: slot.types, reg };
    }
    setReg(env, dst, bitWidth(reg.scalar) > size * 8 ? withoutId(reg) : reg);
    return true;
  }
  checkReadable(env, slot, offset, size);
  const isKnownZero = slot.reg.scalar.mask === 0n && slot.reg.scalar.value === 0n;
  if (countBytes(slot, offset, size, byteKind.spill) === size && isKnownZero) {
    setReg(env, dst, zeroReg);
    return true;
  }
  const isZero = countBytes(slot, offset, size, byteKind.zero) === size;
  setReg(env, dst, isZero ? zeroReg : unknownReg);
  return false;
}

/** Gives whether a register was restored, so that its precision leads back to the spill. */
function fillRegister(
  env: Env,
  frame: Frame,
  index: number,
  offset: number,
  size: number,
  dst: number,
): boolean {
  const slot = frame.stack[index]!;
  if (size !== 8 || spilledBytes(slot) !== 8) {
    if (slot.reg.type !== kind.scalar) {
      verboseLine(env, env.insn, "; ");
      env.reject("invalid size of register fill");
    }
    return dst >= 0 && fillPart(env, frame, index, offset, size, dst);
  }
  if (dst >= 0) setReg(env, dst, slot.reg);
  return true;
}

function readFixed(env: Env, frame: Frame, offset: number, size: number, dst: number): void {
  const index = slotIndex(offset);
  const slot = frame.stack[index] ?? emptySlot;
  env.scratchSlot(index);
  env.liveStack?.read(env, frame.frameNo, index);
  if (isSpilledReg(slot)) {
    const isPartial = size !== 8 || spilledBytes(slot) !== 8;
    if (fillRegister(env, frame, index, offset, size, dst)) {
      noteStackAccess(env, frame.frameNo, index);
    } else if (dst < 0 && isPartial) {
      return;
    }
    return;
  }
  for (let i = 0; i < size; i += 1) {
    const type = byteOf(slot, byteIndex(offset + i));
    if (isReadableByte(env, type)) continue;
    env.reject(`invalid read from stack off ${offset}+${i} size ${size}`);
  }
  if (dst >= 0) readBytes(env, frame, offset, offset + size, dst);
}

/** What reading plain bytes gives: zero if all are, else anything. */
function readBytes(env: Env, frame: Frame, min: number, end: number, dst: number): void {
  let isZero = true;
  for (let at = min; at < end && isZero; at += 1) {
    const index = slotIndex(at);
    env.scratchSlot(index);
    isZero = byteOf(frame.stack[index] ?? emptySlot, byteIndex(at)) === byteKind.zero;
  }
  setReg(env, dst, isZero ? zeroReg : unknownReg);
}

/** `dst` is -1 where the value goes to no register (atomics without fetch). */
export function readStack(
  env: Env,
  register: number,
  offset: number,
  size: number,
  dst: number,
): void {
  const reg = env.regs[register]!;
  const frame = frameOf(env, reg);
  const range = checkStackBounds(env, register, offset, size, "read from");
  if (reg.scalar.mask === 0n) {
    readFixed(env, frame, range.min, size, dst);
    return;
  }
  if (dst < 0) {
    env.reject(
      `variable offset stack pointer cannot be passed into helper function; var_off=${printTnum(reg.scalar)} off=${offset} size=${size}`,
    );
  }
  checkInitialized(env, register, offset, size, "read", undefined);
  readBytes(env, frame, range.min, range.end, dst);
}

/** Bytes of a slot that are no longer part of a register. */
function scrub(types: number): number {
  let scrubbed = types;
  for (let i = 0; i < 8; i += 1) {
    if (((types >>> (i * 4)) & 15) !== byteKind.invalid) {
      scrubbed = withByte(scrubbed, i, byteKind.misc);
    }
  }
  return scrubbed;
}

function isSpecial(slot: Slot): boolean {
  const type = byteOf(slot, 7);
  return type === byteKind.spill || type >= byteKind.dynptr;
}

/** Stores a register in the `size` lowest bytes of a slot. */
function spill(env: Env, frame: Frame, index: number, reg: Reg, size: number): void {
  let { types } = frame.stack[index]!;
  for (let i = 7; i >= 0; i -= 1) {
    if (i >= 8 - size) types = withByte(types, i, byteKind.spill);
    else {
      const type = (types >>> (i * 4)) & 15;
      if (type !== byteKind.zero && type !== byteKind.invalid) {
        types = withByte(types, i, byteKind.misc);
      }
    }
  }
  setSlot(env, frame, index, { types, reg });
  noteStackAccess(env, frame.frameNo, index);
}

const spillableKinds: ReadonlySet<number> = new Set([
  kind.mapValue,
  kind.stack,
  kind.ctx,
  kind.packet,
  kind.packetMeta,
  kind.packetEnd,
  kind.flowKeys,
  kind.mapPtr,
  kind.socket,
  kind.sockCommon,
  kind.tcpSock,
  kind.xdpSock,
  kind.btfId,
  kind.buf,
  kind.mem,
  kind.func,
  kind.mapKey,
  kind.arena,
]);

function spillScalar(env: Env, frame: Frame, index: number, size: number, register: number): void {
  const reg = env.regs[register]!;
  if (bitWidth(reg.scalar) > size * 8) {
    spill(env, frame, index, withoutId(reg), size);
    return;
  }
  const linked = withScalarId(env, reg);
  if (linked !== reg) env.regs[register] = linked;
  spill(env, frame, index, linked, size);
}

function spillPointer(env: Env, frame: Frame, index: number, size: number, reg: Reg): void {
  if (size !== 8) {
    verboseLine(env, env.insn, "; ");
    env.reject("invalid size of register spill");
  }
  if (frame !== env.frame && reg.type === kind.stack) {
    env.reject("cannot spill pointers to stack into stack frame of the caller", errno.invalid);
  }
  spill(env, frame, index, reg, size);
}

function isZeroStore(insn: RawInsn, value: Reg | undefined): boolean {
  if (value !== undefined) return isNull(value);
  return (insn.code & 7) === insnClass.st && insn.imm === 0;
}

function writeFixed(env: Env, frame: Frame, offset: number, size: number, src: number): void {
  const insn = env.insnAt(env.insn);
  const index = slotIndex(offset);
  const isAligned = offset % 8 === 0;
  destroyDynptrAt(env, frame, index);
  if (isAligned && size === 8) env.liveStack?.write(frame.frameNo, index);
  env.scratchSlot(index);
  const reg = src >= 0 ? env.regs[src]! : undefined;
  if (reg !== undefined && isAligned && reg.type === kind.scalar) {
    spillScalar(env, frame, index, size, src);
    return;
  }
  const isImmediate = (insn.code & 7) === insnClass.st;
  if (reg === undefined && isAligned && isImmediate) {
    spill(env, frame, index, constantReg(BigInt(insn.imm)), size);
    return;
  }
  if (reg !== undefined && spillableKinds.has(kindOf(reg.type))) {
    spillPointer(env, frame, index, size, reg);
    return;
  }
  const slot = frame.stack[index]!;
  let types = isSpecial(slot) ? scrub(slot.types) : slot.types;
  const isZero = isZeroStore(insn, reg);
  if (isZero && src >= 0) markPrecise(env, src);
  for (let i = 0; i < size; i += 1) {
    types = withByte(types, byteIndex(offset + i), isZero ? byteKind.zero : byteKind.misc);
  }
  setSlot(env, frame, index, { types, reg: notInitReg });
}

/** A write somewhere in a range: every register spilled there is lost. */
function writeVariable(env: Env, frame: Frame, range: StackRange, src: number): void {
  const insn = env.insnAt(env.insn);
  const reg = src >= 0 ? env.regs[src]! : undefined;
  const isZero = isZeroStore(insn, reg);
  let usesZero = false;
  for (let at = range.min; at < range.end; at += 1) destroyDynptrAt(env, frame, slotIndex(at));
  for (let at = range.min; at < range.end; at += 1) {
    const index = slotIndex(at);
    const byte = byteIndex(at);
    const slot = frame.stack[index]!;
    env.scratchSlot(index);
    const type = byteOf(slot, byte);
    const isZeroSpill = type === byteKind.spill && isSpilledReg(slot) && isNull(slot.reg);
    if (isZero && isZeroSpill) {
      usesZero = true;
      continue;
    }
    const keepsZero = isZero && type === byteKind.zero;
    usesZero ||= keepsZero;
    const base = isSpecial(slot) ? scrub(slot.types) : slot.types;
    const types = withByte(base, byte, keepsZero ? byteKind.zero : byteKind.misc);
    setSlot(env, frame, index, { types, reg: notInitReg });
  }
  if (usesZero && src >= 0) markPrecise(env, src);
}

/** `src` is -1 for immediates and unknown data. */
export function writeStack(
  env: Env,
  register: number,
  offset: number,
  size: number,
  src: number,
): void {
  const reg = env.regs[register]!;
  const frame = frameOf(env, reg);
  const range = checkStackBounds(env, register, offset, size, "write to");
  if (reg.scalar.mask === 0n) writeFixed(env, frame, range.min, size, src);
  else writeVariable(env, frame, range, src);
}

/** Where a helper writes without reading: bytes need not be set before. */
export interface RawAccess {
  isRaw: boolean;
  size: number;
  register: number;
}

function checkNoDynptr(env: Env, frame: Frame, min: number, end: number): void {
  for (let at = min; at < end; at += 1) {
    const slot = frame.stack[slotIndex(at)];
    if (slot !== undefined && byteOf(slot, byteIndex(at)) === byteKind.dynptr) {
      env.reject(`potential write to dynptr at off=${at} disallowed`);
    }
  }
}

/** The log does not show these slots as changed. */
function clobber(frame: Frame, index: number, byte: number): void {
  const slot = frame.stack[index]!;
  frame.stack[index] =
    byteOf(slot, byte) === byteKind.spill
      ? { types: scrub(slot.types), reg: unknownReg }
      : { types: withByte(slot.types, byte, byteKind.misc), reg: slot.reg };
}

/** Memory on the stack that a helper (or a variable load) reads or overwrites. */
export function checkInitialized(
  env: Env,
  register: number,
  offset: number,
  size: number,
  access: AccessDirection,
  raw: RawAccess | undefined,
  allowsZero = false,
): void {
  const reg = env.regs[register]!;
  if (size === 0 && !allowsZero) env.reject("invalid zero-sized read");
  const what = access === "read" ? "read from" : "write to";
  const range = checkStackBounds(env, register, offset, size, what);
  const frame = frameOf(env, reg);
  const isFixed = reg.scalar.mask === 0n;
  if (raw?.isRaw && isFixed) {
    checkNoDynptr(env, frame, range.min, range.end);
    raw.size = size;
    raw.register = register;
    return;
  }
  for (let at = range.min; at < range.end; at += 1) {
    checkByte(env, reg, register, range, at, size, access === "write");
    env.liveStack?.read(env, reg.frame, slotIndex(at));
  }
}

function checkByte(
  env: Env,
  reg: Reg,
  register: number,
  range: StackRange,
  at: number,
  size: number,
  clobbers: boolean,
): void {
  const frame = frameOf(env, reg);
  const index = slotIndex(at);
  const slot = frame.stack[index]!;
  const type = byteOf(slot, byteIndex(at));
  if (type === byteKind.misc) return;
  if (isReadableByte(env, type) || isSpilledReg(slot)) {
    if (clobbers) clobber(frame, index, byteIndex(at));
    return;
  }
  const step = at - range.min;
  if (reg.scalar.mask === 0n) {
    env.reject(`invalid read from stack R${register} off ${range.min}+${step} size ${size}`);
  }
  const bits = printTnum(reg.scalar);
  env.reject(`invalid read from stack R${register} var_off ${bits}+${step} size ${size}`);
}

/** Marks a slot as plain data. */
export function clearSlot(env: Env, frame: Frame, index: number, types = allBytes(0)): void {
  setSlot(env, frame, index, { types, reg: notInitReg });
}
