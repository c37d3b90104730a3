/**
 * What the words of BTF types mean, as tables for one loop over words whatever the kind. The words of
 * a kind have columns: the head, then the words of an element, over and over, or the fixed ones.
 */
import type { BtfType } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import {
  elementType,
  elementWords,
  fixedWords,
  headIsType,
  headWords,
  kindCount,
  namedElements,
} from "../../common/object/packed-btf.ts";

/** The tables' entries for each kind. */
export const kindColumns = 8;
const size = 32 * kindColumns;

/** What a word is, by kind and column. */
export const wordRoles = new Uint8Array(size);
export const plainWord = 0;
/** The offset of a string. */
export const nameWord = 1;
/** The id of a type. */
export const typeWord = 2;

/** The bits that mean something in plain words. */
export const wordMasks = new Uint32Array(size).fill(0xffff_ffff);

/** The column of the next word. */
export const nextColumns = new Uint8Array(size);

type Kind = BtfType["kind"];

function setMasks(kinds: readonly Kind[], column: number, mask: number): void {
  for (const kind of kinds) wordMasks[btfKindNumbers[kind] * kindColumns + column] = mask;
}

for (let kind = 1; kind < kindCount; kind++) {
  const row = kind * kindColumns;
  const elements = elementWords[kind]!;
  const last = headWords + (elements === 0 ? fixedWords[kind]! : elements) - 1;
  for (let column = 0; column < last; column++) nextColumns[row + column] = column + 1;
  nextColumns[row + last] = headWords;
  wordRoles[row] = nameWord;
  if (headIsType[kind] === 1) wordRoles[row + 2] = typeWord;
  if (namedElements[kind] === 1) wordRoles[row + headWords] = nameWord;
  if (elementType[kind] !== 0) wordRoles[row + headWords + elementType[kind]! - 1] = typeWord;
}
const arrayRow = btfKindNumbers.array * kindColumns;
wordRoles.fill(typeWord, arrayRow + headWords, arrayRow + headWords + 2);

// Kinds whose name means nothing.
for (const kind of ["ptr", "array", "volatile", "const", "restrict", "func_proto"] as const) {
  wordRoles[btfKindNumbers[kind] * kindColumns] = plainWord;
  setMasks([kind], 0, 0);
}
// The info word: kind_flag, kind, count.
setMasks(Object.keys(btfKindNumbers) as Kind[], 1, 0x1f00_0000);
setMasks(["struct", "union", "enum", "enum64"], 1, 0x9f00_ffff);
setMasks(["func", "func_proto", "datasec"], 1, 0x1f00_ffff);
setMasks(["fwd", "decl_tag", "type_tag"], 1, 0x9f00_0000);
// Their third word is neither a size nor a type.
setMasks(["array", "fwd"], 2, 0);
// Encoding, offset and bits of an integer.
setMasks(["int"], headWords, 0x07ff_00ff);
