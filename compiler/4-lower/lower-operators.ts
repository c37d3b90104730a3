/** Operators on values: arithmetic, comparison, pointer sums and differences. */
import type { ArithmeticOperator, CheckedExpression } from "../3-check/checked.ts";
import { isFloat, isPointer, isSigned } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, IntPredicate, Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import {
  floatArithmetic,
  floatComparison,
  floatNegation,
  type SignedPredicate,
} from "./lower-float.ts";
import { scalarType } from "./lower-types.ts";
import { isWide, wideArithmetic, wideCompare, wideUnary } from "./lower-wide.ts";

type Of<K extends CheckedExpression["kind"]> = Extract<CheckedExpression, { kind: K }>;

/** IR operations by C operator: [signed, unsigned]. */
const binaryOps: Readonly<Record<ArithmeticOperator, readonly [BinaryOp, BinaryOp]>> = {
  mul: ["mul", "mul"],
  div: ["sdiv", "udiv"],
  rem: ["srem", "urem"],
  add: ["add", "add"],
  sub: ["sub", "sub"],
  shl: ["shl", "shl"],
  shr: ["ashr", "lshr"],
  and: ["and", "and"],
  xor: ["xor", "xor"],
  or: ["or", "or"],
};

const predicates: Readonly<Record<Of<"compare">["op"], readonly [SignedPredicate, IntPredicate]>> =
  {
    "==": ["eq", "eq"],
    "!=": ["ne", "ne"],
    "<": ["slt", "ult"],
    "<=": ["sle", "ule"],
    ">": ["sgt", "ugt"],
    ">=": ["sge", "uge"],
  };

/** Computes `left op right` in the type; the shift amount is brought to its width. */
export function arithmetic(
  state: FunctionState,
  op: ArithmeticOperator,
  left: Value,
  right: Value,
  type: QualType,
): Value {
  if (isWide(type)) return wideArithmetic(state, op, left, right, type);
  if (isFloat(type)) return floatArithmetic(state, op, left, right, type);
  const irType = scalarType(type);
  const binary = binaryOps[op][isSigned(type) ? 0 : 1];
  const amount = right.type === irType ? right : convertInteger(state, right, irType, false);
  return state.emit(irType, { op: "binary", binary }, [left, amount]);
}

/** The comparison as i1. */
export function compare(state: FunctionState, expr: Of<"compare">): Value {
  const left = state.visit.rvalue(expr.left);
  const right = state.visit.rvalue(expr.right);
  state.at(expr.span);
  const signed = !isPointer(expr.left.type) && isSigned(expr.left.type);
  const { type } = expr.left;
  if (isWide(type)) return wideCompare(state, expr.op, left, right, signed);
  if (isFloat(type)) return floatComparison(state, predicates[expr.op][0], left, right, type);
  return state.emit("i1", { op: "icmp", predicate: predicates[expr.op][signed ? 0 : 1] }, [
    left,
    right,
  ]);
}

/** index × size as i64, extended by the index's signedness. */
function scaledIndex(state: FunctionState, index: Value, type: QualType, size: number): Value {
  const wide = convertInteger(state, index, "i64", isSigned(type));
  if (wide.kind === "constant")
    return constant("i64", BigInt.asIntN(64, wide.value) * BigInt(size));
  if (size === 1) return wide;
  return state.emit("i64", { op: "binary", binary: "mul" }, [wide, constant("i64", size)]);
}

/** pointer ± index elements. */
export function offsetPointer(
  state: FunctionState,
  pointer: Value,
  index: Value,
  indexType: QualType,
  size: number,
  subtract: boolean,
): Value {
  let offset = scaledIndex(state, index, indexType, size);
  if (subtract) {
    offset =
      offset.kind === "constant"
        ? constant("i64", -offset.value)
        : state.emit("i64", { op: "binary", binary: "sub" }, [constant("i64", 0), offset]);
  }
  return state.emit("ptr", { op: "ptradd" }, [pointer, offset]);
}

/** x with odd · x = 1 modulo 2^64: Newton's iteration doubles the number of right bits. */
function inverse64(odd: bigint): bigint {
  let x = odd;
  for (let bits = 3; bits < 64; bits *= 2) x = BigInt.asUintN(64, x * (2n - odd * x));
  return x;
}

/** In elements. */
export function pointerDifference(state: FunctionState, expr: Of<"pointer_difference">): Value {
  const left = state.emit("i64", { op: "ptrtoint" }, [state.visit.rvalue(expr.left)]);
  const right = state.emit("i64", { op: "ptrtoint" }, [state.visit.rvalue(expr.right)]);
  state.at(expr.span);
  const bytes = state.emit("i64", { op: "binary", binary: "sub" }, [left, right]);
  const size = expr.elementSize;
  if (size <= 1) return bytes;
  // The difference is a multiple of the size: a shift where that is a power of two.
  if ((size & (size - 1)) === 0) {
    return state.emit("i64", { op: "binary", binary: "ashr" }, [
      bytes,
      constant("i64", Math.log2(size)),
    ]);
  }
  // Otherwise, exactly divisible as it is, a shift and a multiplication by the odd part's inverse.
  const zeros = Math.log2(size & -size);
  const even = state.emit("i64", { op: "binary", binary: "ashr" }, [bytes, constant("i64", zeros)]);
  const inverse = constant("i64", inverse64(BigInt(size >> zeros)));
  return state.emit("i64", { op: "binary", binary: "mul" }, [even, inverse]);
}

/** -x, ~x and !x. */
export function unary(state: FunctionState, expr: Of<"unary">): Value {
  if (expr.op === "not") {
    const value = state.visit.condition(expr.operand);
    const inverted = state.emit("i1", { op: "binary", binary: "xor" }, [value, constant("i1", 1)]);
    return state.emit("i32", { op: "zext" }, [inverted]);
  }
  const value = state.visit.rvalue(expr.operand);
  state.at(expr.span);
  if (isWide(expr.type)) return wideUnary(state, expr.op, value);
  if (isFloat(expr.type)) return floatNegation(state, value, expr.type);
  const type = scalarType(expr.type);
  return expr.op === "negate"
    ? state.emit(type, { op: "binary", binary: "sub" }, [constant(type, 0), value])
    : state.emit(type, { op: "binary", binary: "xor" }, [value, constant(type, -1)]);
}
