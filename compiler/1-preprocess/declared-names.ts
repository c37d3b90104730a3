/**
 * Finds what a file-scope declaration declares without parsing it: typedef names, tags,
 * enumerators, variables and functions. Works on items (tokens reduced to what matters), so that
 * the text splitter and the token splitter share it.
 */
import { declaredKind } from "./header-table.ts";

/** What an item is; numbers, because there are half a million of them in a vmlinux.h. */
export const item = {
  identifier: 0,
  structUnion: 1,
  enum: 2,
  typedef: 3,
  static: 4,
  extern: 5,
  /** A word followed by a parenthesised group that declares nothing: attributes, typeof, _Alignas, _Atomic. */
  group: 6,
  asm: 7,
  staticAssert: 8,
  /** Type words, qualifiers, `inline`, numbers, operators: nothing of interest. */
  noise: 9,
  star: 10,
  comma: 11,
  semicolon: 12,
  assign: 13,
  colon: 14,
  lParen: 15,
  rParen: 16,
  lBracket: 17,
  rBracket: 18,
  lBrace: 19,
  rBrace: 20,
  /** Braces of a struct, union, enum or initialiser with all that is in them. */
  body: 21,
  /** Braces of a function. */
  functionBody: 22,
} as const;

/** The items of one declaration outside its braces. */
export interface ItemList {
  readonly count: number;
  readonly kinds: ArrayLike<number>;
  /** The spelling of an identifier item. */
  text(index: number): string;
}

/** Takes names as they are found: the item that spells one, and a {@link declaredKind}. */
export type NameSink = (index: number, kind: number) => void;

/** Which braces the scanner is in. */
const ENUM_BODY = 1;
const OTHER_BODY = 0;

/**
 * Follows the tokens of a declaration and reports tags that are defined or forward-declared, and
 * enumerators; also those inside other bodies, for they have file scope. The text splitter has the
 * same logic in its loop.
 */
export class TagScanner {
  readonly #sink: NameSink;
  readonly #bodies: number[] = [];
  #parens = 0;
  #tagWord = 0;
  #tagName = -1;
  /** Depth of parentheses where the tag word stood. */
  #tagParens = 0;
  /** Behind the colon of `enum tag : type {`. */
  #enumBase = false;
  #expectEnumerator = false;

  constructor(sink: NameSink) {
    this.#sink = sink;
  }

  take(kind: number, index: number): void {
    switch (kind) {
      case item.structUnion:
      case item.enum:
        this.#tagWord = kind;
        this.#tagName = -1;
        this.#tagParens = this.#parens;
        this.#enumBase = false;
        return;
      case item.identifier:
        this.#identifier(index);
        return;
      case item.lBrace:
        this.#open();
        return;
      case item.rBrace:
        this.#bodies.pop();
        this.#tagWord = 0;
        this.#expectEnumerator = false;
        return;
      case item.lParen:
      case item.lBracket:
        this.#parens += 1;
        return;
      case item.rParen:
      case item.rBracket:
        this.#parens -= 1;
        // The last parameter's type is no head of the braces behind.
        if (this.#parens < this.#tagParens) this.#tagWord = 0;
        return;
      case item.comma:
        this.#tagWord = 0;
        this.#expectEnumerator = this.#parens === 0 && this.#bodies.at(-1) === ENUM_BODY;
        return;
      case item.semicolon:
        if (this.#bodies.length === 0 && this.#tagWord !== 0 && this.#tagName >= 0)
          this.#sink(this.#tagName, declaredKind.tag);
        this.#tagWord = 0;
        return;
      case item.star:
      case item.assign:
        this.#tagWord = 0;
        return;
      case item.colon:
        this.#enumBase = this.#tagWord === item.enum;
        return;
      default:
        return;
    }
  }

  #identifier(index: number): void {
    if (this.#parens > 0) return;
    if (this.#expectEnumerator) {
      this.#sink(index, declaredKind.enumerator);
      this.#expectEnumerator = false;
    } else if (this.#tagWord !== 0 && !this.#enumBase) {
      if (this.#tagName < 0) this.#tagName = index;
      else this.#tagWord = 0;
    }
  }

  #open(): void {
    if (this.#tagWord !== 0 && this.#tagName >= 0) this.#sink(this.#tagName, declaredKind.tag);
    const isEnum = this.#tagWord === item.enum;
    this.#bodies.push(isEnum ? ENUM_BODY : OTHER_BODY);
    this.#expectEnumerator = isEnum;
    this.#tagWord = 0;
  }
}

/**
 * Finds the declared names (tags and enumerators aside) of one declaration. True if it has an
 * effect though no name reaches it: a non-static definition, file asm, an assertion.
 */
export function summarizeDeclaration(items: ItemList, sink: NameSink): boolean {
  return new Summary(items, sink).run();
}

class Summary {
  readonly #items: ItemList;
  readonly #kinds: ArrayLike<number>;
  readonly #count: number;
  readonly #sink: NameSink;

  constructor(items: ItemList, sink: NameSink) {
    this.#sink = sink;
    this.#items = items;
    this.#kinds = items.kinds;
    this.#count = items.count;
  }

  run(): boolean {
    const first = this.#kinds[0];
    if (first === item.staticAssert || first === item.asm) return true;
    let isTypedef = false;
    let isStatic = false;
    let isExtern = false;
    let isUsed = false;
    let defines = false;
    let start = 0;
    let at = 0;
    while (at < this.#count) {
      const kind = this.#kinds[at]!;
      if (kind === item.typedef) isTypedef = true;
      else if (kind === item.static) isStatic = true;
      else if (kind === item.extern) isExtern = true;
      if (kind === item.group || kind === item.asm) {
        isUsed ||= this.#mentionsUsed(at);
        at = this.#afterGroup(at);
      } else if (kind === item.lParen || kind === item.lBracket) {
        at = this.#matching(at) + 1;
      } else if (kind === item.functionBody) {
        this.#declarator(start, at, false);
        defines = true;
        break;
      } else if (kind === item.assign || kind === item.comma || kind === item.semicolon) {
        const isFunction = this.#declarator(start, at, isTypedef);
        if (isFunction !== undefined)
          defines ||= kind === item.assign || (!isFunction && !isExtern);
        if (kind === item.assign) at = this.#afterInitializer(at);
        at += 1;
        start = at;
      } else {
        at += 1;
      }
    }
    return !isTypedef && defines && (!isStatic || isUsed);
  }

  /** Index of the bracket that closes the one at `open`; the end where none does. */
  #matching(open: number): number {
    let depth = 0;
    for (let at = open; at < this.#count; at += 1) {
      const kind = this.#kinds[at]!;
      if (kind === item.lParen || kind === item.lBracket) depth += 1;
      else if (kind === item.rParen || kind === item.rBracket) {
        depth -= 1;
        if (depth === 0) return at;
      }
    }
    return this.#count;
  }

  #afterGroup(word: number): number {
    let open = word + 1;
    // `asm volatile (`, `__attribute__` without its group: take what is there.
    while (open < this.#count && this.#kinds[open] === item.noise) open += 1;
    return this.#kinds[open] === item.lParen ? this.#matching(open) + 1 : word + 1;
  }

  #mentionsUsed(word: number): boolean {
    const end = this.#afterGroup(word);
    for (let at = word + 1; at < end; at += 1) {
      if (this.#kinds[at] !== item.identifier) continue;
      const text = this.#items.text(at);
      if (text === "used" || text === "__used__" || text === "retain" || text === "constructor")
        return true;
    }
    return false;
  }

  /** Finds the name that items `from`…`to` declare; true for a function, undefined for no name. */
  #declarator(from: number, to: number, isTypedef: boolean): boolean | undefined {
    const nameKind = isTypedef ? declaredKind.typedef : declaredKind.object;
    let last = -1;
    let at = from;
    while (at < to) {
      const kind = this.#kinds[at]!;
      if (kind === item.identifier) {
        last = at;
        at += 1;
      } else if (kind === item.group || kind === item.asm) {
        at = this.#afterGroup(at);
      } else if (kind === item.structUnion || kind === item.enum) {
        at = this.#skipTag(at);
      } else if (kind === item.lParen) {
        if (last < 0 || this.#opensDeclarator(at))
          return this.#nested(at, Math.min(this.#matching(at), to), isTypedef);
        this.#sink(last, nameKind);
        return true;
      } else if (kind === item.lBracket) {
        break;
      } else {
        at += 1;
      }
    }
    if (last < 0) return undefined;
    this.#sink(last, nameKind);
    return false;
  }

  /** `(* name)(…)` and `(name)`: the declarator is inside. */
  #nested(open: number, close: number, isTypedef: boolean): boolean | undefined {
    const inner = this.#declarator(open + 1, close, isTypedef);
    if (inner !== false) return inner;
    const isPointer = this.#hasStar(open, close);
    return !isPointer && this.#kinds[close + 1] === item.lParen;
  }

  #hasStar(open: number, close: number): boolean {
    for (let at = open; at < close; at += 1) if (this.#kinds[at] === item.star) return true;
    return false;
  }

  #opensDeclarator(open: number): boolean {
    let at = open + 1;
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    return this.#kinds[at] === item.star || this.#kinds[at] === item.lParen;
  }

  /** Behind `struct tag { … }`, whose names the tag scanner has. */
  #skipTag(word: number): number {
    let at = word + 1;
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    if (this.#kinds[at] === item.identifier) at += 1;
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    if (this.#kinds[word] === item.enum && this.#kinds[at] === item.colon) {
      let body = at + 1;
      while (this.#kinds[body] === item.noise || this.#kinds[body] === item.identifier) body += 1;
      if (this.#kinds[body] === item.body) at = body;
    }
    return this.#kinds[at] === item.body ? at + 1 : at;
  }

  /** At the comma or semicolon behind an initialiser. */
  #afterInitializer(assign: number): number {
    let at = assign + 1;
    while (at < this.#count) {
      const kind = this.#kinds[at]!;
      if (kind === item.comma || kind === item.semicolon) return at;
      if (kind === item.lParen || kind === item.lBracket) at = this.#matching(at);
      at += 1;
    }
    return at;
  }
}
