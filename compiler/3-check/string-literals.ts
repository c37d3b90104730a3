/** String literals as anonymous objects of static storage; equal ones share one. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { WideUnit } from "../2-parse/ast.ts";
import type { CheckedExpression, VariableSymbol } from "./checked.ts";
import { type Context, plainChar, refer } from "./context.ts";
import { sizeOf } from "./layout.ts";
import { printType } from "./print-type.ts";
import { arrayOf, intType, unsignedIntType, unsignedShortType } from "./type-tools.ts";
import type { QualType } from "./types.ts";

function newSymbol(
  context: Context,
  bytes: Uint8Array,
  span: Span,
  element: QualType,
): VariableSymbol {
  context.ids.symbol += 1;
  const number = context.ids.string;
  context.ids.string += 1;
  const name = number === 0 ? ".L.str" : `.L.str.${number}`;
  return {
    kind: "variable",
    id: context.ids.symbol,
    name,
    linkName: name,
    type: arrayOf(element, bytes.length / sizeOf(element)),
    storage: "static",
    attributes: { weak: false, hidden: false, used: false, declTags: [] },
    data: { bytes, relocations: [] },
    defined: true,
    referenced: false,
    span,
    anonymous: true,
  };
}

/** What the characters of a wide literal are. */
export const wideUnits: Readonly<Record<WideUnit, QualType>> = {
  wchar_t: intType,
  char16_t: unsignedShortType,
  char32_t: unsignedIntType,
};

/** The array lvalue of a literal: bytes without the NUL, and the type of its characters. */
export function stringLiteral(
  context: Context,
  bytes: Uint8Array,
  span: Span,
  element: QualType = plainChar(context),
): CheckedExpression {
  const unit = sizeOf(element);
  const key = `${printType(element)} ${bytes.join(",")}`;
  let symbol = context.strings.get(key);
  if (symbol === undefined) {
    const terminated = new Uint8Array(bytes.length + unit);
    terminated.set(bytes);
    symbol = newSymbol(context, terminated, span, element);
    context.strings.set(key, symbol);
  }
  refer(context, symbol);
  return { kind: "string_literal", symbol, type: symbol.type, span };
}
