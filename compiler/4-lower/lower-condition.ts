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

/** A condition to lower, at the start of a block or where the function is. */
interface Branch {
  readonly at: Block | undefined;
  readonly condition: CheckedExpression;
  readonly then: Block;
  readonly otherwise: Block;
  readonly likely: boolean | undefined;
}

/** Branches to `then` where the condition holds, else to `otherwise`. Long chains need no recursion. */
export function lowerCondition(
  state: FunctionState,
  condition: CheckedExpression,
  then: Block,
  otherwise: Block,
): void {
  const work: Branch[] = [];
  let next: Branch | undefined = { at: undefined, condition, then, otherwise, likely: undefined };
  for (; next !== undefined; next = work.pop()) {
    if (next.at !== undefined) state.startBlock(next.at);
    lowerBranch(state, next, work);
  }
}

/** Leaves parts of the condition on top of `work`, what comes first uppermost. */
function lowerBranch(state: FunctionState, branch: Branch, work: Branch[]): void {
  const { then, otherwise, likely } = branch;
  const at = undefined;
  const expected = expectation(branch.condition);
  if (expected !== undefined) {
    work.push({ at, then, otherwise, ...expected });
    return;
  }
  const expr = withoutCasts(branch.condition);
  if (expr.kind === "unary" && expr.op === "not") {
    const inverted = likely === undefined ? undefined : !likely;
    const swapped = { then: otherwise, otherwise: then, likely: inverted };
    work.push({ at, condition: expr.operand, ...swapped });
    return;
  }
  if (expr.kind === "logical") {
    const right = state.newBlock(expr.op === "and" ? "and.right" : "or.right");
    work.push({ ...branch, at: right, condition: expr.right });
    const ways =
      expr.op === "and"
        ? { then: right, otherwise, likely: likely === true ? true : undefined }
        : { then, otherwise: right, likely: likely === false ? false : undefined };
    work.push({ at, condition: expr.left, ...ways });
    return;
  }
  state.branchIf(state.visit.condition(expr), then, otherwise, likely);
}
