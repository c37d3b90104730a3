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
  return { kept: new Int32Array(kept), ids };
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
  readonly #words: Uint32Array;
  readonly #starts: Int32Array;
  readonly #slots: Int32Array;
  /** By type: its class and its hash, where it is the first of its class. */
  readonly #group: Int32Array;
  readonly #hash: Int32Array;
  #count = 0;

  constructor({ words, starts, count }: JoinedTypes) {
    this.#words = words;
    this.#starts = starts;
    let size = 1024;
    while (size < count * 2) size *= 2;
    this.#slots = new Int32Array(size);
    this.#group = new Int32Array(count + 1);
    this.#hash = new Int32Array(count + 1);
  }

  /** A class that nothing else joins. */
  fresh(): number {
    this.#count += 1;
    return this.#count;
  }

  classOf(id: TypeId): number {
    const words = this.#words;
    const start = this.#starts[id - 1]!;
    const end = this.#starts[id]!;
    let hash = end - start;
    for (let at = start; at < end; at++) {
      hash = Math.imul(hash ^ words[at]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot]!;
      if (known === 0) {
        slots[slot] = id;
        this.#hash[id] = hash;
        this.#group[id] = this.fresh();
        return this.#count;
      }
      if (this.#hash[known] === hash && this.#equals(known, start, end)) return this.#group[known]!;
    }
  }

  #equals(known: TypeId, start: number, end: number): boolean {
    const words = this.#words;
    const from = this.#starts[known - 1]!;
    if (this.#starts[known]! - from !== end - start) return false;
    for (let at = start; at < end; at++) {
      if (words[from + at - start] !== words[at]) return false;
    }
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
  for (let id = 1; id <= count; id++) {
    const kind = kinds[id - 1]!;
    const space = kind === fwd ? fwd : tagSpace(kind);
    if (isKept[id] === 0 || space === 0) continue;
    const info = joined.info(id);
    const name = joined.name(id);
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
  const representative = new Int32Array(count + 1);
  for (let id = 1; id <= count; id++) representative[id] = id;
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
  /** By position in #members, while a class is split: number of the part, hash of the targets. */
  readonly #parts: Int32Array;
  readonly #hashes: Int32Array;
  readonly #sorted: Int32Array;
  #table = new Int32Array(1024);

  constructor(
    joined: JoinedTypes,
    isKept: Uint8Array,
    representative: Int32Array,
    contents: Int32Array,
  ) {
    const { count, edges } = joined;
    this.#count = count;
    this.#starts = edges.starts;
    const targets = new Int32Array(edges.targets.length);
    for (let edge = 0; edge < targets.length; edge++) {
      const target = representative[edges.targets[edge]!]!;
      targets[edge] = isKept[target] === 1 ? target : 0;
    }
    this.#targets = targets;
    this.#classes = new Int32Array(count + 1);
    for (let id = 1; id <= count; id++) {
      const takesPart = isKept[id] === 1 && representative[id] === id;
      this.#classes[id] = takesPart ? contents[id]! : 0;
    }
    this.#members = this.#sortByClass();
    this.#parts = new Int32Array(this.#members.length);
    this.#hashes = new Int32Array(this.#members.length);
    this.#sorted = new Int32Array(this.#members.length);
    this.#userStarts = new Int32Array(count + 2);
    this.#users = this.#listUsers();
    // Classes that forward declarations left empty keep their numbers.
    this.#isQueued = new Uint8Array(2 * count + 2);
  }

  run(): Int32Array {
    for (let group = 1; group < this.#classStart.length; group++) this.#enqueue(group);
    // First in, first out: a large class waits until most of what its members refer to is split.
    for (let at = 0; at < this.#queue.length; at++) {
      const group = this.#queue[at]!;
      this.#isQueued[group] = 0;
      this.#split(group);
    }
    return this.#classes;
  }

  #sortByClass(): Int32Array {
    const count = this.#count;
    const classes = this.#classes;
    const sizes = new Int32Array(count + 1);
    let last = 0;
    for (let id = 1; id <= count; id++) {
      const group = classes[id]!;
      if (group === 0) continue;
      sizes[group] = sizes[group]! + 1;
      if (group > last) last = group;
    }
    const fill = new Int32Array(count + 1);
    let at = 0;
    for (let group = 1; group <= last; group++) {
      this.#classStart.push(at);
      fill[group] = at;
      at += sizes[group]!;
      this.#classEnd.push(at);
    }
    const members = new Int32Array(at);
    for (let id = 1; id <= count; id++) {
      const group = classes[id]!;
      if (group === 0) continue;
      const to = fill[group]!;
      members[to] = id;
      fill[group] = to + 1;
    }
    return members;
  }

  #listUsers(): Int32Array {
    const starts = this.#userStarts;
    const targets = this.#targets;
    const edgeStarts = this.#starts;
    const count = this.#count;
    for (let edge = 0; edge < targets.length; edge++) {
      const next = targets[edge]! + 1;
      starts[next] = starts[next]! + 1;
    }
    for (let id = 1; id <= count + 1; id++) starts[id] = starts[id]! + starts[id - 1]!;
    const fill = starts.slice();
    const users = new Int32Array(targets.length);
    for (let id = 1; id <= count; id++) {
      const end = edgeStarts[id]!;
      for (let edge = edgeStarts[id - 1]!; edge < end; edge++) {
        const target = targets[edge]!;
        const to = fill[target]!;
        users[to] = id;
        fill[target] = to + 1;
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
    const parts = this.#numberParts(start, end);
    if (parts === 1) return;
    const fill = this.#sortByPart(start, end, parts);
    for (let part = 1; part < parts; part++) {
      const number = this.#classStart.length;
      this.#classStart.push(fill[part - 1]!);
      this.#classEnd.push(fill[part]!);
      for (let at = fill[part - 1]!; at < fill[part]!; at++) {
        this.#classes[this.#members[at]!] = number;
      }
    }
    this.#classEnd[group] = fill[0]!;
    // Numbers are all changed before those who refer to the types are looked at again.
    for (let at = fill[0]!; at < end; at++) this.#enqueueUsers(this.#members[at]!);
  }

  /** Gives every member from `start` to `end` the number of its part, in the order of their first. */
  #numberParts(start: number, end: number): number {
    let size = 16;
    while (size < (end - start) * 2) size *= 2;
    if (this.#table.length < size) this.#table = new Int32Array(size);
    const table = this.#table.fill(0, 0, size);
    let parts = 0;
    for (let at = start; at < end; at++) {
      const id = this.#members[at]!;
      const hash = this.#signature(id);
      for (let slot = hash & (size - 1); ; slot = (slot + 1) & (size - 1)) {
        const known = table[slot]!;
        if (known === 0) {
          table[slot] = at + 1;
          this.#parts[at] = parts++;
          break;
        }
        if (this.#hashes[known - 1] === hash && this.#alike(id, this.#members[known - 1]!)) {
          this.#parts[at] = this.#parts[known - 1]!;
          break;
        }
      }
      this.#hashes[at] = hash;
    }
    return parts;
  }

  /** Members of one part together; returns where each part ends. */
  #sortByPart(start: number, end: number, parts: number): Int32Array {
    const fill = new Int32Array(parts + 1);
    for (let at = start; at < end; at++) {
      const next = this.#parts[at]! + 1;
      fill[next] = fill[next]! + 1;
    }
    fill[0] = start;
    for (let part = 1; part <= parts; part++) fill[part] = fill[part]! + fill[part - 1]!;
    const sorted = this.#sorted;
    for (let at = start; at < end; at++) {
      const part = this.#parts[at]!;
      const to = fill[part]!;
      sorted[to] = this.#members[at]!;
      fill[part] = to + 1;
    }
    this.#members.set(sorted.subarray(start, end), start);
    return fill;
  }

  #enqueueUsers(id: TypeId): void {
    for (let at = this.#userStarts[id]!; at < this.#userStarts[id + 1]!; at++) {
      const group = this.#classes[this.#users[at]!]!;
      if (group !== 0) this.#enqueue(group);
    }
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
      const own = this.#classes[this.#targets[from + i]!];
      if (own !== this.#classes[this.#targets[other + i]!]) return false;
    }
    return true;
  }
}
