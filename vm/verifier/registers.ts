/** Reading and writing registers, and what loads of fewer than eight bytes leave of a value. */

import {
  constantScalar,
  isConstant,
  MutableScalar,
  type Scalar,
  syncBounds,
  unknownScalar,
  zeroExtend32,
} from "../../common/domain/scalar.ts";
import { truncate } from "../../common/domain/scalar-alu.ts";
import { bitLength } from "../../common/domain/tnum.ts";
import type { Env } from "./env.ts";
import { editReg, type MutableReg, notInitReg, type Reg, scalarReg, unknownReg } from "./reg.ts";
import { kind, kindOf } from "./reg-types.ts";
import { errno } from "./stop.ts";

export const framePointer = 10;

/** The register, which must have been set on this path. */
export function readReg(env: Env, register: number): Reg {
  if (register > 10) env.reject(`R${register} is invalid`, errno.invalid);
  env.scratchReg(register);
  const reg = env.regs[register]!;
  if (reg.type === kind.notInit) env.reject(`R${register} !read_ok`);
  return reg;
}

/** Whether the register may be written at all. */
export function checkWritable(env: Env, register: number): void {
  if (register > 10) env.reject(`R${register} is invalid`, errno.invalid);
  if (register === framePointer) env.reject("frame pointer is read only");
  env.scratchReg(register);
}

export function setReg(env: Env, register: number, reg: Reg): void {
  env.scratchReg(register);
  env.regs[register] = reg;
}

export function setUnknown(env: Env, register: number): void {
  setReg(env, register, unknownReg);
}

/** r0–r5 do not survive a call. */
export function clearCallerSaved(env: Env): void {
  const { regs } = env;
  for (let r = 0; r <= 5; r += 1) {
    regs[r] = notInitReg;
    env.scratchReg(r);
  }
}

/** Anything but a number. Numbers that nothing is known about count as pointers to nobody. */
export function isPointer(reg: Reg): boolean {
  return reg.type !== kind.scalar;
}

/** The number of bits that a value may have set. */
export function bitWidth(scalar: Scalar): number {
  return bitLength(scalar.umax);
}

/**
 * Links a number to what is about to be copied from it: both get one id, so that a later check of
 * one says the same of the other. Gives the register to store in both places.
 */
export function withScalarId(env: Env, reg: Reg): Reg {
  if (reg.type !== kind.scalar) return reg;
  const isLinkedByConstant = reg.link !== 0;
  const isKnown = isConstant(reg.scalar);
  if (!isLinkedByConstant && (reg.id !== 0 || isKnown)) return reg;
  const linked = editReg(reg);
  linked.off = 0;
  linked.link = 0;
  linked.id = isKnown ? 0 : env.newId();
  return linked;
}

/** A changed number is no longer linked to its copies. */
export function dropId(reg: MutableReg): void {
  reg.id = 0;
  if (reg.type !== kind.scalar) return;
  reg.off = 0;
  reg.link = 0;
}

export function withoutId(reg: Reg): Reg {
  if (reg.id === 0) return reg;
  const edited = editReg(reg);
  dropId(edited);
  return edited;
}

/** Zero-extends from `size` bytes. */
export function truncateScalar(from: Scalar, size: number): Scalar {
  if (from.mask === 0n) return constantScalar(BigInt.asUintN(size * 8, from.value));
  const s = new MutableScalar(from);
  truncate(s, size);
  return s;
}

/** What a signed load or move of `size` bytes gives when nothing is known of the sign. */
function signExtendedUnknown(size: number): MutableScalar {
  const s = new MutableScalar(unknownScalar);
  const half = 1n << BigInt(size * 8 - 1);
  s.smin = -half;
  s.smax = half - 1n;
  if (size < 4) {
    s.s32min = Number(-half);
    s.s32max = Number(half - 1n);
  }
  return s;
}

/** Sign-extends from `size` bytes to 64 bits. */
export function signExtendScalar(from: Scalar, size: number): Scalar {
  const bits = size * 8;
  if (from.mask === 0n) {
    return constantScalar(BigInt.asIntN(bits, from.value));
  }
  const upper = BigInt(bits);
  if (from.smax >> upper === from.smin >> upper) {
    const min = BigInt.asIntN(bits, from.smin);
    const max = BigInt.asIntN(bits, from.smax);
    const low = min < max ? min : max;
    const high = min < max ? max : min;
    // Both ends on one side of the sign: the order is kept.
    if (low >= 0n === high >= 0n) {
      const s = new MutableScalar();
      s.smin = low;
      s.smax = high;
      s.umin = BigInt.asUintN(64, low);
      s.umax = BigInt.asUintN(64, high);
      s.s32min = Number(BigInt.asIntN(32, low));
      s.s32max = Number(BigInt.asIntN(32, high));
      s.u32min = s.s32min >>> 0;
      s.u32max = s.s32max >>> 0;
      setRangeBits(s);
      return s;
    }
  }
  const s = signExtendedUnknown(size);
  return s;
}

function setRangeBits(s: MutableScalar): void {
  const bits = bitLength(s.umin ^ s.umax);
  if (bits > 63) return;
  const delta = (1n << BigInt(bits)) - 1n;
  s.value = s.umin & ~delta;
  s.mask = delta;
}

/** Sign-extends from 1 or 2 bytes to 32 bits and zero-extends. */
export function signExtendSubreg(from: Scalar, size: number): Scalar {
  const bits = size * 8;
  if ((from.mask & 0xffff_ffffn) === 0n) {
    const low = BigInt.asUintN(32, BigInt.asIntN(bits, from.value));
    return constantScalar(low);
  }
  const s = new MutableScalar();
  const shift = bits;
  if (from.s32max >> shift === from.s32min >> shift) {
    const min = Number(BigInt.asIntN(bits, BigInt(from.s32min)));
    const max = Number(BigInt.asIntN(bits, BigInt(from.s32max)));
    const low = Math.min(min, max);
    const high = Math.max(min, max);
    if (low >= 0 === high >= 0) {
      s.s32min = low;
      s.s32max = high;
      s.u32min = low >>> 0;
      s.u32max = high >>> 0;
      finishSubreg(s, true);
      return s;
    }
  }
  s.s32min = -(2 ** (bits - 1));
  s.s32max = 2 ** (bits - 1) - 1;
  finishSubreg(s, false);
  return s;
}

function finishSubreg(s: MutableScalar, hasRange: boolean): void {
  s.umin = BigInt(s.u32min);
  s.umax = BigInt(s.u32max);
  s.value = 0n;
  s.mask = 0xffff_ffffn;
  if (hasRange) setRangeBits(s);
  const positive = s.s32min >= 0;
  s.smin = positive ? BigInt(s.s32min) : 0n;
  s.smax = positive ? BigInt(s.s32max) : 0xffff_ffffn;
  syncBounds(s);
}

/** Zero-extends from 32 bits, as a 32-bit move does. */
export function zeroExtendScalar(from: Scalar): Scalar {
  if (from.mask === 0n) return constantScalar(from.value & 0xffff_ffffn);
  const s = new MutableScalar(from);
  zeroExtend32(s);
  syncBounds(s);
  return s;
}

/** A load's result once its width is known. */
export function loadedReg(reg: Reg, size: number, signed: boolean): Reg {
  if (size === 8 || kindOf(reg.type) !== kind.scalar) return reg;
  const scalar = signed ? signExtendScalar(reg.scalar, size) : truncateScalar(reg.scalar, size);
  if (reg.id === 0) return scalarReg(scalar);
  const edited = editReg(reg);
  edited.scalar = scalar;
  return edited;
}
