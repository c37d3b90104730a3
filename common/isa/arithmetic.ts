/**
 * What every ALU operation, jump condition and byte swap computes: the only definition of it.
 * Constant folding, the interpreter and the verifier use these functions. Values are unsigned
 * bigints; 32-bit results are zero-extended, as the registers are (RFC 9669 section 4).
 */
import type { Endian } from "../object/object-file.ts";
import type { AluOp, AtomicOp, JumpOp } from "./instruction.ts";

export type Width = 32 | 64;

/** The low bits, as an unsigned number. */
export function toUnsigned(value: bigint, bits: number): bigint {
  return BigInt.asUintN(bits, value);
}

/** The low bits, as a two's complement number. */
export function toSigned(value: bigint, bits: number): bigint {
  return BigInt.asIntN(bits, value);
}

/** Copies bit `from - 1` upward; the result is an unsigned number of `width` bits. */
export function signExtend(value: bigint, from: number, width: Width = 64): bigint {
  return BigInt.asUintN(width, BigInt.asIntN(from, value));
}

/** Operands are unsigned and of `width` bits; the result is wrapped by the caller. */
type AluMeaning = (a: bigint, b: bigint, width: Width) => bigint;

const shiftAmount = (b: bigint, width: Width): bigint => b & BigInt(width - 1);

/** Signed division truncates; BPF defines x / 0 as 0, and INT_MIN / -1 wraps to INT_MIN. */
const signedDivide: AluMeaning = (a, b, width) =>
  b === 0n ? 0n : toSigned(a, width) / toSigned(b, width);

/** The result has the dividend's sign; BPF defines x % 0 as x. */
const signedModulo: AluMeaning = (a, b, width) =>
  b === 0n ? a : toSigned(a, width) % toSigned(b, width);

const aluMeaning: Readonly<Record<AluOp, AluMeaning>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 0n : a / b),
  sdiv: signedDivide,
  mod: (a, b) => (b === 0n ? a : a % b),
  smod: signedModulo,
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, width) => a << shiftAmount(b, width),
  rsh: (a, b, width) => a >> shiftAmount(b, width),
  arsh: (a, b, width) => toSigned(a, width) >> shiftAmount(b, width),
  mov: (_a, b) => b,
};

/** dst = dst op src. Operands of any range; the result is unsigned and below 2^width. */
export function evaluateAlu(op: AluOp, width: Width, a: bigint, b: bigint): bigint {
  const meaning = aluMeaning[op];
  return BigInt.asUintN(width, meaning(BigInt.asUintN(width, a), BigInt.asUintN(width, b), width));
}

/** dst = -dst. */
export function evaluateNegate(width: Width, a: bigint): bigint {
  return BigInt.asUintN(width, -a);
}

const unsignedConditions = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  set: (a, b) => (a & b) !== 0n,
} satisfies Partial<Record<JumpOp, (a: bigint, b: bigint) => boolean>>;

const signed =
  (compare: (a: bigint, b: bigint) => boolean) =>
  (a: bigint, b: bigint, width: Width): boolean =>
    compare(toSigned(a, width), toSigned(b, width));

const jumpMeaning: Readonly<Record<JumpOp, (a: bigint, b: bigint, width: Width) => boolean>> = {
  ...unsignedConditions,
  sgt: signed(unsignedConditions.gt),
  sge: signed(unsignedConditions.ge),
  slt: signed(unsignedConditions.lt),
  sle: signed(unsignedConditions.le),
};

/** Whether the jump is taken. Operands of any range. */
export function evaluateJump(op: JumpOp, width: Width, a: bigint, b: bigint): boolean {
  return jumpMeaning[op](BigInt.asUintN(width, a), BigInt.asUintN(width, b), width);
}

/** What memory holds after an atomic operation. `expected` is r0, for cmpxchg. */
export function evaluateAtomic(
  op: AtomicOp,
  width: Width,
  old: bigint,
  source: bigint,
  expected: bigint,
): bigint {
  const operand = BigInt.asUintN(width, source);
  switch (op) {
    case "add":
    case "or":
    case "and":
    case "xor":
      return evaluateAlu(op, width, old, operand);
    case "xchg":
      return operand;
    case "cmpxchg":
      return old === BigInt.asUintN(width, expected) ? operand : old;
  }
}

/** The low `bits` with their bytes reversed, zero-extended. */
export function byteSwap(value: bigint, bits: 16 | 32 | 64): bigint {
  let rest = BigInt.asUintN(bits, value);
  let result = 0n;
  for (let done = 0; done < bits; done += 8) {
    result = (result << 8n) | (rest & 0xffn);
    rest >>= 8n;
  }
  return result;
}

/** `le`, `be` and `bswap`: truncates to `bits`, and swaps where the target's order asks for it. */
export function evaluateEndian(
  op: "le" | "be" | "bswap",
  bits: 16 | 32 | 64,
  value: bigint,
  endian: Endian,
): bigint {
  const swaps = op === "bswap" || (op === "le") !== (endian === "little");
  return swaps ? byteSwap(value, bits) : BigInt.asUintN(bits, value);
}
