/** Where clang points in an expression: at the operator of a binary one, at the name of a member. */

import type { Span } from "../../common/diagnostics/source.ts";
import { classAt, IDENTIFIER_PART } from "../1-preprocess/characters.ts";
import type { Expression } from "../2-parse/ast.ts";

/** The span whose start is clang's caret for the expression. */
export function caretOf(expression: Expression): Span {
  switch (expression.kind) {
    case "binary":
    case "assign":
      return expression.opSpan;
    case "member":
      return expression.nameSpan;
    case "index":
      return caretOf(expression.array);
    default:
      return expression.span;
  }
}

/** The place of the closing parenthesis of a call. */
export function closingPlace(span: Span): Span {
  return { ...span, start: Math.max(span.start, span.end - 1) };
}

/** The first place of a token's text in a file between two offsets; `fallback` where there is none. */
export function placeBetween(after: Span, before: number, token: string, fallback: Span): Span {
  const { file, end } = after;
  if (file !== fallback.file || before < end) return fallback;
  const at = file.text.indexOf(token, end);
  if (at < 0 || at >= before) return fallback;
  return { ...fallback, file, start: at, end: at + token.length };
}

/** The tag after `struct`, `union` or `enum`; the keyword where there is no tag. */
export function tagPlace(span: Span, tag: string | undefined): Span {
  if (tag === undefined || span.expandedFrom !== undefined) return span;
  return wordIn(span, tag);
}

/** Where a word stands in a span; the span itself where it does not. */
function wordIn(span: Span, word: string): Span {
  const text = span.file.text.slice(span.start, span.end);
  let at = text.indexOf(word);
  while (at >= 0 && (isWordUnit(text, at - 1) || isWordUnit(text, at + word.length)))
    at = text.indexOf(word, at + 1);
  if (at < 0) return span;
  return { ...span, start: span.start + at, end: span.start + at + word.length };
}

function isWordUnit(text: string, at: number): boolean {
  return (classAt(text.charCodeAt(at)) & IDENTIFIER_PART) !== 0;
}

/** The name in `.name` of a designator. */
export function designatedName(span: Span, name: string): Span {
  return wordIn(span, name);
}
