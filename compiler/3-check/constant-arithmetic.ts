/** Arithmetic on constants: the operators, and the builtins of one integer. */
import { floatArithmetic } from "../../common/domain/float-bits.ts";
import type { ArithmeticOperator } from "./checked.ts";
import { isFloat, scalarBits, wrapToType } from "./type-tools.ts";
import type { QualType } from "./types.ts";

type Binary = (left: bigint, right: bigint, type: QualType) => bigint | undefined;

const shiftCount = (count: bigint, type: QualType): bigint | undefined =>
  count < 0n || count >= BigInt(scalarBits(type)) ? undefined : count;

const arithmetic: Readonly<Record<ArithmeticOperator, Binary>> = {
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? undefined : a / b),
  rem: (a, b) => (b === 0n ? undefined : a % b),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  shl: (a, b, type) => {
    const count = shiftCount(b, type);
    return count === undefined ? undefined : a << count;
  },
  shr: (a, b, type) => {
    const count = shiftCount(b, type);
    return count === undefined ? undefined : a >> count;
  },
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  or: (a, b) => a | b,
};

function computeFloat(
  op: ArithmeticOperator,
  left: bigint,
  right: bigint,
  type: QualType,
): bigint | undefined {
  const size = scalarBits(type) === 32 ? 4 : 8;
  const isDefined = op === "add" || op === "sub" || op === "mul" || op === "div";
  return isDefined ? floatArithmetic(op, left, right, size) : undefined;
}

/** left op right in the type, wrapped; undefined for division by zero and oversized shifts. */
export function computeArithmetic(
  op: ArithmeticOperator,
  left: bigint,
  right: bigint,
  type: QualType,
): bigint | undefined {
  if (isFloat(type)) return computeFloat(op, left, right, type);
  const result = arithmetic[op](left, right, type);
  return result === undefined ? undefined : wrapToType(result, type);
}

function countTrailingZeros(value: bigint, bits: number): bigint {
  for (let i = 0; i < bits; i += 1) if (((value >> BigInt(i)) & 1n) === 1n) return BigInt(i);
  return BigInt(bits);
}

function popcount(value: bigint): bigint {
  return BigInt(value.toString(2).replaceAll("0", "").length);
}

function swapBytes(value: bigint, bytes: number): bigint {
  let result = 0n;
  for (let i = 0; i < bytes; i += 1) result = (result << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return result;
}

export type Fold = (value: bigint, bits: number) => bigint | undefined;

const ctz: Fold = (value, bits) => (value === 0n ? undefined : countTrailingZeros(value, bits));
const clz: Fold = (value, bits) =>
  value === 0n ? undefined : BigInt(bits - value.toString(2).length);
const ffs: Fold = (value, bits) => (value === 0n ? 0n : countTrailingZeros(value, bits) + 1n);
const parity: Fold = (value) => popcount(value) & 1n;
const clrsb: Fold = (value, bits) => {
  const signed = BigInt.asIntN(bits, value);
  const magnitude = signed < 0n ? ~signed : signed;
  return BigInt(bits - 1 - (magnitude === 0n ? 0 : magnitude.toString(2).length));
};

/** Builtins of one integer that fold. The operand arrives as an unsigned number of its width. */
export const builtinFolds: ReadonlyMap<string, Fold> = new Map([
  ...["", "l", "ll"].flatMap((suffix): [string, Fold][] => [
    [`__builtin_ctz${suffix}`, ctz],
    [`__builtin_clz${suffix}`, clz],
    [`__builtin_ffs${suffix}`, ffs],
    [`__builtin_popcount${suffix}`, popcount],
    [`__builtin_parity${suffix}`, parity],
    [`__builtin_clrsb${suffix}`, clrsb],
  ]),
  ["__builtin_bswap16", (value) => swapBytes(value, 2)],
  ["__builtin_bswap32", (value) => swapBytes(value, 4)],
  ["__builtin_bswap64", (value) => swapBytes(value, 8)],
]);
