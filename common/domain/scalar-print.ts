/** Scalars as the kernel's log shows them: `scalar(id=1,smin=0,smax=umax=255,var_off=(0x0; 0xff))`. */
import { type Scalar, s32Max, s32Min, s64Max, s64Min, u32Max } from "./scalar.ts";
import { printTnum, u64Max } from "./tnum.ts";

/** Signed numbers of 16 bits are decimal, all others hexadecimal. */
export function printSigned(value: bigint): string {
  if (value >= -32768n && value <= 32767n) return value.toString();
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** Unsigned numbers of 16 bits are decimal, all others hexadecimal. */
export function printUnsigned(value: bigint): string {
  if (value >= 0n && value <= 0xffffn) return value.toString();
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

interface Bound {
  readonly name: string;
  readonly value: bigint;
  readonly signed: boolean;
  omit: boolean;
}

// Larger 32-bit signed numbers are shown as their 32 bits, not sign-extended.
function signed32(value: number): bigint {
  return value >= -32768 && value <= 32767 ? BigInt(value) : BigInt(value >>> 0);
}

function boundsOf(s: Scalar): Bound[] {
  const bound = (name: string, value: bigint, omit: boolean): Bound => ({
    name,
    value,
    signed: name.startsWith("s"),
    omit,
  });
  return [
    bound("smin", s.smin, s.smin === s64Min),
    bound("smax", s.smax, s.smax === s64Max),
    bound("umin", s.umin, s.umin === 0n),
    bound("umax", s.umax, s.umax === u64Max),
    bound("smin32", signed32(s.s32min), s.s32min === s32Min),
    bound("smax32", signed32(s.s32max), s.s32max === s32Max),
    bound("umin32", BigInt(s.u32min), s.u32min === 0),
    bound("umax32", BigInt(s.u32max), s.u32max === u32Max),
  ];
}

/** The ranges that say something, equal ones joined: `smin=smin32=0,smax=umax=255`. */
export function printRanges(s: Scalar): string[] {
  const bounds = boundsOf(s);
  const parts: string[] = [];
  bounds.forEach((first, at) => {
    if (first.omit) return;
    const negative = first.signed && first.value < 0n;
    let text = `${first.name}=`;
    for (let other = at + 2; other < bounds.length; other += 2) {
      const second = bounds[other];
      if (second === undefined || second.omit) continue;
      if (BigInt.asUintN(64, second.value) !== BigInt.asUintN(64, first.value)) continue;
      if ((second.signed && second.value < 0n) !== negative) continue;
      second.omit = true;
      text += `${second.name}=`;
    }
    parts.push(text + (first.signed ? printSigned(first.value) : printUnsigned(first.value)));
  });
  return parts;
}

/** Ranges and known bits, without what is unknown. */
export function printScalarParts(s: Scalar): string[] {
  const parts = printRanges(s);
  if (s.value !== 0n || s.mask !== u64Max) parts.push(`var_off=${printTnum(s)}`);
  return parts;
}

/** A whole scalar. `id` links registers that hold the same value; 0 is none. */
export function printScalar(s: Scalar, id = 0): string {
  if (s.mask === 0n) return printSigned(BigInt.asIntN(64, s.value));
  const parts = printScalarParts(s);
  if (id !== 0) parts.unshift(`id=${id}`);
  return `scalar(${parts.join(",")})`;
}
