/** Splits a stream of expanded tokens into file-scope declarations. */
import { item, type NameSink, summarizeDeclaration, TagScanner } from "./declared-names.ts";
import type { Token } from "./token.ts";
import { tokenTypes } from "./token-types.ts";

const t = tokenTypes;

/** What each token type is to the summary; identifiers and storage classes by their spelling. */
const kindOfType: ReadonlyMap<number | undefined, number> = new Map([
  [t.Identifier.tokenTypeIdx, item.identifier],
  [t.StructUnion.tokenTypeIdx, item.structUnion],
  [t.Enum.tokenTypeIdx, item.enum],
  [t.Attribute.tokenTypeIdx, item.group],
  [t.Typeof.tokenTypeIdx, item.group],
  [t.Alignas.tokenTypeIdx, item.group],
  [t.Atomic.tokenTypeIdx, item.group],
  [t.Asm.tokenTypeIdx, item.asm],
  [t.StaticAssert.tokenTypeIdx, item.staticAssert],
  [t.Star.tokenTypeIdx, item.star],
  [t.Comma.tokenTypeIdx, item.comma],
  [t.Semicolon.tokenTypeIdx, item.semicolon],
  [t.Assign.tokenTypeIdx, item.assign],
  [t.Colon.tokenTypeIdx, item.colon],
  [t.LParen.tokenTypeIdx, item.lParen],
  [t.RParen.tokenTypeIdx, item.rParen],
  [t.LBracket.tokenTypeIdx, item.lBracket],
  [t.RBracket.tokenTypeIdx, item.rBracket],
  [t.LBrace.tokenTypeIdx, item.lBrace],
  [t.RBrace.tokenTypeIdx, item.rBrace],
]);

const storageKinds: ReadonlyMap<string, number> = new Map([
  ["typedef", item.typedef],
  ["static", item.static],
  ["extern", item.extern],
]);

function kindOf(token: Token): number {
  if (token.tokenType === t.StorageClass) return storageKinds.get(token.image) ?? item.noise;
  return kindOfType.get(token.tokenTypeIdx) ?? item.noise;
}

/** Names of a declaration given as tokens; the sink gets token indexes. */
export function summarizeTokens(tokens: readonly Token[], sink: NameSink): boolean {
  const scanner = new TagScanner(sink);
  const kinds: number[] = [];
  const indexes: number[] = [];
  const tracker = new BoundaryTracker();
  let braces = 0;
  tokens.forEach((token, index) => {
    const kind = kindOf(token);
    scanner.take(kind, index);
    tracker.take(token);
    if (kind === item.rBrace && braces > 0) braces -= 1;
    else if (braces > 0) braces += kind === item.lBrace ? 1 : 0;
    else {
      if (kind === item.lBrace) braces += 1;
      kinds.push(kind === item.lBrace ? tracker.bodyKind : kind);
      indexes.push(index);
    }
  });
  return summarizeDeclaration(
    { count: kinds.length, kinds, text: (at) => tokens[indexes[at]!]!.image },
    (at, kind) => sink(indexes[at]!, kind),
  );
}

/** Follows tokens and knows when a file-scope declaration is complete. */
export class BoundaryTracker {
  #depth = 0;
  #braces = 0;
  /** `struct`, `union` or `enum` was read and its body may follow. */
  #tagOpen = false;
  #initializer = false;
  #functionBody = false;
  #fresh = true;
  #previous: number = item.noise;

  /** No declaration has begun since the last one ended. */
  get atBoundary(): boolean {
    return this.#fresh;
  }

  /** What the brace just taken opened. */
  get bodyKind(): number {
    return this.#functionBody ? item.functionBody : item.body;
  }

  /** Takes the next token; true if it ends a declaration. */
  take(token: Token): boolean {
    const kind = kindOf(token);
    const previous = this.#previous;
    this.#previous = kind;
    this.#fresh = false;
    switch (kind) {
      case item.lParen:
        // `struct s f(` declares a function; an attribute's group says nothing.
        if (this.#outside() && previous !== item.group) this.#tagOpen = false;
        this.#depth += 1;
        return false;
      case item.lBracket:
        this.#depth += 1;
        return false;
      case item.rParen:
      case item.rBracket:
        if (this.#depth > 0) this.#depth -= 1;
        return false;
      case item.lBrace:
        if (this.#depth === 0 && this.#braces === 0)
          this.#functionBody = !this.#tagOpen && !this.#initializer;
        if (this.#depth === 0) this.#tagOpen = false;
        this.#braces += 1;
        return false;
      case item.rBrace:
        if (this.#braces > 0) this.#braces -= 1;
        return this.#braces === 0 && this.#functionBody && this.#finish();
      case item.semicolon:
        // Even inside parentheses: those were left open by mistake.
        return this.#braces === 0 && this.#finish();
      case item.structUnion:
      case item.enum:
        if (this.#outside()) this.#tagOpen = true;
        return false;
      case item.assign:
        if (this.#outside()) this.#initializer = true;
        this.#tagOpen = false;
        return false;
      case item.star:
      case item.comma:
        if (this.#outside()) this.#tagOpen = false;
        return false;
      default:
        return false;
    }
  }

  #outside(): boolean {
    return this.#depth === 0 && this.#braces === 0;
  }

  #finish(): boolean {
    this.#depth = 0;
    this.#braces = 0;
    this.#tagOpen = false;
    this.#initializer = false;
    this.#functionBody = false;
    this.#fresh = true;
    return true;
  }
}
