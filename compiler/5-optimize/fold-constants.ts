/**
 * What an operation over constants gives, with BPF's meaning: wrapping arithmetic, division by zero
 * is 0, remainder by zero the dividend, shift amounts are taken modulo the width.
 */
import { callFloatRoutine } from "../../common/domain/float-bits.ts";
import type {
  AtomicRmwOp,
  BinaryOp,
  Callee,
  Constant,
  IntPredicate,
  IrInstruction,
  Value,
} from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { constant, signedValue, type ValueType } from "../4-lower/ir-builder.ts";

type Binary = (a: bigint, b: bigint, bits: bigint) => bigint;

const signed = (value: bigint, bits: bigint): bigint => BigInt.asIntN(Number(bits), value);

/** Operands are unsigned representations; the result is wrapped by the caller. */
export const binaryMeaning: Readonly<Record<BinaryOp, Binary>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  udiv: (a, b) => (b === 0n ? 0n : a / b),
  sdiv: (a, b, bits) => (b === 0n ? 0n : signed(a, bits) / signed(b, bits)),
  urem: (a, b) => (b === 0n ? a : a % b),
  srem: (a, b, bits) => (b === 0n ? a : signed(a, bits) % signed(b, bits)),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b, bits) => a << (b & shiftMask(bits)),
  lshr: (a, b, bits) => a >> (b & shiftMask(bits)),
  ashr: (a, b, bits) => signed(a, bits) >> (b & shiftMask(bits)),
};

/** BPF masks amounts to 5 or 6 bits; narrower types are computed in 32 bits. */
function shiftMask(bits: bigint): bigint {
  return bits === 64n ? 63n : 31n;
}

const comparisons: Readonly<Record<IntPredicate, (a: bigint, b: bigint, bits: bigint) => boolean>> =
  {
    eq: (a, b) => a === b,
    ne: (a, b) => a !== b,
    ult: (a, b) => a < b,
    ule: (a, b) => a <= b,
    ugt: (a, b) => a > b,
    uge: (a, b) => a >= b,
    slt: (a, b, bits) => signed(a, bits) < signed(b, bits),
    sle: (a, b, bits) => signed(a, bits) <= signed(b, bits),
    sgt: (a, b, bits) => signed(a, bits) > signed(b, bits),
    sge: (a, b, bits) => signed(a, bits) >= signed(b, bits),
  };

export function foldBinary(binary: BinaryOp, a: Constant, b: Constant): Constant {
  const bits = BigInt(bitWidth[a.type]);
  return constant(a.type, binaryMeaning[binary](a.value, b.value, bits));
}

export function foldComparison(predicate: IntPredicate, a: Constant, b: Constant): Constant {
  const holds = comparisons[predicate](a.value, b.value, BigInt(bitWidth[a.type]));
  return constant("i1", holds ? 1n : 0n);
}

export const isEquality = (predicate: IntPredicate): boolean =>
  predicate === "eq" || predicate === "ne";

/** `predicate` with its operands exchanged: a < b is b > a. */
export const swappedPredicate: Readonly<Record<IntPredicate, IntPredicate>> = {
  eq: "eq",
  ne: "ne",
  ult: "ugt",
  ule: "uge",
  ugt: "ult",
  uge: "ule",
  slt: "sgt",
  sle: "sge",
  sgt: "slt",
  sge: "sle",
};

/** What holds exactly when `predicate` does not. */
export const invertedPredicate: Readonly<Record<IntPredicate, IntPredicate>> = {
  eq: "ne",
  ne: "eq",
  ult: "uge",
  ule: "ugt",
  ugt: "ule",
  uge: "ult",
  slt: "sge",
  sle: "sgt",
  sgt: "sle",
  sge: "slt",
};

/** True for predicates that hold between equal operands. */
export function holdsForEqual(predicate: IntPredicate): boolean {
  return ["eq", "ule", "uge", "sle", "sge"].includes(predicate);
}

export const commutative: ReadonlySet<BinaryOp> = new Set(["add", "mul", "and", "or", "xor"]);

/** What an atomic operation leaves in memory. */
export const atomicMeaning: Readonly<Record<AtomicRmwOp, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  nand: (a, b) => ~(a & b),
  xchg: (_, b) => b,
};

export function swapBytes(value: bigint, bits: number): bigint {
  let result = 0n;
  for (let at = 0; at < bits; at += 8) {
    result = (result << 8n) | ((value >> BigInt(at)) & 0xffn);
  }
  return result;
}

/** A constant with its bytes turned around. */
export function swapBytesOf(value: Constant): Constant {
  return constant(value.type, swapBytes(value.value, bitWidth[value.type]));
}

/** The constant that an instruction computes if all its operands are constant. */
export function foldInstruction(
  instruction: IrInstruction,
  operands: readonly Value[],
): Constant | undefined {
  const { operation, type } = instruction;
  const [a, b, c] = operands;
  if (type === "void" || a === undefined) return undefined;
  if (operation.op === "select") {
    if (a.kind !== "constant") return undefined;
    const chosen = a.value === 1n ? b : c;
    return chosen?.kind === "constant" ? chosen : undefined;
  }
  if (a.kind !== "constant") return undefined;
  switch (operation.op) {
    case "binary":
      return b?.kind === "constant" ? foldBinary(operation.binary, a, b) : undefined;
    case "icmp":
      return b?.kind === "constant" ? foldComparison(operation.predicate, a, b) : undefined;
    case "ptradd":
      return b?.kind === "constant" ? constant("ptr", a.value + b.value) : undefined;
    case "zext":
    case "trunc":
    case "sext":
    case "ptrtoint":
    case "inttoptr":
    case "bswap":
      return foldConversion(operation.op, a, type);
    case "call":
      return foldRoutine(operation.callee, operands, type);
    default:
      return undefined;
  }
}

/** A call for floating-point arithmetic. */
function foldRoutine(
  callee: Callee,
  operands: readonly Value[],
  type: ValueType,
): Constant | undefined {
  if (callee.kind !== "function") return undefined;
  const args = operands.flatMap((operand) => (operand.kind === "constant" ? [operand.value] : []));
  if (args.length !== operands.length) return undefined;
  const result = callFloatRoutine(callee.symbol, args);
  return result === undefined ? undefined : constant(type, result);
}

export function foldConversion(
  op: "zext" | "sext" | "trunc" | "ptrtoint" | "inttoptr" | "bswap",
  value: Constant,
  type: ValueType,
): Constant {
  if (op === "sext") return constant(type, signedValue(value));
  if (op === "bswap") return constant(type, swapBytes(value.value, bitWidth[type]));
  return constant(type, value.value);
}
