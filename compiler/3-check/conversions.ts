/**
 * The conversions that C makes without being asked (C17 6.3): reading lvalues, decay, integer
 * promotions, the usual arithmetic conversions, and those of casts. Each becomes a node.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import { convertFloatConstant } from "./check-float.ts";
import type { CastKind, CheckedExpression } from "./checked.ts";
import { compatibleUnqualified } from "./compatible.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, report } from "./context.ts";
import type { MessageName } from "./messages.ts";
import { quoteType } from "./print-type.ts";
import {
  addressSpaceOf,
  asRecord,
  bare,
  doubleType,
  errorType,
  floatType,
  integerRepresentation,
  integerSize,
  intType,
  isArithmetic,
  isError,
  isFloat,
  isInteger,
  isPointer,
  isScalar,
  pointeeOf,
  pointerTo,
  scalarBits,
  unqualified,
  unsignedInt128Type,
  unsignedIntType,
  unsignedLongLongType,
  unsignedLongType,
  wrapToType,
} from "./type-tools.ts";
import type { IntegerRank, IntegerType, QualType, RecordField } from "./types.ts";

/** Whether the expression stands for an object (or a function's place, for functions never). */
export function isLvalue(expression: CheckedExpression): boolean {
  switch (expression.kind) {
    case "variable":
    case "dereference":
    case "compound_literal":
    case "string_literal":
      return true;
    case "member":
      return isLvalue(expression.object);
    default:
      return false;
  }
}

/** The bit-field that an expression reads or names. */
export function bitFieldOf(expression: CheckedExpression): RecordField | undefined {
  if (expression.kind === "member") {
    const field = expression.path.at(-1);
    return field?.bitWidth === undefined ? undefined : field;
  }
  if (expression.kind === "cast" && expression.cast === "lvalue_to_rvalue") {
    return bitFieldOf(expression.operand);
  }
  if (expression.kind === "assign" || expression.kind === "compound_assign") {
    return bitFieldOf(expression.target);
  }
  // Stepping behind the value leaves this open: gcc promotes by the width, clang does not.
  if (expression.kind === "increment") return bitFieldOf(expression.target);
  return expression.kind === "comma" ? bitFieldOf(expression.right) : undefined;
}

/** A cast node, implicit unless said otherwise. */
export function castNode(
  cast: CastKind,
  operand: CheckedExpression,
  type: QualType,
  explicit = false,
): CheckedExpression {
  return { kind: "cast", cast, operand, type, explicit, span: operand.span };
}

/** The value of an expression: lvalues are read, arrays and functions become pointers. */
export function decay(expression: CheckedExpression): CheckedExpression {
  if (isError(expression.type)) return expression;
  const found = bare(expression.type);
  if (found.kind === "array") {
    return castNode("array_to_pointer", expression, pointerTo(found.element));
  }
  if (found.kind === "function") {
    // *f is f again.
    if (expression.kind === "dereference") return expression.pointer;
    return castNode("function_to_pointer", expression, pointerTo(expression.type));
  }
  if (!isLvalue(expression) || found.kind === "void") return expression;
  return castNode("lvalue_to_rvalue", expression, unqualified(expression.type));
}

/** Converts between scalar types as a cast does; constants are converted at once. */
export function convert(
  expression: CheckedExpression,
  target: QualType,
  explicit = false,
): CheckedExpression {
  if (isError(expression.type)) return expression;
  if (isError(target)) return errorExpression(expression.span);
  const type = unqualified(target);
  const from = bare(expression.type);
  const to = bare(type);
  if (from === to && !explicit) return expression;
  if (to.kind === "void") return castNode("to_void", expression, type, explicit);
  if (from.kind === "float" || (to.kind === "float" && isInteger(expression.type))) {
    return convertFloat(expression, type, explicit);
  }
  if (to.kind === "bool" && from.kind !== "bool") {
    if (expression.kind === "constant") {
      return { ...expression, value: expression.value === 0n ? 0n : 1n, type };
    }
    return castNode("to_bool", expression, type, explicit);
  }
  if (isInteger(type) && isInteger(expression.type))
    return convertInteger(expression, type, explicit);
  if (isInteger(type) && isPointer(expression.type)) {
    return castNode("pointer_to_integral", expression, type, explicit);
  }
  if (isPointer(type) && isInteger(expression.type)) {
    return castNode("integral_to_pointer", widenForPointer(expression), type, explicit);
  }
  if (isPointer(type) && isPointer(expression.type))
    return convertPointer(expression, type, explicit);
  return castNode("noop", expression, type, explicit);
}

/** One of the types is floating. */
function convertFloat(
  expression: CheckedExpression,
  type: QualType,
  explicit: boolean,
): CheckedExpression {
  const isWide = (t: QualType): boolean => isInteger(t) && scalarBits(t) === 128;
  // There is no cast between pointers and these; who asked has reported it.
  if (!isArithmetic(type) || isWide(type) || isWide(expression.type))
    return errorExpression(expression.span);
  if (expression.kind === "constant") {
    const value = convertFloatConstant(expression.value, expression.type, type);
    return { ...expression, value, type };
  }
  if (bare(expression.type) === bare(type)) return castNode("noop", expression, type, explicit);
  const cast = bare(type).kind === "bool" ? "to_bool" : "floating";
  return castNode(cast, expression, type, explicit);
}

function convertInteger(
  expression: CheckedExpression,
  type: QualType,
  explicit: boolean,
): CheckedExpression {
  if (expression.kind === "constant") {
    return { ...expression, value: wrapToType(expression.value, type), type };
  }
  const same = compatibleUnqualified(expression.type, type);
  if (same && !explicit) return expression;
  return castNode(same ? "noop" : "integral", expression, type, explicit);
}

/** An integer becomes a pointer through 64 bits, extended by its own sign. */
function widenForPointer(expression: CheckedExpression): CheckedExpression {
  return scalarBits(expression.type) === 64 ? expression : convert(expression, unsignedLongType);
}

function convertPointer(
  expression: CheckedExpression,
  type: QualType,
  explicit: boolean,
): CheckedExpression {
  const from = pointeeOf(expression.type);
  const to = pointeeOf(type);
  const fromSpace = addressSpaceOf(from);
  const toSpace = addressSpaceOf(to);
  if (fromSpace !== toSpace) return castNode("address_space", expression, type, explicit);
  const same = compatibleUnqualified(expression.type, type);
  if (same && !explicit) return expression;
  return castNode(same ? "noop" : "bitcast", expression, type, explicit);
}

const ranks: readonly IntegerRank[] = ["char", "short", "int", "long", "long long", "int128"];

function rankOf(type: IntegerType): number {
  return ranks.indexOf(type.rank);
}

/** The type after integer promotions (C17 6.3.1.1); bit-fields promote by their width, as clang does. */
export function promotedType(expression: CheckedExpression): QualType {
  const { type } = expression;
  const found = bare(type);
  if (found.kind === "bool") return intType;
  const representation = integerRepresentation(type);
  if (representation === undefined) return type;
  const field = bitFieldOf(expression);
  if (field?.bitWidth !== undefined) {
    if (field.bitWidth < 32) return intType;
    if (field.bitWidth === 32) return representation.signed ? intType : unsignedIntType;
  }
  if (rankOf(representation) < rankOf(intType.type as IntegerType)) return intType;
  if (found.kind === "enum") return { ...intType, type: representation };
  return unqualified(type);
}

/** An rvalue after integer promotions; other types pass through. */
export function promote(expression: CheckedExpression): CheckedExpression {
  if (!isInteger(expression.type) || isError(expression.type)) return expression;
  return convert(expression, promotedType(expression));
}

const unsignedByRank: Readonly<Record<string, QualType>> = {
  int: unsignedIntType,
  long: unsignedLongType,
  "long long": unsignedLongLongType,
  int128: unsignedInt128Type,
};

/** The common type of two promoted integers (C17 6.3.1.8). */
export function commonType(left: QualType, right: QualType): QualType {
  const a = integerRepresentation(left);
  const b = integerRepresentation(right);
  if (a === undefined || b === undefined) return errorType;
  const higher = rankOf(a) >= rankOf(b) ? left : right;
  if (a.signed === b.signed) return higher;
  const [unsignedSide, signedSide] = a.signed ? [b, a] : [a, b];
  const [unsignedType, signedType] = a.signed ? [right, left] : [left, right];
  if (rankOf(unsignedSide) >= rankOf(signedSide)) return unsignedType;
  if (integerSize(signedSide) > integerSize(unsignedSide)) return signedType;
  return unsignedByRank[signedSide.rank] ?? errorType;
}

export interface CommonOperands {
  readonly left: CheckedExpression;
  readonly right: CheckedExpression;
  readonly type: QualType;
}

const floatNames = ["float", "double", "long double"];

/** The higher floating type of two; undefined where both are integers. */
function commonFloat(left: QualType, right: QualType): QualType | undefined {
  const [a, b] = [bare(left), bare(right)];
  if (a.kind !== "float") return b.kind === "float" ? unqualified(right) : undefined;
  if (b.kind !== "float") return unqualified(left);
  return unqualified(floatNames.indexOf(a.name) >= floatNames.indexOf(b.name) ? left : right);
}

/** The usual arithmetic conversions on two arithmetic rvalues. */
export function usualConversions(
  left: CheckedExpression,
  right: CheckedExpression,
): CommonOperands {
  const a = promote(left);
  const b = promote(right);
  const type = commonFloat(a.type, b.type) ?? commonType(a.type, b.type);
  return { left: convert(a, type), right: convert(b, type), type };
}

/** 0, or 0 cast to `void *` (C17 6.3.2.3). */
export function isNullPointerConstant(expression: CheckedExpression): boolean {
  if (isInteger(expression.type)) {
    const value = evaluateInteger(expression);
    return value?.value === 0n && value.exact;
  }
  if (expression.kind !== "cast" || !isPointer(expression.type)) return false;
  const pointee = pointeeOf(expression.type);
  if (pointee === undefined || bare(pointee).kind !== "void") return false;
  if (pointee.const || pointee.volatile) return false;
  return isNullPointerConstant(expression.operand);
}

/** A scalar as a condition. Anything else is reported and becomes the error expression. */
export function toCondition(
  context: Context,
  expression: CheckedExpression,
  message: MessageName = "statementNotScalar",
  span: Span = expression.span,
): CheckedExpression {
  const value = decay(expression);
  if (isError(value.type) || isScalar(value.type)) return value;
  report(context, message, span, [quoteType(value.type)]);
  return errorExpression(value.span);
}

/** Default argument promotions: what an argument without a parameter becomes. */
export function promoteArgument(expression: CheckedExpression): CheckedExpression {
  if (isFloat(expression.type)) {
    return bare(expression.type) === floatType.type ? convert(expression, doubleType) : expression;
  }
  return asRecord(expression.type) !== undefined ? expression : promote(expression);
}

/** The type of an expression's value when it is deduced: without qualifiers, after decay. */
export function deducedType(expression: CheckedExpression): QualType {
  return unqualified(expression.type);
}
