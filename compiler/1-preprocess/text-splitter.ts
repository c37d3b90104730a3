/**
 * Splits the text of a header into file-scope declarations without making tokens: one loop over
 * its characters that notes brackets, keywords and possible names in typed arrays. A declaration
 * in which a macro, a directive or anything unusual occurs is left to the ordinary path.
 *
 * One long function on purpose: half a million tokens pass through it in a cold process.
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import { classAt, IDENTIFIER_PART, IDENTIFIER_START } from "./characters.ts";
import { type ItemList, item, summarizeDeclaration } from "./declared-names.ts";
import { declaredKind, type FoundNames, type NameTable, type TextUnits } from "./header-table.ts";
import { PlainDeclarations, SHORTEST_PLAIN } from "./plain-declarations.ts";
import { MACRO, slotOf, type WordFilter } from "./word-filter.ts";

/** What {@link TextSplitter.next} found. */
export const split = {
  /** A declaration: `start` to `end`. */
  declaration: 0,
  /** A directive: `end` is at its `#`. */
  directive: 1,
  /** Something for the ordinary path: `end` is where it starts. */
  other: 2,
} as const;

/** Classes of the loop. */
const ODD = 0;
const SPACE = 1;
const WORD = 2;
const NUMBER = 3;
const NEWLINE = 4;
const QUOTE = 5;
const SLASH = 6;
const PUNCTUATION = 7;

function loopClass(code: number): number {
  if (code === 10) return NEWLINE;
  if (code === 32 || code === 9 || code === 13 || code === 12 || code === 11) return SPACE;
  if (code >= 128) return ODD;
  const kind = classAt(code);
  if ((kind & IDENTIFIER_START) !== 0) return WORD;
  if ((kind & IDENTIFIER_PART) !== 0) return NUMBER;
  if (code === 34 || code === 39) return QUOTE;
  if (code === 47) return SLASH;
  return code < 32 || code === 92 || code === 64 || code === 96 ? ODD : PUNCTUATION;
}

/** By UTF-16 unit. Odd ones are left as they are: this runs at every start, and memory that is touched is dear. */
const loopClasses = new Uint8Array(65536);
for (let code = 0; code < 128; code += 1) loopClasses[code] = loopClass(code);
const punctuationKinds = new Uint8Array(128).fill(item.noise);
for (const [text, kind] of [
  ["*", item.star],
  [",", item.comma],
  [";", item.semicolon],
  ["=", item.assign],
  [":", item.colon],
  ["(", item.lParen],
  [")", item.rParen],
  ["[", item.lBracket],
  ["]", item.rBracket],
  ["{", item.lBrace],
  ["}", item.rBrace],
] as const)
  punctuationKinds[text.charCodeAt(0)] = kind;

/** Items of one declaration outside its braces; longer ones are left to the ordinary path. */
const MAX_ITEMS = 1 << 12;
/** Tags and enumerators of one declaration. */
const MAX_NAMES = 1 << 13;
/** Braces nested deeper than this are left to the ordinary path. */
const MAX_BRACES = 100;

/** Typed arrays that are used for one declaration after the other. */
export class SplitterArrays implements FoundNames {
  readonly kinds: Uint8Array = new Uint8Array(MAX_ITEMS);
  readonly starts: Int32Array = new Int32Array(MAX_ITEMS);
  readonly lengths: Int32Array = new Int32Array(MAX_ITEMS);
  readonly nameStarts: Int32Array = new Int32Array(MAX_NAMES);
  readonly nameLengths: Int32Array = new Int32Array(MAX_NAMES);
  readonly nameKinds: Uint8Array = new Uint8Array(MAX_NAMES);
  /** For each open brace 1 if it is an enum's. */
  readonly bodies: Uint8Array = new Uint8Array(MAX_BRACES + 1);
}

// These are small so that the engine optimises them early: most of a header is words and blanks.

function endOfWord(units: TextUnits, from: number, length: number): number {
  let at = from;
  while (at < length) {
    const part = loopClasses[units[at]!]!;
    if (part !== WORD && part !== NUMBER) return at;
    at += 1;
  }
  return at;
}

function endOfBlanks(units: TextUnits, from: number, length: number): number {
  let at = from;
  while (at < length && loopClasses[units[at]!] === SPACE) at += 1;
  return at;
}

/** Splits one file. */
export class TextSplitter implements ItemList {
  readonly #text: string;
  readonly #units: TextUnits;
  readonly #filter: WordFilter;
  readonly #arrays: SplitterArrays;
  /** Items of the declaration found last, and their kinds. */
  count = 0;
  readonly kinds: Uint8Array;
  nameCount = 0;
  /** Its braces are an initialiser's. */
  #isInitialized = false;
  start = 0;
  end = 0;
  readonly #plain: PlainDeclarations | undefined;
  /** The declaration found last is one of the usual ones of a large header. */
  #isPlain = false;

  constructor(file: SourceFile, units: TextUnits, filter: WordFilter, arrays: SplitterArrays) {
    this.#text = file.text;
    this.#units = units;
    this.#filter = filter;
    this.#arrays = arrays;
    this.kinds = arrays.kinds;
    this.#plain =
      file.text.length < SHORTEST_PLAIN
        ? undefined
        : new PlainDeclarations(file.text, units, filter, arrays);
  }

  text(index: number): string {
    const { starts, lengths } = this.#arrays;
    return this.#text.slice(starts[index]!, starts[index]! + lengths[index]!);
  }

  /** Adds the names of the declaration found last to the table; true if it is unconditional. */
  addNames(table: NameTable, declaration: number): boolean {
    const text = this.#text;
    if (this.nameCount > 0)
      table.addNames(text, this.#units, this.#arrays, this.nameCount, declaration);
    if (this.#isPlain) return false;
    // `struct s { … };` and `struct s;`, most of a vmlinux.h, declare nothing else.
    const { kinds, count } = this;
    const isTagOnly =
      (kinds[0] === item.structUnion || kinds[0] === item.enum) &&
      kinds[count - 1] === item.semicolon &&
      !this.#isInitialized &&
      (kinds[count - 2] === item.body || (count === 3 && kinds[1] === item.identifier));
    if (isTagOnly) return false;
    const { starts, lengths } = this.#arrays;
    return summarizeDeclaration(this, (index, kind) =>
      table.addName(text, starts[index]!, lengths[index]!, kind, declaration),
    );
  }

  /** Looks at the text from an offset where a declaration or directive may start. */
  next(from: number, atLineStart: boolean): number {
    const plain = this.#plain;
    this.#isPlain = plain?.take(from) === true;
    if (plain === undefined || !this.#isPlain) return this.#scan(from, atLineStart);
    this.start = plain.start;
    this.end = plain.end;
    // As of a name and a semicolon.
    this.count = 2;
    this.nameCount = plain.count;
    return split.declaration;
  }

  // biome-ignore lint/complexity/noExcessiveLinesPerFunction: see the head of this file.
  #scan(from: number, atLineStart: boolean): number {
    const units = this.#units;
    const text = this.#text;
    const filter = this.#filter;
    const { slots } = filter;
    const { kinds, starts, lengths, nameStarts, nameLengths, nameKinds, bodies } = this.#arrays;
    const length = units.length;
    let count = 0;
    let names = 0;
    let parens = 0;
    let braces = 0;
    let lineStart = atLineStart;
    let initializer = false;
    let functionBody = false;
    // As in TagScanner: the `struct` word that was seen, its tag, and whether an enumerator is due.
    let tagWord = 0;
    let tagStart = -1;
    let tagLength = 0;
    let tagParens = 0;
    // Behind the colon of `enum tag : type {`.
    let enumBase = false;
    let expectEnumerator = false;
    let previous: number = item.noise;
    let at = from;
    this.start = from;
    this.end = from;
    while (at < length) {
      const code = units[at]!;
      const kind = loopClasses[code]!;
      if (kind === SPACE) {
        at = endOfBlanks(units, at + 1, length);
        continue;
      }
      if (kind === NEWLINE) {
        at += 1;
        lineStart = true;
        continue;
      }
      if (kind === SLASH) {
        const next = units[at + 1];
        if (next === 42) {
          const close = text.indexOf("*/", at + 2);
          if (close < 0) break;
          at = close + 2;
        } else if (next === 47) {
          const close = text.indexOf("\n", at + 2);
          // A comment that a backslash continues is left to the ordinary path.
          if (close < 0 || units[close - 1] === 92 || units[close - 2] === 92) break;
          at = close;
        } else at += 1;
        continue;
      }
      if (count === 0) {
        this.start = at;
        this.end = at;
        if (code === 35 && lineStart) return split.directive;
      }
      lineStart = false;
      const begin = at;
      let found: number = item.noise;
      at += 1;
      if (kind === WORD) {
        at = endOfWord(units, at, length);
        const size = at - begin;
        const second = size > 1 ? units[begin + 1]! : 0;
        const head = slots[slotOf(code, second, units[at - 1]!, size)]!;
        found = head === 0 ? item.identifier : filter.kindOf(head, text, begin, size);
        if (found === MACRO || loopClasses[units[at]!] === QUOTE) return split.other;
        if (found === item.identifier) {
          if (parens === 0) {
            if (expectEnumerator) {
              if (names === MAX_NAMES) return split.other;
              nameStarts[names] = begin;
              nameLengths[names] = size;
              nameKinds[names] = declaredKind.enumerator;
              names += 1;
              expectEnumerator = false;
            } else if (tagWord !== 0 && !enumBase) {
              if (tagStart < 0) {
                tagStart = begin;
                tagLength = size;
              } else tagWord = 0;
            }
          }
        } else if (found <= item.enum) {
          tagWord = found;
          tagStart = -1;
          tagParens = parens;
          enumBase = false;
        }
        if (braces > 0) continue;
      } else if (kind === PUNCTUATION) {
        found = punctuationKinds[code]!;
        switch (found) {
          case item.lParen:
          case item.lBracket:
            // `struct s f(` declares a function; an attribute's group says nothing.
            if (parens === 0 && braces === 0 && previous !== item.group) tagWord = 0;
            parens += 1;
            break;
          case item.rParen:
          case item.rBracket:
            if (parens === 0) return split.other;
            parens -= 1;
            // The last parameter's type is no head of the braces behind.
            if (parens < tagParens) tagWord = 0;
            break;
          case item.lBrace:
            if (braces === MAX_BRACES || (names === MAX_NAMES && tagWord !== 0)) return split.other;
            if (tagWord !== 0 && tagStart >= 0) {
              nameStarts[names] = tagStart;
              nameLengths[names] = tagLength;
              nameKinds[names] = declaredKind.tag;
              names += 1;
            }
            if (parens === 0 && braces === 0) functionBody = tagWord === 0 && !initializer;
            expectEnumerator = tagWord === item.enum;
            bodies[braces] = expectEnumerator ? 1 : 0;
            tagWord = 0;
            braces += 1;
            if (braces === 1) {
              found = functionBody ? item.functionBody : item.body;
              break;
            }
            continue;
          case item.rBrace:
            if (braces === 0) return split.other;
            braces -= 1;
            tagWord = 0;
            expectEnumerator = false;
            if (braces === 0 && parens === 0 && functionBody) {
              this.count = count;
              this.nameCount = names;
              this.#isInitialized = false;
              this.end = at;
              return split.declaration;
            }
            continue;
          case item.semicolon:
            if (braces === 0) {
              if (parens > 0 || count + 1 >= MAX_ITEMS) return split.other;
              if (tagWord !== 0 && tagStart >= 0) {
                nameStarts[names] = tagStart;
                nameLengths[names] = tagLength;
                nameKinds[names] = declaredKind.tag;
                names += 1;
              }
              kinds[count] = found;
              this.count = count + 1;
              this.nameCount = names;
              this.#isInitialized = initializer;
              this.end = at;
              return split.declaration;
            }
            tagWord = 0;
            break;
          case item.comma:
            tagWord = 0;
            expectEnumerator = parens === 0 && braces > 0 && bodies[braces - 1] === 1;
            break;
          case item.assign:
            if (parens === 0 && braces === 0) initializer = true;
            tagWord = 0;
            break;
          case item.star:
            tagWord = 0;
            break;
          case item.colon:
            enumBase = tagWord === item.enum;
            break;
          default:
            if (code === 35) return split.other;
            break;
        }
        if (braces > 0 && found < item.body) continue;
      } else if (kind === NUMBER) {
        while (at < length) {
          const part = loopClasses[units[at]!]!;
          if (part !== WORD && part !== NUMBER && units[at] !== 46) break;
          at += 1;
        }
        if (braces > 0) continue;
      } else if (kind === QUOTE) {
        while (at < length && units[at] !== code) {
          if (units[at] === 10) return split.other;
          at += units[at] === 92 ? 2 : 1;
        }
        at += 1;
        if (braces > 0) continue;
      } else {
        return split.other;
      }
      if (count === MAX_ITEMS) return split.other;
      kinds[count] = found;
      starts[count] = begin;
      lengths[count] = at - begin;
      count += 1;
      previous = found;
    }
    return split.other;
  }
}
