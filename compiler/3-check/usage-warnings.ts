/** Warnings about what is computed or declared and never used. */
import type { Expression } from "../2-parse/ast.ts";
import type { CheckedExpression, FunctionSymbol } from "./checked.ts";
import { type Context, report, type Scope } from "./context.ts";
import { caretOf } from "./expression-place.ts";
import { asRecord, canonical, isVoid } from "./type-tools.ts";

/** Warns of the locals that a scope leaves unused. */
export function warnUnusedLocals(context: Context, scope: Scope): void {
  const state = context.function;
  // After an error a use may have been lost.
  if (state === undefined || context.diagnostics.faultCount > state.errorsBefore) return;
  for (const entity of scope.ordinary.values()) {
    if (entity.kind === "typedef" && !context.usedTypedefs.has(entity)) {
      if (!context.unusedAllowed.has(entity))
        report(context, "unusedTypedef", entity.span, [entity.name]);
      continue;
    }
    if (entity.kind !== "variable" || context.unusedAllowed.has(entity)) continue;
    const use = state.uses.get(entity);
    if (use === undefined || entity.cleanup !== undefined || entity.storage === "param") continue;
    if (use.references === 0) report(context, "unusedVariable", entity.span, [entity.name]);
    else if (use.references === use.stores && !canonical(entity.type).volatile) {
      report(context, "unusedButSet", entity.span, [entity.name]);
    }
  }
}

/** Whether evaluating the expression does something. */
function hasEffect(expression: Expression): boolean {
  switch (expression.kind) {
    case "assign":
    case "call":
    case "postfix":
    case "statement_expression":
    case "va_arg":
    case "compound_literal":
    case "generic":
      return true;
    case "unary":
      if (expression.op === "__extension__") return hasEffect(expression.operand);
      return expression.op === "++" || expression.op === "--";
    case "binary":
      return ["&&", "||", ","].includes(expression.op) && hasEffect(expression.right);
    case "conditional":
      return (
        hasEffect(expression.otherwise) ||
        (expression.then !== undefined && hasEffect(expression.then))
      );
    case "cast":
    case "identifier":
    case "integer":
    case "character":
    case "string":
    case "float":
    case "index":
    case "member":
    case "sizeof":
    case "alignof":
    case "offsetof":
    case "types_compatible":
    case "label_address":
      return false;
  }
}

const comparisons: Readonly<Record<string, string>> = {
  "==": "equality",
  "!=": "inequality",
  "<": "relational",
  "<=": "relational",
  ">": "relational",
  ">=": "relational",
};

function calledFunction(checked: CheckedExpression): FunctionSymbol | undefined {
  if (checked.kind !== "call") return undefined;
  const { callee } = checked;
  return callee.kind === "cast" && callee.operand.kind === "function"
    ? callee.operand.symbol
    : undefined;
}

/** A discarded assignment or step does not use its variable: such writes are counted apart. */
function noteStore(context: Context, checked: CheckedExpression): void {
  const writes = ["assign", "compound_assign", "increment"];
  if (!writes.includes(checked.kind) || !("target" in checked)) return;
  const { target } = checked;
  if (target.kind !== "variable") return;
  const use = context.function?.uses.get(target.symbol);
  if (use !== undefined) use.stores += 1;
}

/** Warns of an expression statement that computes something for nobody. */
export function warnUnusedValue(
  context: Context,
  expression: Expression,
  checked: CheckedExpression,
): void {
  noteStore(context, checked);
  const symbol = calledFunction(checked);
  if (symbol !== undefined && context.unusedResult.has(symbol) && !isVoid(checked.type)) {
    report(context, "unusedResult", expression.span, ["warn_unused_result"]);
  }
  // What a macro leaves over is not the user's doing.
  if (hasEffect(expression) || expression.span.expandedFrom !== undefined) return;
  if (isVoid(checked.type) || checked.kind === "statement_expression") return;
  if (canonical(checked.type).volatile && asRecord(checked.type) === undefined) return;
  const word = expression.kind === "binary" ? comparisons[expression.op] : undefined;
  if (word !== undefined) report(context, "unusedComparison", caretOf(expression), [word]);
  else report(context, "unusedValue", caretOf(expression));
}
