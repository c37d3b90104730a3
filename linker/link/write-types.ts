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
  readonly table = new ByteWriter("little");

  constructor(joined: JoinedTypes) {
    this.#joined = joined;
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
  const types = new ByteWriter(endian);
  const emit = (word: number): void => types.u32(word);
  for (const id of kept) joined.fileWords(id, ids, place, emit);
  const add = (text: string): number => strings.add(text);
  for (const datasec of datasecs) encodeType(types, add, datasec);
  const btfExt = hasRecords(ext) ? encodeBtfExt(ext, add) : undefined;
  const btf = encodeBtf(endian, types.finish(), strings.table.finish());
  return { btf, ...(btfExt && { btfExt }) };
}
