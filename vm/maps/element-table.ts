/**
 * The index of a hash map: chains of elements whose keys stand in linear memory, and the order in
 * which they were inserted (or used). All links are numbers in typed arrays: a lookup makes no
 * objects.
 */
import type { LinearMemory } from "../memory.ts";

const none = -1;
const smallest = 16;

export class ElementTable {
  readonly #memory: LinearMemory;
  readonly #keySize: number;
  #buckets = new Int32Array(smallest).fill(none);
  #chain = new Int32Array(smallest);
  #hashes = new Int32Array(smallest);
  #before = new Int32Array(smallest);
  #after = new Int32Array(smallest);
  /** Element addresses: the key stands there. */
  #addresses = new Uint32Array(smallest);
  readonly #free: number[] = [];
  #used = 0;
  #first = none;
  #last = none;
  size = 0;

  constructor(memory: LinearMemory, keySize: number) {
    this.#memory = memory;
    this.#keySize = keySize;
  }

  /** Hash of the key at an address, four bytes at a time where the size allows it. */
  #hash(address: number): number {
    const { bytes, view } = this.#memory;
    const size = this.#keySize;
    let hash = size;
    let at = 0;
    for (; at + 4 <= size; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(address + at, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; at < size; at += 1) hash = Math.imul(hash ^ (bytes[address + at] as number), 0x01000193);
    return hash ^ (hash >>> 13);
  }

  #isEqual(a: number, b: number): boolean {
    const { bytes, view } = this.#memory;
    const size = this.#keySize;
    let at = 0;
    for (; at + 4 <= size; at += 4) {
      if (view.getInt32(a + at, true) !== view.getInt32(b + at, true)) return false;
    }
    for (; at < size; at += 1) if (bytes[a + at] !== bytes[b + at]) return false;
    return true;
  }

  /** Number of the element with the key at an address; -1 where there is none. */
  find(key: number): number {
    const hash = this.#hash(key);
    let element = this.#buckets[hash & (this.#buckets.length - 1)] as number;
    while (element !== none) {
      const isCandidate = this.#hashes[element] === hash;
      if (isCandidate && this.#isEqual(this.#addresses[element] as number, key)) return element;
      element = this.#chain[element] as number;
    }
    return none;
  }

  addressOf(element: number): number {
    return this.#addresses[element] as number;
  }

  /** Adds the element whose key already stands at an address, as the newest. */
  insert(address: number): number {
    const element = this.#free.pop() ?? this.#used++;
    if (element >= this.#chain.length) this.#grow();
    this.#addresses[element] = address;
    this.#hashes[element] = this.#hash(address);
    this.#link(element);
    this.#append(element);
    this.size += 1;
    return element;
  }

  #link(element: number): void {
    const bucket = (this.#hashes[element] as number) & (this.#buckets.length - 1);
    this.#chain[element] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = element;
  }

  #grow(): void {
    const size = this.#chain.length * 2;
    const larger = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(size);
      array.set(old);
      return array;
    };
    this.#chain = larger(this.#chain);
    this.#hashes = larger(this.#hashes);
    this.#before = larger(this.#before);
    this.#after = larger(this.#after);
    const addresses = new Uint32Array(size);
    addresses.set(this.#addresses);
    this.#addresses = addresses;
    this.#buckets = new Int32Array(size).fill(none);
    for (let e = this.#first; e !== none; e = this.#after[e] as number) this.#link(e);
  }

  #append(element: number): void {
    this.#before[element] = this.#last;
    this.#after[element] = none;
    if (this.#last === none) this.#first = element;
    else this.#after[this.#last] = element;
    this.#last = element;
  }

  #detach(element: number): void {
    const [before, after] = [this.#before[element] as number, this.#after[element] as number];
    if (before === none) this.#first = after;
    else this.#after[before] = after;
    if (after === none) this.#last = before;
    else this.#before[after] = before;
  }

  /** Makes an element the newest. */
  touch(element: number): void {
    if (element === this.#last) return;
    this.#detach(element);
    this.#append(element);
  }

  remove(element: number): void {
    const bucket = (this.#hashes[element] as number) & (this.#buckets.length - 1);
    let at = this.#buckets[bucket] as number;
    if (at === element) this.#buckets[bucket] = this.#chain[element] as number;
    else {
      while (this.#chain[at] !== element) at = this.#chain[at] as number;
      this.#chain[at] = this.#chain[element] as number;
    }
    this.#detach(element);
    this.#free.push(element);
    this.size -= 1;
  }

  /** The oldest element; -1 where the table is empty. */
  get oldest(): number {
    return this.#first;
  }

  /** The element after another in order; -1 at the end. */
  next(element: number): number {
    return this.#after[element] as number;
  }

  /** Addresses of all elements, oldest first. */
  addresses(): number[] {
    const list: number[] = [];
    for (let e = this.#first; e !== none; e = this.next(e)) list.push(this.addressOf(e));
    return list;
  }
}
