/** Operators with two operands, and `?:` (C17 6.5.5 to 6.5.17). */
import type { Span } from "../../common/diagnostics/source.ts";
import type { BinaryOperator, Expression } from "../2-parse/ast.ts";
import { elementSize } from "./check-expression-access.ts";
import { forwardNote } from "./check-tag.ts";
import type { ArithmeticOperator, CheckedExpression } from "./checked.ts";
import {
  type Compare,
  warnEnumCompare,
  warnNegatedOperand,
  warnOutOfRange,
  warnSelfComparison,
  warnSigns,
  warnStringCompare,
} from "./compare-warnings.ts";
import { compatibleUnqualified, composite } from "./compatible.ts";
import { computeArithmetic } from "./constant-arithmetic.ts";
import { type Context, errorExpression, report } from "./context.ts";
import {
  castNode,
  convert,
  decay,
  isNullPointerConstant,
  promote,
  toCondition,
  usualConversions,
} from "./conversions.ts";
import { checkDivisor, checkShift, invalidOperands } from "./operator-checks.ts";
import { bitwise, comparing, warnPrecedence } from "./precedence-warnings.ts";
import { quoteType } from "./print-type.ts";
import {
  asFunction,
  asRecord,
  canonical,
  intType,
  isArithmetic,
  isComplete,
  isError,
  isInteger,
  isPointer,
  isScalar,
  isSigned,
  isVoid,
  pointeeOf,
  pointerDifferenceType,
  pointerTo,
  unqualified,
  voidType,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

type Binary = Extract<Expression, { kind: "binary" }>;

/** Operands of a binary operator as rvalues. */
interface Operands {
  readonly left: CheckedExpression;
  readonly right: CheckedExpression;
  readonly opSpan: Span;
  readonly span: Span;
}

function arithmeticNode(
  context: Context,
  op: ArithmeticOperator,
  { left, right, opSpan, span }: Operands,
  type: QualType,
): CheckedExpression {
  if (op === "div" || op === "rem") checkDivisor(context, op, right, opSpan);
  if (left.kind === "constant" && right.kind === "constant" && isInteger(type)) {
    const value = computeArithmetic(op, left.value, right.value, type);
    warnOverflow(context, op, [left.value, right.value, value], type, opSpan);
    if (value !== undefined) return { kind: "constant", value, type, span };
  }
  return { kind: "arithmetic", op, left, right, type, span };
}

/** Warns where a constant signed result did not fit. */
function warnOverflow(
  context: Context,
  op: ArithmeticOperator,
  [left, right, value]: readonly [bigint, bigint, bigint | undefined],
  type: QualType,
  place: Span,
): void {
  if (value === undefined || !isSigned(type) || context.unevaluated > 0) return;
  const exact = { add: left + right, sub: left - right, mul: left * right };
  if (op !== "add" && op !== "sub" && op !== "mul") return;
  if (exact[op] === value) return;
  report(context, "integerOverflow", place, [String(value), quoteType(type)]);
}

const floatOperators: ReadonlySet<ArithmeticOperator> = new Set(["mul", "div", "add", "sub"]);

function checkArithmetic(
  op: ArithmeticOperator,
): (context: Context, operands: Operands) => CheckedExpression {
  return (context, operands) => {
    const { left, right, opSpan, span } = operands;
    const takes = floatOperators.has(op) ? isArithmetic : isInteger;
    if (!takes(left.type) || !takes(right.type)) {
      return invalidOperands(context, left, right, opSpan, span);
    }
    const common = usualConversions(left, right);
    return arithmeticNode(context, op, { ...operands, ...common }, common.type);
  };
}

function checkShiftOperator(
  op: "shl" | "shr",
): (context: Context, operands: Operands) => CheckedExpression {
  return (context, operands) => {
    const { opSpan, span } = operands;
    if (!isInteger(operands.left.type) || !isInteger(operands.right.type)) {
      return invalidOperands(context, operands.left, operands.right, opSpan, span);
    }
    const left = promote(operands.left);
    const right = promote(operands.right);
    checkShift(context, left.type, right, opSpan);
    return arithmeticNode(context, op, { left, right, opSpan, span }, left.type);
  };
}

function pointerStep(
  context: Context,
  pointer: CheckedExpression,
  index: CheckedExpression,
  subtract: boolean,
  { opSpan, span }: Operands,
): CheckedExpression {
  const pointee = pointeeOf(pointer.type);
  if (pointee === undefined || isError(pointee)) return errorExpression(span);
  if (!isVoid(pointee) && asFunction(pointee) === undefined && !isComplete(pointee)) {
    report(context, "arithmeticIncomplete", opSpan, [quoteType(pointee)], forwardNote(pointee));
    return errorExpression(span);
  }
  return {
    kind: "pointer_offset",
    pointer,
    index: promote(index),
    subtract,
    elementSize: elementSize(pointee),
    type: unqualified(pointer.type),
    span,
  };
}

function checkAdd(context: Context, operands: Operands): CheckedExpression {
  const { left, right } = operands;
  if (isPointer(left.type) && isInteger(right.type)) {
    return pointerStep(context, left, right, false, operands);
  }
  if (isInteger(left.type) && isPointer(right.type)) {
    return pointerStep(context, right, left, false, operands);
  }
  return checkArithmetic("add")(context, operands);
}

function checkSubtract(context: Context, operands: Operands): CheckedExpression {
  const { left, right, opSpan, span } = operands;
  if (isPointer(left.type) && isInteger(right.type)) {
    return pointerStep(context, left, right, true, operands);
  }
  if (!isPointer(left.type) || !isPointer(right.type)) {
    return checkArithmetic("sub")(context, operands);
  }
  const a = pointeeOf(left.type) ?? voidType;
  const b = pointeeOf(right.type) ?? voidType;
  if (!compatibleUnqualified(a, b)) {
    report(context, "subtractPointers", opSpan, [quoteType(left.type), quoteType(right.type)]);
    return errorExpression(span);
  }
  if (!isVoid(a) && asFunction(a) === undefined && !isComplete(a)) {
    report(context, "arithmeticIncomplete", opSpan, [quoteType(a)], forwardNote(a));
    return errorExpression(span);
  }
  return {
    kind: "pointer_difference",
    left,
    right,
    elementSize: elementSize(a),
    type: pointerDifferenceType,
    span,
  };
}

function compareNode(op: Compare, { left, right, span }: Operands): CheckedExpression {
  return { kind: "compare", op, left, right, type: intType, span };
}

function comparePointers(context: Context, op: Compare, operands: Operands): CheckedExpression {
  const { left, right, opSpan } = operands;
  const types = [quoteType(left.type), quoteType(right.type)];
  const equality = op === "==" || op === "!=";
  if (isPointer(left.type) && isPointer(right.type)) {
    const a = pointeeOf(left.type) ?? voidType;
    const b = pointeeOf(right.type) ?? voidType;
    const anyVoid = equality && (isVoid(a) || isVoid(b));
    const nullSide = isNullPointerConstant(left) || isNullPointerConstant(right);
    if (!anyVoid && !nullSide && !compatibleUnqualified(a, b)) {
      report(context, "comparePointers", opSpan, types);
    }
    const target = isNullPointerConstant(left) ? right.type : left.type;
    return compareNode(op, {
      ...operands,
      left: convert(left, target),
      right: convert(right, target),
    });
  }
  const [pointer, integer] = isPointer(left.type) ? [left, right] : [right, left];
  const isNull = isNullPointerConstant(integer);
  if (!isNull || !equality) {
    const name = equality ? "comparePointerInteger" : "comparePointerOrdered";
    if (!isNull) report(context, name, opSpan, types);
  }
  const converted = convert(integer, pointer.type);
  return compareNode(
    op,
    isPointer(left.type) ? { ...operands, right: converted } : { ...operands, left: converted },
  );
}

function checkCompare(op: Compare): (context: Context, operands: Operands) => CheckedExpression {
  return (context, operands) => {
    const { left, right, opSpan, span } = operands;
    warnSelfComparison(context, op, operands);
    if (isInteger(left.type) && isInteger(right.type)) {
      const common = usualConversions(left, right);
      warnSigns(context, op, operands, common.type);
      warnEnumCompare(context, operands);
      warnOutOfRange(context, op, operands, common.type);
      return compareNode(op, { ...operands, ...common });
    }
    if (isArithmetic(left.type) && isArithmetic(right.type)) {
      return compareNode(op, { ...operands, ...usualConversions(left, right) });
    }
    const scalar = (type: QualType): boolean => isInteger(type) || isPointer(type);
    if (!scalar(left.type) || !scalar(right.type)) {
      return invalidOperands(context, left, right, opSpan, span);
    }
    warnStringCompare(context, operands);
    return comparePointers(context, op, operands);
  };
}

const operatorChecks: Readonly<
  Record<
    Exclude<BinaryOperator, "&&" | "||" | ",">,
    (context: Context, operands: Operands) => CheckedExpression
  >
> = {
  "*": checkArithmetic("mul"),
  "/": checkArithmetic("div"),
  "%": checkArithmetic("rem"),
  "+": checkAdd,
  "-": checkSubtract,
  "<<": checkShiftOperator("shl"),
  ">>": checkShiftOperator("shr"),
  "<": checkCompare("<"),
  ">": checkCompare(">"),
  "<=": checkCompare("<="),
  ">=": checkCompare(">="),
  "==": checkCompare("=="),
  "!=": checkCompare("!="),
  "&": checkArithmetic("and"),
  "^": checkArithmetic("xor"),
  "|": checkArithmetic("or"),
};

function checkLogical(context: Context, expression: Binary, op: "and" | "or"): CheckedExpression {
  const { span, opSpan } = expression;
  warnPrecedence(context, expression);
  const a = decay(context.recurse.expression(context, expression.left));
  const b = decay(context.recurse.expression(context, expression.right));
  if (isError(a.type) || isError(b.type)) return errorExpression(span);
  if (!isScalar(a.type) || !isScalar(b.type)) return invalidOperands(context, a, b, opSpan, span);
  const left = toCondition(context, a);
  const right = toCondition(context, b);
  return { kind: "logical", op, left, right, type: intType, span };
}

function checkComma(context: Context, expression: Binary): CheckedExpression {
  const left = context.recurse.expression(context, expression.left);
  const right = decay(context.recurse.expression(context, expression.right));
  if (isError(right.type)) return right;
  const discarded = isError(left.type) ? left : discard(left);
  return { kind: "comma", left: discarded, right, type: right.type, span: expression.span };
}

/** An expression whose value nobody wants; volatile lvalues are still read. */
export function discard(expression: CheckedExpression): CheckedExpression {
  if (isError(expression.type)) return expression;
  const type = canonical(expression.type);
  const isAggregate = type.type.kind === "array" || asRecord(type) !== undefined;
  return isAggregate && !type.volatile ? expression : decay(expression);
}

/** Binary chains such as `a + b + c …` are walked in a loop: machines write very long ones. */
export function checkBinary(context: Context, expression: Binary): CheckedExpression {
  const chain: Binary[] = [];
  let at: Expression = expression;
  while (at.kind === "binary" && at.op !== "&&" && at.op !== "||" && at.op !== ",") {
    chain.push(at);
    at = at.left;
  }
  if (chain.length === 0) {
    if (expression.op === ",") return checkComma(context, expression);
    return checkLogical(context, expression, expression.op === "&&" ? "and" : "or");
  }
  let left = decay(context.recurse.expression(context, at));
  for (const step of chain.toReversed()) {
    const right = decay(context.recurse.expression(context, step.right));
    const { op, opSpan, span } = step;
    warnPrecedence(context, step);
    if (comparing.has(op)) warnNegatedOperand(context, step.left, right, "comparison");
    else if (bitwise.has(op)) warnNegatedOperand(context, step.left, right, "bitwise operator");
    if (op === "&&" || op === "||" || op === ",") continue;
    left =
      isError(left.type) || isError(right.type)
        ? errorExpression(span)
        : operatorChecks[op](context, { left, right, opSpan, span });
  }
  return left;
}

/** The pointee that both branches of `?:` become. */
function mergedPointee(a: QualType, b: QualType): QualType {
  const base = isVoid(a) ? a : isVoid(b) ? b : composite(a, b);
  return { ...base, const: a.const || b.const, volatile: a.volatile || b.volatile };
}

function pointerBranches(
  context: Context,
  left: CheckedExpression,
  right: CheckedExpression,
  span: Span,
): QualType {
  if (isNullPointerConstant(right)) return unqualified(left.type);
  if (isNullPointerConstant(left)) return unqualified(right.type);
  const a = pointeeOf(left.type);
  const b = pointeeOf(right.type);
  if (a === undefined || b === undefined) {
    report(context, "conditionalPointerInteger", span, [
      quoteType(left.type),
      quoteType(right.type),
    ]);
    return unqualified(a === undefined ? right.type : left.type);
  }
  if (!isVoid(a) && !isVoid(b) && !compatibleUnqualified(a, b)) {
    report(context, "conditionalPointers", span, [quoteType(left.type), quoteType(right.type)]);
    return pointerTo({ ...voidType, const: a.const || b.const });
  }
  if (compatibleUnqualified(left.type, right.type)) return unqualified(left.type);
  return pointerTo(mergedPointee(a, b));
}

/** The type of `?:` from its two branches; undefined after a report. */
function branchType(
  context: Context,
  left: CheckedExpression,
  right: CheckedExpression,
  span: Span,
): QualType | undefined {
  if (isArithmetic(left.type) && isArithmetic(right.type))
    return usualConversions(left, right).type;
  if (isVoid(left.type) || isVoid(right.type)) return voidType;
  const record = asRecord(left.type);
  if (record !== undefined && record === asRecord(right.type)) return unqualified(left.type);
  const pointerLike = (type: QualType): boolean => isPointer(type) || isInteger(type);
  if (pointerLike(left.type) && pointerLike(right.type)) {
    return pointerBranches(context, left, right, span);
  }
  report(context, "conditionalTypes", span, [quoteType(left.type), quoteType(right.type)]);
  return undefined;
}

function toBranch(branch: CheckedExpression, type: QualType): CheckedExpression {
  if (isVoid(type)) {
    return isVoid(branch.type) ? branch : castNode("to_void", discard(branch), voidType);
  }
  return asRecord(type) === undefined ? convert(branch, type) : branch;
}

/** `a ?: b`: a is computed once, tested and used. */
function checkElvis(
  context: Context,
  expression: Extract<Expression, { kind: "conditional" }>,
  place: Span,
): CheckedExpression {
  const { span } = expression;
  const checked = context.recurse.expression(context, expression.condition);
  const value = toCondition(context, checked, "conditionalScalar");
  const otherwise = decay(context.recurse.expression(context, expression.otherwise));
  if (isError(value.type) || isError(otherwise.type)) return errorExpression(span);
  context.ids.bind += 1;
  const id = context.ids.bind;
  const reuse: CheckedExpression = { kind: "reuse", id, type: value.type, span: value.span };
  const type = branchType(context, value, otherwise, place);
  if (type === undefined) return errorExpression(span);
  const body: CheckedExpression = {
    kind: "conditional",
    condition: reuse,
    then: toBranch(reuse, type),
    otherwise: toBranch(otherwise, type),
    type,
    span,
  };
  return { kind: "bind", id, value, body, type, span };
}

export function checkConditional(
  context: Context,
  expression: Extract<Expression, { kind: "conditional" }>,
): CheckedExpression {
  const { span } = expression;
  const place = questionPlace(expression);
  if (expression.then === undefined) return checkElvis(context, expression, place);
  const checked = context.recurse.expression(context, expression.condition);
  const condition = toCondition(context, checked, "conditionalScalar");
  const then = decay(context.recurse.expression(context, expression.then));
  const otherwise = decay(context.recurse.expression(context, expression.otherwise));
  if (isError(condition.type) || isError(then.type) || isError(otherwise.type)) {
    return errorExpression(span);
  }
  const type = branchType(context, then, otherwise, place);
  if (type === undefined) return errorExpression(span);
  return {
    kind: "conditional",
    condition,
    then: toBranch(then, type),
    otherwise: toBranch(otherwise, type),
    type,
    span,
  };
}

/** The `?` itself, which the tree does not keep: the first one after the condition. */
function questionPlace(expression: Extract<Expression, { kind: "conditional" }>): Span {
  const { condition, span } = expression;
  const { file, end } = condition.span;
  if (file !== span.file) return span;
  const at = file.text.indexOf("?", end);
  return at < 0 || at >= span.end ? span : { ...span, start: at, end: at + 1 };
}
