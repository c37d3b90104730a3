/** `=` and the compound assignments. */
import type { AssignmentOperator, Expression } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import { elementSize } from "./check-expression-access.ts";
import { forwardNote } from "./check-tag.ts";
import type { ArithmeticOperator, CheckedExpression } from "./checked.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { bitFieldOf, convert, decay, promote, usualConversions } from "./conversions.ts";
import { checkModifiable } from "./modifiable.ts";
import { checkDivisor, checkShift, invalidOperands } from "./operator-checks.ts";
import { quoteType } from "./print-type.ts";
import {
  asFunction,
  canonical,
  isArithmetic,
  isComplete,
  isError,
  isInteger,
  isPointer,
  isVoid,
  pointeeOf,
  unqualified,
} from "./type-tools.ts";

type Assign = Extract<Expression, { kind: "assign" }>;

const operators: Readonly<Record<Exclude<AssignmentOperator, "=">, ArithmeticOperator>> = {
  "*=": "mul",
  "/=": "div",
  "%=": "rem",
  "+=": "add",
  "-=": "sub",
  "<<=": "shl",
  ">>=": "shr",
  "&=": "and",
  "^=": "xor",
  "|=": "or",
};

/** `x = x`. */
function warnSelfAssignment(
  context: Context,
  { target: left, value: right, span, opSpan }: Assign,
  { type }: CheckedExpression,
): void {
  if (left.kind !== "identifier" || right.kind !== "identifier" || left.name !== right.name) return;
  if (span.expandedFrom !== undefined || canonical(type).volatile) return;
  report(context, "selfAssign", opSpan, [quoteType(type)]);
}

function checkSimple(
  context: Context,
  expression: Assign,
  target: CheckedExpression,
): CheckedExpression {
  const { opSpan, span } = expression;
  const original = context.recurse.expression(context, expression.value);
  const value = decay(original);
  if (isError(target.type) || isError(value.type)) return errorExpression(span);
  if (!checkModifiable(context, target, opSpan)) return errorExpression(span);
  const field = bitFieldOf(target);
  const converted = convertForAssignment(context, original, value, target.type, {
    reason: "assigning",
    span: opSpan,
    ...(field !== undefined && { field }),
  });
  if (isError(converted.type)) return errorExpression(span);
  warnSelfAssignment(context, expression, target);
  return { kind: "assign", target, value: converted, type: unqualified(target.type), span };
}

function checkPointerStep(
  context: Context,
  expression: Assign,
  target: CheckedExpression,
  value: CheckedExpression,
): CheckedExpression {
  const { span } = expression;
  const pointee = pointeeOf(target.type);
  if (pointee === undefined) return errorExpression(span);
  if (!isVoid(pointee) && asFunction(pointee) === undefined && !isComplete(pointee)) {
    const note = forwardNote(pointee);
    report(context, "arithmeticIncomplete", expression.opSpan, [quoteType(pointee)], note);
    return errorExpression(span);
  }
  const type = unqualified(target.type);
  return {
    kind: "compound_assign",
    op: expression.op === "+=" ? "add" : "sub",
    target,
    value: promote(value),
    computeType: type,
    elementSize: elementSize(pointee),
    type,
    span,
  };
}

function checkCompound(
  context: Context,
  expression: Assign,
  op: ArithmeticOperator,
  target: CheckedExpression,
): CheckedExpression {
  const { opSpan, span } = expression;
  const value = decay(context.recurse.expression(context, expression.value));
  if (isError(target.type) || isError(value.type)) return errorExpression(span);
  if (!checkModifiable(context, target, opSpan)) return errorExpression(span);
  const steps = op === "add" || op === "sub";
  if (steps && isPointer(target.type) && isInteger(value.type)) {
    return checkPointerStep(context, expression, target, value);
  }
  const takes = ["mul", "div", "add", "sub"].includes(op) ? isArithmetic : isInteger;
  if (!takes(target.type) || !takes(value.type)) {
    return invalidOperands(context, target, value, opSpan, span);
  }
  const type = unqualified(target.type);
  const read = decay(target);
  if (op === "shl" || op === "shr") {
    const count = promote(value);
    const computeType = promote(read).type;
    checkShift(context, computeType, count, opSpan);
    return { kind: "compound_assign", op, target, value: count, computeType, type, span };
  }
  const common = usualConversions(read, value);
  if (op === "div" || op === "rem") checkDivisor(context, op, common.right, opSpan);
  return {
    kind: "compound_assign",
    op,
    target,
    value: convert(common.right, common.type),
    computeType: common.type,
    type,
    span,
  };
}

export function checkAssign(context: Context, expression: Assign): CheckedExpression {
  const target = context.recurse.expression(context, expression.target);
  return expression.op === "="
    ? checkSimple(context, expression, target)
    : checkCompound(context, expression, operators[expression.op], target);
}
