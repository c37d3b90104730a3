/** Where clang points in an expression: at the operator of a binary one, at the name of a member. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression } from "../2-parse/ast.ts";

/** The span whose start is clang's caret for the expression. */
export function caretOf(expression: Expression): Span {
  switch (expression.kind) {
    case "binary":
    case "assign":
      return expression.opSpan;
    case "member":
      return expression.nameSpan;
    case "index":
      return caretOf(expression.array);
    default:
      return expression.span;
  }
}

/** The place of the closing parenthesis of a call. */
export function closingPlace(span: Span): Span {
  return { ...span, start: Math.max(span.start, span.end - 1) };
}
