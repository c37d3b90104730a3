/** String literals as anonymous objects of static storage; equal ones share one. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { CheckedExpression, VariableSymbol } from "./checked.ts";
import { type Context, refer } from "./context.ts";
import { arrayOf, charType, withConst } from "./type-tools.ts";

function newSymbol(
  context: Context,
  bytes: Uint8Array,
  span: Span,
  isConst: boolean,
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
    type: arrayOf(isConst ? withConst(charType) : charType, bytes.length),
    storage: "static",
    attributes: { weak: false, hidden: false, used: false, declTags: [] },
    data: { bytes, relocations: [] },
    defined: true,
    referenced: false,
    span,
    anonymous: true,
  };
}

/** The array lvalue of a literal. `isConst` for `__func__`, whose characters are const. */
export function stringLiteral(
  context: Context,
  bytes: Uint8Array,
  span: Span,
  isConst = false,
): CheckedExpression {
  const key = `${isConst ? "f" : "s"}${bytes.join(",")}`;
  let symbol = context.strings.get(key);
  if (symbol === undefined) {
    const terminated = new Uint8Array(bytes.length + 1);
    terminated.set(bytes);
    symbol = newSymbol(context, terminated, span, isConst);
    context.strings.set(key, symbol);
  }
  refer(context, symbol);
  return { kind: "string_literal", symbol, type: symbol.type, span };
}
