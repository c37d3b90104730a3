/**
 * The words of a BTF section → PackedBtf, in one pass that checks them. Accepts any words. The pass is
 * one loop over local names: V8 compiles a loop that runs long in the midst of it, once, whereas each
 * function called from it would be compiled for itself and again as a part of its callers.
 */
import type { TypeId } from "./btf.ts";
import { btfKindNumbers } from "./btf-constants.ts";
import type { Endian } from "./object-file.ts";
import {
  countOfInfo,
  elementType,
  elementWords,
  fixedWords,
  headIsType,
  headWords,
  kindCount,
  kindOfInfo,
  namedElements,
  type PackedBtf,
} from "./packed-btf.ts";

/** Finds the types and checks them; `firstId` is the first one's. A message says what is wrong. */
export function packBtf(
  bytes: Uint8Array,
  strings: Uint8Array,
  stringBase: number,
  endian: Endian,
  firstId: TypeId,
): PackedBtf | string {
  const words = wordsOf(bytes, endian);
  const tables = emptyTables(words.length);
  const { count, edges } = scan(words, stringBase + strings.length, tables);
  const next = tables.starts[count]!;
  if (next < words.length) {
    return `type ${firstId + count} ${faultAt(words, next)}`;
  }
  if (bytes.length % 4 !== 0) return `type ${firstId + count} is cut short`;
  return {
    endian,
    words,
    strings,
    starts: tables.starts.subarray(0, count + 1),
    kinds: tables.kinds.subarray(0, count),
    edges: {
      starts: tables.edgeStarts.subarray(0, count + 1),
      targets: tables.targets.subarray(0, edges),
    },
  };
}

interface Tables {
  readonly starts: Int32Array;
  readonly kinds: Uint8Array;
  readonly edgeStarts: Int32Array;
  readonly targets: Int32Array;
}

/** Room for the most that there can be; what is not written to takes no memory. */
function emptyTables(wordCount: number): Tables {
  const most = Math.ceil(wordCount / headWords) + 1;
  return {
    starts: new Int32Array(most),
    kinds: new Uint8Array(most),
    edgeStarts: new Int32Array(most),
    targets: new Int32Array(wordCount),
  };
}

const { array } = btfKindNumbers;
const greatestLinkage = 2;
/** Where a kind's linkage is: a word from its start, and the bits of it. */
const linkageAt = new Uint8Array(32);
const linkageBits = new Uint32Array(32);
linkageAt[btfKindNumbers.func] = 1;
linkageBits[btfKindNumbers.func] = 0xffff;
linkageAt[btfKindNumbers.var] = headWords;
linkageBits[btfKindNumbers.var] = 0xffff_ffff;

/**
 * Fills the tables up to the end or the first type that is wrong; says how many types and references
 * there are.
 */
function scan(
  words: Uint32Array,
  stringEnd: number,
  { starts, kinds, edgeStarts, targets }: Tables,
): { readonly count: number; readonly edges: number } {
  let at = 0;
  let count = 0;
  let edges = 0;
  while (at + headWords <= words.length) {
    const info = words[at + 1]!;
    const kind = (info >>> 24) & 31;
    const size = elementWords[kind]!;
    const first = at + headWords + fixedWords[kind]!;
    const end = first + size * (info & 0xffff);
    if (kind === 0 || kind >= kindCount || end > words.length) break;
    const linkage = (words[at + linkageAt[kind]!]! & linkageBits[kind]!) >>> 0;
    let isSound = words[at]! < stringEnd && linkage <= greatestLinkage;
    let edge = edges;
    if (headIsType[kind] === 1) targets[edge++] = words[at + 2]!;
    if (kind === array) {
      targets[edge++] = words[at + 3]!;
      targets[edge++] = words[at + 4]!;
    } else if (size !== 0) {
      const typeAt = elementType[kind]! - 1;
      for (let element = first; element < end; element += size) {
        if (typeAt >= 0) targets[edge++] = words[element + typeAt]!;
        isSound &&= words[element]! < stringEnd || namedElements[kind] === 0;
      }
    }
    if (!isSound) break;
    starts[count] = at;
    kinds[count] = kind;
    edgeStarts[count] = edges;
    count += 1;
    edges = edge;
    at = end;
  }
  starts[count] = at;
  edgeStarts[count] = edges;
  return { count, edges };
}

/** What is wrong with the type that starts there. */
function faultAt(words: Uint32Array, at: number): string {
  if (at + headWords > words.length) return "is cut short";
  const info = words[at + 1]!;
  const kind = kindOfInfo(info);
  if (kind === 0 || kind >= kindCount) return `has the unknown kind ${kind}`;
  const end = at + headWords + fixedWords[kind]! + elementWords[kind]! * countOfInfo(info);
  if (end > words.length) return "is cut short";
  const linkage = (words[at + linkageAt[kind]!]! & linkageBits[kind]!) >>> 0;
  if (linkage > greatestLinkage) return `has the unknown linkage ${linkage}`;
  return "names a string outside the string table";
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
