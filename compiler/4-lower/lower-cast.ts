/** Conversions between types, by kind of cast. */
import type { CastKind, CheckedExpression } from "../3-check/checked.ts";
import { addressSpaceOf, isSigned, pointeeOf } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger, readPlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import { scalarType } from "./lower-types.ts";
import { convertAny } from "./lower-wide.ts";
import { addressOf, placeOf, pointerTo } from "./place.ts";

type Cast = Extract<CheckedExpression, { kind: "cast" }>;

type Caster = (state: FunctionState, expr: Cast) => Value;

const operandOf: Caster = (state, expr) => state.visit.rvalue(expr.operand);

/** A conversion between arithmetic types; to memory types (128-bit integers) it goes through memory. */
const integral: Caster = (state, expr) => {
  const { operand, type } = expr;
  const value = state.visit.rvalue(operand);
  state.at(expr.span);
  return convertAny(state, value, operand.type, type);
};

const casters: Readonly<Record<CastKind, Caster>> = {
  lvalue_to_rvalue(state, expr) {
    const place = placeOf(state, expr.operand);
    state.at(expr.span);
    const folded = state.module.constantOf(expr.operand);
    return folded ?? readPlace(state, place);
  },
  array_to_pointer: (state, expr) => pointerTo(state, expr.operand),
  function_to_pointer: (state, expr) => addressOf(state, placeOf(state, expr.operand)),
  integral,
  floating: integral,
  to_bool(state, expr) {
    const condition = state.visit.condition(expr.operand);
    return state.emit("i8", { op: "zext" }, [condition]);
  },
  pointer_to_integral(state, expr) {
    const pointer = state.visit.rvalue(expr.operand);
    state.at(expr.span);
    const wide = state.emit("i64", { op: "ptrtoint" }, [pointer]);
    return convertInteger(state, wide, scalarType(expr.type), false);
  },
  integral_to_pointer(state, expr) {
    const value = state.visit.rvalue(expr.operand);
    state.at(expr.span);
    const wide = convertInteger(state, value, "i64", isSigned(expr.operand.type));
    if (wide.kind === "constant") return constant("ptr", wide.value);
    return state.emit("ptr", { op: "inttoptr" }, [wide]);
  },
  bitcast: operandOf,
  address_space(state, expr) {
    const pointer = state.visit.rvalue(expr.operand);
    const space = (type: QualType): number => addressSpaceOf(pointeeOf(type));
    const operation = {
      op: "addr_space_cast" as const,
      from: space(expr.operand.type),
      to: space(expr.type),
    };
    return state.emit("ptr", operation, [pointer]);
  },
  to_void(state, expr) {
    state.visit.rvalue(expr.operand);
    return constant("i64", 0);
  },
  noop: operandOf,
};

/** Lowers any cast. */
export function lowerCast(state: FunctionState, expr: Cast): Value {
  return casters[expr.cast](state, expr);
}
