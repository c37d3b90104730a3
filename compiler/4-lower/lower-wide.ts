/**
 * 128-bit integers. BPF has no registers for them: a value is the address of a temporary, and what
 * is computed is computed in halves. Division is left out, as in clang, which has no library for it.
 */
import type { ArithmeticOperator, CheckedExpression } from "../3-check/checked.ts";
import { isFloat, isSigned, scalarBits } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, IntPredicate, Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import { convertFloat } from "./lower-float.ts";
import { isMemory, scalarType } from "./lower-types.ts";

interface Halves {
  readonly low: Value;
  readonly high: Value;
}

const zero = constant("i64", 0);

function binary(state: FunctionState, op: BinaryOp, a: Value, b: Value): Value {
  return state.emit("i64", { op: "binary", binary: op }, [a, b]);
}

function test(state: FunctionState, predicate: IntPredicate, a: Value, b: Value): Value {
  return state.emit("i1", { op: "icmp", predicate }, [a, b]);
}

function select(state: FunctionState, flag: Value, a: Value, b: Value): Value {
  return state.emit("i64", { op: "select" }, [flag, a, b]);
}

function lowOffset(state: FunctionState): number {
  return state.module.endian === "little" ? 0 : 8;
}

function load(state: FunctionState, address: Value): Halves {
  const half = (offset: number): Value =>
    state.emit("i64", { op: "load", align: 8, volatile: false }, [state.offset(address, offset)]);
  const at = lowOffset(state);
  return { low: half(at), high: half(8 - at) };
}

/** A new temporary with that value. */
function store(state: FunctionState, { low, high }: Halves): Value {
  const slot = state.temporary(16, 16, "wide");
  const at = lowOffset(state);
  const operation = { op: "store" as const, align: 8, volatile: false };
  state.emit("void", operation, [low, state.offset(slot, at)]);
  state.emit("void", operation, [high, state.offset(slot, 8 - at)]);
  return slot;
}

export function wideConstant(state: FunctionState, value: bigint): Value {
  return store(state, { low: constant("i64", value), high: constant("i64", value >> 64n) });
}

/** Between 128 bits and other integers. */
export function convertWide(
  state: FunctionState,
  value: Value,
  from: QualType,
  to: QualType,
): Value {
  if (isMemory(from) && isMemory(to)) return value;
  if (isMemory(from)) {
    return convertInteger(state, load(state, value).low, scalarType(to), false);
  }
  const low = convertInteger(state, value, "i64", isSigned(from));
  const high = isSigned(from) ? binary(state, "ashr", low, constant("i64", 63)) : zero;
  return store(state, { low, high });
}

/** Any conversion between arithmetic types. */
export function convertAny(
  state: FunctionState,
  value: Value,
  from: QualType,
  to: QualType,
): Value {
  if (isMemory(from) || isMemory(to)) return convertWide(state, value, from, to);
  if (isFloat(from) || isFloat(to)) return convertFloat(state, value, from, to);
  return convertInteger(state, value, scalarType(to), isSigned(from));
}

/** Whether a 128-bit value is not zero. */
export function isWideTrue(state: FunctionState, address: Value): Value {
  const { low, high } = load(state, address);
  return test(state, "ne", binary(state, "or", low, high), zero);
}

type Operation = (state: FunctionState, a: Halves, b: Halves, signed: boolean) => Halves;

const halfwise =
  (op: BinaryOp): Operation =>
  (state, a, b) => ({
    low: binary(state, op, a.low, b.low),
    high: binary(state, op, a.high, b.high),
  });

const additive =
  (op: "add" | "sub"): Operation =>
  (state, a, b) => {
    const low = binary(state, op, a.low, b.low);
    const carry = op === "add" ? test(state, "ult", low, a.low) : test(state, "ult", a.low, b.low);
    const high = binary(state, op, a.high, b.high);
    return { low, high: binary(state, op, high, state.emit("i64", { op: "zext" }, [carry])) };
  };

/** The upper 64 bits of an unsigned product, from 32-bit parts. */
function highProduct(state: FunctionState, a: Value, b: Value): Value {
  const half = constant("i64", 32);
  const mask = constant("i64", 0xffffffffn);
  const [a0, a1] = [binary(state, "and", a, mask), binary(state, "lshr", a, half)];
  const [b0, b1] = [binary(state, "and", b, mask), binary(state, "lshr", b, half)];
  const first = binary(state, "lshr", binary(state, "mul", a0, b0), half);
  const second = binary(state, "add", binary(state, "mul", a1, b0), first);
  const third = binary(
    state,
    "add",
    binary(state, "mul", a0, b1),
    binary(state, "and", second, mask),
  );
  const high = binary(
    state,
    "add",
    binary(state, "mul", a1, b1),
    binary(state, "lshr", second, half),
  );
  return binary(state, "add", high, binary(state, "lshr", third, half));
}

const multiply: Operation = (state, a, b) => {
  const crossed = binary(
    state,
    "add",
    binary(state, "mul", a.low, b.high),
    binary(state, "mul", a.high, b.low),
  );
  return {
    low: binary(state, "mul", a.low, b.low),
    high: binary(state, "add", highProduct(state, a.low, b.low), crossed),
  };
};

/** Shifts by less than 64 move bits between the halves, others move a whole half. */
const shiftLeft: Operation = (state, a, { low: amount }) => {
  const by = binary(state, "and", amount, constant("i64", 63));
  const rest = binary(state, "sub", constant("i64", 63), by);
  const carried = binary(state, "lshr", binary(state, "lshr", a.low, constant("i64", 1)), rest);
  const low = binary(state, "shl", a.low, by);
  const high = binary(state, "or", binary(state, "shl", a.high, by), carried);
  const far = test(state, "ugt", amount, constant("i64", 63));
  return { low: select(state, far, zero, low), high: select(state, far, low, high) };
};

const shiftRight: Operation = (state, a, { low: amount }, signed) => {
  const op = signed ? "ashr" : "lshr";
  const by = binary(state, "and", amount, constant("i64", 63));
  const rest = binary(state, "sub", constant("i64", 63), by);
  const carried = binary(state, "shl", binary(state, "shl", a.high, constant("i64", 1)), rest);
  const high = binary(state, op, a.high, by);
  const low = binary(state, "or", binary(state, "lshr", a.low, by), carried);
  const far = test(state, "ugt", amount, constant("i64", 63));
  const fill = signed ? binary(state, "ashr", a.high, constant("i64", 63)) : zero;
  return { low: select(state, far, high, low), high: select(state, far, fill, high) };
};

const operations: Readonly<Partial<Record<ArithmeticOperator, Operation>>> = {
  add: additive("add"),
  sub: additive("sub"),
  mul: multiply,
  and: halfwise("and"),
  or: halfwise("or"),
  xor: halfwise("xor"),
  shl: shiftLeft,
  shr: shiftRight,
};

/** `left op right` on addresses of 128-bit values; a shift's amount may be a plain integer. */
export function wideArithmetic(
  state: FunctionState,
  op: ArithmeticOperator,
  left: Value,
  right: Value,
  type: QualType,
): Value {
  const operation = operations[op];
  if (operation === undefined) {
    state.error("wide-division", "128-bit division is not supported by BPF");
    return left;
  }
  const b =
    right.type === "ptr"
      ? load(state, right)
      : { low: convertInteger(state, right, "i64", false), high: zero };
  return store(state, operation(state, load(state, left), b, isSigned(type)));
}

type Comparison = Extract<CheckedExpression, { kind: "compare" }>["op"];

/** The comparison of two 128-bit values as i1. */
export function wideCompare(
  state: FunctionState,
  op: Comparison,
  left: Value,
  right: Value,
  signed: boolean,
): Value {
  const [a, b] = [load(state, left), load(state, right)];
  if (op === "==" || op === "!=") {
    const { low, high } = halfwise("xor")(state, a, b, false);
    return test(state, op === "==" ? "eq" : "ne", binary(state, "or", low, high), zero);
  }
  // a > b is b < a; a <= b is not b < a.
  const swapped = op === ">" || op === "<=";
  const [x, y] = swapped ? [b, a] : [a, b];
  const lowLess = test(state, "ult", x.low, y.low);
  const highLess = test(state, signed ? "slt" : "ult", x.high, y.high);
  const highSame = test(state, "eq", x.high, y.high);
  const less = state.emit("i1", { op: "select" }, [highSame, lowLess, highLess]);
  if (op === "<" || op === ">") return less;
  return state.emit("i1", { op: "binary", binary: "xor" }, [less, constant("i1", 1)]);
}

/** -x and ~x. */
export function wideUnary(state: FunctionState, op: "negate" | "complement", value: Value): Value {
  const halves = load(state, value);
  const other = op === "negate" ? { low: zero, high: zero } : undefined;
  if (other !== undefined) return store(state, additive("sub")(state, other, halves, false));
  const ones = constant("i64", -1);
  return store(state, halfwise("xor")(state, halves, { low: ones, high: ones }, false));
}

/** Whether the type is one of these. */
export function isWide(type: QualType): boolean {
  return isMemory(type) && scalarBits(type) === 128;
}
