/** The output's .BTF and .BTF.ext from joined types: words are copied, ids and strings exchanged. */
import type { BtfExt, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import {
  type BtfBytes,
  encodeBtf,
  encodeBtfExt,
  encodeType,
  hasRecords,
} from "../../common/object/btf-writer.ts";
import { ByteWriter } from "../../common/object/byte-writer.ts";
import type { Endian } from "../../common/object/object-file.ts";
import {
  elementType,
  elementWords,
  headIsType,
  headWords,
  namedElements,
} from "../../common/object/packed-btf.ts";
import { ByteStrings } from "./byte-strings.ts";
import type { Deduplicated } from "./deduplicate.ts";
import type { JoinedTypes } from "./joined-types.ts";

/** Types that one call handles: V8 optimises short functions that are called often best. */
const portion = 64;

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
  const writer = new TypeWriter(joined, unified.ids);
  const { kept } = unified;
  for (let from = 0; from < kept.length; from += portion) {
    writer.types(kept.subarray(from, from + portion));
  }
  const { strings } = writer;
  const add = (text: string): number => strings.add(text);
  const rest = new ByteWriter(endian);
  for (const datasec of datasecs) encodeType(rest, add, datasec);
  const btfExt = hasRecords(ext) ? encodeBtfExt(ext, add) : undefined;
  const parts = [wordBytes(writer.words, endian), rest.written()];
  const btf = encodeBtf(endian, parts, strings.bytes);
  return { btf, ...(btfExt && { btfExt }) };
}

class TypeWriter {
  readonly #joined: JoinedTypes;
  readonly #ids: Int32Array;
  readonly #words: Uint32Array;
  #length = 0;
  /** Where all types are kept, all of their strings are too, and stay where they are. */
  readonly #isWhole: boolean;
  readonly strings: ByteStrings;

  /** `ids`: new ones by those of the joined types. */
  constructor(joined: JoinedTypes, ids: Int32Array) {
    this.#joined = joined;
    this.#ids = ids;
    this.#words = new Uint32Array(joined.words.length);
    this.#isWhole = joined.isWhole;
    this.strings = this.#isWhole ? joined.strings : new ByteStrings();
  }

  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  types(ids: Int32Array): void {
    for (const id of ids) this.#type(id);
  }

  #type(id: TypeId): void {
    const { words, starts, edges, kinds } = this.#joined;
    const out = this.#words;
    const start = this.#length;
    const end = starts[id]!;
    let to = start;
    for (let at = starts[id - 1]!; at < end; at++, to++) out[to] = words[at]!;
    this.#length = to;
    const kind = kinds[id - 1]!;
    if (!this.#isWhole) this.#place(start, kind);
    let edge = edges.starts[id - 1]!;
    if (headIsType[kind] === 1) out[start + 2] = this.#target(edge++);
    if (elementType[kind] !== 0) {
      const step = elementWords[kind]!;
      const first = start + headWords + elementType[kind]! - 1;
      for (let at = first; at < to; at += step) out[at] = this.#target(edge++);
    } else if (kind === btfKindNumbers.array) {
      out[start + 3] = this.#target(edge);
      out[start + 4] = this.#target(edge + 1);
    }
  }

  #target(edge: number): TypeId {
    return this.#ids[this.#joined.edges.targets[edge]!]!;
  }

  /** Moves the strings of the type that starts there and is the last one. */
  #place(start: number, kind: number): void {
    const out = this.#words;
    const pool = this.#joined.strings.bytes;
    out[start] = this.strings.addFrom(pool, out[start]!);
    if (namedElements[kind] === 0) return;
    for (let at = start + headWords; at < this.#length; at += elementWords[kind]!) {
      out[at] = this.strings.addFrom(pool, out[at]!);
    }
  }
}
