/**
 * What arithmetic does to scalars. Each transfer gives the ranges that Linux 6.18 gives: as precise,
 * and no more, because a verdict depends on both.
 */
import {
  constantScalar,
  isConstant32,
  MutableScalar,
  type Scalar,
  s32Max,
  s32Min,
  s64Max,
  s64Min,
  setKnown32,
  syncBounds,
  u32Max,
  unbound32,
  unbound64,
  unknownScalar,
  update32FromBits,
  updateFromBits,
  zeroExtend32,
} from "./scalar.ts";
import {
  isSubregConst,
  type Tnum,
  tnumAdd,
  tnumAnd,
  tnumArithmeticShift,
  tnumCast,
  tnumLeftShift,
  tnumMul,
  tnumOr,
  tnumRightShift,
  tnumSub,
  tnumSubreg,
  tnumSwapBytes,
  tnumXor,
  u64Max,
} from "./tnum.ts";

/** Operations with a transfer function; quotients and remainders are not tracked. */
export type ScalarOp =
  | "add"
  | "sub"
  | "neg"
  | "mul"
  | "and"
  | "or"
  | "xor"
  | "lsh"
  | "rsh"
  | "arsh";

type Transfer = (d: MutableScalar, s: Scalar, is32: boolean) => void;

function setBits(d: MutableScalar, bits: Tnum): void {
  d.value = bits.value;
  d.mask = bits.mask;
}

function fitsS64(value: bigint): boolean {
  return value >= s64Min && value <= s64Max;
}

/** Signed bounds, or none if either end overflows. */
function setSigned64(d: MutableScalar, min: bigint, max: bigint): void {
  const fits = fitsS64(min) && fitsS64(max);
  d.smin = fits ? min : s64Min;
  d.smax = fits ? max : s64Max;
}

function setSigned32(d: MutableScalar, min: number, max: number): void {
  const fits = min >= s32Min && max <= s32Max && min <= s32Max && max >= s32Min;
  d.s32min = fits ? min : s32Min;
  d.s32max = fits ? max : s32Max;
}

/** Wrapped bounds are still bounds when both ends wrapped, or none did. */
function setUnsigned64(d: MutableScalar, min: bigint, max: bigint, half: boolean): void {
  d.umin = half ? 0n : BigInt.asUintN(64, min);
  d.umax = half ? u64Max : BigInt.asUintN(64, max);
}

function setUnsigned32(d: MutableScalar, min: number, max: number, half: boolean): void {
  d.u32min = half ? 0 : min >>> 0;
  d.u32max = half ? u32Max : max >>> 0;
}

function add(d: MutableScalar, s: Scalar): void {
  setSigned32(d, d.s32min + s.s32min, d.s32max + s.s32max);
  const low = d.u32min + s.u32min;
  const high = d.u32max + s.u32max;
  setUnsigned32(d, low, high, low <= u32Max && high > u32Max);
  setSigned64(d, d.smin + s.smin, d.smax + s.smax);
  const low64 = d.umin + s.umin;
  const high64 = d.umax + s.umax;
  setUnsigned64(d, low64, high64, low64 <= u64Max && high64 > u64Max);
  setBits(d, tnumAdd(d, s));
}

function sub(d: MutableScalar, s: Scalar): void {
  setSigned32(d, d.s32min - s.s32max, d.s32max - s.s32min);
  const low = d.u32min - s.u32max;
  const high = d.u32max - s.u32min;
  setUnsigned32(d, low, high, low < 0 && high >= 0);
  setSigned64(d, d.smin - s.smax, d.smax - s.smin);
  const low64 = d.umin - s.umax;
  const high64 = d.umax - s.umin;
  setUnsigned64(d, low64, high64, low64 < 0n && high64 >= 0n);
  setBits(d, tnumSub(d, s));
}

function neg(d: MutableScalar): void {
  const operand = new MutableScalar(d);
  Object.assign(d, constantScalar(0n));
  sub(d, operand);
}

function mul32(d: MutableScalar, s: Scalar): void {
  const low = BigInt(d.u32min) * BigInt(s.u32min);
  const high = BigInt(d.u32max) * BigInt(s.u32max);
  const overflow = high > BigInt(u32Max);
  d.u32min = overflow ? 0 : Number(low);
  d.u32max = overflow ? u32Max : Number(high);
  const ends = [BigInt(d.s32min), BigInt(d.s32max)];
  const factors = [BigInt(s.s32min), BigInt(s.s32max)];
  const products = ends.flatMap((end) => factors.map((factor) => Number(end * factor)));
  setSigned32(d, Math.min(...products), Math.max(...products));
}

function mul(d: MutableScalar, s: Scalar): void {
  const bits = tnumMul(d, s);
  mul32(d, s);
  const high = d.umax * s.umax;
  const overflow = high > u64Max;
  d.umin = overflow ? 0n : d.umin * s.umin;
  d.umax = overflow ? u64Max : high;
  let min = d.smin * s.smin;
  let max = min;
  for (const product of [d.smin * s.smax, d.smax * s.smin, d.smax * s.smax]) {
    if (product < min) min = product;
    if (product > max) max = product;
  }
  setSigned64(d, min, max);
  setBits(d, bits);
}

/** Signed ranges are the unsigned ones where those do not cross the sign boundary. */
function signedFromUnsigned32(d: MutableScalar): void {
  const crosses = (d.u32min | 0) > (d.u32max | 0);
  d.s32min = crosses ? s32Min : d.u32min | 0;
  d.s32max = crosses ? s32Max : d.u32max | 0;
}

function signedFromUnsigned64(d: MutableScalar): void {
  const min = BigInt.asIntN(64, d.umin);
  const max = BigInt.asIntN(64, d.umax);
  d.smin = min > max ? s64Min : min;
  d.smax = min > max ? s64Max : max;
}

interface BitwiseRule {
  readonly bits: (a: Tnum, b: Tnum) => Tnum;
  readonly min: (a: bigint, b: bigint, bits: Tnum) => bigint;
  readonly max: (a: bigint, b: bigint, bits: Tnum) => bigint;
}

function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function greater(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

const leastBits = (_a: bigint, _b: bigint, bits: Tnum): bigint => bits.value;
const mostBits = (_a: bigint, _b: bigint, bits: Tnum): bigint => bits.value | bits.mask;

const bitwiseRules = {
  and: { bits: tnumAnd, min: leastBits, max: lesser },
  or: { bits: tnumOr, min: greater, max: mostBits },
  xor: { bits: tnumXor, min: leastBits, max: mostBits },
} as const satisfies Record<string, BitwiseRule>;

function bitwise(rule: BitwiseRule): Transfer {
  return (d, s) => {
    const bothKnown32 = isSubregConst(s) && isSubregConst(d);
    const bothKnown64 = s.mask === 0n && d.mask === 0n;
    const bits = rule.bits(d, s);
    setBits(d, bits);
    const low = tnumSubreg(bits);
    if (bothKnown32) setKnown32(d, Number(low.value));
    else {
      const min = rule.min(BigInt(d.u32min), BigInt(s.u32min), low);
      d.u32max = Number(rule.max(BigInt(d.u32max), BigInt(s.u32max), low));
      d.u32min = Number(min);
      signedFromUnsigned32(d);
    }
    if (bothKnown64) Object.assign(d, constantScalar(bits.value));
    else {
      const min = rule.min(d.umin, s.umin, bits);
      d.umax = rule.max(d.umax, s.umax, bits);
      d.umin = min;
      signedFromUnsigned64(d);
    }
  };
}

function leftShift32Ranges(d: MutableScalar, shift: number): void {
  d.s32min = s32Min;
  d.s32max = s32Max;
  if (shift > 31 || d.u32max > 2 ** (31 - shift)) {
    d.u32min = 0;
    d.u32max = u32Max;
  } else {
    d.u32min = (d.u32min << shift) >>> 0;
    d.u32max = (d.u32max << shift) >>> 0;
  }
}

function leftShift(d: MutableScalar, s: Scalar, is32: boolean): void {
  const shift = Number(s.umax);
  if (is32) {
    leftShift32Ranges(d, shift);
    setBits(d, tnumSubreg(tnumLeftShift(tnumSubreg(d), shift)));
    unbound64(d);
    update32FromBits(d);
    return;
  }
  const by = BigInt(shift);
  // `<<= 32` starts the usual sign extension: the signed 32-bit range moves up whole.
  d.smax = shift === 32 ? BigInt(d.s32max) << 32n : s64Max;
  d.smin = shift === 32 ? BigInt(d.s32min) << 32n : s64Min;
  if (d.umax > 1n << (63n - by)) {
    d.umin = 0n;
    d.umax = u64Max;
  } else {
    d.umin <<= by;
    d.umax <<= by;
  }
  leftShift32Ranges(d, shift);
  setBits(d, tnumLeftShift(d, shift));
  updateFromBits(d);
}

function rightShift(d: MutableScalar, s: Scalar, is32: boolean): void {
  const shift = Number(s.umax);
  if (is32) {
    d.s32min = s32Min;
    d.s32max = s32Max;
    setBits(d, tnumRightShift(tnumSubreg(d), shift));
    d.u32min >>>= shift;
    d.u32max >>>= shift;
    unbound64(d);
    update32FromBits(d);
    return;
  }
  d.smin = s64Min;
  d.smax = s64Max;
  setBits(d, tnumRightShift(d, shift));
  d.umin >>= BigInt(shift);
  d.umax >>= BigInt(shift);
  unbound32(d);
  updateFromBits(d);
}

function arithmeticShift(d: MutableScalar, s: Scalar, is32: boolean): void {
  const shift = Number(s.umax);
  if (is32) {
    d.s32min >>= shift;
    d.s32max >>= shift;
    setBits(d, tnumArithmeticShift(tnumSubreg(d), shift, 32));
    d.u32min = 0;
    d.u32max = u32Max;
    unbound64(d);
    update32FromBits(d);
    return;
  }
  d.smin >>= BigInt(shift);
  d.smax >>= BigInt(shift);
  setBits(d, tnumArithmeticShift(d, shift, 64));
  d.umin = 0n;
  d.umax = u64Max;
  unbound32(d);
  updateFromBits(d);
}

const transfers: Record<ScalarOp, Transfer> = {
  add,
  sub,
  neg,
  mul,
  and: bitwise(bitwiseRules.and),
  or: bitwise(bitwiseRules.or),
  xor: bitwise(bitwiseRules.xor),
  lsh: leftShift,
  rsh: rightShift,
  arsh: arithmeticShift,
};

const shifts: ReadonlySet<ScalarOp> = new Set(["lsh", "rsh", "arsh"]);

/** Shifts are tracked only by a known, valid distance. */
function isTracked(op: ScalarOp, s: Scalar, is32: boolean): boolean {
  if (!shifts.has(op)) return true;
  if (is32) return isConstant32(s) && s.umax < 32n;
  return s.mask === 0n && s.umax < 64n;
}

const constantOps: Partial<Record<ScalarOp, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  neg: (a) => -a,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  lsh: (a, b) => a << b,
  rsh: (a, b) => BigInt.asUintN(64, a) >> b,
  arsh: (a, b) => BigInt.asIntN(64, a) >> b,
};

/** Byte order conversion of the low 16, 32 or 64 bits; `swaps` is false where the order is right. */
export function swapScalar(from: Scalar, bits: 16 | 32 | 64, swaps: boolean): Scalar {
  const s = new MutableScalar(from);
  if (swaps) {
    setBits(s, tnumSwapBytes(from, bits / 8));
    unbound32(s);
    unbound64(s);
  }
  if (bits < 64) truncate(s, bits / 8);
  syncBounds(s);
  return s;
}

/** Keeps the low bytes; ranges survive where both ends agree above them. */
export function truncate(s: MutableScalar, size: number): void {
  const mask = (1n << BigInt(size * 8)) - 1n;
  setBits(s, tnumCast(s, size));
  if ((s.umin & ~mask) === (s.umax & ~mask)) {
    s.umin &= mask;
    s.umax &= mask;
  } else {
    s.umin = 0n;
    s.umax = mask;
  }
  s.smin = s.umin;
  s.smax = s.umax;
  // 32-bit ranges stay valid for a cut at 32 bits only.
  if (size < 4) unbound32(s);
  syncBounds(s);
}

/** `dst op src`; `is32` works on the low halves and zero-extends. `neg` ignores `src`. */
export function transferScalar(op: ScalarOp, dst: Scalar, src: Scalar, is32: boolean): Scalar {
  if (!isTracked(op, src, is32)) return unknownScalar;
  const exact = !is32 && dst.mask === 0n && src.mask === 0n ? constantOps[op] : undefined;
  if (exact !== undefined) return constantScalar(exact(dst.value, src.value));
  const d = new MutableScalar(dst);
  transfers[op](d, src, is32);
  if (is32) zeroExtend32(d);
  syncBounds(d);
  return d;
}

/** `s + delta`, zero-extended from 32 bits with `is32`; bounds as an addition alone gives them. */
export function addDelta(s: Scalar, delta: bigint, is32: boolean): Scalar {
  const d = new MutableScalar(s);
  add(d, constantScalar(BigInt.asIntN(32, delta)));
  if (is32) zeroExtend32(d);
  syncBounds(d);
  return d;
}
