/** Every spelling of an identifier once, with what it means as a keyword and as a macro. */
import { gnuOnlyKeywords, keywords, type TokenType, tokenTypes } from "./token-types.ts";

export class Identifier {
  readonly text: string;
  /** A keyword's type, else `Identifier`. */
  readonly tokenType: TokenType;
  /** The current definition: a `Macro`, which `macroOf` gives with its type. */
  macro: object | undefined = undefined;
  /** `#pragma GCC poison`. */
  poisoned = false;
  /** The text splitter knows of it. */
  isWatched = false;

  constructor(text: string, tokenType: TokenType) {
    this.text = text;
    this.tokenType = tokenType;
  }
}

export class IdentifierTable {
  readonly #table = new Map<string, Identifier>();
  readonly #keywords: ReadonlyMap<string, TokenType>;
  /** Told of every identifier that is met for the first time. */
  onNew: ((identifier: Identifier) => void) | undefined = undefined;

  constructor(gnu: boolean) {
    const strict = new Map(keywords);
    for (const word of gnu ? [] : gnuOnlyKeywords) strict.delete(word);
    this.#keywords = strict;
  }

  get(text: string): Identifier {
    let identifier = this.#table.get(text);
    if (identifier === undefined) {
      identifier = new Identifier(text, this.#keywords.get(text) ?? tokenTypes.Identifier);
      this.#table.set(text, identifier);
      this.onNew?.(identifier);
    }
    return identifier;
  }

  /** It was met already. */
  has(text: string): boolean {
    return this.#table.has(text);
  }

  /** Every identifier seen, in order of first appearance. */
  all(): IterableIterator<Identifier> {
    return this.#table.values();
  }
}
