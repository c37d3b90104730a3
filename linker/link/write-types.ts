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
import type { Deduplicated } from "./deduplicate.ts";
import type { JoinedTypes } from "./joined-types.ts";

/** Strings in the order of their first use, each once. */
class PlacedStrings {
  readonly #joined: JoinedTypes;
  readonly #offsets: number[] = [0];
  readonly table: ByteWriter;

  constructor(joined: JoinedTypes) {
    this.#joined = joined;
    this.table = new ByteWriter("little", joined.stringBytes + 1024);
    this.table.u8(0);
  }

  place(text: number): number {
    const known = this.#offsets[text];
    if (known !== undefined) return known;
    const offset = this.table.length;
    this.#offsets[text] = offset;
    this.table.raw(this.#joined.strings.bytes(text));
    this.table.u8(0);
    return offset;
  }

  add(text: string): number {
    return this.place(this.#joined.strings.add(text));
  }
}

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
  { kept, ids }: Deduplicated,
  datasecs: readonly BtfType[],
  ext: BtfExt,
  endian: Endian,
): BtfBytes {
  const strings = new PlacedStrings(joined);
  const place = (text: number): number => strings.place(text);
  const words = new Uint32Array(joined.words.length);
  let at = 0;
  for (let index = 0; index < kept.length; index++) {
    at = joined.fileWords(kept[index]!, ids, place, words, at);
  }
  const add = (text: string): number => strings.add(text);
  const rest = new ByteWriter(endian);
  for (const datasec of datasecs) encodeType(rest, add, datasec);
  const btfExt = hasRecords(ext) ? encodeBtfExt(ext, add) : undefined;
  const parts = [wordBytes(words.subarray(0, at), endian), rest.written()];
  const btf = encodeBtf(endian, parts, strings.table.written());
  return { btf, ...(btfExt && { btfExt }) };
}
