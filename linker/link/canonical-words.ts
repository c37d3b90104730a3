/**
 * The words of BTF types made comparable: two types say the same themselves exactly if their words
 * are equal. References are 0 (they are compared as edges), strings are numbers of `ByteStrings`,
 * bits without a meaning are clear. The layout is the file's.
 */
import type { TypeId } from "../../common/object/btf.ts";
import { BTF_INT_CHAR, BTF_INT_SIGNED, btfKindNumbers } from "../../common/object/btf-constants.ts";
import { headWords, type PackedBtf } from "../../common/object/packed-btf.ts";
import type { ByteStrings } from "./byte-strings.ts";
import {
  kindColumns,
  nameWord,
  nextColumns,
  typeWord,
  wordMasks,
  wordRoles,
} from "./word-roles.ts";

const { int, datasec } = btfKindNumbers;
const signedChar = (BTF_INT_SIGNED | BTF_INT_CHAR) << 24;

/** gcc marks `char` as both signed and char, which the kernel refuses; clang says signed. */
function encodingOf(word: number): number {
  return (word & signedChar) === signedChar ? word & ~(BTF_INT_CHAR << 24) : word;
}

/** Where the words of all inputs' types go. */
export interface CanonicalWords {
  readonly words: Uint32Array;
  /** Of each type's words, by id - 1. */
  readonly hashes: Int32Array;
  readonly strings: ByteStrings;
}

/**
 * Writes all types of `packed`, the first word at `shift` and the first type as `base` + 1. Sections
 * are left out, because linking makes them anew. One loop, as in pack-btf.ts.
 */
export function canonicalWords(
  { words, starts, kinds, strings: table }: PackedBtf,
  { words: out, hashes, strings }: CanonicalWords,
  shift: number,
  base: TypeId,
): void {
  // Numbers of the strings that were used before, by offset in the input's table.
  const known = new Int32Array(table.length);
  for (let index = 0; index < kinds.length; index++) {
    const kind = kinds[index]!;
    if (kind === datasec) continue;
    const end = starts[index + 1]!;
    const row = kind * kindColumns;
    let column = 0;
    let hash = 0;
    for (let at = starts[index]!; at < end; at++) {
      const role = wordRoles[row + column]!;
      let word = 0;
      if (role === nameWord) {
        const offset = words[at]!;
        word = known[offset]!;
        if (word === 0 && offset !== 0) {
          word = strings.addFrom(table, offset);
          known[offset] = word;
        }
      } else if (role !== typeWord) {
        word = words[at]! & wordMasks[row + column]!;
        if (kind === int && column === headWords) word = encodingOf(word);
      }
      out[at + shift] = word;
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
      column = nextColumns[row + column]!;
    }
    hashes[base + index] = hash;
  }
}
