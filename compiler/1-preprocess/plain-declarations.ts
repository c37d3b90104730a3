/**
 * The usual declarations of a large header as tools write it (vmlinux.h has 134,000 lines of them), told
 * by regular expressions, which the engine has as machine code from the start: `struct` and `union` with
 * members a line, `enum` with enumerators a line, `typedef` of plain types. Whatever looks different is
 * left to the text splitter, which finds the same in these.
 *
 * Needs: no macro's name in what is read; the first that is taken looks for that, in all of the
 * rest of the header at once.
 */
import { classAt, IDENTIFIER_PART } from "./characters.ts";
import { declaredKind, type FoundNames, type TextUnits } from "./header-table.ts";
import type { WordFilter } from "./word-filter.ts";

/** Of shorter headers the splitter has read most before this would pay. */
export const SHORTEST_PLAIN = 1 << 18;
/** With more macros than this beside those named `…__` looking for them costs too much. */
const MOST_NAMES = 60;
/** How often the header is searched again because it defined a macro. */
const MOST_SEARCHES = 3;
/** Depth of structs without a tag inside one. */
const DEEPEST = 5;

/** Of the words that these declarations start with: e, s, t, u. */
const firstLetters = new Uint8Array(256);
for (const letter of [101, 115, 116, 117]) firstLetters[letter] = 1;

const LINE_FEED = 10;
const TAB = 9;

/** A member on a line of its own, or a struct without a tag with its members one tab further in. */
function memberPattern(depth: number): string {
  const tabs = `\\t{${depth}}`;
  const text = String.raw`[ \w*;:,()[\]]`;
  const line = String.raw`${tabs}\w${text}*\n`;
  if (depth > DEEPEST) return line;
  const inner = memberPattern(depth + 1);
  return String.raw`(?:${line}|${tabs}(?:struct|union) \{\n${inner}*${tabs}\}${text}*;\n)`;
}

const members = memberPattern(1);
const attribute = String.raw`(?: __attribute__\(\([\w()]*\)\))?`;
const record = new RegExp(
  String.raw`(?:struct|union) \w+(?: \{(?:\n${members}*)?\}${attribute})?;`,
  "y",
);
const typedef = /typedef \w[\w ]* (?:\**\w+|\**\(\*\w+\)\([\w *,.()[\]]*\));/y;
const enumHead = /enum(?: \w+)? \{\n/y;

/** Reads one header. What was found last is in the names, and in `start`, `end` and `count`. */
export class PlainDeclarations {
  start = 0;
  end = 0;
  /** How many names it has. */
  count = 0;
  readonly #text: string;
  readonly #units: TextUnits;
  readonly #filter: WordFilter;
  readonly #names: FoundNames;
  /** The number of definitions for which the header was searched; -1 before. */
  #searchedFor = -1;
  #searches = 0;
  #isFree = false;

  constructor(text: string, units: TextUnits, filter: WordFilter, names: FoundNames) {
    this.#text = text;
    this.#units = units;
    this.#filter = filter;
    this.#names = names;
  }

  /** Whether no macro's name stands in the header from an offset on, in directives aside. */
  #mayTake(from: number): boolean {
    const { definitions } = this.#filter;
    if (this.#searchedFor === definitions) return this.#isFree;
    this.#searchedFor = definitions;
    this.#searches += 1;
    this.#isFree = this.#searches <= MOST_SEARCHES && this.#hasNoMacro(from);
    return this.#isFree;
  }

  #hasNoMacro(from: number): boolean {
    const names = this.#filter.macroNames();
    // The target's macros are named `…__` or `__X…`; and few other words of a header are.
    const others = names.filter((name) => !/^__[A-Z]|__$/.test(name));
    if (others.length > MOST_NAMES || others.some((name) => /\W/.test(name))) return false;
    const words = ["__\\b", "\\b__[A-Z]\\w*", ...others.map((name) => `\\b${name}\\b`)];
    const search = new RegExp(words.join("|"), "g");
    search.lastIndex = from;
    const text = this.#text;
    for (let hit = search.exec(text); hit !== null; hit = search.exec(text)) {
      const end = search.lastIndex;
      let start = hit.index;
      while (start > 0 && (classAt(text.charCodeAt(start - 1)) & IDENTIFIER_PART) !== 0) start -= 1;
      if (!this.#filter.isMacro(text.slice(start, end))) continue;
      if (text[text.lastIndexOf("\n", start) + 1] !== "#") return false;
    }
    return true;
  }

  /** Reads the declaration behind an offset, line breaks aside; false if it is none of the usual ones. */
  take(from: number): boolean {
    const units = this.#units;
    let at = from;
    while (units[at] === LINE_FEED) at += 1;
    this.start = at;
    const first = units[at]!;
    if (firstLetters[first] !== 1 || !this.#mayTake(at)) return false;
    // As above.
    switch (first) {
      case 115:
        return this.#takeRecord(at, at + "struct ".length);
      case 117:
        return this.#takeRecord(at, at + "union ".length);
      case 116:
        return this.#takeTypedef(at);
      case 101:
        return this.#takeEnum(at);
      default:
        return false;
    }
  }

  #add(start: number, length: number, kind: number): void {
    const { nameStarts, nameLengths, nameKinds } = this.#names;
    nameStarts[this.count] = start;
    nameLengths[this.count] = length;
    nameKinds[this.count] = kind;
    this.count += 1;
  }

  #takeRecord(at: number, name: number): boolean {
    record.lastIndex = at;
    if (!record.test(this.#text)) return false;
    this.end = record.lastIndex;
    this.count = 0;
    this.#add(name, this.#endOfWord(name) - name, declaredKind.tag);
    return true;
  }

  #takeTypedef(at: number): boolean {
    typedef.lastIndex = at;
    if (!typedef.test(this.#text)) return false;
    this.end = typedef.lastIndex;
    this.count = 0;
    const units = this.#units;
    const last = this.end - 1;
    // `)`: of a pointer to a function, whose name stands behind the first star in parentheses.
    if (units[last - 1] === 41) {
      const start = this.#text.indexOf("(*", at) + 2;
      this.#add(start, this.#endOfWord(start) - start, declaredKind.typedef);
      return true;
    }
    let start = last;
    while ((classAt(units[start - 1]!) & IDENTIFIER_PART) !== 0) start -= 1;
    if (this.#filter.isKeyword(this.#text.slice(start, last))) return false;
    this.#add(start, last - start, declaredKind.typedef);
    return true;
  }

  #endOfWord(from: number): number {
    const units = this.#units;
    let at = from;
    while ((classAt(units[at]!) & IDENTIFIER_PART) !== 0) at += 1;
    return at;
  }

  #takeEnum(at: number): boolean {
    enumHead.lastIndex = at;
    if (!enumHead.test(this.#text)) return false;
    const name = at + "enum ".length;
    const end = this.#endOfWord(name);
    this.count = 0;
    if (end > name) this.#add(name, end - name, declaredKind.tag);
    const body = this.#takeEnumerators(enumHead.lastIndex);
    // `};`
    if (this.#units[body] !== 125 || this.#units[body + 1] !== 59) return false;
    this.end = body + 2;
    return true;
  }

  /** Lines `NAME,` and `NAME = number,`; gives the offset of what is none. */
  #takeEnumerators(from: number): number {
    const units = this.#units;
    const { nameStarts, nameLengths, nameKinds } = this.#names;
    const most = nameStarts.length;
    let { count } = this;
    let line = from;
    while (units[line] === TAB && count < most) {
      const name = line + 1;
      let at = name;
      // Letters, digits and `_`; what is no letter at the start, or another sign, ends the loop below.
      for (let unit = units[at]!; isWordUnit(unit); unit = units[at]!) at += 1;
      const end = at;
      if (units[at] === 32 && units[at + 1] === 61 && units[at + 2] === 32) {
        at += 3;
        if (units[at] === 45) at += 1;
        for (let unit = units[at]!; isWordUnit(unit); unit = units[at]!) at += 1;
      }
      if (units[at] === 44) at += 1;
      if (units[at] !== LINE_FEED || end === name) break;
      nameStarts[count] = name;
      nameLengths[count] = end - name;
      nameKinds[count] = declaredKind.enumerator;
      count += 1;
      line = at + 1;
    }
    this.count = count;
    return line;
  }
}

function isWordUnit(unit: number): boolean {
  if (unit < 65) return unit >= 48 && unit <= 57;
  return unit <= 90 || unit === 95 || (unit >= 97 && unit <= 122);
}
