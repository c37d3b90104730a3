/** Tokens of textual IR. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../../common/diagnostics/source.ts";

export interface IrToken {
  readonly kind: "word" | "value" | "symbol" | "location" | "number" | "string" | "mark" | "end";
  /** Of strings: what they stand for. Of values, symbols and locations: without the sigil. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const shape =
  /[ \t\r\n]+|;[^\n]*|(?<string>"(?:[^"\\\n]|\\u\{[0-9a-f]+\}|\\[0-9a-f]{2})*")|%(?<value>p?\d+)|@(?:(?<symbol>[\w.$]+)|(?=(?<quoted>")))|!(?<location>\d+)|(?<number>-?(?:0x[0-9a-f]+|\d+)(?!\w))|(?<word>[A-Za-z_]\w*)|(?<mark>[=(){}[\],:])/y;

/** Reads one token after the other; after the last comes `end` for ever. */
export class IrLexer {
  readonly file: SourceFile;
  readonly #diagnostics: Diagnostics;
  readonly #tokens: IrToken[];
  #at = 0;

  constructor(file: SourceFile, diagnostics: Diagnostics) {
    this.file = file;
    this.#diagnostics = diagnostics;
    this.#tokens = tokenize(file.text, (at) => {
      this.#diagnostics.error("ir-syntax", "unexpected character", this.spanOf(at, at + 1));
    });
  }

  get failed(): boolean {
    return this.#diagnostics.hasErrors;
  }

  peek(ahead = 0): IrToken {
    const last = this.#tokens.at(-1);
    const token = this.#tokens[this.#at + ahead] ?? last;
    return token ?? { kind: "end", text: "", start: 0, end: 0 };
  }

  next(): IrToken {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  spanOf(start: number, end: number): Span {
    return { file: this.file, start, end };
  }

  error(message: string, token: IrToken = this.peek()): void {
    // One message per file: what follows a syntax error is rarely worth reading.
    if (!this.failed) {
      this.#diagnostics.error("ir-syntax", message, this.spanOf(token.start, token.end));
    }
    this.#at = this.#tokens.length;
  }

  /** Takes the token if it is this mark or word. */
  accept(text: string): boolean {
    const token = this.peek();
    const fits = (token.kind === "mark" || token.kind === "word") && token.text === text;
    if (fits) this.#at += 1;
    return fits;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.error(`expected '${text}'`);
  }

  /** The text of the next token, which must be of this kind. */
  take(kind: IrToken["kind"]): string {
    const token = this.peek();
    if (token.kind !== kind) {
      this.error(`expected a ${kind}`);
      return "";
    }
    this.#at += 1;
    return token.text;
  }

  takeNumber(): number {
    return Number(this.take("number"));
  }

  takeBigInt(): bigint {
    const text = this.take("number");
    return text.startsWith("-") ? -BigInt(text.slice(1) || "0") : BigInt(text || "0");
  }
}

function tokenize(text: string, onError: (at: number) => void): IrToken[] {
  const tokens: IrToken[] = [];
  let pendingSymbol = false;
  for (let at = 0; at < text.length; ) {
    shape.lastIndex = at;
    const match = shape.exec(text);
    if (match === null) {
      onError(at);
      break;
    }
    const end = at + match[0].length;
    const groups = match.groups ?? {};
    const add = (kind: IrToken["kind"], content: string): void => {
      tokens.push({ kind, text: content, start: at, end });
    };
    if (groups["quoted"] !== undefined) pendingSymbol = true;
    else if (groups["string"] !== undefined) {
      add(pendingSymbol ? "symbol" : "string", unquote(groups["string"]));
      pendingSymbol = false;
    } else {
      for (const kind of ["value", "symbol", "location", "number", "word", "mark"] as const) {
        const content = groups[kind];
        if (content !== undefined) add(kind, content);
      }
    }
    at = end;
  }
  tokens.push({ kind: "end", text: "", start: text.length, end: text.length });
  return tokens;
}

function unquote(literal: string): string {
  return literal
    .slice(1, -1)
    .replace(/\\(?:u\{([0-9a-f]+)\}|([0-9a-f]{2}))/g, (_, long?: string, short?: string) =>
      String.fromCodePoint(Number.parseInt(long ?? short ?? "0", 16)),
    );
}
