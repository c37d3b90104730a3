/**
 * Turns the text of one file into preprocessing tokens. Knows nothing of macros; directives are
 * recognised by whoever reads the tokens (a `#` with {@link LINE_START}).
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import {
  BLANK,
  characterClass,
  classAt,
  DIGIT,
  IDENTIFIER_PART,
  IDENTIFIER_START,
} from "./characters.ts";
import type { IdentifierTable } from "./identifiers.ts";
import { LEADING_SPACE, LINE_START, Token } from "./token.ts";
import { endOfFile, punctuators, type TokenType, tokenTypes } from "./token-types.ts";

const NEWLINE = 10;
const BACKSLASH = 92;
const QUOTE = 34;
const APOSTROPHE = 39;
const SLASH = 47;
const STAR = 42;
const DOT = 46;
const HASH = 35;

interface Punctuator {
  readonly text: string;
  readonly type: TokenType;
}

/** Punctuators by first character, longest first. */
const punctuatorsByFirst = new Map<number, Punctuator[]>();
for (const [text, type] of punctuators) {
  const code = text.charCodeAt(0);
  const list = punctuatorsByFirst.get(code) ?? [];
  punctuatorsByFirst.set(code, list);
  const at = list.findIndex((other) => other.text.length < text.length);
  list.splice(at < 0 ? list.length : at, 0, { text, type });
}

const splicePattern = /\\[ \t]*\r?\n/g;

/** What the lexer tells about malformed text; absent where it reads text that was checked before. */
export type LexerReport = (
  severity: "error" | "warning",
  code: string,
  message: string,
  start: number,
  end: number,
) => void;

export class RawLexer {
  readonly file: SourceFile;
  readonly #text: string;
  readonly #end: number;
  readonly #identifiers: IdentifierTable;
  readonly #report: LexerReport;
  /** Offset of the next character. */
  position: number;
  /** While set, a line break gives an end token and is not passed. */
  inDirective = false;
  #atLineStart: boolean;
  /** Offset of the next block comment, or one that is behind already. */
  #nextComment = -1;
  /** In a group that a condition leaves out: clang warns of nothing there. */
  #isSkipping = false;

  constructor(
    file: SourceFile,
    identifiers: IdentifierTable,
    report: LexerReport,
    start = 0,
    end = file.text.length,
  ) {
    this.file = file;
    this.#text = file.text;
    this.#identifiers = identifiers;
    this.#report = report;
    this.position = start;
    this.#end = end;
    this.#atLineStart = start === 0;
  }

  /** True where nothing but blanks stands between the line's start and the position. */
  get atLineStart(): boolean {
    return this.#atLineStart;
  }

  /** Continues at another offset, which must be the start of a line's first token or of a line. */
  resumeAt(position: number, atLineStart: boolean): void {
    this.position = position;
    this.#atLineStart = atLineStart;
  }

  /** The next token; of type {@link endOfFile} at the end of the text or of a directive's line. */
  next(): Token {
    let flags = this.#skipBlanks();
    if (this.#atLineStart) {
      flags |= LINE_START;
      this.#atLineStart = false;
    }
    const start = this.position;
    if (start >= this.#end) return this.#make(endOfFile, "", start, start, flags);
    const text = this.#text;
    const code = text.charCodeAt(start);
    if (code === NEWLINE) return this.#make(endOfFile, "", start, start, flags);
    const kind = classAt(code);
    if ((kind & IDENTIFIER_START) !== 0) return this.#identifier(start, flags);
    if ((kind & DIGIT) !== 0) return this.#number(start, flags);
    if (
      code === DOT &&
      (classAt(text.charCodeAt(start + 1)) & DIGIT) !== 0 &&
      start + 1 < this.#end
    )
      return this.#number(start, flags);
    if (code === QUOTE || code === APOSTROPHE) return this.#quoted(start, start, code, flags);
    return this.#punctuator(start, code, flags);
  }

  #make(type: TokenType, image: string, start: number, end: number, flags: number): Token {
    return new Token(type, image, this.file, start, end, flags, undefined);
  }

  /** Skips blanks, comments, spliced and (outside directives) plain line breaks. */
  #skipBlanks(): number {
    const text = this.#text;
    const end = this.#end;
    let at = this.position;
    let flags = 0;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) {
        if (this.inDirective) break;
        this.#atLineStart = true;
        at += 1;
      } else if (code < 128 && (characterClass[code]! & BLANK) !== 0) {
        at += 1;
      } else if (code === SLASH && text.charCodeAt(at + 1) === STAR) {
        const start = at;
        at = this.#blockComment(at);
        this.#warnNested(start + 2, at - 2);
      } else if (code === SLASH && text.charCodeAt(at + 1) === SLASH) {
        const start = at;
        at = this.#lineEnd(at + 2);
        this.#warnContinued(start, at);
      } else if (code === BACKSLASH) {
        const length = this.#spliceLength(at);
        if (length === 0) break;
        at += length;
      } else {
        break;
      }
      flags = LEADING_SPACE;
    }
    this.position = Math.min(at, end);
    return flags;
  }

  #blockComment(start: number): number {
    const close = this.#text.indexOf("*/", start + 2);
    if (close >= 0 && close + 2 <= this.#end) return close + 2;
    this.#report("error", "unterminated-comment", "unterminated /* comment", start, start + 2);
    return this.#end;
  }

  /** A line that is a comment only because the one before ends in a backslash, and does not look it. */
  #warnContinued(from: number, to: number): void {
    if (this.#isSkipping) return;
    const text = this.#text;
    let newline = text.indexOf("\n", from);
    while (newline >= 0 && newline < to) {
      let next = newline + 1;
      while (isBlankOrNewline(text.charCodeAt(next))) next += 1;
      if (!text.startsWith("//", next)) {
        const backslash = text.lastIndexOf("\\", newline);
        this.#report("warning", "comment", "multi-line // comment", backslash, backslash + 1);
        return;
      }
      newline = text.indexOf("\n", next);
    }
  }

  /** A comment that opens in a comment: the first one was perhaps never closed. */
  #warnNested(from: number, to: number): void {
    if (this.#isSkipping) return;
    let at = this.#text.indexOf("/*", from);
    while (at >= 0 && at < to) {
      this.#report("warning", "comment", "'/*' within block comment", at, at + 2);
      at = this.#text.indexOf("/*", at + 2);
    }
  }

  /** The line break (or the end) after `from`, passing spliced ones. */
  #lineEnd(from: number): number {
    let at = from;
    for (;;) {
      const newline = this.#text.indexOf("\n", at);
      if (newline < 0 || newline >= this.#end) return this.#end;
      let back = newline - 1;
      while (back > from && (classAt(this.#text.charCodeAt(back)) & BLANK) !== 0) back -= 1;
      if (back < from || this.#text.charCodeAt(back) !== BACKSLASH) return newline;
      at = newline + 1;
    }
  }

  /** Length of a backslash, blanks and a line break at an offset; 0 where there is none. */
  #spliceLength(at: number): number {
    const text = this.#text;
    if (text.charCodeAt(at) !== BACKSLASH) return 0;
    let after = at + 1;
    while (after < this.#end && (classAt(text.charCodeAt(after)) & BLANK) !== 0) after += 1;
    return after < this.#end && text.charCodeAt(after) === NEWLINE ? after + 1 - at : 0;
  }

  /** End of a run of identifier characters from `at`; sees through splices. */
  #identifierEnd(from: number): number {
    const text = this.#text;
    let at = from;
    for (;;) {
      while (at < this.#end && (classAt(text.charCodeAt(at)) & IDENTIFIER_PART) !== 0) at += 1;
      const splice = at < this.#end ? this.#spliceLength(at) : 0;
      if (splice === 0) return at;
      if ((classAt(text.charCodeAt(at + splice)) & IDENTIFIER_PART) === 0) return at;
      at += splice;
    }
  }

  #identifier(start: number, flags: number): Token {
    const text = this.#text;
    let at = start + 1;
    const end = this.#end;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (code >= 128 || (characterClass[code]! & IDENTIFIER_PART) === 0) break;
      at += 1;
    }
    const stop = text.charCodeAt(at);
    if (at < end && (stop >= 128 || stop === BACKSLASH)) at = this.#identifierEnd(at);
    if (at < end && at - start <= 2) {
      const quote = text.charCodeAt(at);
      if ((quote === QUOTE || quote === APOSTROPHE) && isEncodingPrefix(text.slice(start, at)))
        return this.#quoted(start, at, quote, flags);
    }
    const image = stop === BACKSLASH ? this.#clean(start, at) : text.slice(start, at);
    const identifier = this.#identifiers.get(image);
    this.position = at;
    return new Token(identifier.tokenType, image, this.file, start, at, flags, identifier);
  }

  #clean(start: number, end: number): string {
    return this.#text.slice(start, end).replace(splicePattern, "");
  }

  /** A preprocessing number: digits, letters, dots, and signs after an exponent letter. */
  #number(start: number, flags: number): Token {
    const text = this.#text;
    let at = start + 1;
    while (at < this.#end) {
      const code = text.charCodeAt(at);
      if ((classAt(code) & IDENTIFIER_PART) !== 0 || code === DOT) {
        at += 1;
        continue;
      }
      const isSign = code === 43 || code === 45;
      if (isSign && /[eEpP]/.test(text.charAt(at - 1))) {
        at += 1;
        continue;
      }
      const splice = code === BACKSLASH ? this.#spliceLength(at) : 0;
      if (splice === 0 || (classAt(text.charCodeAt(at + splice)) & IDENTIFIER_PART) === 0) break;
      at += splice;
    }
    this.position = at;
    return this.#make(tokenTypes.Number, this.#cleanIfSpliced(start, at), start, at, flags);
  }

  #cleanIfSpliced(start: number, end: number): string {
    const image = this.#text.slice(start, end);
    return image.includes("\n") ? image.replace(splicePattern, "") : image;
  }

  #quoted(start: number, open: number, quote: number, flags: number): Token {
    const text = this.#text;
    let at = open + 1;
    for (;;) {
      if (at >= this.#end) return this.#unterminated(start, this.#end, quote, flags);
      const code = text.charCodeAt(at);
      if (code === quote) break;
      if (code === NEWLINE) return this.#unterminated(start, at, quote, flags);
      if (code === BACKSLASH) at += this.#spliceLength(at) || 2;
      else at += 1;
    }
    at += 1;
    this.position = at;
    const type = quote === QUOTE ? tokenTypes.StringLiteral : tokenTypes.Character;
    return this.#make(type, this.#cleanIfSpliced(start, at), start, at, flags);
  }

  #unterminated(start: number, end: number, quote: number, flags: number): Token {
    const mark = String.fromCharCode(quote);
    this.#report(
      "warning",
      "invalid-pp-token",
      `missing terminating ${quote === QUOTE ? `'${mark}'` : mark} character`,
      start,
      start + 1,
    );
    this.position = end;
    return this.#make(tokenTypes.Stray, this.#text.slice(start, end), start, end, flags);
  }

  #punctuator(start: number, code: number, flags: number): Token {
    const text = this.#text;
    const candidates = punctuatorsByFirst.get(code) ?? [];
    if (candidates.length > 1 && text.startsWith("\\", start + 1) && this.#spliceLength(start + 1))
      return this.#splicedPunctuator(start, candidates, flags);
    for (const { text: image, type } of candidates) {
      if (image.length === 1 || text.startsWith(image, start)) {
        const end = start + image.length;
        if (end > this.#end) continue;
        this.position = end;
        return this.#make(type, image, start, end, flags);
      }
    }
    const image = String.fromCodePoint(text.codePointAt(start) ?? code);
    this.position = start + image.length;
    return this.#make(tokenTypes.Stray, image, start, this.position, flags);
  }

  #splicedPunctuator(start: number, candidates: readonly Punctuator[], flags: number): Token {
    const raw = this.#text.slice(start, Math.min(start + 40, this.#end));
    const clean = raw.replace(splicePattern, "");
    for (const { text: image, type } of candidates) {
      if (!clean.startsWith(image)) continue;
      let end = start;
      for (let seen = 0; seen < image.length; seen += 1) {
        for (let skip = this.#spliceLength(end); skip > 0; skip = this.#spliceLength(end))
          end += skip;
        end += 1;
      }
      this.position = end;
      return this.#make(type, image, start, end, flags);
    }
    this.position = start + 1;
    return this.#make(tokenTypes.Stray, this.#text.charAt(start), start, start + 1, flags);
  }

  /** Reads to the end of the directive's line and gives the offset; comments may span lines. */
  skipDirectiveLine(): number {
    const text = this.#text;
    const newline = text.indexOf("\n", this.position);
    const lineEnd = newline < 0 || newline > this.#end ? this.#end : newline;
    if (this.#nextComment < this.position) {
      const comment = text.indexOf("/*", this.position);
      this.#nextComment = comment < 0 ? Number.POSITIVE_INFINITY : comment;
    }
    const last = lineEnd > this.position ? text.charCodeAt(lineEnd - 1) : 0;
    const mayContinue = last === BACKSLASH || (classAt(last) & BLANK) !== 0;
    if (this.#nextComment > lineEnd && !mayContinue) this.position = lineEnd;
    else this.#skipLineSlowly();
    return this.position;
  }

  #skipLineSlowly(): void {
    const text = this.#text;
    let at = this.position;
    while (at < this.#end) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) break;
      if (code === QUOTE || code === APOSTROPHE) at = this.#skipQuoted(at);
      else if (code === SLASH && text.charCodeAt(at + 1) === STAR) at = this.#blockComment(at);
      else if (code === SLASH && text.charCodeAt(at + 1) === SLASH) at = this.#lineEnd(at + 2);
      else if (code === BACKSLASH) at += this.#spliceLength(at) || 1;
      else at += 1;
    }
    this.position = at;
  }

  /**
   * At `#define name` with single blanks and an ordinary name: moves behind the name and gives it.
   * Otherwise undefined, and the position stays.
   */
  plainDefine(): string | undefined {
    const text = this.#text;
    const at = this.position;
    if (!text.startsWith("#define", at)) return undefined;
    let start = at + 7;
    while (text.charCodeAt(start) === 32 || text.charCodeAt(start) === 9) start += 1;
    if (start === at + 7 || (classAt(text.charCodeAt(start)) & IDENTIFIER_START) === 0)
      return undefined;
    let end = start + 1;
    while (end < this.#end) {
      const code = text.charCodeAt(end);
      if (code >= 128 || (characterClass[code]! & IDENTIFIER_PART) === 0) break;
      end += 1;
    }
    const next = text.charCodeAt(end);
    if (next >= 128 || next === BACKSLASH) return undefined;
    this.position = end;
    this.#atLineStart = false;
    const name = text.slice(start, end);
    return name === "defined" ? undefined : name;
  }

  /** Behind a literal, or at the end of its line where it is not closed. */
  #skipQuoted(open: number): number {
    const quote = this.#text.charCodeAt(open);
    let at = open + 1;
    while (at < this.#end) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) return at + 1;
      if (code === NEWLINE) return at;
      at += code === BACKSLASH ? this.#spliceLength(at) || 2 : 1;
    }
    return this.#end;
  }

  /**
   * Skips whole lines until one starts with `#`; leaves the position behind it.
   * False when the text ends first.
   */
  skipToDirective(): boolean {
    for (;;) {
      this.#isSkipping = true;
      this.#skipBlanks();
      this.#isSkipping = false;
      if (this.position >= this.#end) return false;
      const lineStart = this.#atLineStart;
      this.#atLineStart = false;
      if (lineStart && this.#text.charCodeAt(this.position) === HASH) {
        this.position += 1;
        return true;
      }
      this.skipDirectiveLine();
    }
  }

  /** `<…>` or `"…"` at the position within a directive; undefined where there is neither. */
  headerName():
    | { readonly name: string; readonly angled: boolean; readonly end: number }
    | undefined {
    this.#skipBlanks();
    const open = this.#text.charAt(this.position);
    if (open !== "<" && open !== '"') return undefined;
    const close = this.#text.indexOf(open === "<" ? ">" : '"', this.position + 1);
    const line = this.#lineEnd(this.position);
    if (close < 0 || close > line) return undefined;
    const name = this.#text.slice(this.position + 1, close);
    this.position = close + 1;
    return { name, angled: open === "<", end: close + 1 };
  }
}

function isBlankOrNewline(code: number): boolean {
  return code === NEWLINE || (classAt(code) & BLANK) !== 0;
}

function isEncodingPrefix(text: string): boolean {
  return text === "L" || text === "u" || text === "U" || text === "u8";
}
