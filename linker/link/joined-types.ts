/**
 * The types of all inputs one after another, without decoding them: ids count through. What linking
 * changes is noted beside them: declarations that others replace, types that are left out, linkage.
 */
import type { BtfLinkage, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers, btfLinkageNumbers } from "../../common/object/btf-constants.ts";
import { mapReferences } from "../../common/object/btf-references.ts";
import {
  elementType,
  elementWords,
  headIsType,
  headWords,
  namedElements,
  type PackedBtf,
  type TypeEdges,
} from "../../common/object/packed-btf.ts";
import { ByteStrings } from "./byte-strings.ts";
import { canonicalWords } from "./canonical-words.ts";

export interface JoinedInput {
  readonly packed: PackedBtf;
  /** Kind numbers and references of its types. */
  readonly kinds: Uint8Array;
  readonly edges: TypeEdges;
  /** Decodes one type; `index` is its id in the input - 1. */
  readonly typeAt: (index: number) => BtfType;
}

export class JoinedTypes {
  readonly count: number;
  /** Kind numbers by id - 1. */
  readonly kinds: Uint8Array;
  /** Canonical words of all types, and where each starts, by id - 1. */
  readonly words: Uint32Array;
  readonly starts: Int32Array;
  readonly edges: TypeEdges;
  /** First id minus one of each input's types. */
  readonly bases: readonly number[];
  readonly strings: ByteStrings;
  /** Bytes of all inputs' strings. */
  readonly stringBytes: number;
  /** What an id is replaced by; itself otherwise. */
  readonly replaced = new Map<TypeId, TypeId>();
  /** 1 for types that are left out. */
  readonly dropped: Uint8Array;
  readonly #inputs: readonly (JoinedInput | undefined)[];

  constructor(inputs: readonly (JoinedInput | undefined)[]) {
    this.#inputs = inputs;
    const packed = inputs.map((input) => input?.packed);
    const sum = (size: (each: PackedBtf) => number): number =>
      packed.reduce((total, each) => total + (each === undefined ? 0 : size(each)), 0);
    this.count = sum(({ starts }) => starts.length - 1);
    this.kinds = new Uint8Array(this.count);
    this.dropped = new Uint8Array(this.count + 1);
    this.words = new Uint32Array(sum(({ words }) => words.length));
    this.starts = new Int32Array(this.count + 1);
    this.stringBytes = sum(({ strings }) => strings.length);
    this.strings = new ByteStrings(this.stringBytes >> 4);
    const edgeStarts = new Int32Array(this.count + 1);
    const targets: Int32Array[] = [];
    const bases: number[] = [];
    let [base, word, edge] = [0, 0, 0];
    for (const input of inputs) {
      bases.push(base);
      if (input === undefined) continue;
      const { packed: each, kinds, edges: own } = input;
      const types = each.starts.length - 1;
      this.kinds.set(kinds, base);
      for (let type = 0; type < types; type++) {
        this.starts[base + type] = each.starts[type]! + word;
        edgeStarts[base + type] = own.starts[type]! + edge;
      }
      canonicalWords(each, this.strings, this.words, word);
      targets.push(shiftedIds(own.targets, base));
      base += types;
      word += each.words.length;
      edge += own.targets.length;
    }
    this.bases = bases;
    this.starts[this.count] = word;
    edgeStarts[this.count] = edge;
    this.edges = { starts: edgeStarts, targets: joinLists(targets, edge) };
  }

  /** The type with ids of the whole. */
  type(id: TypeId): BtfType {
    let input = this.bases.length - 1;
    while (this.bases[input]! >= id || this.#inputs[input] === undefined) input -= 1;
    const base = this.bases[input]!;
    const type = this.#inputs[input]!.typeAt(id - base - 1);
    return mapReferences(type, (target) => (target === 0 ? 0 : target + base));
  }

  /** The number of the string that names a type; 0 without a name. */
  name(id: TypeId): number {
    return this.words[this.starts[id - 1]!]!;
  }

  /** The info word: kind_flag, kind, vlen. */
  info(id: TypeId): number {
    return this.words[this.starts[id - 1]! + 1]!;
  }

  /** Of a function or variable. */
  setLinkage(id: TypeId, linkage: BtfLinkage): void {
    const at = this.starts[id - 1]!;
    const number = btfLinkageNumbers[linkage];
    if (this.kinds[id - 1] === btfKindNumbers.var) this.words[at + headWords] = number;
    else this.words[at + 1] = (this.words[at + 1]! & ~0xffff) | number;
  }

  /**
   * The type's words as a file has them, into `out` from `to`: ids through `ids`, strings as `place`
   * puts them. Returns where it ends.
   */
  fileWords(
    id: TypeId,
    ids: Int32Array,
    place: (text: number) => number,
    out: Uint32Array,
    to: number,
  ): number {
    const { words } = this;
    const { starts: edgeStarts, targets } = this.edges;
    const at = this.starts[id - 1]!;
    const length = this.starts[id]! - at;
    const kind = this.kinds[id - 1]!;
    let edge = edgeStarts[id - 1]!;
    for (let word = 0; word < length; word++) out[to + word] = words[at + word]!;
    out[to] = place(words[at]!);
    if (headIsType[kind] === 1) out[to + 2] = ids[targets[edge++]!]!;
    if (kind === btfKindNumbers.array) {
      out[to + 3] = ids[targets[edge++]!]!;
      out[to + 4] = ids[targets[edge++]!]!;
    }
    const size = elementWords[kind]!;
    if (size === 0) return to + length;
    const typeAt = elementType[kind]! - 1;
    const isNamed = namedElements[kind] === 1;
    for (let element = headWords; element < length; element += size) {
      if (isNamed) out[to + element] = place(words[at + element]!);
      if (typeAt >= 0) out[to + element + typeAt] = ids[targets[edge++]!]!;
    }
    return to + length;
  }
}

function shiftedIds(targets: Int32Array, base: number): Int32Array {
  return base === 0 ? targets : targets.map((id) => (id === 0 ? 0 : id + base));
}

function joinLists(lists: readonly Int32Array[], length: number): Int32Array {
  const [first] = lists;
  if (first !== undefined && lists.length === 1) return first;
  const joined = new Int32Array(length);
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined;
}
