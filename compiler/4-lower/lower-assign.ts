/** Assignments, and operators that change their operand. */
import { floatToBits } from "../../common/domain/float-bits.ts";
import type { CheckedExpression } from "../3-check/checked.ts";
import { canonical, isFloat, isPointer } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { asStored, copyObject, readPlace, writePlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import { isTrue } from "./lower-expression-tools.ts";
import { isFloatTrue } from "./lower-float.ts";
import { arithmetic, offsetPointer } from "./lower-operators.ts";
import { isMemory, scalarType } from "./lower-types.ts";
import { convertAny, isWide, wideArithmetic, wideConstant } from "./lower-wide.ts";
import { addressOf, type Place, placeOf } from "./place.ts";

type Of<K extends CheckedExpression["kind"]> = Extract<CheckedExpression, { kind: K }>;

/** Reads, changes and writes a place once. */
function update(
  state: FunctionState,
  place: Place,
  change: (old: Value) => Value,
): { old: Value; now: Value } {
  const fixed: Place =
    place.core === undefined ? place : { ...place, address: addressOf(state, place) };
  const old = readPlace(state, fixed);
  const now = change(old);
  writePlace(state, fixed, now);
  return { old, now: asStored(state, fixed, now) };
}

/** `a op= b`. */
export function compoundAssign(state: FunctionState, expr: Of<"compound_assign">): Value {
  const value = state.visit.rvalue(expr.value);
  const place = placeOf(state, expr.target);
  state.at(expr.span);
  const target = expr.target.type;
  return update(state, place, (old) => {
    if (isPointer(target)) {
      const subtract = expr.op === "sub";
      return offsetPointer(state, old, value, expr.value.type, expr.elementSize ?? 1, subtract);
    }
    const left = convertAny(state, old, target, expr.computeType);
    const result = arithmetic(state, expr.op, left, value, expr.computeType);
    if (canonical(target).type.kind === "bool") {
      const flag = isFloat(expr.computeType)
        ? isFloatTrue(state, result, expr.computeType)
        : isTrue(state, result);
      return state.emit("i8", { op: "zext" }, [flag]);
    }
    return convertAny(state, result, expr.computeType, target);
  }).now;
}

function copyOf(state: FunctionState, value: Value, type: QualType): Value {
  const copy = state.temporaryOf(type, "copy");
  copyObject(state, copy, value, type);
  return copy;
}

/** `++a`, `a--` and their like. */
export function increment(state: FunctionState, expr: Of<"increment">): Value {
  const place = placeOf(state, expr.target);
  state.at(expr.span);
  const target = expr.target.type;
  let kept: Value | undefined;
  const { old, now } = update(state, place, (value) => {
    if (isPointer(target)) return state.offset(value, expr.step);
    if (canonical(target).type.kind === "bool") {
      return expr.step > 0
        ? constant("i8", 1)
        : state.emit("i8", { op: "binary", binary: "xor" }, [value, constant("i8", 1)]);
    }
    if (isWide(target)) {
      // The old value is where the new one goes.
      kept = copyOf(state, value, target);
      return wideArithmetic(state, "add", value, wideConstant(state, BigInt(expr.step)), target);
    }
    const type = scalarType(target);
    if (isFloat(target)) {
      const step = floatToBits(expr.step, type === "i32" ? 4 : 8);
      return arithmetic(state, "add", value, constant(type, step), target);
    }
    return state.emit(type, { op: "binary", binary: "add" }, [value, constant(type, expr.step)]);
  });
  return expr.prefix ? now : (kept ?? old);
}

/** `a = b`; the value is what was stored. */
export function assign(state: FunctionState, expr: Of<"assign">): Value {
  const value = state.visit.rvalue(expr.value);
  const place = placeOf(state, expr.target);
  state.at(expr.span);
  writePlace(state, place, value);
  return isMemory(expr.type) ? value : asStored(state, place, value);
}
