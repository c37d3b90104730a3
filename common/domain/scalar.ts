/**
 * What is known about a 64-bit value: its bits (a tnum), and its range as unsigned and signed
 * number of 64 and of 32 bits. {@link syncBounds} lets each of the five narrow the others, with
 * the deductions of Linux 6.18's verifier, in its order, so that the results are the same.
 *
 * 64-bit members are bigint, 32-bit ones number. Values are written only while being built;
 * once published they are shared as {@link Scalar} and never changed.
 */
import { bitLength, tnumNext, u64Max } from "./tnum.ts";

export const s64Min = -0x8000_0000_0000_0000n;
export const s64Max = 0x7fff_ffff_ffff_ffffn;
export const u32Max = 0xffff_ffff;
export const s32Min = -0x8000_0000;
export const s32Max = 0x7fff_ffff;
const low32 = 0xffff_ffffn;
const high32 = 0xffff_ffff_0000_0000n;

/** Bounds under construction. */
export class MutableScalar {
  value: bigint;
  mask: bigint;
  smin: bigint;
  smax: bigint;
  umin: bigint;
  umax: bigint;
  s32min: number;
  s32max: number;
  u32min: number;
  u32max: number;

  constructor(from?: Scalar) {
    this.value = from ? from.value : 0n;
    this.mask = from ? from.mask : u64Max;
    this.smin = from ? from.smin : s64Min;
    this.smax = from ? from.smax : s64Max;
    this.umin = from ? from.umin : 0n;
    this.umax = from ? from.umax : u64Max;
    this.s32min = from ? from.s32min : s32Min;
    this.s32max = from ? from.s32max : s32Max;
    this.u32min = from ? from.u32min : 0;
    this.u32max = from ? from.u32max : u32Max;
  }
}

/** Finished bounds: shared freely. */
export type Scalar = Readonly<MutableScalar>;

export const unknownScalar: Scalar = new MutableScalar();

const smallConstants: Scalar[] = [];

function makeConstant(value: bigint): Scalar {
  const s = new MutableScalar();
  s.value = BigInt.asUintN(64, value);
  s.mask = 0n;
  s.umin = s.value;
  s.umax = s.value;
  s.smin = BigInt.asIntN(64, value);
  s.smax = s.smin;
  s.s32min = Number(BigInt.asIntN(32, value));
  s.s32max = s.s32min;
  s.u32min = s.s32min >>> 0;
  s.u32max = s.u32min;
  return s;
}

/** A known value; any bigint is wrapped to 64 bits. */
export function constantScalar(value: bigint): Scalar {
  if (value >= 0n && value < 256n) {
    const index = Number(value);
    smallConstants[index] ??= makeConstant(value);
    return smallConstants[index];
  }
  return makeConstant(value);
}

export const zeroScalar: Scalar = constantScalar(0n);

export function isConstant(s: Scalar): boolean {
  return s.mask === 0n;
}

/** The low half is known, by bits and by both 32-bit ranges. */
export function isConstant32(s: Scalar): boolean {
  return (s.mask & low32) === 0n && s.u32min === s.u32max && s.s32min === s.s32max;
}

export function unbound64(s: MutableScalar): void {
  s.smin = s64Min;
  s.smax = s64Max;
  s.umin = 0n;
  s.umax = u64Max;
}

export function unbound32(s: MutableScalar): void {
  s.s32min = s32Min;
  s.s32max = s32Max;
  s.u32min = 0;
  s.u32max = u32Max;
}

/** The low half becomes a known number; the rest of the tnum and the 64-bit ranges stay. */
export function setKnown32(s: MutableScalar, value: number): void {
  const bits = BigInt(value >>> 0);
  s.value = (s.value & high32) | bits;
  s.mask &= high32;
  s.s32min = value | 0;
  s.s32max = value | 0;
  s.u32min = value >>> 0;
  s.u32max = value >>> 0;
}

/** Narrows the 32-bit ranges by the known bits. */
export function update32FromBits(s: MutableScalar): void {
  const value = Number(s.value & low32);
  const mask = Number(s.mask & low32);
  s.s32min = Math.max(s.s32min, value | (mask & 0x8000_0000) | 0);
  s.s32max = Math.min(s.s32max, value | (mask & 0x7fff_ffff) | 0);
  s.u32min = Math.max(s.u32min, value);
  s.u32max = Math.min(s.u32max, (value | mask) >>> 0);
}

/** Narrows the 64-bit ranges by the known bits. */
export function update64FromBits(s: MutableScalar): void {
  const { value, mask } = s;
  const high = value | mask;
  const signedLow = BigInt.asIntN(64, value | (mask & 0x8000_0000_0000_0000n));
  const signedHigh = BigInt.asIntN(64, value | (mask & s64Max));
  if (signedLow > s.smin) s.smin = signedLow;
  if (signedHigh < s.smax) s.smax = signedHigh;
  if (value > s.umin) s.umin = value;
  if (high < s.umax) s.umax = high;
}

/** The one number that both the unsigned range and the bits allow, if there is only one. */
function onlyValue(s: MutableScalar): bigint | undefined {
  const { value, mask, umin, umax } = s;
  const next = tnumNext(s, umin);
  if ((umin & ~mask & u64Max) === value) return next > umax ? umin : undefined;
  if (next === (value | mask)) return next;
  return next <= umax && tnumNext(s, next) > umax ? next : undefined;
}

function pinOnlyValue(s: MutableScalar): void {
  const { value, mask, umin, umax } = s;
  // Where all low bits are unknown, every number of a range that is not empty is possible.
  if (mask === 0n ? umin === value && umax === value : umin < umax && (mask & (mask + 1n)) === 0n) {
    return;
  }
  const only = onlyValue(s);
  if (only !== undefined) Object.assign(s, constantScalar(only));
}

export function updateFromBits(s: MutableScalar): void {
  update32FromBits(s);
  update64FromBits(s);
  pinOnlyValue(s);
}

function narrowS32(s: MutableScalar, min: number, max: number): void {
  if (min > s.s32min) s.s32min = min;
  if (max < s.s32max) s.s32max = max;
}

function narrowU32(s: MutableScalar, min: number, max: number): void {
  if (min > s.u32min) s.u32min = min;
  if (max < s.u32max) s.u32max = max;
}

/** 32-bit ranges from 64-bit ones whose upper halves agree or follow each other, then u32 ↔ s32. */
function deduce32(s: MutableScalar): void {
  if (s.umax !== u64Max || s.umin !== 0n) {
    const lowMin = Number(s.umin & low32);
    const lowMax = Number(s.umax & low32);
    const highMin = Number(s.umin >> 32n);
    const highMax = Number(s.umax >> 32n);
    if (highMin === highMax) {
      narrowU32(s, lowMin, lowMax);
      if ((lowMin | 0) <= (lowMax | 0)) narrowS32(s, lowMin | 0, lowMax | 0);
    } else if ((highMin + 1) >>> 0 === highMax && (lowMin | 0) < 0 && (lowMax | 0) >= 0) {
      narrowS32(s, lowMin | 0, lowMax | 0);
    }
  }
  if (s.smin !== s64Min || s.smax !== s64Max) deduce32FromSigned(s);
  if ((s.u32min | 0) <= (s.u32max | 0)) narrowS32(s, s.u32min | 0, s.u32max | 0);
  const unsignedMin = s.s32min >>> 0;
  const unsignedMax = s.s32max >>> 0;
  if (unsignedMin <= unsignedMax) {
    narrowU32(s, unsignedMin, unsignedMax);
  } else if (s.u32max < unsignedMin) {
    s.s32min = s.u32min | 0;
    if (unsignedMax < s.u32max) s.u32max = unsignedMax;
  } else if (unsignedMax < s.u32min) {
    s.s32max = s.u32max | 0;
    if (unsignedMin > s.u32min) s.u32min = unsignedMin;
  }
}

function deduce32FromSigned(s: MutableScalar): void {
  const lowMin = Number(s.smin & low32);
  const lowMax = Number(s.smax & low32);
  const highMin = Number(s.smin >> 32n);
  const highMax = Number(s.smax >> 32n);
  if (highMin === highMax) {
    if (lowMin <= lowMax) narrowU32(s, lowMin, lowMax);
    if ((lowMin | 0) <= (lowMax | 0)) narrowS32(s, lowMin | 0, lowMax | 0);
  } else if ((highMin + 1) >>> 0 === highMax >>> 0 && (lowMin | 0) < 0 && (lowMax | 0) >= 0) {
    narrowS32(s, lowMin | 0, lowMax | 0);
  }
}

/** s64 ↔ u64: equal where neither crosses the sign boundary; else by the one end that overlaps. */
function deduce64(s: MutableScalar): void {
  const signedMin = BigInt.asIntN(64, s.umin);
  const signedMax = BigInt.asIntN(64, s.umax);
  if (signedMin <= signedMax) {
    if (signedMin > s.smin) s.smin = signedMin;
    if (signedMax < s.smax) s.smax = signedMax;
  }
  const unsignedMin = BigInt.asUintN(64, s.smin);
  const unsignedMax = BigInt.asUintN(64, s.smax);
  if (unsignedMin <= unsignedMax) {
    if (unsignedMin > s.umin) s.umin = unsignedMin;
    if (unsignedMax < s.umax) s.umax = unsignedMax;
  } else if (s.umax < unsignedMin) {
    s.smin = BigInt.asIntN(64, s.umin);
    if (unsignedMax < s.umax) s.umax = unsignedMax;
  } else if (unsignedMax < s.umin) {
    s.smax = BigInt.asIntN(64, s.umax);
    if (unsignedMin > s.umin) s.umin = unsignedMin;
  }
}

/** 64-bit ranges from the 32-bit ones under the upper half that a bound has. */
function deduceMixed(s: MutableScalar): void {
  if (s.u32min !== 0 || s.u32max !== u32Max) {
    const low = BigInt(s.u32min);
    const high = BigInt(s.u32max);
    const umin = (s.umin & high32) | low;
    const umax = (s.umax & high32) | high;
    if (umin > s.umin) s.umin = umin;
    if (umax < s.umax) s.umax = umax;
    const smin = (s.smin & ~low32) | low;
    const smax = (s.smax & ~low32) | high;
    if (smin > s.smin) s.smin = smin;
    if (smax < s.smax) s.smax = smax;
  }
  // A sign-extended 32-bit number that is not negative has an upper half of zeros.
  if (s.s32min >= 0 && s.smin >= BigInt(s32Min) && s.smax <= BigInt(s32Max)) {
    s.smin = BigInt(s.s32min);
    s.smax = BigInt(s.s32max);
    s.umin = s.smin;
    s.umax = s.smax;
    intersectRange(s, s.umin, s.umax);
  }
}

function intersectRange(s: MutableScalar, min: bigint, max: bigint): void {
  const bits = bitLength(min ^ max);
  if (bits > 63) return;
  const delta = (1n << BigInt(bits)) - 1n;
  const mask = s.mask & delta;
  s.value = (s.value | (min & ~delta)) & ~mask & u64Max;
  s.mask = mask;
}

/** Known bits from the unsigned ranges. */
function bitsFromRanges(s: MutableScalar): void {
  intersectRange(s, s.umin, s.umax);
  const bits = 32 - Math.clz32(s.u32min ^ s.u32max);
  if (bits >= 32) return;
  const delta = bits === 0 ? 0 : 2 ** bits - 1;
  const rangeValue = (s.u32min & ~delta) >>> 0;
  const mask = (Number(s.mask & low32) & delta) >>> 0;
  const value = ((Number(s.value & low32) | rangeValue) & ~mask) >>> 0;
  s.value = (s.value & high32) | BigInt(value);
  s.mask = (s.mask & high32) | BigInt(mask);
}

/** Narrows each part by the others. A round that changes nothing ends the deduction early. */
export function syncBounds(s: MutableScalar): void {
  updateFromBits(s);
  for (let round = 0; round < 3; round += 1) {
    const { smin, smax, umin, umax, s32min, s32max, u32min, u32max, mask } = s;
    deduce32(s);
    deduce64(s);
    deduceMixed(s);
    if (
      s32min === s.s32min &&
      s32max === s.s32max &&
      u32min === s.u32min &&
      u32max === s.u32max &&
      smin === s.smin &&
      smax === s.smax &&
      umin === s.umin &&
      umax === s.umax &&
      mask === s.mask
    ) {
      break;
    }
  }
  bitsFromRanges(s);
  updateFromBits(s);
}

/** Whether the parts contradict each other: then no value is possible. */
export function isContradiction(s: Scalar): boolean {
  if (s.umin > s.umax || s.smin > s.smax) return true;
  if (s.u32min > s.u32max || s.s32min > s.s32max) return true;
  if (s.mask === 0n) {
    const signed = BigInt.asIntN(64, s.value);
    if (s.umin !== s.value || s.umax !== s.value) return true;
    if (s.smin !== signed || s.smax !== signed) return true;
  }
  if ((s.mask & low32) === 0n) {
    const low = Number(s.value & low32);
    if (s.u32min !== low || s.u32max !== low) return true;
    if (s.s32min !== (low | 0) || s.s32max !== (low | 0)) return true;
  }
  return false;
}

/** The upper half becomes zero, the 32-bit ranges become the 64-bit ones. */
export function zeroExtend32(s: MutableScalar): void {
  s.value &= low32;
  s.mask &= low32;
  s.umin = BigInt(s.u32min);
  s.umax = BigInt(s.u32max);
  if (s.s32min >= 0 && s.s32max >= 0) {
    s.smin = BigInt(s.s32min);
    s.smax = BigInt(s.s32max);
  } else {
    s.smin = 0n;
    s.smax = low32;
  }
}
