/**
 * Tristate numbers: 64-bit values of which each bit is 0, 1 or unknown. The arithmetic is sound
 * (every concrete result is in the abstract one) and, operation by operation, as precise as Linux 6.18's.
 */

/** A set bit in `mask` is unknown and clear in `value`. Both are unsigned 64-bit. */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const u64Max = 0xffff_ffff_ffff_ffffn;
const low32 = 0xffff_ffffn;
const high32 = 0xffff_ffff_0000_0000n;

export const tnumUnknown: Tnum = { value: 0n, mask: u64Max };

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function known(sum: bigint, unknownBits: bigint): Tnum {
  return { value: sum & ~unknownBits & u64Max, mask: unknownBits };
}

export function tnumConst(value: bigint): Tnum {
  return { value: wrap(value), mask: 0n };
}

export function isTnumConst(t: Tnum): boolean {
  return t.mask === 0n;
}

/** How many bits a number needs; 0 for 0. */
export function bitLength(value: bigint): number {
  const high = Number(value >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(value)) : 64 - Math.clz32(high);
}

/** The smallest tnum that holds all of min..max (unsigned). */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const bits = bitLength(min ^ max);
  if (bits > 63) return tnumUnknown;
  const delta = (1n << BigInt(bits)) - 1n;
  return { value: min & ~delta, mask: delta };
}

export function tnumLeftShift(a: Tnum, shift: number): Tnum {
  const by = BigInt(shift);
  return { value: wrap(a.value << by), mask: wrap(a.mask << by) };
}

export function tnumRightShift(a: Tnum, shift: number): Tnum {
  const by = BigInt(shift);
  return { value: a.value >> by, mask: a.mask >> by };
}

/** Arithmetic shift of the low `bits` bits; an unknown sign bit spreads as unknown. */
export function tnumArithmeticShift(a: Tnum, shift: number, bits: 32 | 64): Tnum {
  const by = BigInt(shift);
  return {
    value: BigInt.asUintN(bits, BigInt.asIntN(bits, a.value) >> by),
    mask: BigInt.asUintN(bits, BigInt.asIntN(bits, a.mask) >> by),
  };
}

/** Unknown bits of a sum are those of the operands and all that a carry may reach. */
export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const sum = wrap(a.value + b.value);
  if (a.mask === 0n && b.mask === 0n) return { value: sum, mask: 0n };
  const carries = wrap(sum + a.mask + b.mask) ^ sum;
  return known(sum, carries | a.mask | b.mask);
}

export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const difference = wrap(a.value - b.value);
  if (a.mask === 0n && b.mask === 0n) return { value: difference, mask: 0n };
  const borrows = wrap(difference + a.mask) ^ wrap(difference - b.mask);
  return known(difference, borrows | a.mask | b.mask);
}

export function tnumNegate(a: Tnum): Tnum {
  return tnumSub({ value: 0n, mask: 0n }, a);
}

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  return { value, mask: (a.value | a.mask) & (b.value | b.mask) & ~value };
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return { value, mask: (a.mask | b.mask) & ~value };
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  return known(a.value ^ b.value, a.mask | b.mask);
}

function swapBytes(value: bigint, bytes: number): bigint {
  let swapped = 0n;
  for (let i = 0n; i < BigInt(bytes); i += 1n) {
    swapped = (swapped << 8n) | ((value >> (i * 8n)) & 0xffn);
  }
  return swapped;
}

/** Reverses the low 2, 4 or 8 bytes and clears the rest. */
export function tnumSwapBytes(a: Tnum, bytes: number): Tnum {
  return { value: swapBytes(a.value, bytes), mask: swapBytes(a.mask, bytes) };
}

/** What holds for both: the bits on which they agree. */
export function tnumUnion(a: Tnum, b: Tnum): Tnum {
  return known(a.value & b.value, (a.value ^ b.value) | a.mask | b.mask);
}

/** Long multiplication; an unknown multiplier bit joins the sums with and without the addend. */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  if (a.mask === 0n && b.mask === 0n) return tnumConst(a.value * b.value);
  let sum: Tnum = { value: 0n, mask: 0n };
  let { value, mask } = a;
  let addend = b;
  while (value !== 0n || mask !== 0n) {
    if ((value & 1n) !== 0n) sum = tnumAdd(sum, addend);
    else if ((mask & 1n) !== 0n) sum = tnumUnion(sum, tnumAdd(sum, addend));
    value >>= 1n;
    mask >>= 1n;
    addend = tnumLeftShift(addend, 1);
  }
  return sum;
}

/** Both descriptions hold of the same value. Contradictions give some tnum, as in the kernel. */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  return known(a.value | b.value, a.mask & b.mask);
}

/** Whether some value satisfies both. */
export function tnumOverlap(a: Tnum, b: Tnum): boolean {
  const bothKnown = ~(a.mask | b.mask) & u64Max;
  return (a.value & bothKnown) === (b.value & bothKnown);
}

/** The smallest possible value above `from`; the largest possible value if there is none. */
export function tnumNext(t: Tnum, from: bigint): bigint {
  const highest = t.value | t.mask;
  if (from >= highest) return highest;
  if (from < t.value) return t.value;
  // Count up within the unknown bits: set all others, so that the carry runs over them.
  const distance = from - t.value;
  const notMask = ~t.mask & u64Max;
  const carry = (1n << BigInt(bitLength(distance & notMask))) - 1n;
  const filled = distance | carry | notMask;
  return t.value | (wrap(filled + 1n) & t.mask);
}

/** Keeps the low `size` bytes (1, 2, 4 or 8). */
export function tnumCast(a: Tnum, size: number): Tnum {
  const bits = size * 8;
  return { value: BigInt.asUintN(bits, a.value), mask: BigInt.asUintN(bits, a.mask) };
}

/** Every possible value is a multiple of `size`, a power of two. */
export function isTnumAligned(a: Tnum, size: number): boolean {
  if (size === 0) return true;
  return ((a.value | a.mask) & BigInt(size - 1)) === 0n;
}

/** Every value of `inner` is one of `outer`. */
export function tnumContains(outer: Tnum, inner: Tnum): boolean {
  if ((inner.mask & ~outer.mask & u64Max) !== 0n) return false;
  return outer.value === (inner.value & ~outer.mask & u64Max);
}

export function tnumSubreg(a: Tnum): Tnum {
  return { value: a.value & low32, mask: a.mask & low32 };
}

export function tnumClearSubreg(a: Tnum): Tnum {
  return { value: a.value & high32, mask: a.mask & high32 };
}

/** The upper half of `a` with the lower half of `subreg`. */
export function tnumWithSubreg(a: Tnum, subreg: Tnum): Tnum {
  return tnumOr(tnumClearSubreg(a), tnumSubreg(subreg));
}

export function isSubregConst(a: Tnum): boolean {
  return (a.mask & low32) === 0n;
}

/** As the kernel prints it: `(0x0; 0xff)`, and a known number as such, hexadecimal above 16 bits. */
export function printTnum(t: Tnum): string {
  if (t.mask === 0n) return t.value <= 0xffffn ? t.value.toString() : `0x${t.value.toString(16)}`;
  return `(0x${t.value.toString(16)}; 0x${t.mask.toString(16)})`;
}
