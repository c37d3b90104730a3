/** `_Static_assert` at file scope, in blocks and in records. */
import type { StaticAssert } from "../2-parse/ast.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, report, unevaluated } from "./context.ts";
import { toRvalue } from "./conversions.ts";
import { isError } from "./type-tools.ts";

export function checkStaticAssert(context: Context, assertion: StaticAssert): void {
  const { condition } = assertion;
  const checked = unevaluated(context, () =>
    toRvalue(context, context.recurse.expression(context, condition)),
  );
  if (isError(checked.type)) return;
  const value = evaluateInteger(checked, { constants: context.constants, decideConstantP: true });
  if (value === undefined) {
    report(context, "staticAssertNotConstant", condition.span);
    return;
  }
  if (!value.exact) report(context, "foldedConstant", condition.span);
  if (value.value !== 0n) return;
  const reason = assertion.message === undefined ? "" : `: ${assertion.message}`;
  report(context, "staticAssert", condition.span, [reason]);
}
