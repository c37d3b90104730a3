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
  kindOfInfo,
  namedElements,
  type PackedBtf,
  packedEdges,
  packedKinds,
  type TypeEdges,
} from "../../common/object/packed-btf.ts";
import { ByteStrings } from "./byte-strings.ts";

export interface JoinedInput {
  readonly packed: PackedBtf;
  /** Decodes one type; `index` is its id in the input - 1. */
  readonly typeAt: (index: number) => BtfType;
}

/** Kinds whose name means nothing. */
const nameless = new Set<number>(
  (["ptr", "array", "volatile", "const", "restrict", "func_proto"] as const).map(
    (kind) => btfKindNumbers[kind],
  ),
);
/** Bits of the info word that mean something, by kind: kind_flag, kind, vlen. */
const infoMasks = new Uint32Array(32).fill(0x1f00_0000);
for (const kind of ["struct", "union", "enum", "enum64"] as const)
  infoMasks[btfKindNumbers[kind]] = 0x9f00_ffff;
for (const kind of ["func", "func_proto", "datasec"] as const)
  infoMasks[btfKindNumbers[kind]] = 0x1f00_ffff;
for (const kind of ["fwd", "decl_tag", "type_tag"] as const)
  infoMasks[btfKindNumbers[kind]] = 0x9f00_0000;

export class JoinedTypes {
  readonly count: number;
  /** Kind numbers by id - 1. */
  readonly kinds: Uint8Array;
  readonly edges: TypeEdges;
  /** First id minus one of each input's types. */
  readonly bases: readonly number[];
  readonly strings = new ByteStrings();
  /** What an id is replaced by; itself otherwise. */
  readonly replaced = new Map<TypeId, TypeId>();
  /** 1 for types that are left out. */
  readonly dropped: Uint8Array;
  readonly #linkage = new Map<TypeId, BtfLinkage>();
  readonly #inputs: readonly (JoinedInput | undefined)[];
  /** By input: the canonical string of each offset. */
  readonly #texts: readonly Int32Array[];

  constructor(inputs: readonly (JoinedInput | undefined)[]) {
    this.#inputs = inputs;
    const bases: number[] = [];
    let count = 0;
    let edgeCount = 0;
    const edges = inputs.map((input) => {
      bases.push(count);
      const own = input && packedEdges(input.packed);
      count += input === undefined ? 0 : input.packed.starts.length - 1;
      edgeCount += own?.targets.length ?? 0;
      return own;
    });
    this.bases = bases;
    this.count = count;
    this.kinds = new Uint8Array(count);
    this.dropped = new Uint8Array(count + 1);
    const starts = new Int32Array(count + 1);
    const targets = new Int32Array(edgeCount);
    let at = 0;
    inputs.forEach((input, index) => {
      const own = edges[index];
      const base = bases[index]!;
      if (input === undefined || own === undefined) return;
      this.kinds.set(packedKinds(input.packed), base);
      const types = own.starts.length - 1;
      for (let type = 0; type < types; type++) starts[base + type] = own.starts[type]! + at;
      for (let edge = 0; edge < own.targets.length; edge++) {
        const id = own.targets[edge]!;
        targets[at + edge] = id === 0 ? 0 : id + base;
      }
      at += own.targets.length;
    });
    starts[count] = at;
    this.edges = { starts, targets };
    this.#texts = inputs.map((input) => new Int32Array(input?.packed.strings.length ?? 0));
  }

  #inputOf(id: TypeId): number {
    let input = this.bases.length - 1;
    while (input > 0 && this.bases[input]! >= id) input -= 1;
    return input;
  }

  /** The type with ids of the whole. */
  type(id: TypeId): BtfType {
    const input = this.#inputOf(id);
    const base = this.bases[input]!;
    const type = this.#inputs[input]!.typeAt(id - base - 1);
    return mapReferences(type, (target) => (target === 0 ? 0 : target + base));
  }

  hasName(id: TypeId): boolean {
    const input = this.#inputOf(id);
    const { words, starts } = this.#inputs[input]!.packed;
    return words[starts[id - this.bases[input]! - 1]!] !== 0;
  }

  setLinkage(id: TypeId, linkage: BtfLinkage): void {
    this.#linkage.set(id, linkage);
  }

  /**
   * What a type says itself, as words in `out` from 0: info, name, size, then the parts without the
   * ids that they refer to; strings are canonical. Returns how many.
   */
  contentWords(id: TypeId, out: Uint32Array[]): number {
    const input = this.#inputOf(id);
    const { packed } = this.#inputs[input]!;
    const { words, starts } = packed;
    const index = id - this.bases[input]! - 1;
    const at = starts[index]!;
    const end = starts[index + 1]!;
    let buffer = out[0]!;
    if (end - at > buffer.length) {
      buffer = new Uint32Array((end - at) * 2);
      out[0] = buffer;
    }
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    buffer[0] = this.#info(id, kind, info);
    buffer[1] = nameless.has(kind) ? 0 : this.text(input, words[at]!);
    buffer[2] = this.#size(kind, words[at + 2]!);
    let used = 3;
    const size = elementWords[kind]!;
    const place = elementType[kind]!;
    if (size === 0) {
      for (let word = at + headWords; word < end; word++)
        buffer[used++] = this.#extra(id, kind, word - at, words[word]!);
      return used;
    }
    for (let element = at + headWords; element < end; element += size) {
      for (let part = 0; part < size; part++) {
        if (part === place - 1) continue;
        const word = words[element + part]!;
        buffer[used++] = part === 0 && namedElements[kind] === 1 ? this.text(input, word) : word;
      }
    }
    return used;
  }

  #info(id: TypeId, kind: number, info: number): number {
    const masked = (info & infoMasks[kind]!) >>> 0;
    const linkage = kind === btfKindNumbers.func ? this.#linkage.get(id) : undefined;
    return linkage === undefined ? masked : (masked & 0x1f00_0000) | btfLinkageNumbers[linkage];
  }

  /** The size of kinds that have one. */
  #size(kind: number, word: number): number {
    if (headIsType[kind] === 1) return 0;
    return kind === btfKindNumbers.array || kind === btfKindNumbers.fwd ? 0 : word;
  }

  /** A word behind the head of kinds without a list; references are 0. */
  #extra(id: TypeId, kind: number, position: number, word: number): number {
    if (kind === btfKindNumbers.array) return position < 5 ? 0 : word;
    if (kind === btfKindNumbers.int) return word & 0x07ff_00ff;
    const linkage = kind === btfKindNumbers.var ? this.#linkage.get(id) : undefined;
    return linkage === undefined ? word : btfLinkageNumbers[linkage];
  }

  /** The canonical string of an input's offset. */
  text(input: number, offset: number): number {
    if (offset === 0) return 0;
    const known = this.#texts[input]!;
    const found = known[offset]!;
    if (found !== 0) return found;
    const text = this.strings.addFrom(this.#inputs[input]!.packed.strings, offset);
    known[offset] = text;
    return text;
  }

  /**
   * The type's words as a file has them, in this machine's byte order: ids through `ids`, strings as
   * `strings` places them.
   */
  fileWords(
    id: TypeId,
    ids: Int32Array,
    place: (text: number) => number,
    emit: (word: number) => void,
  ): void {
    const input = this.#inputOf(id);
    const base = this.bases[input]!;
    const { words, starts } = this.#inputs[input]!.packed;
    const index = id - base - 1;
    const at = starts[index]!;
    const end = starts[index + 1]!;
    const mapped = (target: number): number => (target === 0 ? 0 : ids[target + base]!);
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    emit(nameless.has(kind) ? 0 : place(this.text(input, words[at]!)));
    emit(this.#info(id, kind, info));
    emit(headIsType[kind] === 1 ? mapped(words[at + 2]!) : this.#size(kind, words[at + 2]!));
    const size = elementWords[kind]!;
    if (size === 0) {
      const isArray = kind === btfKindNumbers.array;
      for (let word = at + headWords; word < end; word++) {
        const isId = isArray && word < at + headWords + 2;
        emit(isId ? mapped(words[word]!) : this.#extra(id, kind, word - at, words[word]!));
      }
      return;
    }
    const typeAt = elementType[kind]! - 1;
    const isNamed = namedElements[kind] === 1;
    for (let element = at + headWords; element < end; element += size) {
      for (let part = 0; part < size; part++) {
        const word = words[element + part]!;
        if (part === typeAt) emit(mapped(word));
        else emit(part === 0 && isNamed ? place(this.text(input, word)) : word);
      }
    }
  }
}
