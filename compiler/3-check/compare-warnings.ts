/** Warnings about comparisons that do not mean what they seem to. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { BinaryOperator, Expression } from "../2-parse/ast.ts";
import type { CheckedExpression } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, report } from "./context.ts";
import { promote } from "./conversions.ts";
import { quoteType } from "./print-type.ts";
import { canonical, isInteger, isSigned, scalarBits } from "./type-tools.ts";
import type { EnumType, QualType } from "./types.ts";

export type Compare = Extract<BinaryOperator, "==" | "!=" | "<" | "<=" | ">" | ">=">;

/** Operands as they were before the usual conversions. */
export interface Compared {
  readonly left: CheckedExpression;
  readonly right: CheckedExpression;
  readonly opSpan: Span;
}

/** A signed and an unsigned operand, of which the signed one may be negative; `type`: the common type. */
export function warnSigns(context: Context, op: Compare, operands: Compared, type: QualType): void {
  const { left, right } = operands;
  if (context.unevaluated > 0 || isSigned(type)) return;
  const a = promote(left);
  const b = promote(right);
  const signedSide = isSigned(a.type) ? a : isSigned(b.type) ? b : undefined;
  if (signedSide === undefined) return;
  const constant = evaluateInteger(signedSide);
  if (constant !== undefined && constant.value >= 0n) return;
  // A value that a narrower unsigned type gave is never negative.
  const source =
    signedSide.kind === "cast" && !signedSide.explicit ? signedSide.operand : signedSide;
  if (!isSigned(source.type)) return;
  // No negative value becomes equal to one that lacks the top bit.
  const isEquality = op === "==" || op === "!=";
  if (isEquality && unsignedWidth(signedSide === a ? right : left) < scalarBits(type)) return;
  report(context, "signCompare", operands.opSpan, [quoteType(left.type), quoteType(right.type)]);
}

/** How many bits the value of an unsigned expression can have. */
function unsignedWidth(e: CheckedExpression): number {
  const bits = scalarBits(e.type);
  const constant = evaluateInteger(e);
  if (constant !== undefined && constant.value >= 0n) return constant.value.toString(2).length;
  if (e.kind === "cast" && e.cast === "integral")
    return isSigned(e.operand.type) ? bits : Math.min(bits, unsignedWidth(e.operand));
  if (e.kind !== "arithmetic") return bits;
  const right = evaluateInteger(e.right)?.value;
  if (e.op === "shr" && right !== undefined) return unsignedWidth(e.left) - Number(right);
  return e.op === "and" ? Math.min(unsignedWidth(e.left), unsignedWidth(e.right)) : bits;
}

const reflexive: ReadonlySet<Compare> = new Set<Compare>(["==", "<=", ">="]);

/** `x == x`: one and the same plain variable on both sides. */
export function warnSelfComparison(context: Context, op: Compare, operands: Compared): void {
  const { left, right, opSpan } = operands;
  if (left.kind !== "cast" || right.kind !== "cast" || opSpan.expandedFrom !== undefined) return;
  const a = left.operand;
  const b = right.operand;
  if (a.kind !== "variable" || b.kind !== "variable" || a.symbol !== b.symbol) return;
  if (canonical(a.type).volatile || left.explicit || right.explicit) return;
  report(context, "selfComparison", opSpan, [reflexive.has(op) ? "true" : "false"]);
}

/** The bits and the sign of what an expression can give by its type, before promotion. */
function rangeOf(e: CheckedExpression): readonly [bigint, bigint] | undefined {
  if (e.kind === "cast" && !e.explicit && e.cast === "integral") return rangeOf(e.operand);
  if (!isInteger(e.type)) return undefined;
  if (isComparison(e)) return [0n, 1n];
  const bits = BigInt(scalarBits(e.type));
  if (bits > 64n) return undefined;
  return isSigned(e.type)
    ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
    : [0n, (1n << bits) - 1n];
}

/** What `low…high op constant` always is. */
function verdict(op: Compare, low: bigint, high: bigint, constant: bigint): boolean | undefined {
  const [above, below] = [constant > high, constant < low];
  if (!above && !below) return undefined;
  if (op === "==" || op === "!=") return op === "!=";
  return op === "<" || op === "<=" ? above : below;
}

const mirrored: Readonly<Record<Compare, Compare>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/** A constant that the other operand's type cannot hold. */
export function warnOutOfRange(
  context: Context,
  op: Compare,
  { left, right, opSpan }: Compared,
  type: QualType,
): void {
  if (context.unevaluated > 0 || opSpan.expandedFrom !== undefined) return;
  const [a, b] = [evaluateInteger(left), evaluateInteger(right)];
  if ((a === undefined) === (b === undefined)) return;
  const other = b === undefined ? right : left;
  const written = (b ?? a)?.value ?? 0n;
  const bits = scalarBits(type);
  const constant = isSigned(type) ? BigInt.asIntN(bits, written) : BigInt.asUintN(bits, written);
  const range = rangeOf(other);
  // What the conversion to an unsigned common type makes of negative values is another matter.
  if (range === undefined || (range[0] < 0n && !isSigned(type))) return;
  const always = verdict(b === undefined ? mirrored[op] : op, range[0], range[1], constant);
  if (always === undefined) return;
  const what = isComparison(other)
    ? "boolean expression"
    : `expression of type ${quoteType(other.type)}`;
  report(context, "outOfRangeCompare", opSpan, [String(constant), what, String(always)]);
}

function isComparison(e: CheckedExpression): boolean {
  if (e.kind === "cast" && !e.explicit && e.cast === "integral") return isComparison(e.operand);
  return e.kind === "compare" || e.kind === "logical" || (e.kind === "unary" && e.op === "not");
}

function isStringLiteral(e: CheckedExpression): boolean {
  if (e.kind === "cast" && !e.explicit) return isStringLiteral(e.operand);
  return e.kind === "string_literal";
}

/** The enum that an expression has by its type, before promotion. */
export function enumOf(e: CheckedExpression): EnumType | undefined {
  if (e.kind === "cast" && !e.explicit && e.cast === "integral") return enumOf(e.operand);
  const { type } = canonical(e.type);
  return type.kind === "enum" ? type : undefined;
}

/** Values of two enums. */
export function warnEnumCompare(context: Context, { left, right, opSpan }: Compared): void {
  const [a, b] = [enumOf(left), enumOf(right)];
  if (a === undefined || b === undefined || a === b || context.unevaluated > 0) return;
  report(context, "enumCompare", opSpan, [quoteType(left.type), quoteType(right.type)]);
}

/** `p == "text"` compares addresses. */
export function warnStringCompare(context: Context, { left, right, opSpan }: Compared): void {
  if (context.unevaluated > 0 || !(isStringLiteral(left) || isStringLiteral(right))) return;
  report(context, "stringCompare", opSpan);
}

/** `!x == y`. */
export function warnNegatedOperand(
  context: Context,
  left: Expression,
  right: CheckedExpression,
  word: "comparison" | "bitwise operator",
): void {
  if (left.kind !== "unary" || left.op !== "!" || left.span.expandedFrom !== undefined) return;
  const { text } = left.span.file;
  if (text[left.span.start] !== "!" || /^\s*\)/.test(text.slice(left.span.end, left.span.end + 40)))
    return;
  const isTruth = isComparison(right) || canonical(right.type).type.kind === "bool";
  if (isTruth) return;
  const { span } = left;
  const purpose =
    word === "comparison" ? "evaluate the comparison" : "evaluate the bitwise operator";
  const notes = [
    { message: `add parentheses after the '!' to ${purpose} first`, span },
    { message: "add parentheses around left hand side expression to silence this warning", span },
  ];
  report(context, "logicalNotParentheses", span, [word], { notes });
}
