/** Warnings about operators whose precedence surprises: `a & b == c`, `a && b || c`, `if (a = b)`. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { BinaryOperator, Expression } from "../2-parse/ast.ts";
import { type Context, report } from "./context.ts";

type Binary = Extract<Expression, { kind: "binary" }>;

export const bitwise: ReadonlySet<BinaryOperator> = new Set<BinaryOperator>(["&", "|", "^"]);
export const comparing: ReadonlySet<BinaryOperator> = new Set<BinaryOperator>([
  "==",
  "!=",
  "<",
  ">",
  "<=",
  ">=",
]);

function isWritten(span: Span): boolean {
  return span.expandedFrom === undefined;
}

/** Space, tab, line feed and what is between them in ASCII. */
const isBlank = (unit: number): boolean => unit === 32 || (unit >= 9 && unit <= 13);

/** The first character after a span that is not a blank. */
function nextCharacter(span: Span): string {
  const { text } = span.file;
  let at = span.end;
  while (at < text.length && isBlank(text.charCodeAt(at))) at += 1;
  return text[at] ?? "";
}

function previousCharacter(span: Span): string {
  const { text } = span.file;
  let at = span.start - 1;
  while (at >= 0 && isBlank(text.charCodeAt(at))) at -= 1;
  return text[at] ?? "";
}

/** An operand that is a bare binary expression, without parentheses of its own. */
function bareBinary(operand: Expression, side: "left" | "right"): Binary | undefined {
  if (operand.kind !== "binary" || !isWritten(operand.span)) return undefined;
  const enclosed =
    side === "left" ? nextCharacter(operand.span) === ")" : previousCharacter(operand.span) === "(";
  return enclosed ? undefined : operand;
}

/** `a == b | c == d`: clang takes it that the operator is meant to join truth values. */
function comparesBoth({ left, right }: Binary): boolean {
  const isTruth = (e: Expression): boolean => e.kind === "binary" && comparing.has(e.op);
  return isTruth(left) && isTruth(right);
}

function warnOperand(context: Context, outer: Binary, inner: Binary): void {
  const { op, opSpan } = outer;
  if (op === "||" && inner.op === "&&") report(context, "logicalParentheses", inner.opSpan);
  else if (bitwise.has(op) && comparing.has(inner.op) && !comparesBoth(outer)) {
    report(context, "comparisonParentheses", opSpan, [op, inner.op]);
  } else if ((op === "|" || op === "^") && bitwise.has(inner.op) && inner.op !== op) {
    report(context, "bitwiseParentheses", inner.opSpan, [inner.op, op]);
  } else if ((op === "<<" || op === ">>") && (inner.op === "+" || inner.op === "-")) {
    report(context, "shiftParentheses", inner.opSpan, [op, inner.op]);
  }
}

/** Warns where the operands of a binary operator group differently than one may think. */
export function warnPrecedence(context: Context, expression: Binary): void {
  if (!isWritten(expression.opSpan) || !isWritten(expression.span)) return;
  const left = bareBinary(expression.left, "left");
  const right = bareBinary(expression.right, "right");
  if (left !== undefined) warnOperand(context, expression, left);
  if (right !== undefined) warnOperand(context, expression, right);
}

/** Warns of `if (a = b)`; a second pair of parentheses says that it is meant. */
export function warnAssignedCondition(context: Context, condition: Expression): void {
  if (condition.kind !== "assign" || condition.op !== "=" || !isWritten(condition.span)) return;
  const { text } = condition.span.file;
  const rest = text.slice(condition.span.end, condition.span.end + 80);
  if (/^\s*\)\s*\)/.test(rest)) return;
  const span = condition.opSpan;
  const notes = [
    { message: "place parentheses around the assignment to silence this warning", span },
    { message: "use '==' to turn this assignment into an equality comparison", span },
  ];
  report(context, "parentheses", span, [], { notes });
}

/** Warns of `if ((a == b))`: the second pair of parentheses is for assignments. */
export function warnExtraParentheses(context: Context, condition: Expression): void {
  if (condition.kind !== "binary" || condition.op !== "==" || !isWritten(condition.span)) return;
  const assignable = ["identifier", "member", "index", "unary"].includes(condition.left.kind);
  const { text } = condition.span.file;
  const isDouble =
    /\(\s*\(\s*$/.test(text.slice(Math.max(0, condition.span.start - 80), condition.span.start)) &&
    /^\s*\)\s*\)/.test(text.slice(condition.span.end, condition.span.end + 80));
  if (assignable && isDouble) report(context, "parenthesesEquality", condition.opSpan);
}
