/**
 * Finds what a file-scope declaration declares without parsing it: typedef names, tags,
 * enumerators, variables and functions. Works on a list of items (tokens reduced to what matters),
 * so that the byte splitter and the token splitter share it.
 */
import type { DeclaredName } from "./stream.ts";

/** What an item is; numbers, because there are half a million of them in a vmlinux.h. */
export const item = {
  identifier: 0,
  structUnion: 1,
  enum: 2,
  typedef: 3,
  static: 4,
  extern: 5,
  /** A word followed by a parenthesised group that declares nothing: attributes, typeof, _Alignas. */
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
} as const;

/** The items of one declaration. */
export interface ItemList {
  readonly count: number;
  readonly kinds: ArrayLike<number>;
  /** The spelling of an identifier item. */
  text(index: number): string;
}

export interface DeclarationSummary {
  readonly names: DeclaredName[];
  readonly unconditional: boolean;
}

export function summarizeDeclaration(items: ItemList): DeclarationSummary {
  return new Summary(items).run();
}

class Summary {
  readonly #items: ItemList;
  readonly #kinds: ArrayLike<number>;
  readonly #count: number;
  readonly #names: DeclaredName[] = [];

  constructor(items: ItemList) {
    this.#items = items;
    this.#kinds = items.kinds;
    this.#count = items.count;
  }

  run(): DeclarationSummary {
    const first = this.#kinds[0];
    if (first === item.staticAssert || first === item.asm)
      return { names: [], unconditional: true };
    let isTypedef = false;
    let isStatic = false;
    let isExtern = false;
    let isUsed = false;
    let defines = false;
    let at = 0;
    let start = 0;
    let isFunctionBody = false;
    while (at < this.#count) {
      const kind = this.#kinds[at]!;
      if (kind === item.typedef) isTypedef = true;
      else if (kind === item.static) isStatic = true;
      else if (kind === item.extern) isExtern = true;
      if (kind === item.group || kind === item.asm) {
        isUsed ||= this.#mentionsUsed(at);
        at = this.#afterGroup(at);
      } else if (kind === item.structUnion || kind === item.enum) {
        at = this.#tag(at);
      } else if (kind === item.lParen || kind === item.lBracket) {
        at = this.#matching(at) + 1;
      } else if (kind === item.lBrace) {
        isFunctionBody = true;
        break;
      } else if (kind === item.assign || kind === item.comma || kind === item.semicolon) {
        const isFunction = this.#declarator(start, at, isTypedef);
        if (kind === item.assign) at = this.#afterInitializer(at);
        if (isFunction !== undefined)
          defines ||= kind === item.assign || (!isFunction && !isExtern);
        if (kind !== item.comma && this.#kinds[at] !== item.comma) break;
        at += 1;
        start = at;
      } else {
        at += 1;
      }
    }
    if (isFunctionBody) {
      this.#declarator(start, at, false);
      defines = true;
    }
    const unconditional = !isTypedef && defines && (!isStatic || isUsed);
    return { names: this.#names, unconditional };
  }

  /** Index of the bracket that closes the one at `open`; the end where none does. */
  #matching(open: number): number {
    let depth = 0;
    for (let at = open; at < this.#count; at += 1) {
      const kind = this.#kinds[at]!;
      if (kind === item.lParen || kind === item.lBracket || kind === item.lBrace) depth += 1;
      else if (kind === item.rParen || kind === item.rBracket || kind === item.rBrace) {
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

  /** From `struct`, `union` or `enum`: notes its tag and what its body declares. */
  #tag(word: number): number {
    const isEnum = this.#kinds[word] === item.enum;
    let at = word + 1;
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    let tag: number | undefined;
    if (this.#kinds[at] === item.identifier) {
      tag = at;
      at += 1;
    }
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    if (isEnum && this.#kinds[at] === item.colon) {
      let body = at + 1;
      while (this.#kinds[body] === item.noise || this.#kinds[body] === item.identifier) body += 1;
      if (this.#kinds[body] === item.lBrace) at = body;
    }
    const hasBody = at < this.#count && this.#kinds[at] === item.lBrace;
    const isForward = this.#kinds[at] === item.semicolon && tag !== undefined;
    if (tag !== undefined && (hasBody || isForward)) this.#add(tag, "tag");
    if (!hasBody) return at;
    const close = this.#matching(at);
    if (isEnum) this.#enumerators(at, close);
    else this.#members(at, close);
    return close + 1;
  }

  #add(index: number, kind: DeclaredName["kind"]): void {
    this.#names.push({ name: this.#items.text(index), kind });
  }

  #enumerators(open: number, close: number): void {
    let expectName = true;
    let at = open + 1;
    while (at < close) {
      const kind = this.#kinds[at]!;
      if (kind === item.identifier && expectName) {
        this.#add(at, "enumerator");
        expectName = false;
      } else if (kind === item.comma) {
        expectName = true;
      } else if (kind === item.lParen || kind === item.lBracket || kind === item.lBrace) {
        at = this.#matching(at);
      }
      at += 1;
    }
  }

  /** Tags and enumerators defined among members have file scope. */
  #members(open: number, close: number): void {
    let at = open + 1;
    while (at < close) {
      const kind = this.#kinds[at]!;
      if (kind === item.structUnion || kind === item.enum) at = this.#tag(at);
      else at += 1;
    }
  }

  /** Finds the name that items `from`…`to` declare; true for a function, undefined for no name. */
  #declarator(from: number, to: number, isTypedef: boolean): boolean | undefined {
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
        this.#add(last, isTypedef ? "typedef" : "object");
        return true;
      } else if (kind === item.lBracket) {
        break;
      } else {
        at += 1;
      }
    }
    if (last < 0) return undefined;
    this.#add(last, isTypedef ? "typedef" : "object");
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

  #skipTag(word: number): number {
    let at = word + 1;
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    if (this.#kinds[at] === item.identifier) at += 1;
    while (this.#kinds[at] === item.group) at = this.#afterGroup(at);
    if (this.#kinds[word] === item.enum && this.#kinds[at] === item.colon) {
      let body = at + 1;
      while (this.#kinds[body] === item.noise || this.#kinds[body] === item.identifier) body += 1;
      if (this.#kinds[body] === item.lBrace) at = body;
    }
    return this.#kinds[at] === item.lBrace ? this.#matching(at) + 1 : at;
  }

  #afterInitializer(assign: number): number {
    let at = assign + 1;
    while (at < this.#count) {
      const kind = this.#kinds[at]!;
      if (kind === item.comma || kind === item.semicolon) return at;
      if (kind === item.lParen || kind === item.lBracket || kind === item.lBrace)
        at = this.#matching(at);
      at += 1;
    }
    return at;
  }
}
