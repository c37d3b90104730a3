/**
 * Which types are equal, by whole graphs. A type's class is found from its words and the classes of
 * what it refers to, which come first; structs and unions, where every cycle passes, go by their words
 * alone. That may put too much into one class, so classes whose members refer to different classes
 * are then split until none is left.
 *
 * The first pass is one loop over local names, for the reason that pack-btf.ts gives.
 */
import type { TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import type { JoinedTypes } from "./joined-types.ts";

const composite = new Uint8Array(32);
composite[btfKindNumbers.struct] = 1;
composite[btfKindNumbers.union] = 1;
const variable = btfKindNumbers.var;

/** Of what is no type: void. */
const noClass = -1;

/**
 * Classes from 1 by id; 0 for types that `takesPart` (by id) leaves out. `targets`: what each edge
 * refers to, 0 for nothing; never what is left out.
 */
export function typeClasses(
  joined: JoinedTypes,
  takesPart: Uint8Array,
  targets: Int32Array,
): Int32Array {
  return new TypeClasses(joined, targets).run(takesPart);
}

const mixed = (hash: number, word: number): number => {
  const product = Math.imul(hash ^ word, 0x85ebca6b);
  return product ^ (product >>> 15);
};

/** A type and the class that it goes to. */
interface Member {
  readonly id: TypeId;
  readonly group: number;
}

class TypeClasses {
  readonly #joined: JoinedTypes;
  readonly #starts: Int32Array;
  readonly #targets: Int32Array;
  readonly #classes: Int32Array;
  /** First member by class. */
  readonly #first: Int32Array;
  #last = 0;
  /** Types that joined a class. */
  readonly #joiners: Int32Array;
  #joinerCount = 0;

  constructor(joined: JoinedTypes, targets: Int32Array) {
    const { count, edges } = joined;
    this.#joined = joined;
    this.#starts = edges.starts;
    this.#targets = targets;
    this.#classes = new Int32Array(count + 1);
    this.#classes[0] = noClass;
    this.#first = new Int32Array(count + 1);
    this.#joiners = new Int32Array(count);
  }

  run(takesPart: Uint8Array): Int32Array {
    this.#classify(takesPart);
    while (this.#split()) {}
    return this.#classes;
  }

  #classify(takesPart: Uint8Array): void {
    const { count, kinds, hashes: ownHashes } = this.#joined;
    const starts = this.#starts;
    const targets = this.#targets;
    const classes = this.#classes;
    const hashes = new Int32Array(count + 1);
    let slotCount = 64;
    while (slotCount < count * 2) slotCount *= 2;
    // First members by hash.
    const slots = new Int32Array(slotCount);
    const mask = slotCount - 1;
    // Types that wait for the classes of what they refer to, and the edge at which each stands.
    const path = new Int32Array(count);
    const places = new Int32Array(count);
    for (let root = 1; root <= count; root++) {
      if (takesPart[root] === 0 || classes[root] !== 0) continue;
      path[0] = root;
      places[0] = starts[root - 1]!;
      let depth = 0;
      do {
        const id = path[depth]!;
        const start = starts[id - 1]!;
        const end = composite[kinds[id - 1]!] === 1 ? start : starts[id]!;
        let edge = places[depth]!;
        while (edge < end && classes[targets[edge]!] !== 0) edge += 1;
        if (edge < end) {
          places[depth] = edge;
          depth += 1;
          path[depth] = targets[edge]!;
          places[depth] = starts[targets[edge]! - 1]!;
          continue;
        }
        let hash = ownHashes[id - 1]!;
        for (edge = start; edge < end; edge++) hash = mixed(hash, classes[targets[edge]!]!);
        hashes[id] = hash;
        let slot = hash - 1;
        let known = 0;
        do {
          slot = (slot + 1) & mask;
          known = slots[slot]!;
        } while (known !== 0 && (hashes[known] !== hash || !this.#areEqual(known, id)));
        if (known === 0) {
          slots[slot] = id;
          classes[id] = this.#fresh(id);
        } else this.#join(id, classes[known]!);
        depth -= 1;
      } while (depth >= 0);
    }
  }

  #fresh(id: TypeId): number {
    this.#last += 1;
    this.#first[this.#last] = id;
    return this.#last;
  }

  #join(id: TypeId, group: number): void {
    this.#classes[id] = group;
    this.#joiners[this.#joinerCount] = id;
    this.#joinerCount += 1;
  }

  /** As far as the first pass looks. Variables stay apart: each is a place in memory. */
  #areEqual(a: TypeId, b: TypeId): boolean {
    const kind = this.#joined.kinds[a - 1]!;
    if (kind === variable || !this.#joined.sameWords(a, b)) return false;
    return composite[kind] === 1 || this.#sameTargets(a, b);
  }

  /** Of two types that have as many edges. */
  #sameTargets(a: TypeId, b: TypeId): boolean {
    const targets = this.#targets;
    const classes = this.#classes;
    const end = this.#starts[a]!;
    let other = this.#starts[b - 1]!;
    for (let edge = this.#starts[a - 1]!; edge < end; edge++, other++) {
      if (classes[targets[edge]!] !== classes[targets[other]!]) return false;
    }
    return true;
  }

  /**
   * Takes the members out of their classes that refer to other classes than the first one does, all
   * at once, those that agree into one new class. Whether there were any.
   */
  #split(): boolean {
    const [classes, joiners, first] = [this.#classes, this.#joiners, this.#first];
    const moved: Member[] = [];
    // The first members of new classes, by hash.
    const founders = new Map<number, Member[]>();
    for (let at = 0; at < this.#joinerCount; at++) {
      const id = joiners[at]!;
      const old = classes[id]!;
      if (this.#sameTargets(first[old]!, id)) continue;
      const hash = this.#targetsHash(id);
      const alike = founders.get(hash) ?? [];
      const known = alike.find(
        (member) => classes[member.id] === old && this.#sameTargets(member.id, id),
      );
      const member = { id, group: known?.group ?? this.#fresh(id) };
      if (known === undefined) founders.set(hash, [...alike, member]);
      moved.push(member);
    }
    for (const { id, group } of moved) classes[id] = group;
    return moved.length > 0;
  }

  #targetsHash(id: TypeId): number {
    let hash = this.#classes[id]!;
    for (let edge = this.#starts[id - 1]!; edge < this.#starts[id]!; edge++) {
      hash = mixed(hash, this.#classes[this.#targets[edge]!]!);
    }
    return hash;
  }
}
