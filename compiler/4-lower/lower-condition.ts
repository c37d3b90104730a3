/** Conditions: control flow straight from `&&`, `||`, `!` and comparisons. */
import type { CheckedExpression } from "../3-check/checked.ts";
import { scalarBits } from "../3-check/type-tools.ts";
import type { FunctionState } from "./function-state.ts";
import type { Block } from "./ir.ts";

/** `__builtin_expect(condition, constant)`: the condition and which way is likely. */
function expectation(
  expr: CheckedExpression,
): { condition: CheckedExpression; likely: boolean } | undefined {
  const inner = withoutCasts(expr);
  if (inner.kind !== "builtin" || inner.name !== "__builtin_expect") return undefined;
  const [condition, expected] = inner.args;
  if (condition === undefined || expected?.kind !== "constant") return undefined;
  return { condition, likely: expected.value !== 0n };
}

/** Casts that keep zero zero and everything else not zero. */
function withoutCasts(expr: CheckedExpression): CheckedExpression {
  if (expr.kind !== "cast") return expr;
  if (expr.cast === "to_bool" || expr.cast === "noop") return withoutCasts(expr.operand);
  const keepsBits =
    expr.cast === "integral" && scalarBits(expr.type) >= scalarBits(expr.operand.type);
  return keepsBits || isBoolean(expr.operand) ? withoutCasts(expr.operand) : expr;
}

/** Expressions whose value is 0 or 1. */
function isBoolean(expr: CheckedExpression): boolean {
  return (
    expr.kind === "compare" ||
    expr.kind === "logical" ||
    (expr.kind === "unary" && expr.op === "not") ||
    (expr.kind === "cast" && expr.cast === "to_bool")
  );
}

/** Branches to `then` where the condition holds, else to `otherwise`. */
export function lowerCondition(
  state: FunctionState,
  written: CheckedExpression,
  then: Block,
  otherwise: Block,
  likely?: boolean,
): void {
  const expected = expectation(written);
  if (expected !== undefined) {
    lowerCondition(state, expected.condition, then, otherwise, expected.likely);
    return;
  }
  const expr = withoutCasts(written);
  if (expr.kind === "unary" && expr.op === "not") {
    const inverted = likely === undefined ? undefined : !likely;
    lowerCondition(state, expr.operand, otherwise, then, inverted);
    return;
  }
  if (expr.kind === "logical") {
    const right = state.newBlock(expr.op === "and" ? "and.right" : "or.right");
    if (expr.op === "and")
      lowerCondition(state, expr.left, right, otherwise, likely === true ? true : undefined);
    else lowerCondition(state, expr.left, then, right, likely === false ? false : undefined);
    state.startBlock(right);
    lowerCondition(state, expr.right, then, otherwise, likely);
    return;
  }
  const condition = state.visit.condition(expr);
  state.branchIf(condition, then, otherwise, likely);
}
