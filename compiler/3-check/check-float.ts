/**
 * Floating-point constants. BPF has no floating-point arithmetic: what can be computed before the
 * program runs is, the rest becomes calls of library routines that nobody has, an error as in clang.
 * A constant's `value` is its bit pattern.
 */
import {
  type FloatSize,
  floatFromBits,
  floatToBits,
  floatToInteger,
  integerToFloatBits,
  isFloatZero,
  parseFloatDigits,
} from "../../common/domain/float-bits.ts";
import type { Expression } from "../2-parse/ast.ts";
import type { CheckedExpression } from "./checked.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { quoteType } from "./print-type.ts";
import {
  bare,
  doubleType,
  floatType,
  isFloat,
  isSigned,
  longDoubleType,
  scalarBits,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

/** Bytes of a floating type. */
export function floatSize(type: QualType): FloatSize {
  return scalarBits(type) === 32 ? 4 : 8;
}

const typeOfSuffix: Readonly<Record<string, QualType>> = {
  "": doubleType,
  f: floatType,
  l: longDoubleType,
};

export function checkFloatLiteral(
  context: Context,
  { text, span }: Extract<Expression, { kind: "float" }>,
): CheckedExpression {
  const isHex = /^0[xX]/.test(text);
  const [, digits = "", suffix = ""] =
    (isHex ? /^(.*?[pP][+-]?\d+)(.*)$/ : /^([\d.]+(?:[eE][+-]?\d+)?)(.*)$/).exec(text) ?? [];
  const type = typeOfSuffix[suffix.toLowerCase()];
  if (type === undefined) {
    report(context, "floatUnsupported", span);
    return errorExpression(span);
  }
  const size = floatSize(type);
  const bits = floatToBits(parseFloatDigits(digits), size);
  const value = floatFromBits(bits, size);
  if (!Number.isFinite(value)) {
    const most = size === 4 ? "3.40282347E+38" : "1.7976931348623157E+308";
    report(context, "floatTooLarge", span, [quoteType(type), most]);
  }
  return { kind: "constant", value: bits, type, span };
}

/** A constant's pattern or value as another type holds it; one of the two types is floating. */
export function convertFloatConstant(value: bigint, from: QualType, to: QualType): bigint {
  if (!isFloat(from)) return integerToFloatBits(value, floatSize(to));
  const size = floatSize(from);
  if (bare(to).kind === "bool") return isFloatZero(value, size) ? 0n : 1n;
  const number = floatFromBits(value, size);
  return isFloat(to)
    ? floatToBits(number, floatSize(to))
    : floatToInteger(number, scalarBits(to), isSigned(to));
}

/** Warns where a literal is not what an integer can hold. */
export function warnFloatConversion(
  context: Context,
  value: CheckedExpression,
  target: QualType,
): void {
  const literal =
    value.kind === "unary" && value.op === "negate" && value.operand.kind === "constant"
      ? value.operand
      : value;
  if (literal.kind !== "constant" || !isFloat(literal.type) || isFloat(target)) return;
  const size = floatSize(literal.type);
  const sign = literal === value ? 1 : -1;
  const number = sign * floatFromBits(literal.value, size);
  const bits = floatToBits(number, size);
  const result = convertFloatConstant(bits, literal.type, target);
  if (Number(result) === number) return;
  const shown = bare(target).kind === "bool" ? String(result !== 0n) : String(result);
  const args = [quoteType(value.type), quoteType(target), String(number), shown];
  report(context, "literalConversion", value.span, args);
}
