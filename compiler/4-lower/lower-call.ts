/** Calls: helpers by number, functions by symbol, and how records are passed. */
import type { CheckedExpression } from "../3-check/checked.ts";
import { sizeOf } from "../3-check/layout.ts";
import { isSigned, isVoid } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger, copyObject } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { Callee, CallSignature, Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import { isMemory, recordPieces, resultType, scalarType } from "./lower-types.ts";

type Call = Extract<CheckedExpression, { kind: "call" }>;

/** The callee behind casts and dereferences, and what has to be evaluated to find it. */
function calleeOf(
  state: FunctionState,
  expr: CheckedExpression,
): { callee: Callee; value?: Value } {
  if (expr.kind === "function") {
    state.module.useFunction(expr.symbol);
    return { callee: { kind: "function", symbol: expr.symbol.linkName } };
  }
  if (
    expr.kind === "cast" &&
    (expr.cast === "function_to_pointer" || expr.cast === "bitcast" || expr.cast === "noop")
  ) {
    return calleeOf(state, expr.operand);
  }
  if (expr.kind === "dereference") return calleeOf(state, expr.pointer);
  if (expr.kind === "address_of") return calleeOf(state, expr.operand);
  const value = state.visit.rvalue(expr);
  if (value.kind === "constant") {
    return { callee: { kind: "helper", id: Number(BigInt.asIntN(32, value.value)) } };
  }
  if (value.kind === "global") return { callee: { kind: "function", symbol: value.symbol } };
  return { callee: { kind: "indirect" }, value };
}

/** A record argument: a copy that the callee may change, in registers where it is small. */
function recordArgument(state: FunctionState, address: Value, type: QualType): Value[] {
  const pieces = recordPieces(type);
  if (sizeOf(type) === 0) return [];
  const size = pieces === "address" ? sizeOf(type) : pieces * 8;
  const copy = state.temporary(size, 8, "argument");
  copyObject(state, copy, address, type);
  if (pieces === "address") return [copy];
  return Array.from({ length: pieces }, (_, i) =>
    state.emit("i64", { op: "load", align: 8, volatile: false }, [state.offset(copy, i * 8)]),
  );
}

function argument(state: FunctionState, expr: CheckedExpression): Value[] {
  const value = state.visit.rvalue(expr);
  if (isVoid(expr.type)) return [];
  if (isMemory(expr.type)) return recordArgument(state, value, expr.type);
  const narrow = value.type === "i8" || value.type === "i16" || value.type === "i1";
  return [narrow ? convertInteger(state, value, "i32", isSigned(expr.type)) : value];
}

/** Lowers a call; the result of a record call is the address of a temporary. */
export function lowerCall(state: FunctionState, expr: Call): Value {
  const { callee, value } = calleeOf(state, expr.callee);
  const args = expr.args.flatMap((each) => argument(state, each));
  const returnsMemory = isMemory(expr.type);
  const result = returnsMemory ? state.temporaryOf(expr.type, "result") : undefined;
  const operands = [...(value ? [value] : []), ...(result ? [result] : []), ...args];
  state.at(expr.span);
  const type = resultType(expr.type);
  const signature: CallSignature = {
    returns: type,
    params: (value ? operands.slice(1) : operands).map((each) =>
      each.type === "void" ? "i64" : each.type,
    ),
  } as CallSignature;
  const noreturn = state.module.isNoreturn(callee);
  const call = state.emit(type, { op: "call", callee, noreturn, signature }, operands);
  if (noreturn) {
    state.emit("void", { op: "unreachable" }, []);
    state.startBlock(state.newBlock("after"));
  }
  if (result !== undefined) return result;
  if (type === "void") return constant("i64", 0);
  return convertInteger(state, call, scalarType(expr.type), isSigned(expr.type));
}
