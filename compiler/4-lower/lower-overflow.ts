/**
 * `__builtin_*_overflow`: the result wrapped to its type, and whether it had to be. Operands and
 * result may have any integer types; what is asked is whether the result as whole numbers fits.
 */
import type { CheckedBuiltin, CheckedExpression } from "../3-check/checked.ts";
import { alignOf } from "../3-check/layout.ts";
import { isSigned, pointeeOf, scalarBits } from "../3-check/type-tools.ts";
import { convertInteger } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, IntPredicate, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { scalarType } from "./lower-types.ts";

/** An operand: its low 64 bits, and whether they are to be read with a sign. */
interface Operand {
  readonly low: Value;
  readonly signed: boolean;
  readonly bits: number;
}

const zero = constant("i64", 0);

/** Emits in 64 bits. */
class Emitter {
  readonly #state: FunctionState;

  constructor(state: FunctionState) {
    this.#state = state;
  }

  binary(binary: BinaryOp, a: Value, b: Value): Value {
    return this.#state.emit("i64", { op: "binary", binary }, [a, b]);
  }

  test(predicate: IntPredicate, a: Value, b: Value): Value {
    return this.#state.emit("i1", { op: "icmp", predicate }, [a, b]);
  }

  /** A flag as the number 0 or 1. */
  number(flag: Value): Value {
    return this.#state.emit("i64", { op: "zext" }, [flag]);
  }

  select(flag: Value, a: Value, b: Value): Value {
    return this.#state.emit("i64", { op: "select" }, [flag, a, b]);
  }

  /** Either of two flags. */
  either(a: Value, b: Value): Value {
    return this.test("ne", this.binary("or", this.number(a), this.number(b)), zero);
  }

  /** All ones where the operand is negative. */
  sign({ low, signed }: Operand): Value {
    return signed ? this.binary("ashr", low, constant("i64", 63)) : zero;
  }
}

/** Sum or difference as 128 bits: overflow where the high half is not that of the result read back. */
function additive(emit: Emitter, op: "add" | "sub", a: Operand, b: Operand, back: Operand): Value {
  const low = emit.binary(op, a.low, b.low);
  const carry = op === "add" ? emit.test("ult", low, a.low) : emit.test("ult", a.low, b.low);
  const highs = emit.binary(op, emit.sign(a), emit.sign(b));
  const high = emit.binary(op, highs, emit.number(carry));
  return emit.either(emit.test("ne", low, back.low), emit.test("ne", high, emit.sign(back)));
}

/** The magnitude of an operand: a two's complement where it is negative. */
function magnitude(emit: Emitter, operand: Operand): Value {
  if (!operand.signed) return operand.low;
  const sign = emit.sign(operand);
  return emit.binary("sub", emit.binary("xor", operand.low, sign), sign);
}

/**
 * Product: the magnitudes are multiplied, which overflows where dividing does not lead back; the
 * result then must be in the range of its type on the side of its sign.
 */
function product(emit: Emitter, a: Operand, b: Operand, result: Operand): Value {
  const [x, y] = [magnitude(emit, a), magnitude(emit, b)];
  const size = emit.binary("mul", x, y);
  const isZero = emit.test("eq", x, zero);
  const divisor = emit.select(isZero, constant("i64", 1), x);
  const back = emit.select(isZero, y, emit.binary("udiv", size, divisor));
  const tooLarge = emit.test("ne", back, y);
  const negative = emit.test("ne", emit.binary("xor", emit.sign(a), emit.sign(b)), zero);
  const largest = (1n << BigInt(result.signed ? result.bits - 1 : result.bits)) - 1n;
  const limit = emit.select(
    negative,
    constant("i64", result.signed ? largest + 1n : 0n),
    constant("i64", largest),
  );
  return emit.either(tooLarge, emit.test("ugt", size, limit));
}

/** Operands of up to 32 bits cannot overflow 64-bit arithmetic: only the result's type can. */
function overflows(
  emit: Emitter,
  op: "add" | "sub" | "mul",
  [a, b]: readonly [Operand, Operand],
  back: Operand,
): Value {
  if (a.bits <= 32 && b.bits <= 32) {
    const wide: Operand = {
      low: emit.binary(op, a.low, b.low),
      signed: op === "sub" || a.signed || b.signed,
      bits: 64,
    };
    const differs = emit.test("ne", wide.low, back.low);
    // Both are 64 bits: they also differ as numbers where only one is read with a sign.
    if (back.bits < 64 || wide.signed === back.signed) return differs;
    return emit.either(differs, emit.test("slt", wide.low, zero));
  }
  return op === "mul" ? product(emit, a, b, back) : additive(emit, op, a, b, back);
}

function operandOf(state: FunctionState, expr: CheckedExpression): Operand {
  const signed = isSigned(expr.type);
  const low = convertInteger(state, state.visit.rvalue(expr), "i64", signed);
  return { low, signed, bits: scalarBits(expr.type) };
}

/** Stores the wrapped result and gives the flag. */
export function lowerOverflow(state: FunctionState, expr: CheckedBuiltin): Value {
  const [left, right, target] = expr.args;
  const resultType = target && pointeeOf(target.type);
  if (!left || !right || !target || resultType === undefined) {
    return constant("i8", 0);
  }
  const op = (/(add|sub|mul)l{0,2}_overflow$/.exec(expr.name)?.[1] ?? "add") as
    | "add"
    | "sub"
    | "mul";
  const operands = [operandOf(state, left), operandOf(state, right)] as const;
  const pointer = state.visit.rvalue(target);
  state.at(expr.span);
  const emit = new Emitter(state);
  const narrow = scalarType(resultType) as ValueType;
  const wide = emit.binary(op, operands[0].low, operands[1].low);
  const stored = convertInteger(state, wide, narrow, false);
  const signed = isSigned(resultType);
  const low = convertInteger(state, stored, "i64", signed);
  const flag = overflows(emit, op, operands, { low, signed, bits: scalarBits(resultType) });
  const align = Math.max(1, alignOf(resultType));
  state.emit("void", { op: "store", align, volatile: false }, [stored, pointer]);
  return state.emit("i8", { op: "zext" }, [flag]);
}
