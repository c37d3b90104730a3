/** `_Static_assert` at file scope, in blocks and in records. */
import type { DiagnosticExtra } from "../../common/diagnostics/diagnostic.ts";
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression, StaticAssert } from "../2-parse/ast.ts";
import type { CheckedExpression } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, report, reportFolding, unevaluated } from "./context.ts";
import { decay } from "./conversions.ts";
import { caretOf } from "./expression-place.ts";
import { isError } from "./type-tools.ts";

/** The condition as written, where it says more than a plain number. */
function requirement(condition: Expression): string {
  const { span } = condition;
  if (condition.kind === "integer" || span.expandedFrom !== undefined) return "";
  return ` due to requirement '${span.file.text.slice(span.start, span.end)}'`;
}

/** The values that a failed comparison compared. */
function operandNote(checked: CheckedExpression, span: Span): DiagnosticExtra {
  if (checked.kind !== "compare") return {};
  const left = evaluateInteger(checked.left);
  const right = evaluateInteger(checked.right);
  if (left === undefined || right === undefined) return {};
  const message = `expression evaluates to '${left.value} ${checked.op} ${right.value}'`;
  return { notes: [{ message, span }] };
}

export function checkStaticAssert(context: Context, assertion: StaticAssert): void {
  const { condition } = assertion;
  const checked = unevaluated(context, () => decay(context.recurse.expression(context, condition)));
  if (isError(checked.type)) return;
  const value = evaluateInteger(checked, { constants: context.constants, decideConstantP: true });
  if (value === undefined) {
    report(context, "staticAssertNotConstant", condition.span);
    return;
  }
  if (!value.exact) reportFolding(context, condition.span);
  if (value.value !== 0n) return;
  const reason = assertion.message === undefined ? "" : `: ${assertion.message}`;
  report(
    context,
    "staticAssert",
    condition.span,
    [requirement(condition) + reason],
    operandNote(checked, caretOf(condition)),
  );
}
