/** The output's .BTF and .BTF.ext from joined types: words are copied, ids and strings exchanged. */
import type { BtfExt, BtfType } from "../../common/object/btf.ts";
import {
  type BtfBytes,
  encodeBtf,
  encodeBtfExt,
  encodeType,
  hasRecords,
} from "../../common/object/btf-writer.ts";
import { ByteWriter } from "../../common/object/byte-writer.ts";
import type { Endian } from "../../common/object/object-file.ts";
import { ByteStrings } from "./byte-strings.ts";
import type { Deduplicated } from "./deduplicate.ts";
import type { JoinedTypes } from "./joined-types.ts";
import { kindColumns, nameWord, nextColumns, typeWord, wordRoles } from "./word-roles.ts";

/** The words in the byte order of a file. */
function wordBytes(words: Uint32Array, endian: Endian): Uint8Array {
  const isLittle = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  if ((endian === "little") !== isLittle) {
    const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
    words.forEach((word, index) => {
      view.setUint32(index * 4, word, endian === "little");
    });
  }
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** `datasecs` come last; their entries have ids of the joined types. */
export function writeJoinedTypes(
  joined: JoinedTypes,
  unified: Deduplicated,
  datasecs: readonly BtfType[],
  ext: BtfExt,
  endian: Endian,
): BtfBytes {
  // Where all types are kept, all of their strings are too, and stay where they are.
  const strings = joined.isWhole ? joined.strings : new ByteStrings();
  const words = finalWords(joined, unified, strings);
  const add = (text: string): number => strings.add(text);
  const rest = new ByteWriter(endian);
  for (const datasec of datasecs) encodeType(rest, add, datasec);
  const btfExt = hasRecords(ext) ? encodeBtfExt(ext, add) : undefined;
  const parts = [wordBytes(words, endian), rest.written()];
  const btf = encodeBtf(endian, parts, strings.bytes);
  return { btf, ...(btfExt && { btfExt }) };
}

/**
 * The words of the types that are kept, which replace the joined ones in their place: there is no
 * going back to those. One loop, as in pack-btf.ts.
 */
function finalWords(
  { words, starts, kinds, edges, strings: pool }: JoinedTypes,
  { kept, ids }: Deduplicated,
  strings: ByteStrings,
): Uint32Array {
  const { targets } = edges;
  const movesNames = strings !== pool;
  let to = 0;
  for (let index = 0; index < kept.length; index++) {
    const id = kept[index]!;
    const row = kinds[id - 1]! * kindColumns;
    const end = starts[id]!;
    let edge = edges.starts[id - 1]!;
    let column = 0;
    for (let at = starts[id - 1]!; at < end; at++, to++) {
      const role = wordRoles[row + column]!;
      let word = words[at]!;
      if (role === typeWord) word = ids[targets[edge++]!]!;
      else if (role === nameWord && movesNames) word = strings.addFrom(pool.bytes, word);
      words[to] = word;
      column = nextColumns[row + column]!;
    }
  }
  return words.subarray(0, to);
}
