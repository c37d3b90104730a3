/** Literal tokens as nodes of the tree. */
import type { Span } from "../../common/diagnostics/source.ts";
import {
  characterValue,
  type DecodedText,
  decodeQuoted,
  isFloatLiteral,
  narrowBytes,
  parseInteger,
} from "../1-preprocess/literals.ts";
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import type { Expression } from "./ast.ts";

type Report = (message: string) => void;

export function numberLiteral(token: Token, report: Report): Expression {
  const span = tokenSpan(token);
  const parsed = parseInteger(token.image);
  if (!("problem" in parsed)) return { kind: "integer", ...parsed, span };
  if (isFloatLiteral(token.image)) return { kind: "float", text: token.image, span };
  report(parsed.problem);
  return { kind: "integer", value: 0n, unsigned: false, long: 0, decimal: true, span };
}

export function characterLiteral(token: Token, report: Report): Expression {
  const text = decodeQuoted(token.image);
  for (const problem of errorsOf(text)) report(problem);
  if (text.units.length === 0) report("empty character constant");
  const wide = text.prefix !== "" && text.prefix !== "u8";
  return { kind: "character", value: characterValue(text), wide, span: tokenSpan(token) };
}

/** Bytes of one unit of a string, by its prefix. */
const unitSizes: Readonly<Record<string, 2 | 4>> = { L: 4, U: 4, u: 2 };

export function stringLiteral(
  tokens: readonly Token[],
  span: Span,
  report: Report,
): Extract<Expression, { kind: "string" }> {
  const texts = tokens.map((token) => decodeQuoted(token.image));
  for (const text of texts) for (const problem of errorsOf(text)) report(problem);
  const prefix = texts.find((text) => text.prefix !== "" && text.prefix !== "u8")?.prefix ?? "";
  const unit = unitSizes[prefix];
  if (unit === undefined) {
    const bytes = Uint8Array.from(texts.flatMap(narrowBytes));
    return { kind: "string", bytes, span };
  }
  const units = texts.flatMap((text) => text.units.map(({ value }) => value));
  const bytes = Uint8Array.from(
    units.flatMap((value) => Array.from({ length: unit }, (_, index) => value >>> (8 * index))),
  );
  return {
    kind: "string",
    bytes,
    unit: prefix === "L" ? "wchar_t" : unit === 2 ? "char16_t" : "char32_t",
    span,
  };
}

/** An unknown escape is only a warning in C; the rest are errors. */
function errorsOf(text: DecodedText): readonly string[] {
  return text.problems.filter((problem) => !problem.startsWith("unknown escape"));
}

/** Text of a narrow literal. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
