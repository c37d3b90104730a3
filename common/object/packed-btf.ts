/**
 * BTF as the words of its file: types are decoded one by one, when somebody asks. Checked once, when
 * it is made: every type is whole, its strings exist, its numbers have meanings. (That ids exist and
 * chains end is btf-check.ts's business.)
 */
import type { BtfType, TypeId } from "./btf.ts";
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
}

/** Words of the head of every type: name, info, size or type. */
export const headWords = 3;

const kindCount = 20;
const words = (list: Partial<Record<BtfType["kind"], number>>): Uint8Array => {
  const table = new Uint8Array(32);
  for (const [kind, count] of Object.entries(list)) {
    table[btfKindNumbers[kind as BtfType["kind"]]] = count;
  }
  return table;
};

/** Words behind the head, by kind number. */
const fixedWords = words({ int: 1, array: 3, var: 1, decl_tag: 1 });
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

/** Finds the types and checks them; `firstId` is the first one's. A message says what is wrong. */
export function packBtf(
  bytes: Uint8Array,
  strings: Uint8Array,
  stringBase: number,
  endian: Endian,
  firstId: TypeId,
): PackedBtf | string {
  const whole = bytes.length >> 2;
  const list = wordsOf(bytes, endian);
  const starts: number[] = [];
  const fault = (what: string): string => `type ${firstId + starts.length} ${what}`;
  let at = 0;
  const stringEnd = stringBase + strings.length;
  const isString = (offset: number): boolean => offset < stringEnd || offset === 0;
  while (at < whole) {
    if (at + 2 > whole) return fault("is cut short");
    const info = list[at + 1]!;
    const kind = kindOfInfo(info);
    if (kind === 0 || kind >= kindCount) return fault(`has the unknown kind ${kind}`);
    const size = elementWords[kind]!;
    const count = size === 0 ? 0 : countOfInfo(info);
    const end = at + headWords + fixedWords[kind]! + size * count;
    if (end > whole) return fault("is cut short");
    const linkage = kind === btfKindNumbers.func ? countOfInfo(info) : 0;
    if (linkage > 2) return fault(`has the unknown linkage ${linkage}`);
    const reach = kind === btfKindNumbers.var ? list[at + headWords]! : 0;
    if (reach > 2) return fault(`has the unknown linkage ${reach}`);
    if (!isString(list[at]!)) return fault("names a string outside the string table");
    if (namedElements[kind] === 1) {
      for (let name = at + headWords; name < end; name += size) {
        if (!isString(list[name]!)) return fault("names a string outside the string table");
      }
    }
    starts.push(at);
    at = end;
  }
  if (bytes.length % 4 !== 0) return fault("is cut short");
  starts.push(at);
  return { endian, words: list, starts: new Int32Array(starts), strings };
}

const isLittleMachine = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function wordsOf(bytes: Uint8Array, endian: Endian): Uint32Array {
  const size = bytes.length & ~3;
  if ((endian === "little") === isLittleMachine && bytes.byteOffset % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, size >> 2);
  }
  // Not slice(): a Buffer's does not copy, and words need an aligned start.
  const copy = new Uint8Array(bytes.subarray(0, size));
  const list = new Uint32Array(copy.buffer, 0, size >> 2);
  if ((endian === "little") === isLittleMachine) return list;
  const view = new DataView(copy.buffer);
  return list.map((_, index) => view.getUint32(index * 4, endian === "little"));
}

/** The kind number of each type, by id - 1. */
export function packedKinds({ words: list, starts }: PackedBtf): Uint8Array {
  const kinds = new Uint8Array(starts.length - 1);
  for (let index = 0; index < kinds.length; index++) {
    kinds[index] = kindOfInfo(list[starts[index]! + 1]!);
  }
  return kinds;
}

/** Ids that the types refer to, type after type: `targets` from `starts[i]` to `starts[i + 1]`. */
export interface TypeEdges {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

/** All references, in the order of `referencedTypes`. */
export function packedEdges({ words: list, starts }: PackedBtf): TypeEdges {
  const count = starts.length - 1;
  const edgeStarts = new Int32Array(count + 1);
  const targets = new Int32Array(list.length);
  let used = 0;
  for (let index = 0; index < count; index++) {
    edgeStarts[index] = used;
    const at = starts[index]!;
    const kind = kindOfInfo(list[at + 1]!);
    if (headIsType[kind] === 1) targets[used++] = list[at + 2]!;
    if (kind === btfKindNumbers.array) {
      targets[used++] = list[at + 3]!;
      targets[used++] = list[at + 4]!;
    }
    const place = elementType[kind]!;
    if (place === 0) continue;
    const size = elementWords[kind]!;
    const end = starts[index + 1]!;
    for (let word = at + headWords + place - 1; word < end; word += size) {
      targets[used++] = list[word]!;
    }
  }
  edgeStarts[count] = used;
  return { starts: edgeStarts, targets: targets.subarray(0, used) };
}
