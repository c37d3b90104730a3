/**
 * The types of all inputs one after another, without decoding them: ids count through. What linking
 * changes is noted beside them: declarations that others replace, types that are left out, linkage.
 */
import type { BtfLinkage, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers, btfLinkageNumbers } from "../../common/object/btf-constants.ts";
import { mapReferences } from "../../common/object/btf-references.ts";
import { headWords, type PackedBtf, type TypeEdges } from "../../common/object/packed-btf.ts";
import { ByteStrings } from "./byte-strings.ts";
import { canonicalWords } from "./canonical-words.ts";

export interface JoinedInput {
  readonly packed: PackedBtf;
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
  /** Of each type's words, by id - 1. */
  readonly hashes: Int32Array;
  readonly edges: TypeEdges;
  /** First id minus one of each input's types. */
  readonly bases: readonly number[];
  readonly strings: ByteStrings;
  /** What an id is replaced by; itself otherwise. */
  readonly replaced = new Map<TypeId, TypeId>();
  /** 1 for types that are left out. */
  readonly dropped: Uint8Array;
  readonly #inputs: readonly (JoinedInput | undefined)[];

  constructor(inputs: readonly (JoinedInput | undefined)[]) {
    this.#inputs = inputs;
    const present = inputs.flatMap((input) => (input === undefined ? [] : [input.packed]));
    const sum = (size: (each: PackedBtf) => number): number =>
      present.reduce((total, each) => total + size(each), 0);
    this.count = sum(({ kinds }) => kinds.length);
    this.kinds = new Uint8Array(this.count);
    this.hashes = new Int32Array(this.count);
    this.dropped = new Uint8Array(this.count + 1);
    this.words = new Uint32Array(sum(({ words }) => words.length));
    this.strings = new ByteStrings(sum(({ strings }) => strings.length));
    const bases: number[] = [];
    let base = 0;
    for (const input of inputs) {
      bases.push(base);
      this.kinds.set(input?.packed.kinds ?? [], base);
      base += input?.packed.kinds.length ?? 0;
    }
    this.bases = bases;
    this.starts = joinStarts(present.map(({ starts }) => starts));
    this.edges = {
      starts: joinStarts(present.map(({ edges }) => edges.starts)),
      targets: joinTargets(present),
    };
    let [word, type] = [0, 0];
    for (const each of present) {
      canonicalWords(each, this, word, type);
      word += each.words.length;
      type += each.kinds.length;
    }
  }

  /** The type with ids of the whole. */
  type(id: TypeId): BtfType {
    let input = this.bases.length - 1;
    while (this.bases[input]! >= id || this.#inputs[input] === undefined) input -= 1;
    const base = this.bases[input]!;
    const type = this.#inputs[input]!.typeAt(id - base - 1);
    return mapReferences(type, (target) => (target === 0 ? 0 : target + base));
  }

  /** Whether all types of the inputs are kept, or equal ones. */
  get isWhole(): boolean {
    return this.replaced.size === 0 && !this.dropped.includes(1);
  }

  /** The number of the string that names a type; 0 without a name. */
  name(id: TypeId): number {
    return this.words[this.starts[id - 1]!]!;
  }

  /** The info word: kind_flag, kind, vlen. */
  info(id: TypeId): number {
    return this.words[this.starts[id - 1]! + 1]!;
  }

  /** Whether two types say the same themselves, whatever they refer to. */
  sameWords(a: TypeId, b: TypeId): boolean {
    const { words, starts } = this;
    const end = starts[a]!;
    const shift = starts[b - 1]! - starts[a - 1]!;
    if (starts[b]! - end !== shift) return false;
    for (let at = starts[a - 1]!; at < end; at++) {
      if (words[at] !== words[at + shift]) return false;
    }
    return true;
  }

  /** Of a function or variable. */
  setLinkage(id: TypeId, linkage: BtfLinkage): void {
    const at = this.starts[id - 1]!;
    const number = btfLinkageNumbers[linkage];
    if (this.kinds[id - 1] === btfKindNumbers.var) this.words[at + headWords] = number;
    else this.words[at + 1] = (this.words[at + 1]! & ~0xffff) | number;
  }
}

/** Lists of starts, each with its end, one after another. */
function joinStarts(lists: readonly Int32Array[]): Int32Array {
  const [first] = lists;
  if (first !== undefined && lists.length === 1) return first;
  const joined = new Int32Array(lists.reduce((sum, list) => sum + list.length - 1, 1));
  let [at, shift] = [0, 0];
  for (const list of lists) {
    for (let index = 0; index < list.length; index++) joined[at + index] = list[index]! + shift;
    at += list.length - 1;
    shift = joined[at]!;
  }
  return joined;
}

/** References in ids that count through; 0 stays 0. */
function joinTargets(inputs: readonly PackedBtf[]): Int32Array {
  const [first] = inputs;
  if (first !== undefined && inputs.length === 1) return first.edges.targets;
  const joined = new Int32Array(inputs.reduce((sum, { edges }) => sum + edges.targets.length, 0));
  let [at, base] = [0, 0];
  for (const { edges, kinds } of inputs) {
    const { targets } = edges;
    for (let edge = 0; edge < targets.length; edge++, at++) {
      joined[at] = targets[edge] === 0 ? 0 : targets[edge]! + base;
    }
    base += kinds.length;
  }
  return joined;
}
