/**
 * The words of BTF types made comparable: two types say the same themselves exactly if their words
 * are equal. References are 0 (they are compared as edges), strings are numbers of `ByteStrings`,
 * bits without a meaning are clear. The layout is the file's.
 */
import type { BtfType } from "../../common/object/btf.ts";
import { BTF_INT_CHAR, BTF_INT_SIGNED, btfKindNumbers } from "../../common/object/btf-constants.ts";
import {
  elementType,
  elementWords,
  fixedWords,
  headIsType,
  headWords,
  type PackedBtf,
} from "../../common/object/packed-btf.ts";
import type { ByteStrings } from "./byte-strings.ts";

const tableOf = (kinds: readonly BtfType["kind"][]): Uint8Array => {
  const table = new Uint8Array(32);
  for (const kind of kinds) table[btfKindNumbers[kind]] = 1;
  return table;
};
/** Kinds whose name means nothing. */
export const nameless = tableOf(["ptr", "array", "volatile", "const", "restrict", "func_proto"]);
/** Kinds whose third word is neither a size nor a type. */
const sizeless = tableOf(["array", "fwd"]);

/** Bits of the info word that mean something: kind_flag, kind, vlen. */
const infoMasks = new Uint32Array(32).fill(0x1f00_0000);
for (const kind of ["struct", "union", "enum", "enum64"] as const)
  infoMasks[btfKindNumbers[kind]] = 0x9f00_ffff;
for (const kind of ["func", "func_proto", "datasec"] as const)
  infoMasks[btfKindNumbers[kind]] = 0x1f00_ffff;
for (const kind of ["fwd", "decl_tag", "type_tag"] as const)
  infoMasks[btfKindNumbers[kind]] = 0x9f00_0000;

const signedChar = (BTF_INT_SIGNED | BTF_INT_CHAR) << 24;
/** Encoding, offset and bits of an integer. */
const intMask = 0x07ff_00ff;

/**
 * What follows the head of an integer. gcc marks `char` as both signed and char, which the kernel
 * refuses; clang says signed.
 */
function intWord(word: number): number {
  const isBoth = (word & signedChar) === signedChar;
  return word & (isBoth ? intMask & ~(BTF_INT_CHAR << 24) : intMask);
}

/** Types that one call handles: V8 optimises short functions that are called often best. */
const portion = 64;

/**
 * Writes the canonical words of all types of `packed` into `out` from `to`. Sections are left out,
 * because linking makes them anew.
 */
export function canonicalWords(
  packed: PackedBtf,
  strings: ByteStrings,
  out: Uint32Array,
  to: number,
): void {
  const writer = new CanonicalWriter(packed, strings, out, to);
  const count = packed.kinds.length;
  for (let from = 0; from < count; from += portion) {
    writer.types(from, Math.min(from + portion, count));
  }
}

class CanonicalWriter {
  readonly #packed: PackedBtf;
  readonly #strings: ByteStrings;
  readonly #out: Uint32Array;
  /** From a word's place in the input to its place in `out`. */
  readonly #shift: number;
  /** Numbers of the strings that were used before, by offset in the input's table. */
  readonly #known: Int32Array;

  constructor(packed: PackedBtf, strings: ByteStrings, out: Uint32Array, shift: number) {
    this.#packed = packed;
    this.#strings = strings;
    this.#out = out;
    this.#shift = shift;
    this.#known = new Int32Array(packed.strings.length);
  }

  types(from: number, to: number): void {
    const { kinds } = this.#packed;
    for (let index = from; index < to; index++) {
      if (kinds[index] !== btfKindNumbers.datasec) this.#type(index, kinds[index]!);
    }
  }

  #type(index: number, kind: number): void {
    const { words, starts } = this.#packed;
    const out = this.#out;
    const at = starts[index]!;
    const put = at + this.#shift;
    out[put] = nameless[kind] === 1 ? 0 : this.#text(words[at]!);
    out[put + 1] = words[at + 1]! & infoMasks[kind]!;
    out[put + 2] = headIsType[kind] === 1 || sizeless[kind] === 1 ? 0 : words[at + 2]!;
    if (elementWords[kind] !== 0) this.#elements(at + headWords, starts[index + 1]!, kind);
    else if (kind === btfKindNumbers.array) out[put + 5] = words[at + 5]!;
    else if (kind === btfKindNumbers.int) out[put + 3] = intWord(words[at + 3]!);
    else if (fixedWords[kind] === 1) out[put + 3] = words[at + 3]!;
  }

  #elements(from: number, end: number, kind: number): void {
    const { words } = this.#packed;
    const out = this.#out;
    const shift = this.#shift;
    const size = elementWords[kind]!;
    const hasType = elementType[kind] === 2;
    for (let at = from; at < end; at += size) {
      out[at + shift] = this.#text(words[at]!);
      out[at + shift + 1] = hasType ? 0 : words[at + 1]!;
      if (size === 3) out[at + shift + 2] = words[at + 2]!;
    }
  }

  #text(offset: number): number {
    const known = this.#known[offset]!;
    if (known !== 0 || offset === 0) return known;
    const number = this.#strings.addFrom(this.#packed.strings, offset);
    this.#known[offset] = number;
    return number;
  }
}
