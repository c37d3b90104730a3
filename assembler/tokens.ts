/**
 * Assembly text → tokens. Statements end at a line break or `;`; `#`, `//` and C comments are
 * dropped. Strings are bytes, because `.ascii` may hold any of them.
 */
import { appendAll } from "../common/append.ts";
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../common/diagnostics/source.ts";

export type Token = TokenPlace &
  (
    | { readonly kind: "name"; readonly text: string }
    | { readonly kind: "number"; readonly text: string; readonly value: bigint }
    /** `1f`, `1b`: the next or previous numeric label. */
    | { readonly kind: "local"; readonly text: string }
    | { readonly kind: "string"; readonly text: string; readonly bytes: Uint8Array }
    | { readonly kind: "punctuation"; readonly text: string }
    | { readonly kind: "end"; readonly text: string }
  );

export interface TokenPlace {
  readonly start: number;
  readonly end: number;
  /** Whether white space or a comment stands before it. */
  readonly spaced: boolean;
}

const blank = /(?:[ \t\r\f\v]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const name = /[A-Za-z_.$@\u0080-\uffff][\w.$@\u0080-\uffff]*/y;
const local = /\d+[fb](?![\w])/y;
const number = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+/y;
const punctuation = /<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!=<>()[\]{},:?]/y;
const string = /"((?:[^"\\\n]|\\.)*)"/y;
const character = /'((?:[^'\\\n]|\\.))'/y;

const escapes: Readonly<Record<string, number>> = {
  ...{ b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, a: 7 },
};

/** The bytes of a string literal's inside: UTF-8, with C escapes. */
export function unescapeBytes(text: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  const part = /\\([0-7]{1,3})|\\x([0-9a-fA-F]+)|\\(.)|([^\\]+)/gs;
  for (const [, octal, hex, escaped, plain] of text.matchAll(part)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 255);
    else if (hex !== undefined) bytes.push(Number.parseInt(hex.slice(-2), 16));
    else if (escaped !== undefined) bytes.push(escapes[escaped] ?? escaped.charCodeAt(0));
    else appendAll(bytes, encoder.encode(plain));
  }
  return Uint8Array.from(bytes);
}

function numberValue(text: string): bigint {
  const isOctal = /^0[0-7]+$/.test(text);
  return BigInt(isOctal ? `0o${text.slice(1)}` : text);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The text's tokens; every statement is closed by an `end` token. */
export function tokenize(file: SourceFile, diagnostics: Diagnostics): readonly Token[] {
  const { text } = file;
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const skipped = matchAt(blank, text, at)?.[0].length ?? 0;
    at += skipped;
    if (at >= text.length) break;
    const token = readToken(text, at, skipped > 0 || at === 0);
    if (token === undefined) {
      reportBadCharacter(file, at, diagnostics);
      // The statement is lost, so that it is not reported a second time.
      while (tokens.length > 0 && tokens.at(-1)?.kind !== "end") tokens.pop();
      const lineEnd = text.indexOf("\n", at);
      at = lineEnd < 0 ? text.length : lineEnd;
      continue;
    }
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", text: "", start: text.length, end: text.length, spaced: true });
  return tokens;
}

function readToken(text: string, start: number, spaced: boolean): Token | undefined {
  const at = (match: RegExpExecArray) => ({ start, end: start + match[0].length, spaced });
  const first = text[start] ?? "";
  if (first === "\n" || first === ";") {
    return { kind: "end", text: first, start, end: start + 1, spaced };
  }
  let match = matchAt(name, text, start);
  if (match !== null) return { kind: "name", text: match[0], ...at(match) };
  match = matchAt(local, text, start);
  if (match !== null) return { kind: "local", text: match[0], ...at(match) };
  match = matchAt(number, text, start);
  if (match !== null) {
    return { kind: "number", text: match[0], value: numberValue(match[0]), ...at(match) };
  }
  match = matchAt(string, text, start);
  if (match !== null) {
    const bytes = unescapeBytes(match[1] ?? "");
    return { kind: "string", text: new TextDecoder().decode(bytes), bytes, ...at(match) };
  }
  match = matchAt(character, text, start);
  if (match !== null) {
    const value = BigInt(unescapeBytes(match[1] ?? "")[0] ?? 0);
    return { kind: "number", text: match[0], value, ...at(match) };
  }
  match = matchAt(punctuation, text, start);
  return match === null ? undefined : { kind: "punctuation", text: match[0], ...at(match) };
}

function reportBadCharacter(file: SourceFile, at: number, diagnostics: Diagnostics): void {
  const span: Span = { file, start: at, end: at + 1 };
  if (file.text[at] === '"') diagnostics.error("unterminated-string", "unterminated string", span);
  else diagnostics.error("unexpected-character", `unexpected character '${file.text[at]}'`, span);
}

/** Reads a statement's tokens one after another; never goes past its `end` token. */
export class TokenCursor {
  readonly file: SourceFile;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(file: SourceFile, tokens: readonly Token[]) {
    this.file = file;
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.peek(0);
  }

  get isAtEnd(): boolean {
    return this.token.kind === "end";
  }

  get isAtLast(): boolean {
    return this.#at >= this.#tokens.length - 1;
  }

  /** The token `ahead` places further on, of the whole text. */
  peek(ahead: number): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#at + ahead, last)] as Token;
  }

  /** Takes the current token; an `end` token stays. */
  next(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#at += 1;
    return token;
  }

  /** Takes the token if it is this name or punctuation. */
  accept(text: string): boolean {
    const { token } = this;
    const matches = (token.kind === "name" || token.kind === "punctuation") && token.text === text;
    if (matches) this.#at += 1;
    return matches;
  }

  is(text: string): boolean {
    const { token } = this;
    return (token.kind === "name" || token.kind === "punctuation") && token.text === text;
  }

  /** Goes past the rest of the statement and its end. */
  skipStatement(): void {
    while (!this.isAtEnd) this.#at += 1;
    if (!this.isAtLast) this.#at += 1;
  }

  get position(): number {
    return this.#at;
  }

  /** Back to an earlier position of the same statement. */
  rewind(position: number): void {
    this.#at = position;
  }

  /** What is missing at a statement's end is missing right after its last token. */
  spanOf(token: TokenPlace): Span {
    const previous = this.#tokens[this.#at - 1];
    if (token === this.token && this.isAtEnd && previous !== undefined) {
      return { file: this.file, start: previous.end, end: previous.end };
    }
    return { file: this.file, start: token.start, end: token.end };
  }

  /** From a token up to the one before the current. */
  spanFrom(start: TokenPlace): Span {
    const previous = this.#tokens[this.#at - 1] ?? start;
    return { file: this.file, start: start.start, end: Math.max(start.end, previous.end) };
  }
}
