/**
 * Which types are equal, by whole graphs. A type's class is found from its words and the classes of
 * what it refers to, which come first; structs and unions, where every cycle passes, go by their words
 * alone. That may put too much into one class, so classes whose members refer to different classes
 * are then split until none is left.
 *
 * Loops stand in short functions that are called for part of the types: V8 optimises a function that
 * is called again with all that it learned, but a loop that it finds running only with what ran so far.
 */
import type { TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import type { JoinedTypes } from "./joined-types.ts";

const { struct, union } = btfKindNumbers;
const variable = btfKindNumbers.var;
/** Types that one call of a loop's function handles. */
const portion = 128;

/**
 * Classes from 1 by id; 0 for those that `takesPart` (by id) leaves out. `targets`: what each edge
 * refers to, 0 for nothing.
 */
export function typeClasses(
  joined: JoinedTypes,
  takesPart: Uint8Array,
  targets: Int32Array,
): Int32Array {
  return new TypeClasses(joined, takesPart, targets).run();
}

class TypeClasses {
  readonly #joined: JoinedTypes;
  readonly #count: number;
  readonly #kinds: Uint8Array;
  readonly #words: Uint32Array;
  readonly #starts: Int32Array;
  readonly #edges: Int32Array;
  readonly #targets: Int32Array;
  readonly #takesPart: Uint8Array;
  readonly #classes: Int32Array;
  /** First member by class. */
  readonly #first: Int32Array;
  #last = 0;
  /** A table by hash, of types that are the first of their class; and their hashes, by id. */
  readonly #slots: Int32Array;
  readonly #hashes: Int32Array;
  /** While classes are split: those whose members disagree, and their members with new classes. */
  readonly #isUnstable: Uint8Array;
  #members: TypeId[] = [];
  #moved: number[] = [];

  constructor(joined: JoinedTypes, takesPart: Uint8Array, targets: Int32Array) {
    const { count, kinds, words, starts, edges } = joined;
    this.#joined = joined;
    this.#count = count;
    this.#kinds = kinds;
    this.#words = words;
    this.#starts = starts;
    this.#edges = edges.starts;
    this.#targets = targets;
    this.#takesPart = takesPart;
    this.#classes = new Int32Array(count + 1);
    this.#first = new Int32Array(count + 1);
    let size = 64;
    while (size < count * 2) size *= 2;
    this.#slots = new Int32Array(size);
    this.#hashes = new Int32Array(count + 1);
    this.#isUnstable = new Uint8Array(count + 1);
  }

  run(): Int32Array {
    this.#inPortions((from, to) => this.#classify(from, to));
    while (this.#findUnstable()) this.#split();
    return this.#classes;
  }

  #inPortions(visit: (from: TypeId, to: TypeId) => void): void {
    const end = this.#count + 1;
    for (let from = 1; from < end; from += portion) visit(from, Math.min(from + portion, end));
  }

  #classify(from: TypeId, to: TypeId): void {
    for (let id = from; id < to; id++) {
      if (this.#takesPart[id] === 1 && this.#classes[id] === 0) this.#visit(id);
    }
  }

  #visit(id: TypeId): void {
    const kind = this.#kinds[id - 1]!;
    const isComposite = kind === struct || kind === union;
    const start = this.#edges[id - 1]!;
    const end = isComposite ? start : this.#edges[id]!;
    const classes = this.#classes;
    for (let edge = start; edge < end; edge++) {
      const target = this.#targets[edge]!;
      if (target !== 0 && classes[target] === 0) this.#visit(target);
    }
    classes[id] = kind === variable ? this.#fresh(id) : this.#classOf(id, start, end);
  }

  #fresh(id: TypeId): number {
    this.#last += 1;
    this.#first[this.#last] = id;
    return this.#last;
  }

  /** By words and the edges from `start` to `end`. */
  #classOf(id: TypeId, start: number, end: number): number {
    const words = this.#words;
    const wordsEnd = this.#starts[id]!;
    let hash = 0;
    for (let at = this.#starts[id - 1]!; at < wordsEnd; at++) {
      hash = Math.imul(hash ^ words[at]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (let edge = start; edge < end; edge++) {
      hash = Math.imul(hash ^ this.#classes[this.#targets[edge]!]!, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    this.#hashes[id] = hash;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot]!;
      if (known === 0) {
        slots[slot] = id;
        return this.#fresh(id);
      }
      if (this.#hashes[known] !== hash || !this.#joined.sameWords(known, id)) continue;
      if (start === end || this.#sameTargets(known, id)) return this.#classes[known]!;
    }
  }

  /** Of two types that have as many edges. */
  #sameTargets(a: TypeId, b: TypeId): boolean {
    const targets = this.#targets;
    const classes = this.#classes;
    const end = this.#edges[a]!;
    let other = this.#edges[b - 1]!;
    for (let edge = this.#edges[a - 1]!; edge < end; edge++, other++) {
      if (classes[targets[edge]!] !== classes[targets[other]!]) return false;
    }
    return true;
  }

  /** Marks the classes whose members refer to different classes; whether there are any. */
  #findUnstable(): boolean {
    let found = 0;
    this.#inPortions((from, to) => {
      found += this.#compare(from, to);
    });
    return found > 0;
  }

  #compare(from: TypeId, to: TypeId): number {
    let found = 0;
    for (let id = from; id < to; id++) {
      const group = this.#classes[id]!;
      if (group === 0 || this.#first[group] === id || this.#isUnstable[group] === 1) continue;
      if (this.#sameTargets(this.#first[group]!, id)) continue;
      this.#isUnstable[group] = 1;
      found += 1;
    }
    return found;
  }

  /**
   * Splits the marked classes by their members' targets, all at once: the members that agree with the
   * first one keep the class.
   */
  #split(): void {
    this.#slots.fill(0);
    this.#members = [];
    this.#moved = [];
    this.#inPortions((from, to) => this.#regroup(from, to));
    for (let at = 0; at < this.#members.length; at++) {
      this.#classes[this.#members[at]!] = this.#moved[at]!;
    }
    this.#isUnstable.fill(0);
  }

  #regroup(from: TypeId, to: TypeId): void {
    for (let id = from; id < to; id++) {
      if (this.#isUnstable[this.#classes[id]!] === 1) this.#regroupOne(id);
    }
  }

  #regroupOne(id: TypeId): void {
    const group = this.#classes[id]!;
    const end = this.#edges[id]!;
    let hash = group;
    for (let edge = this.#edges[id - 1]!; edge < end; edge++) {
      hash = Math.imul(hash ^ this.#classes[this.#targets[edge]!]!, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    this.#hashes[id] = hash;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const known = this.#members[this.#slots[slot]! - 1]!;
      if (this.#hashes[known] !== hash || this.#classes[known] !== group) continue;
      if (this.#sameTargets(known, id)) break;
    }
    this.#members.push(id);
    if (this.#slots[slot] === 0) {
      this.#slots[slot] = this.#members.length;
      const isFirst = this.#sameTargets(this.#first[group]!, id);
      this.#moved.push(isFirst ? group : this.#fresh(id));
    } else this.#moved.push(this.#moved[this.#slots[slot]! - 1]!);
  }
}
