/** Small pieces that lowering of expressions and of builtins share. */
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant, nullPointer, type ValueType } from "./ir-builder.ts";

/** A scalar that is not zero, as i1. */
export function isTrue(state: FunctionState, value: Value): Value {
  if (value.type === "i1") return value;
  const zero = value.type === "ptr" ? nullPointer : constant(value.type as ValueType, 0);
  return state.emit("i1", { op: "icmp", predicate: "ne" }, [value, zero]);
}
