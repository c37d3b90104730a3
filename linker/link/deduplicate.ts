/**
 * Merges equal BTF types. Equality is that of whole type graphs: all types start in classes by their
 * own content, and classes are split until the members of each refer to the same classes
 * (partition refinement, so cycles need no special care). Forward declarations first take the
 * place of the one definition that has their name.
 */
import type { TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import type { JoinedTypes } from "./joined-types.ts";

export interface Deduplicated {
  /** The first of each class, in order. */
  readonly kept: Int32Array;
  /** New id by old id; 0 stays 0, and types that were left out become 0. */
  readonly ids: Int32Array;
}

const { struct, union, fwd, datasec } = btfKindNumbers;
const variable = btfKindNumbers.var;
const enumeration = btfKindNumbers.enum;
const wideEnumeration = btfKindNumbers.enum64;

/** Unites the types that are not left out; old datasecs are never among them. */
export function deduplicateTypes(joined: JoinedTypes): Deduplicated {
  const { count } = joined;
  const isKept = keptTypes(joined);
  const contents = contentClasses(joined, isKept);
  const representative = representatives(joined, isKept, contents);
  const classes = new Refinement(joined, isKept, representative, contents).run();
  const ids = new Int32Array(count + 1);
  const first = new Int32Array(count + 1);
  const kept: TypeId[] = [];
  for (let id = 1; id <= count; id++) {
    if (isKept[id] === 0 || representative[id] !== id) continue;
    const known = first[classes[id]!]!;
    if (known === 0) {
      kept.push(id);
      first[classes[id]!] = kept.length;
      ids[id] = kept.length;
    } else ids[id] = known;
  }
  for (let id = 1; id <= count; id++) {
    if (representative[id] !== id) ids[id] = ids[representative[id]!]!;
  }
  return { kept: Int32Array.from(kept), ids };
}

function keptTypes({ count, kinds, dropped, replaced }: JoinedTypes): Uint8Array {
  const isKept = new Uint8Array(count + 1);
  for (let id = 1; id <= count; id++) {
    isKept[id] = kinds[id - 1] === datasec || dropped[id] === 1 ? 0 : 1;
  }
  for (const id of replaced.keys()) isKept[id] = 0;
  return isKept;
}

/** Classes by content alone, from 1; each variable is its own. */
function contentClasses(joined: JoinedTypes, isKept: Uint8Array): Int32Array {
  const { count, kinds } = joined;
  const classes = new Int32Array(count + 1);
  const seen = new ContentTable(joined);
  for (let id = 1; id <= count; id++) {
    if (isKept[id] === 0) continue;
    classes[id] = kinds[id - 1] === variable ? seen.fresh() : seen.classOf(id);
  }
  return classes;
}

/** Contents by hash; each slot holds the first type of its class. */
class ContentTable {
  readonly #joined: JoinedTypes;
  readonly #slots: Int32Array;
  readonly #first: number[] = [];
  readonly #hashes: number[] = [];
  readonly #own = [new Uint32Array(256)];
  readonly #other = [new Uint32Array(256)];

  constructor(joined: JoinedTypes) {
    this.#joined = joined;
    let size = 1024;
    while (size < joined.count * 2) size *= 2;
    this.#slots = new Int32Array(size);
  }

  /** A class that nothing else joins. */
  fresh(): number {
    this.#hashes.push(0);
    return this.#first.push(0);
  }

  classOf(id: TypeId): number {
    const length = this.#joined.contentWords(id, this.#own);
    const words = this.#own[0]!;
    let hash = length;
    for (let at = 0; at < length; at++) {
      hash = Math.imul(hash ^ words[at]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot]!;
      if (known === 0) {
        this.#hashes.push(hash);
        this.#slots[slot] = this.#first.push(id);
        return this.#first.length;
      }
      if (this.#hashes[known - 1] === hash && this.#equals(this.#first[known - 1]!, length)) {
        return known;
      }
    }
  }

  #equals(id: TypeId, length: number): boolean {
    if (this.#joined.contentWords(id, this.#other) !== length) return false;
    const [own, other] = [this.#own[0]!, this.#other[0]!];
    for (let at = 0; at < length; at++) if (own[at] !== other[at]) return false;
    return true;
  }
}

/** Structs, unions and enums have tags of their own kind. */
function tagSpace(kind: number): number {
  if (kind === struct || kind === union) return kind;
  return kind === enumeration || kind === wideEnumeration ? enumeration : 0;
}

/**
 * For each type the one that stands for it: itself, what replaces it, or the definition of a forward
 * declaration. A declaration is left alone where definitions of its name differ.
 */
function representatives(
  joined: JoinedTypes,
  isKept: Uint8Array,
  contents: Int32Array,
): Int32Array {
  const { count, kinds, replaced } = joined;
  const definitions = new Map<number, TypeId>();
  const ambiguous = new Set<number>();
  const forwards: { readonly id: TypeId; readonly key: number }[] = [];
  const words = [new Uint32Array(256)];
  for (let id = 1; id <= count; id++) {
    const kind = kinds[id - 1]!;
    const space = kind === fwd ? fwd : tagSpace(kind);
    if (isKept[id] === 0 || space === 0) continue;
    joined.contentWords(id, words);
    const [info = 0, name = 0] = words[0]!;
    if (name === 0) continue;
    if (kind === fwd) {
      forwards.push({ id, key: name * 32 + (info >>> 31 === 1 ? union : struct) });
      continue;
    }
    const key = name * 32 + space;
    if (space === enumeration && (info & 0xffff) === 0) {
      forwards.push({ id, key });
      continue;
    }
    const known = definitions.get(key);
    if (known === undefined) definitions.set(key, id);
    else if (contents[known] !== contents[id]) ambiguous.add(key);
  }
  const representative = Int32Array.from({ length: count + 1 }, (_, id) => id);
  for (const { id, key } of forwards) {
    const definition = definitions.get(key);
    if (definition !== undefined && !ambiguous.has(key)) representative[id] = definition;
  }
  for (const [id, target] of replaced) representative[id] = representative[target]!;
  return representative;
}

/** A partition of the types that is made finer until equal types have equal targets. */
class Refinement {
  readonly #count: number;
  readonly #starts: Int32Array;
  readonly #targets: Int32Array;
  readonly #classes: Int32Array;
  /** Types sorted by class; a class is the run from its start to its end. */
  readonly #members: Int32Array;
  readonly #classStart: number[] = [0];
  readonly #classEnd: number[] = [0];
  /** Who refers to a type. */
  readonly #users: Int32Array;
  readonly #userStarts: Int32Array;
  readonly #isQueued: Uint8Array;
  readonly #queue: number[] = [];

  constructor(
    joined: JoinedTypes,
    isKept: Uint8Array,
    representative: Int32Array,
    contents: Int32Array,
  ) {
    const { count, edges } = joined;
    this.#count = count;
    this.#starts = edges.starts;
    this.#targets = edges.targets.map((id) => {
      const target = representative[id]!;
      return isKept[target] === 1 ? target : 0;
    });
    const takesPart = (id: TypeId): boolean => isKept[id] === 1 && representative[id] === id;
    this.#classes = new Int32Array(count + 1);
    for (let id = 1; id <= count; id++) this.#classes[id] = takesPart(id) ? contents[id]! : 0;
    this.#members = this.#sortByClass();
    this.#userStarts = new Int32Array(count + 2);
    this.#users = this.#listUsers();
    // Classes that forward declarations left empty keep their numbers.
    this.#isQueued = new Uint8Array(2 * count + 2);
  }

  run(): Int32Array {
    for (let group = 1; group < this.#classStart.length; group++) this.#enqueue(group);
    for (let group = this.#queue.pop(); group !== undefined; group = this.#queue.pop()) {
      this.#isQueued[group] = 0;
      this.#split(group);
    }
    return this.#classes;
  }

  #sortByClass(): Int32Array {
    const sizes: number[] = [];
    for (let id = 1; id <= this.#count; id++) {
      const group = this.#classes[id]!;
      if (group !== 0) sizes[group] = (sizes[group] ?? 0) + 1;
    }
    let at = 0;
    for (let group = 1; group < sizes.length; group++) {
      this.#classStart[group] = at;
      this.#classEnd[group] = at;
      at += sizes[group] ?? 0;
    }
    const members = new Int32Array(at);
    for (let id = 1; id <= this.#count; id++) {
      const group = this.#classes[id]!;
      if (group === 0) continue;
      members[this.#classEnd[group]!] = id;
      this.#classEnd[group] = this.#classEnd[group]! + 1;
    }
    return members;
  }

  #listUsers(): Int32Array {
    const starts = this.#userStarts;
    for (const target of this.#targets) starts[target + 1] = starts[target + 1]! + 1;
    for (let id = 1; id <= this.#count + 1; id++) starts[id] = starts[id]! + starts[id - 1]!;
    const fill = starts.slice();
    const users = new Int32Array(this.#targets.length);
    for (let id = 1; id <= this.#count; id++) {
      for (let edge = this.#starts[id - 1]!; edge < this.#starts[id]!; edge++) {
        const target = this.#targets[edge]!;
        users[fill[target]!] = id;
        fill[target] = fill[target]! + 1;
      }
    }
    return users;
  }

  /** A class of one cannot be split. */
  #enqueue(group: number): void {
    if (this.#isQueued[group] === 1) return;
    if (this.#classEnd[group]! - this.#classStart[group]! < 2) return;
    this.#isQueued[group] = 1;
    this.#queue.push(group);
  }

  /** Divides a class by its members' targets; the part of its first member keeps the number. */
  #split(group: number): void {
    const start = this.#classStart[group]!;
    const end = this.#classEnd[group]!;
    const parts = this.#partsOf(start, end);
    if (parts.length === 1) return;
    let at = start;
    parts.forEach((part, index) => {
      const number = index === 0 ? group : this.#classStart.length;
      this.#classStart[number] = at;
      for (const id of part) this.#members[at++] = id;
      this.#classEnd[number] = at;
    });
    // Numbers change only after all parts are known, and then users are looked at again.
    for (let index = 1; index < parts.length; index++) {
      const number = this.#classStart.length - parts.length + index;
      for (const id of parts[index]!) this.#classes[id] = number;
    }
    for (let index = 1; index < parts.length; index++) {
      for (const id of parts[index]!) this.#enqueueUsers(id);
    }
  }

  #enqueueUsers(id: TypeId): void {
    for (let at = this.#userStarts[id]!; at < this.#userStarts[id + 1]!; at++) {
      const group = this.#classes[this.#users[at]!]!;
      if (group !== 0) this.#enqueue(group);
    }
  }

  #partsOf(start: number, end: number): number[][] {
    const parts: number[][] = [];
    const byHash = new Map<number, number[]>();
    for (let at = start; at < end; at++) {
      const id = this.#members[at]!;
      const hash = this.#signature(id);
      const candidates = byHash.get(hash);
      const found = candidates?.find((part) => this.#alike(id, parts[part]![0]!));
      if (found !== undefined) parts[found]!.push(id);
      else if (candidates === undefined) byHash.set(hash, [parts.push([id]) - 1]);
      else candidates.push(parts.push([id]) - 1);
    }
    return parts;
  }

  #signature(id: TypeId): number {
    let hash = 0;
    for (let edge = this.#starts[id - 1]!; edge < this.#starts[id]!; edge++) {
      hash = Math.imul(hash ^ this.#classes[this.#targets[edge]!]!, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #alike(a: TypeId, b: TypeId): boolean {
    const from = this.#starts[a - 1]!;
    const other = this.#starts[b - 1]!;
    const length = this.#starts[a]! - from;
    if (this.#starts[b]! - other !== length) return false;
    for (let i = 0; i < length; i++) {
      const [x, y] = [this.#targets[from + i]!, this.#targets[other + i]!];
      if (this.#classes[x] !== this.#classes[y]) return false;
    }
    return true;
  }
}
