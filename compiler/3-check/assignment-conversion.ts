/**
 * Converting a value to the type it is assigned to, passed as, returned as or initialises
 * (C17 6.5.16.1), with clang's messages for what does not fit.
 */
import type { DiagnosticExtra } from "../../common/diagnostics/diagnostic.ts";
import type { Span } from "../../common/diagnostics/source.ts";
import { warnFloatConversion } from "./check-float.ts";
import type { CheckedExpression } from "./checked.ts";
import { enumOf } from "./compare-warnings.ts";
import { compatibleUnqualified } from "./compatible.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { convert, isLvalue, isNullPointerConstant } from "./conversions.ts";
import { warnPackedAddress } from "./packed-address.ts";
import { quoteType } from "./print-type.ts";
import {
  addressSpaceOf,
  asFunction,
  asRecord,
  bare,
  canonical,
  integerRepresentation,
  isArithmetic,
  isError,
  isFloat,
  isInteger,
  isPointer,
  isSigned,
  isVoid,
  plain,
  pointeeOf,
  scalarBits,
} from "./type-tools.ts";
import type { IntegerType, QualType, RecordField } from "./types.ts";

/** Why a value is converted; decides the wording. */
export type ConversionReason = "assigning" | "passing" | "returning" | "initializing";

export interface ConversionPlace {
  readonly reason: ConversionReason;
  /** Where clang points: the operator, the argument, the declared name. */
  readonly span: Span;
  readonly extra?: DiagnosticExtra;
  /** The bit-field that receives the value. */
  readonly field?: RecordField;
}

type Wording = (to: string, from: string) => string;

const plainWording: Readonly<Record<ConversionReason, Wording>> = {
  assigning: (to, from) => `assigning to ${to} from ${from}`,
  passing: (to, from) => `passing ${from} to parameter of type ${to}`,
  returning: (to, from) => `returning ${from} from a function with result type ${to}`,
  initializing: (to, from) => `initializing ${to} with an expression of type ${from}`,
};

const incompatibleWording: Readonly<Record<ConversionReason, Wording>> = {
  assigning: (to, from) => `assigning to ${to} from incompatible type ${from}`,
  passing: (to, from) => `passing ${from} to parameter of incompatible type ${to}`,
  returning: (to, from) => `returning ${from} from a function with incompatible result type ${to}`,
  initializing: (to, from) => `initializing ${to} with an expression of incompatible type ${from}`,
};

function wording(place: ConversionPlace, to: QualType, from: QualType): string {
  return plainWording[place.reason](quoteType(to), quoteType(from));
}

/** What would cure an int/pointer mix-up, as clang appends it. */
function hint(original: CheckedExpression, value: CheckedExpression, target: QualType): string {
  const pointee = pointeeOf(value.type);
  if (pointee !== undefined && compatibleUnqualified(pointee, target)) {
    return value.kind === "address_of" ? "; remove &" : "; dereference with *";
  }
  const wanted = pointeeOf(target);
  if (wanted === undefined || !isLvalue(original) || isPointer(original.type)) return "";
  if (!compatibleUnqualified(wanted, original.type) && !isVoid(wanted)) return "";
  return original.kind === "dereference" ? "; remove *" : "; take the address with &";
}

/** The pointers differ only in the sign of the integers they point to. */
function signDifference(left: QualType, right: QualType): string | undefined {
  const a = bare(left);
  const b = bare(right);
  if (!isInteger(left) || !isInteger(right) || a.kind === "bool" || b.kind === "bool")
    return undefined;
  const x = integerRepresentation(left) as IntegerType;
  const y = integerRepresentation(right) as IntegerType;
  if (x.rank !== y.rank) return undefined;
  return x.plainChar || y.plainChar
    ? "where one is of the unique plain 'char' type and the other is not"
    : "with different sign";
}

function losesQualifiers(from: QualType, to: QualType): boolean {
  const a = canonical(from);
  const b = canonical(to);
  const source = a.type.kind === "array" ? canonical(a.type.element) : a;
  const target = b.type.kind === "array" ? canonical(b.type.element) : b;
  return (source.const && !target.const) || (source.volatile && !target.volatile);
}

function sameButNestedQualifiers(left: QualType, right: QualType): boolean {
  const a = pointeeOf(left);
  const b = pointeeOf(right);
  if (a === undefined || b === undefined) return compatibleUnqualified(left, right);
  return sameButNestedQualifiers(plain(bare(a)), plain(bare(b)));
}

/** Reports what is wrong with a pointer conversion; silent where nothing is. */
function checkPointers(
  context: Context,
  original: CheckedExpression,
  value: CheckedExpression,
  target: QualType,
  place: ConversionPlace,
): void {
  const from = pointeeOf(value.type);
  const to = pointeeOf(target);
  if (from === undefined || to === undefined || isError(from) || isError(to)) return;
  const text = wording(place, target, value.type);
  if (addressSpaceOf(from) !== addressSpaceOf(to)) {
    report(context, "addressSpace", place.span, [text], place.extra);
  } else if (isVoid(from) || isVoid(to) || compatibleUnqualified(from, to)) {
    if (losesQualifiers(from, to)) {
      report(context, "discardsQualifiers", place.span, [text], place.extra);
    }
  } else if (signDifference(from, to) !== undefined) {
    const name = losesQualifiers(from, to) ? "discardsQualifiers" : "pointerSign";
    report(context, name, place.span, [text, signDifference(from, to) ?? ""], place.extra);
  } else if (pointeeOf(from) !== undefined && sameButNestedQualifiers(from, to)) {
    report(context, "nestedQualifiers", place.span, [text], place.extra);
  } else if (asFunction(from) !== undefined && asFunction(to) !== undefined) {
    report(context, "functionPointerTypes", place.span, [text], place.extra);
  } else {
    report(
      context,
      "pointerTypes",
      place.span,
      [text + hint(original, value, target)],
      place.extra,
    );
  }
}

function bitsNeeded(value: bigint): number {
  if (value >= 0n) return value === 0n ? 0 : value.toString(2).length;
  return (~value).toString(2).length + (value === -1n ? 0 : 1);
}

/** Warns where a constant does not survive an implicit conversion. */
export function checkConstantConversion(
  context: Context,
  value: CheckedExpression,
  target: QualType,
  field: RecordField | undefined,
  place: Span,
): void {
  if (!isInteger(value.type) || !isInteger(target) || bare(target).kind === "bool") return;
  const source = stripImplicit(value);
  const width = field?.bitWidth ?? scalarBits(target);
  if (width >= scalarBits(source.type) && field === undefined) return;
  const constant = evaluateInteger(source);
  if (constant === undefined) return;
  const needed = bitsNeeded(constant.value);
  const signed = isSigned(target);
  const flips = signed && needed === width && constant.value > 0n && isSigned(source.type);
  if (needed <= width && !flips) return;
  // `char c = 0xff`: who writes the bits out means them.
  const { file, start } = source.span;
  if (
    field === undefined &&
    needed === width &&
    source.kind === "constant" &&
    /^0[xXbB0-7]/.test(file.text.slice(start, start + 2))
  )
    return;
  const result = signed
    ? BigInt.asIntN(width, constant.value)
    : BigInt.asUintN(width, constant.value);
  const values = [String(constant.value), String(result)];
  if (field?.bitWidth !== undefined) {
    const name = flips && width === 1 ? "singleBitConversion" : "bitFieldConversion";
    report(context, name, place, [quoteType(source.type), ...values]);
    return;
  }
  const args = [quoteType(source.type), quoteType(target), ...values];
  report(context, "constantConversion", value.span, args);
}

function stripImplicit(expression: CheckedExpression): CheckedExpression {
  let at = expression;
  while (at.kind === "cast" && !at.explicit && at.cast === "integral") at = at.operand;
  return at;
}

/** A value of one enum where another is wanted. */
function warnEnumConversion(context: Context, value: CheckedExpression, target: QualType): void {
  const source = enumOf(value);
  const wanted = bare(target);
  if (source === undefined || wanted.kind !== "enum" || source === wanted) return;
  const types = [quoteType(stripImplicit(value).type), quoteType(target)];
  report(context, "enumConversion", value.span, types);
}

function incompatible(
  context: Context,
  value: CheckedExpression,
  target: QualType,
  place: ConversionPlace,
  suffix = "",
): CheckedExpression {
  const text = incompatibleWording[place.reason](quoteType(target), quoteType(value.type)) + suffix;
  report(context, "incompatibleValue", place.span, [text], place.extra);
  return errorExpression(value.span);
}

function convertToPointer(
  context: Context,
  original: CheckedExpression,
  value: CheckedExpression,
  target: QualType,
  place: ConversionPlace,
): CheckedExpression {
  if (isPointer(value.type)) {
    warnPackedAddress(context, value, target);
    if (!isNullPointerConstant(value)) checkPointers(context, original, value, target, place);
    return convert(value, target);
  }
  if (!isInteger(value.type)) {
    return incompatible(context, value, target, place, hint(original, value, target));
  }
  if (!isNullPointerConstant(value)) {
    const text = wording(place, target, value.type) + hint(original, value, target);
    report(context, "intToPointer", place.span, [text], place.extra);
  }
  return convert(value, target);
}

/**
 * The value as the target type holds it. `original` is the expression before it was read (its
 * lvalue), for the hints.
 */
export function convertForAssignment(
  context: Context,
  original: CheckedExpression,
  value: CheckedExpression,
  target: QualType,
  place: ConversionPlace,
): CheckedExpression {
  if (isError(value.type) || isError(target)) return errorExpression(value.span);
  const record = asRecord(target);
  if (record !== undefined) {
    if (asRecord(value.type) === record) return value;
    return incompatible(context, value, target, place, hint(original, value, target));
  }
  if (isPointer(target)) return convertToPointer(context, original, value, target, place);
  if (isArithmetic(target) && isArithmetic(value.type)) {
    if (isFloat(value.type)) warnFloatConversion(context, value, target);
    if (isFloat(target) || isFloat(value.type)) return convert(value, target);
  }
  if (isInteger(target) && isInteger(value.type)) {
    checkConstantConversion(context, value, target, place.field, place.span);
    warnEnumConversion(context, value, target);
    return convert(value, target);
  }
  if (isInteger(target) && isPointer(value.type)) {
    if (bare(target).kind !== "bool") {
      const text = wording(place, target, value.type) + hint(original, value, target);
      report(context, "pointerToInt", place.span, [text], place.extra);
    }
    return convert(value, target);
  }
  return incompatible(context, value, target, place);
}
