/**
 * BTF as the words of its file: types are decoded one by one, when somebody asks. Checked once, when
 * it is made (pack-btf.ts): every type is whole, its strings exist, its numbers have meanings. (That
 * ids exist and chains end is btf-check.ts's business.)
 */
import type { BtfType } from "./btf.ts";
import { btfKindNumbers } from "./btf-constants.ts";
import type { Endian } from "./object-file.ts";

export interface PackedBtf {
  readonly endian: Endian;
  /** The types' words in this machine's byte order; where the file has it too, the file's own bytes. */
  readonly words: Uint32Array;
  /** Where each type starts in `words`, by id - 1; one more for the end. */
  readonly starts: Int32Array;
  /** NUL-terminated strings. */
  readonly strings: Uint8Array;
  /** The kind number of each type, by id - 1. */
  readonly kinds: Uint8Array;
  readonly edges: TypeEdges;
}

/**
 * Ids that the types refer to, type after type: `targets` from `starts[i]` to `starts[i + 1]`, in the
 * order of `referencedTypes`.
 */
export interface TypeEdges {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

/** Words of the head of every type: name, info, size or type. */
export const headWords = 3;

/** Kind numbers are below. */
export const kindCount = 20;
const words = (list: Partial<Record<BtfType["kind"], number>>): Uint8Array => {
  const table = new Uint8Array(32);
  for (const [kind, count] of Object.entries(list)) {
    table[btfKindNumbers[kind as BtfType["kind"]]] = count;
  }
  return table;
};

/** Words behind the head, by kind number. */
export const fixedWords = words({ int: 1, array: 3, var: 1, decl_tag: 1 });
/** Words of each element, of kinds that have a list. */
export const elementWords = words({
  struct: 3,
  union: 3,
  enum: 2,
  func_proto: 2,
  datasec: 3,
  enum64: 3,
});
/** Elements start with a name. */
export const namedElements = words({ struct: 1, union: 1, enum: 1, func_proto: 1, enum64: 1 });
/** The third word of the head is a type. */
export const headIsType = words({
  ptr: 1,
  typedef: 1,
  volatile: 1,
  const: 1,
  restrict: 1,
  func: 1,
  func_proto: 1,
  var: 1,
  decl_tag: 1,
  type_tag: 1,
});
/** Which word of an element is a type, plus one; 0 where none is. */
export const elementType = words({ struct: 2, union: 2, func_proto: 2, datasec: 1 });

export const kindOfInfo = (info: number): number => (info >>> 24) & 31;
export const countOfInfo = (info: number): number => info & 0xffff;
