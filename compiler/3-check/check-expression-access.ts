/** `a[i]`, `a.b`, `a->b`: what finds a part of an object. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression } from "../2-parse/ast.ts";
import { forwardNote } from "./check-tag.ts";
import type { CheckedExpression } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { decay, promote } from "./conversions.ts";
import { placeBetween } from "./expression-place.ts";
import { sizeOf } from "./layout.ts";
import { printType, quoteType } from "./print-type.ts";
import { nearestName } from "./scope.ts";
import {
  addressSpaceOf,
  asArray,
  asFunction,
  asRecord,
  isComplete,
  isError,
  isInteger,
  isPointer,
  isVoid,
  pointeeOf,
  pointerTo,
  withQualifiersOf,
} from "./type-tools.ts";
import type { QualType, RecordField, RecordType } from "./types.ts";

/** Bytes that one step of a pointer moves: 1 for `void *` and functions (GNU). */
export function elementSize(pointee: QualType): number {
  return isVoid(pointee) || asFunction(pointee) !== undefined ? 1 : sizeOf(pointee);
}

function checkBounds(
  context: Context,
  array: CheckedExpression,
  index: CheckedExpression,
  span: Span,
  addressTaken: boolean,
): void {
  if (context.unevaluated > 0 || array.kind !== "cast" || array.cast !== "array_to_pointer") return;
  const type = asArray(array.operand.type);
  // [0] and [1] at the end of a record stand for flexible arrays.
  const flexible = array.operand.kind === "member" && (type?.length ?? 0) <= 1;
  if (type?.length === undefined || type.isVariable || flexible) return;
  const value = evaluateInteger(index);
  if (value === undefined) return;
  if (value.value < 0n) report(context, "subscriptNegative", span, [String(value.value)]);
  else if (value.value >= BigInt(type.length + (addressTaken ? 1 : 0))) {
    report(context, "subscriptBounds", span, [String(value.value), quoteType(array.operand.type)]);
  }
}

/** *(pointer + index) as an lvalue. */
function subscript(
  context: Context,
  pointer: CheckedExpression,
  index: CheckedExpression,
  span: Span,
  place: Span,
  addressTaken: boolean,
): CheckedExpression {
  const pointee = pointeeOf(pointer.type);
  if (pointee === undefined) return errorExpression(span);
  if (asFunction(pointee) !== undefined) {
    report(context, "subscriptFunction", place, [quoteType(pointee)]);
    return errorExpression(span);
  }
  if (!isVoid(pointee) && !isComplete(pointee) && asArray(pointee) === undefined) {
    report(context, "subscriptIncomplete", place, [quoteType(pointee)], forwardNote(pointee));
    return errorExpression(span);
  }
  checkBounds(context, pointer, index, place, addressTaken);
  const offset: CheckedExpression = {
    kind: "pointer_offset",
    pointer,
    index: promote(index),
    subtract: false,
    elementSize: elementSize(pointee),
    type: pointerTo(pointee),
    span,
  };
  return { kind: "dereference", pointer: offset, type: pointee, span };
}

/** `a[i]`; `addressTaken`: under `&`, where the place just past the end is fine. */
export function checkIndex(
  context: Context,
  expression: Extract<Expression, { kind: "index" }>,
  addressTaken = false,
): CheckedExpression {
  const left = decay(context.recurse.expression(context, expression.array));
  const right = decay(context.recurse.expression(context, expression.index));
  if (isError(left.type) || isError(right.type)) return errorExpression(expression.span);
  const place = expression.array.span;
  const [pointer, index] = isPointer(left.type) ? [left, right] : [right, left];
  if (!isPointer(pointer.type)) {
    const bracket = placeBetween(expression.array.span, expression.index.span.start, "[", place);
    report(context, "subscriptType", bracket);
    return errorExpression(expression.span);
  }
  if (!isInteger(index.type)) {
    report(context, "subscriptInteger", expression.index.span);
    return errorExpression(expression.span);
  }
  return subscript(context, pointer, index, expression.span, place, addressTaken);
}

/** The fields that lead to a name, through anonymous members; undefined where there is none. */
export function findField(record: RecordType, name: string): RecordField[] | undefined {
  const fields = record.definition?.fields ?? [];
  const direct = fields.find((f) => f.name === name);
  if (direct !== undefined) return [direct];
  for (const field of fields) {
    const inner = field.name === undefined ? asRecord(field.type) : undefined;
    const path = inner && findField(inner, name);
    if (path !== undefined) return [field, ...path];
  }
  return undefined;
}

/** All names that can follow `.`, those of anonymous members included. */
export function* fieldNames(record: RecordType): Generator<string> {
  for (const field of record.definition?.fields ?? []) {
    if (field.name !== undefined) yield field.name;
    else {
      const inner = asRecord(field.type);
      if (inner !== undefined) yield* fieldNames(inner);
    }
  }
}

/** The lvalue (or part of an rvalue) at the end of a path of fields. */
export function memberExpression(
  object: CheckedExpression,
  record: RecordType,
  path: readonly RecordField[],
  span: Span,
): CheckedExpression {
  let { type } = object;
  for (const field of path) {
    type = withQualifiersOf(field.type, {
      type: type.type,
      const: type.const || isConstTypedef(type),
      volatile: type.volatile || isVolatileTypedef(type),
      restrict: false,
      ...(addressSpaceOf(type) !== 0 && { addressSpace: addressSpaceOf(type) }),
    });
  }
  return { kind: "member", object, record, path, type, span };
}

function isConstTypedef(type: QualType): boolean {
  return type.type.kind === "typedef" && (type.type.type.const || isConstTypedef(type.type.type));
}

function isVolatileTypedef(type: QualType): boolean {
  if (type.type.kind !== "typedef") return false;
  return type.type.type.volatile || isVolatileTypedef(type.type.type);
}

type Member = Extract<Expression, { kind: "member" }>;

/** The `.` or `->`. */
function operatorPlace(expression: Member): Span {
  const { object, nameSpan, arrow } = expression;
  return placeBetween(object.span, nameSpan.start, arrow ? "->" : ".", nameSpan);
}

/** The object before the dot, or the one that the pointer before the arrow points to. */
function memberObject(context: Context, expression: Member): CheckedExpression | undefined {
  const base = context.recurse.expression(context, expression.object);
  if (isError(base.type)) return undefined;
  const place = operatorPlace(expression);
  if (!expression.arrow) {
    if (asRecord(base.type) !== undefined) return base;
    const pointee = pointeeOf(base.type);
    const isRecordPointer = pointee !== undefined && asRecord(pointee) !== undefined;
    report(context, isRecordPointer ? "memberDot" : "memberNotRecord", place, [
      quoteType(base.type),
    ]);
    return undefined;
  }
  const pointer = decay(base);
  const pointee = pointeeOf(pointer.type);
  if (pointee === undefined) {
    const isObject = asRecord(base.type) !== undefined;
    const name = isObject ? "memberArrow" : "memberArrowPlain";
    report(context, name, isObject ? place : expression.nameSpan, [quoteType(base.type)]);
    return undefined;
  }
  if (asRecord(pointee) === undefined) {
    if (!isError(pointee)) report(context, "memberNotRecord", place, [quoteType(pointee)]);
    return undefined;
  }
  return { kind: "dereference", pointer, type: pointee, span: expression.object.span };
}

function reportNoMember(
  context: Context,
  record: RecordType,
  type: QualType,
  name: string,
  span: Span,
): void {
  const hint = nearestName(name, fieldNames(record));
  const written = printType({ ...type, const: false, volatile: false, type: record });
  if (hint === undefined) {
    report(context, "noMember", span, [name, written]);
  } else {
    report(context, "noMemberHint", span, [name, written, hint], {
      fixIts: [{ span, replacement: hint }],
    });
  }
}

export function checkMember(context: Context, expression: Member): CheckedExpression {
  const object = memberObject(context, expression);
  if (object === undefined) return errorExpression(expression.span);
  const record = asRecord(object.type);
  if (record === undefined) return errorExpression(expression.span);
  if (record.definition === undefined) {
    report(
      context,
      "incompleteMember",
      operatorPlace(expression),
      [quoteType(object.type)],
      forwardNote(object.type),
    );
    return errorExpression(expression.span);
  }
  const path = findField(record, expression.name);
  if (path === undefined) {
    reportNoMember(context, record, object.type, expression.name, expression.nameSpan);
    return errorExpression(expression.span);
  }
  return memberExpression(object, record, path, expression.span);
}
