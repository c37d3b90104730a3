/** `__builtin_*_overflow`: the result wrapped to its type, and whether it had to be. */
import type { CheckedBuiltin } from "../3-check/checked.ts";
import { alignOf } from "../3-check/layout.ts";
import { isSigned, pointeeOf } from "../3-check/type-tools.ts";
import { convertInteger } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, IntPredicate, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { scalarType } from "./lower-types.ts";

const bitsOf = (type: string): number => Number(type.slice(1));

/** Whether a 64-bit sum, difference or product overflowed, from operands and wrapped result. */
function overflowed64(
  state: FunctionState,
  op: BinaryOp,
  a: Value,
  b: Value,
  result: Value,
  signed: boolean,
): Value {
  const test = (predicate: IntPredicate, x: Value, y: Value): Value =>
    state.emit("i1", { op: "icmp", predicate }, [x, y]);
  const zero = constant("i64", 0);
  const bin = (binary: BinaryOp, x: Value, y: Value): Value =>
    state.emit("i64", { op: "binary", binary }, [x, y]);
  if (op === "mul") {
    // a != 0 and result / a != b; for signed also the one case whose division overflows.
    const divisor = state.emit("i64", { op: "select" }, [
      test("eq", a, zero),
      constant("i64", 1),
      a,
    ]);
    const back = bin(signed ? "sdiv" : "udiv", result, divisor);
    const differs = test(
      "ne",
      back,
      state.emit("i64", { op: "select" }, [test("eq", a, zero), result, b]),
    );
    if (!signed) return differs;
    const minimum = constant("i64", 1n << 63n);
    const special = bin(
      "and",
      state.emit("i64", { op: "zext" }, [test("eq", a, constant("i64", -1))]),
      state.emit("i64", { op: "zext" }, [test("eq", b, minimum)]),
    );
    const any = bin("or", state.emit("i64", { op: "zext" }, [differs]), special);
    return test("ne", any, zero);
  }
  if (!signed) return op === "add" ? test("ult", result, a) : test("ult", a, b);
  // Signs: overflow where operands' signs (dis)agree and the result's sign is not a's.
  const other = op === "add" ? bin("xor", result, b) : bin("xor", a, b);
  return test("slt", bin("and", bin("xor", result, a), other), zero);
}

/** Computes in 64 bits and compares with the value read back from the result's type. */
export function lowerOverflow(state: FunctionState, expr: CheckedBuiltin): Value {
  const [left, right, target] = expr.args;
  const resultType = target && pointeeOf(target.type);
  if (
    left === undefined ||
    right === undefined ||
    target === undefined ||
    resultType === undefined
  ) {
    return constant("i8", 0);
  }
  const op = (/(add|sub|mul)_overflow$/.exec(expr.name)?.[1] ?? "add") as BinaryOp;
  const a = convertInteger(state, state.visit.rvalue(left), "i64", isSigned(left.type));
  const b = convertInteger(state, state.visit.rvalue(right), "i64", isSigned(right.type));
  const pointer = state.visit.rvalue(target);
  state.at(expr.span);
  const narrow = scalarType(resultType) as ValueType;
  const wide = state.emit("i64", { op: "binary", binary: op }, [a, b]);
  const stored = convertInteger(state, wide, narrow, false);
  const back = convertInteger(state, stored, "i64", isSigned(resultType));
  const signed = isSigned(left.type) || isSigned(right.type) || isSigned(resultType);
  const operandBits = Math.max(bitsOf(scalarType(left.type)), bitsOf(scalarType(right.type)));
  const lost = state.emit("i1", { op: "icmp", predicate: "ne" }, [back, wide]);
  let flag = state.emit("i8", { op: "zext" }, [lost]);
  // Operands of up to 32 bits cannot overflow 64-bit arithmetic.
  if (operandBits > 32) {
    const over = overflowed64(state, op, a, b, wide, signed);
    const overFlag = state.emit("i8", { op: "zext" }, [over]);
    flag = state.emit("i8", { op: "binary", binary: "or" }, [flag, overFlag]);
  }
  state.emit("void", { op: "store", align: Math.max(1, alignOf(resultType)), volatile: false }, [
    stored,
    pointer,
  ]);
  return flag;
}
