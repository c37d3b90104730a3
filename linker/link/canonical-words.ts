/**
 * The words of BTF types made comparable: two types say the same themselves exactly if their words
 * are equal. References are 0 (they are compared as edges), strings are numbers of `ByteStrings`,
 * bits without a meaning are clear. The layout is the file's.
 */
import type { BtfType } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import {
  elementType,
  elementWords,
  headIsType,
  headWords,
  kindOfInfo,
  namedElements,
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

/** Encoding, offset and bits of an integer. */
const intMask = 0x07ff_00ff;

/** Writes the canonical words of all types of `packed` into `out` from `to`. */
export function canonicalWords(
  { words, starts, strings: table }: PackedBtf,
  strings: ByteStrings,
  out: Uint32Array,
  to: number,
): void {
  const memo = new Int32Array(table.length);
  const text = (offset: number): number => {
    if (offset === 0) return 0;
    const known = memo[offset]!;
    if (known !== 0) return known;
    const number = strings.addFrom(table, offset);
    memo[offset] = number;
    return number;
  };
  const count = starts.length - 1;
  for (let index = 0; index < count; index++) {
    const at = starts[index]!;
    const end = starts[index + 1]!;
    const kind = kindOfInfo(words[at + 1]!);
    const put = at + to;
    out[put] = nameless[kind] === 1 ? 0 : text(words[at]!);
    out[put + 1] = words[at + 1]! & infoMasks[kind]!;
    out[put + 2] = headIsType[kind] === 1 || sizeless[kind] === 1 ? 0 : words[at + 2]!;
    const size = elementWords[kind]!;
    if (size === 0) {
      if (kind === btfKindNumbers.array) out[put + 5] = words[at + 5]!;
      else if (kind === btfKindNumbers.int) out[put + 3] = words[at + 3]! & intMask;
      else if (end > at + headWords) out[put + 3] = words[at + 3]!;
      continue;
    }
    const typeAt = elementType[kind]! - 1;
    const isNamed = namedElements[kind] === 1;
    for (let element = at + headWords; element < end; element += size) {
      const place = element + to;
      const first = words[element]!;
      out[place] = isNamed ? text(first) : typeAt === 0 ? 0 : first;
      out[place + 1] = typeAt === 1 ? 0 : words[element + 1]!;
      if (size === 3) out[place + 2] = words[element + 2]!;
    }
  }
}
