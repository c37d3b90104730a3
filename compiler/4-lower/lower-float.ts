/**
 * Floating-point values: bit patterns in registers, which can be moved and stored. What is computed
 * with them are calls of the routines of a run-time library (`__adddf3` …), as in clang: constants
 * are folded, a call that is left in the end is an error.
 */
import { callFloatRoutine } from "../../common/domain/float-bits.ts";
import type { ArithmeticOperator } from "../3-check/checked.ts";
import { isFloat, isSigned, scalarBits } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { IntPredicate, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { scalarType } from "./lower-types.ts";

/** The library's letters for the format: single or double. */
const modeOf = (type: QualType): "sf" | "df" => (scalarBits(type) === 32 ? "sf" : "df");

function callRoutine(
  state: FunctionState,
  name: string,
  returns: ValueType,
  args: readonly Value[],
): Value {
  const known = args.flatMap((arg) => (arg.kind === "constant" ? [arg.value] : []));
  const result = known.length === args.length ? callFloatRoutine(name, known) : undefined;
  if (result !== undefined) return constant(returns, result);
  state.module.useFloatRoutine(name);
  const callee = { kind: "function", symbol: name } as const;
  const params = args.map((arg) => arg.type as ValueType);
  const signature = { returns, params };
  return state.emit(returns, { op: "call", callee, noreturn: false, signature }, args);
}

export function floatArithmetic(
  state: FunctionState,
  op: ArithmeticOperator,
  left: Value,
  right: Value,
  type: QualType,
): Value {
  return callRoutine(state, `__${op}${modeOf(type)}3`, scalarType(type), [left, right]);
}

/** The sign is a bit. */
export function floatNegation(state: FunctionState, value: Value, type: QualType): Value {
  const irType = scalarType(type);
  const sign = constant(irType, 1n << BigInt(scalarBits(type) - 1));
  return state.emit(irType, { op: "binary", binary: "xor" }, [value, sign]);
}

/** What a comparison of signed numbers asks. */
export type SignedPredicate = Exclude<IntPredicate, `u${string}`>;

/** The comparison as i1: the routine of that name gives a number that compares with 0 as the two do. */
export function floatComparison(
  state: FunctionState,
  predicate: SignedPredicate,
  left: Value,
  right: Value,
  type: QualType,
): Value {
  const relation = predicate.replace(/^s/, "");
  const result = callRoutine(state, `__${relation}${modeOf(type)}2`, "i32", [left, right]);
  return state.emit("i1", { op: "icmp", predicate }, [result, constant("i32", 0)]);
}

/** A floating value that is not zero, as i1. */
export function isFloatTrue(state: FunctionState, value: Value, type: QualType): Value {
  return floatComparison(state, "ne", value, constant(scalarType(type), 0), type);
}

function floatToFloat(state: FunctionState, value: Value, from: QualType, to: QualType): Value {
  const [source, target] = [modeOf(from), modeOf(to)];
  if (source === target) return value;
  const name = source === "sf" ? "__extendsfdf2" : "__truncdfsf2";
  return callRoutine(state, name, scalarType(to), [value]);
}

/** Any conversion with a floating type on one side at least. */
export function convertFloat(
  state: FunctionState,
  value: Value,
  from: QualType,
  to: QualType,
): Value {
  if (isFloat(from) && isFloat(to)) return floatToFloat(state, value, from, to);
  const integer = isFloat(from) ? to : from;
  const isWide = scalarBits(integer) === 64;
  const [width, mode] = isWide ? (["i64", "di"] as const) : (["i32", "si"] as const);
  const isUnsigned = !isSigned(integer);
  if (isFloat(from)) {
    const name = `__fix${isUnsigned ? "uns" : ""}${modeOf(from)}${mode}`;
    const whole = callRoutine(state, name, width, [value]);
    return convertInteger(state, whole, scalarType(to), false);
  }
  const wide = convertInteger(state, value, width, !isUnsigned);
  return callRoutine(
    state,
    `__float${isUnsigned ? "un" : ""}${mode}${modeOf(to)}`,
    scalarType(to),
    [wide],
  );
}
