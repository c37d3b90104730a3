/** Prefix and postfix operators. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression } from "../2-parse/ast.ts";
import { checkIndex, elementSize } from "./check-expression-access.ts";
import { forwardNote } from "./check-tag.ts";
import type { CheckedExpression } from "./checked.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { bitFieldOf, decay, isLvalue, promote, toCondition } from "./conversions.ts";
import { checkModifiable } from "./modifiable.ts";
import { quoteType } from "./print-type.ts";
import {
  asFunction,
  bare,
  intType,
  isArithmetic,
  isComplete,
  isError,
  isFloat,
  isInteger,
  isPointer,
  isVoid,
  pointeeOf,
  pointerTo,
  unqualified,
  wrapToType,
} from "./type-tools.ts";

type Unary = Extract<Expression, { kind: "unary" }>;

function invalidOperand(
  context: Context,
  operand: CheckedExpression,
  span: Span,
): CheckedExpression {
  report(context, "invalidUnary", span, [quoteType(operand.type)]);
  return errorExpression(span);
}

function checkSign(context: Context, expression: Unary): CheckedExpression {
  const { span } = expression;
  const operand = decay(context.recurse.expression(context, expression.operand));
  if (isError(operand.type)) return errorExpression(span);
  if (isFloat(operand.type) && expression.op !== "~") {
    if (expression.op === "+") return operand;
    return { kind: "unary", op: "negate", operand, type: operand.type, span };
  }
  if (!isInteger(operand.type)) return invalidOperand(context, operand, span);
  if (expression.op === "~" && bare(operand.type).kind === "bool") {
    report(context, "boolNegation", span);
  }
  const value = promote(operand);
  if (expression.op === "+") return value;
  const op = expression.op === "-" ? "negate" : "complement";
  if (value.kind === "constant") {
    const result = op === "negate" ? -value.value : ~value.value;
    return { ...value, value: wrapToType(result, value.type), span };
  }
  return { kind: "unary", op, operand: value, type: value.type, span };
}

function checkNot(context: Context, expression: Unary): CheckedExpression {
  const { span } = expression;
  const checked = context.recurse.expression(context, expression.operand);
  const operand = toCondition(context, checked, "invalidUnary", span);
  if (isError(operand.type)) return errorExpression(span);
  if (operand.kind === "constant" && isInteger(operand.type)) {
    return { kind: "constant", value: operand.value === 0n ? 1n : 0n, type: intType, span };
  }
  return { kind: "unary", op: "not", operand, type: intType, span };
}

function checkDereference(context: Context, expression: Unary): CheckedExpression {
  const { span } = expression;
  const pointer = decay(context.recurse.expression(context, expression.operand));
  if (isError(pointer.type)) return errorExpression(span);
  const pointee = pointeeOf(pointer.type);
  if (pointee === undefined) {
    report(context, "indirection", span, [quoteType(pointer.type)]);
    return errorExpression(span);
  }
  if (isError(pointee)) return errorExpression(span);
  if (isVoid(pointee) && context.unevaluated === 0) {
    report(context, "indirectionVoid", span, [quoteType(pointer.type)]);
  }
  return { kind: "dereference", pointer, type: pointee, span };
}

function checkAddressOf(context: Context, expression: Unary): CheckedExpression {
  const { span } = expression;
  const operand =
    expression.operand.kind === "index"
      ? checkIndex(context, expression.operand, true)
      : context.recurse.expression(context, expression.operand);
  if (isError(operand.type)) return errorExpression(span);
  if (asFunction(operand.type) !== undefined) {
    return operand.kind === "dereference" ? operand.pointer : { ...decay(operand), span };
  }
  if (!isLvalue(operand)) {
    report(context, "addressOfRvalue", span, [quoteType(operand.type)]);
    return errorExpression(span);
  }
  if (bitFieldOf(operand) !== undefined) {
    report(context, "addressOfBitField", span);
    return errorExpression(span);
  }
  const type = pointerTo(operand.type);
  // &*p is p, &a[i] is a + i.
  if (operand.kind === "dereference") {
    const { pointer } = operand;
    const isElement = expression.operand.kind === "index" && pointer.kind === "pointer_offset";
    return isElement ? { ...pointer, isElement } : pointer;
  }
  return { kind: "address_of", operand, type, span };
}

/** `++x`, `x--` and their like. */
function checkStep(
  context: Context,
  operand: Expression,
  op: "++" | "--",
  prefix: boolean,
  span: Span,
): CheckedExpression {
  const target = context.recurse.expression(context, operand);
  if (isError(target.type)) return errorExpression(span);
  if (!checkModifiable(context, target, span)) return errorExpression(span);
  const pointee = pointeeOf(target.type);
  const sign = op === "++" ? 1 : -1;
  const base = { kind: "increment", target, prefix, type: unqualified(target.type), span } as const;
  if (isArithmetic(target.type)) return { ...base, step: sign };
  if (pointee === undefined || !isPointer(target.type)) {
    const verb = op === "++" ? "increment" : "decrement";
    report(context, "incrementType", span, [verb, quoteType(target.type)]);
    return errorExpression(span);
  }
  if (bare(pointee).kind !== "void" && asFunction(pointee) === undefined && !isComplete(pointee)) {
    report(context, "arithmeticIncomplete", span, [quoteType(pointee)], forwardNote(pointee));
    return errorExpression(span);
  }
  return { ...base, step: sign * elementSize(pointee) };
}

export function checkPostfix(
  context: Context,
  expression: Extract<Expression, { kind: "postfix" }>,
): CheckedExpression {
  const { operand, op, span } = expression;
  // clang points at the operator, which ends the expression.
  const place = { ...span, start: Math.max(span.start, span.end - 2) };
  const checked = checkStep(context, operand, op, false, place);
  return { ...checked, span };
}

export function checkUnary(context: Context, expression: Unary): CheckedExpression {
  switch (expression.op) {
    case "+":
    case "-":
    case "~":
      return checkSign(context, expression);
    case "!":
      return checkNot(context, expression);
    case "*":
      return checkDereference(context, expression);
    case "&":
      return checkAddressOf(context, expression);
    case "++":
    case "--":
      return checkStep(context, expression.operand, expression.op, true, expression.span);
    case "__extension__":
      return context.recurse.expression(context, expression.operand);
  }
}
