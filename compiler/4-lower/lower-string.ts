/**
 * `__builtin_str*` and memchr: computed here where the texts are literals. There is no library to
 * call, so anything else becomes a call that is reported if it survives optimisation.
 */
import type { CheckedBuiltin, CheckedExpression } from "../3-check/checked.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import { resultType, scalarType } from "./lower-types.ts";

/** The bytes of a literal up to its NUL. */
function literalBytes(expr: CheckedExpression | undefined): Uint8Array | undefined {
  if (expr?.kind === "cast") return literalBytes(expr.operand);
  const isConstant =
    expr?.kind === "string_literal" || (expr?.kind === "variable" && expr.symbol.type.const);
  const data =
    isConstant && (expr.kind === "string_literal" || expr.kind === "variable")
      ? expr.symbol.data
      : undefined;
  if (data === undefined || data.relocations.length > 0) return undefined;
  const end = data.bytes.indexOf(0);
  return end < 0 ? undefined : data.bytes.subarray(0, end);
}

function compareBytes(a: Uint8Array, b: Uint8Array, limit: number): number {
  for (let i = 0; i < limit; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0 ? -1 : 1;
    if (i >= a.length) return 0;
  }
  return 0;
}

function folded(expr: CheckedBuiltin): number | undefined {
  const first = literalBytes(expr.args[0]);
  if (first === undefined) return undefined;
  if (expr.name === "__builtin_strlen") return first.length;
  const second = literalBytes(expr.args[1]);
  const limit = expr.args[2];
  if (second === undefined) return undefined;
  if (expr.name === "__builtin_strcmp")
    return compareBytes(first, second, Number.POSITIVE_INFINITY);
  if (expr.name === "__builtin_strncmp" && limit?.kind === "constant") {
    return compareBytes(first, second, Number(limit.value));
  }
  return undefined;
}

/** The value where it is known, otherwise a call of the library function. */
export function lowerStringFunction(state: FunctionState, expr: CheckedBuiltin): Value {
  const known = folded(expr);
  if (known !== undefined) return constant(scalarType(expr.type), known);
  const name = expr.name.replace("__builtin_", "");
  const operands = expr.args.map((arg) => state.visit.rvalue(arg));
  state.at(expr.span);
  state.module.useLibraryFunction(name);
  const callee = { kind: "function" as const, symbol: name };
  return state.emit(resultType(expr.type), { op: "call", callee, noreturn: false }, operands);
}
