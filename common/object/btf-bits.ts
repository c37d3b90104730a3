/** Integers at any bit of some bytes, as BTF places them. */
import type { Endian } from "./object-file.ts";

/** `size` bytes from `offset`; bytes that do not exist read as 0. */
export function integerAt(
  bytes: Uint8Array,
  endian: Endian,
  offset: number,
  size: number,
  signed: boolean,
): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) {
    const at = endian === "little" ? offset + size - 1 - i : offset + i;
    value = (value << 8n) | BigInt(bytes[at] ?? 0);
  }
  return signed ? BigInt.asIntN(size * 8, value) : value;
}

/** Where bits lie: the bytes that hold them, and how far above the lowest bit of these they start. */
function placeOf(
  endian: Endian,
  bitOffset: number,
  bits: number,
): { first: number; size: number; shift: bigint } {
  const first = bitOffset >> 3;
  const size = ((bitOffset + bits + 7) >> 3) - first;
  const start = bitOffset & 7;
  return { first, size, shift: BigInt(endian === "little" ? start : size * 8 - (start + bits)) };
}

export function bitsAt(
  bytes: Uint8Array,
  endian: Endian,
  bitOffset: number,
  bits: number,
  signed: boolean,
): bigint {
  const { first, size, shift } = placeOf(endian, bitOffset, bits);
  const whole = integerAt(bytes, endian, first, size, false);
  const value = (whole >> shift) & ((1n << BigInt(bits)) - 1n);
  return signed ? BigInt.asIntN(bits, value) : value;
}

/** Overwrites the bits; what is above them in `value` is cut off. */
export function setBits(
  bytes: Uint8Array,
  endian: Endian,
  bitOffset: number,
  bits: number,
  value: bigint,
): void {
  const { first, size, shift } = placeOf(endian, bitOffset, bits);
  const mask = ((1n << BigInt(bits)) - 1n) << shift;
  const before = integerAt(bytes, endian, first, size, false);
  let rest = (before & ~mask) | ((value << shift) & mask);
  for (let i = 0; i < size; i++) {
    bytes[endian === "little" ? first + i : first + size - 1 - i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
