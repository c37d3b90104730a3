/** Tokens: what the preprocessor hands to the parser, and what macros are made of. */
import type { SourceFile, Span } from "../../common/diagnostics/source.ts";
import type { Identifier } from "./identifiers.ts";
import type { TokenType } from "./token-types.ts";
import type { WarningState } from "./warning-state.ts";

/** The token is preceded by white space. */
export const LEADING_SPACE = 1;
/** The token is the first of its line. */
export const LINE_START = 2;
/** An identifier that must not be expanded again: it came up while its macro was being expanded. */
export const NO_EXPAND = 4;
/** A stand-in for an empty macro argument; never leaves the preprocessor. */
export const PLACEMARKER = 8;

/** A token; `startOffset` and `endOffset` (exclusive) are UTF-16 offsets into `file`. */
export class Token {
  image: string;
  tokenTypeIdx: number;
  tokenType: TokenType;
  startOffset: number;
  endOffset: number;
  file: SourceFile;
  /** The macro expansion that this token came from, innermost. */
  expandedFrom: Span | undefined;
  flags: number;
  /** Set for identifiers and keywords. */
  identifier: Identifier | undefined;
  /** `#pragma GCC diagnostic` state; absent where it is the default. */
  warnings: WarningState | undefined;

  constructor(
    type: TokenType,
    image: string,
    file: SourceFile,
    startOffset: number,
    endOffset: number,
    flags: number,
    identifier: Identifier | undefined,
  ) {
    this.image = image;
    this.tokenTypeIdx = type.tokenTypeIdx;
    this.tokenType = type;
    this.startOffset = startOffset;
    this.endOffset = endOffset;
    this.file = file;
    this.expandedFrom = undefined;
    this.flags = flags;
    this.identifier = identifier;
    this.warnings = undefined;
  }
}

/** A copy that can carry flags and an origin of its own. */
export function copyToken(token: Token): Token {
  const copy = new Token(
    token.tokenType,
    token.image,
    token.file,
    token.startOffset,
    token.endOffset,
    token.flags,
    token.identifier,
  );
  copy.expandedFrom = token.expandedFrom;
  return copy;
}

/** The place of one token. */
export function tokenSpan(token: Token): Span {
  const { file, startOffset: start, endOffset: end, expandedFrom, warnings } = token;
  if (expandedFrom === undefined && warnings === undefined) return { file, start, end };
  return {
    file,
    start,
    end,
    ...(expandedFrom && { expandedFrom }),
    ...(warnings && { warnings }),
  };
}

/** The place just behind a token, where something that is missing should have been. */
export function afterToken(token: Token): Span {
  const span = tokenSpan(token);
  return { ...span, start: span.end, end: span.end };
}

/** Where in a file the macro call stands that a place comes from. */
export function outermost(span: Span): Span {
  let place = span;
  while (place.expandedFrom !== undefined) place = place.expandedFrom;
  return place;
}

/**
 * The range from one token to another. Where they come from different macro expansions, the range
 * in the file in which both expansions stand.
 */
export function spanBetween(first: Token, last: Token): Span {
  if (first === last) return tokenSpan(first);
  if (first.file === last.file && first.expandedFrom === last.expandedFrom) {
    const { file, startOffset: start, expandedFrom, warnings } = first;
    const end = last.endOffset;
    if (end >= start) {
      if (expandedFrom === undefined && warnings === undefined) return { file, start, end };
      return { ...tokenSpan(first), end };
    }
  }
  const from = outermost(tokenSpan(first));
  const to = outermost(tokenSpan(last));
  const warnings = first.warnings;
  const end = from.file === to.file ? Math.max(from.end, to.end) : from.end;
  return { file: from.file, start: from.start, end, ...(warnings && { warnings }) };
}
