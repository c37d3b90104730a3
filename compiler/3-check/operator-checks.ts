/** What all operators share: messages about operands that do not fit. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { CheckedExpression } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { quoteType } from "./print-type.ts";
import { isError, scalarBits } from "./type-tools.ts";
import type { QualType } from "./types.ts";

/** Reports operands that an operator does not take. */
export function invalidOperands(
  context: Context,
  left: CheckedExpression,
  right: CheckedExpression,
  place: Span,
  span: Span,
): CheckedExpression {
  if (isError(left.type) || isError(right.type)) return errorExpression(span);
  report(context, "invalidOperands", place, [quoteType(left.type), quoteType(right.type)]);
  return errorExpression(span);
}

/** Warns of a constant zero divisor. */
export function checkDivisor(
  context: Context,
  op: "div" | "rem",
  right: CheckedExpression,
  place: Span,
): void {
  if (context.unevaluated > 0 || evaluateInteger(right)?.value !== 0n) return;
  report(context, "divideByZero", place, [op === "div" ? "division" : "remainder"]);
}

/** Warns of a constant shift count that the type does not allow. */
export function checkShift(
  context: Context,
  type: QualType,
  count: CheckedExpression,
  place: Span,
): void {
  if (context.unevaluated > 0) return;
  const value = evaluateInteger(count)?.value;
  if (value === undefined) return;
  if (value < 0n) report(context, "shiftNegative", place);
  else if (value >= BigInt(scalarBits(type))) report(context, "shiftCount", place);
}
