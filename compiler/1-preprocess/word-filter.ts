/**
 * Tells the text splitter which words of a header it must look at: keywords that shape a
 * declaration, and macros. A table of 64 Ki slots keyed by a word's first two and last characters
 * and its length; most words of a header fall into an empty slot and are passed without being made
 * into strings.
 */
import { item } from "./declared-names.ts";
import type { Identifier } from "./identifiers.ts";
import { keywords, tokenTypes as t } from "./token-types.ts";

const SLOTS = 1 << 16;

/** Answers of {@link WordFilter.kindOf} beside the item kinds. */
export const MACRO = -1;

const kindsByType = new Map([
  [t.StructUnion, item.structUnion],
  [t.Enum, item.enum],
  [t.Attribute, item.group],
  [t.Typeof, item.group],
  [t.Atomic, item.group],
  [t.Alignas, item.group],
  [t.Asm, item.asm],
  [t.StaticAssert, item.staticAssert],
]);

const kindsByWord: ReadonlyMap<string, number> = new Map([
  ["typedef", item.typedef],
  ["static", item.static],
  ["extern", item.extern],
]);

interface Entry {
  readonly text: string;
  readonly identifier: Identifier;
  /** What the word is when it is no macro. */
  readonly kind: number;
  /** Index of the next entry in the slot, or -1. */
  readonly next: number;
}

export function slotOf(first: number, second: number, last: number, length: number): number {
  return (first * 67 + second * 1031 + last * 4099 + length * 251) & (SLOTS - 1);
}

export class WordFilter {
  /** 1 + index of the slot's first entry; 0 where the slot is empty. */
  readonly slots = new Int32Array(SLOTS);
  readonly #entries: Entry[] = [];
  /** How often a macro was defined. */
  definitions = 0;

  constructor(identifierOf: (text: string) => Identifier) {
    for (const [text] of keywords) this.add(identifierOf(text));
    // Not a keyword, but carried out like a macro.
    this.add(identifierOf("_Pragma"));
  }

  /** Makes the splitter look at a word, from now on. */
  add(identifier: Identifier): void {
    const { text, tokenType } = identifier;
    if (identifier.isWatched) return;
    identifier.isWatched = true;
    const length = text.length;
    const second = length > 1 ? text.charCodeAt(1) : 0;
    const slot = slotOf(text.charCodeAt(0), second, text.charCodeAt(length - 1), length);
    const isKeyword = tokenType !== t.Identifier;
    const plainKind = isKeyword ? item.noise : item.identifier;
    const kind = kindsByWord.get(text) ?? kindsByType.get(tokenType) ?? plainKind;
    this.#entries.push({ text, identifier, kind, next: this.slots[slot]! - 1 });
    this.slots[slot] = this.#entries.length;
  }

  /** The item kind of the word at `start`, found through its slot's `head`; {@link MACRO} for macros. */
  kindOf(head: number, source: string, start: number, length: number): number {
    for (let index = head - 1; index >= 0; ) {
      const { text, identifier, kind, next } = this.#entries[index]!;
      if (text.length === length && source.startsWith(text, start)) {
        if (identifier.macro !== undefined || identifier.poisoned) return MACRO;
        return text === "_Pragma" ? MACRO : kind;
      }
      index = next;
    }
    return item.identifier;
  }

  #kindOfWord(word: string): number {
    const { length } = word;
    const second = length > 1 ? word.charCodeAt(1) : 0;
    const slot = slotOf(word.charCodeAt(0), second, word.charCodeAt(length - 1), length);
    return this.kindOf(this.slots[slot]!, word, 0, length);
  }

  isMacro(word: string): boolean {
    return this.#kindOfWord(word) === MACRO;
  }

  isKeyword(word: string): boolean {
    return this.#kindOfWord(word) !== item.identifier;
  }

  /** Everything that is a macro now. */
  macroNames(): string[] {
    return this.#entries.map(({ text }) => text).filter((text) => this.isMacro(text));
  }
}
