/**
 * The table of a hash map, all of it in linear memory, so that compiled code (vm/jit/map-functions.ts)
 * and this class can both work on it: a header, buckets, and chains of elements. Elements stand in
 * chunks; walking the chunks lists them in the order in which they were first inserted.
 */
import { alignUp, type LinearMemory } from "../memory.ts";

/** Byte offsets in the table's header. */
export const tableFields = {
  /** Address of the bucket array: one element address each, 0 at the end of a chain. */
  buckets: 0,
  /** Number of buckets less one. */
  mask: 4,
  count: 8,
  /** First free element; they are chained like those of a bucket. */
  free: 12,
  maxEntries: 16,
  /** Address of the number of the CPU that programs run on. */
  cpuCell: 20,
} as const;
const headerSize = 24;

/** Byte offsets in an element; its key follows at `key`, its values after that. */
export const elementFields = {
  next: 0,
  hash: 4,
  /** Set by lookups; what least recently used maps look at. */
  used: 8,
  /** Number of its chunk, counted from 1; negative while it is free. */
  chunk: 12,
  key: 16,
} as const;

/** Where values start in an element. */
export const valueOffset = (keySize: number): number => elementFields.key + alignUp(keySize, 8);

/** Constants of the hash function; compiled code uses the same. */
export const hashFactor = 0x9e3779b1 | 0;
export const hashTailFactor = 0x01000193;

const elementsPerChunk = 64;
const mostBucketsAtFirst = 65536;

export class HashTable {
  readonly #memory: LinearMemory;
  readonly #keySize: number;
  readonly #elementSize: number;
  readonly #chunks: number[] = [];
  /** Called with each element that memory is found for. */
  readonly #prepare: (element: number) => void;
  readonly #name: string;
  readonly header: number;
  /** The least recently used map's place in its round through the elements. */
  #hand = 0;

  constructor(
    memory: LinearMemory,
    shape: {
      readonly name: string;
      readonly keySize: number;
      readonly elementSize: number;
      readonly maxEntries: number;
      readonly cpuCell: number;
    },
    prepare: (element: number) => void,
  ) {
    this.#memory = memory;
    this.#keySize = shape.keySize;
    this.#elementSize = shape.elementSize;
    this.#prepare = prepare;
    this.#name = shape.name;
    this.header = memory.allocate(headerSize);
    this.#set(tableFields.maxEntries, shape.maxEntries);
    this.#set(tableFields.cpuCell, shape.cpuCell);
    this.#makeBuckets(Math.min(2 ** Math.ceil(Math.log2(shape.maxEntries)), mostBucketsAtFirst));
  }

  #get(field: number): number {
    return this.#memory.view.getUint32(this.header + field, true);
  }

  #set(field: number, value: number): void {
    this.#memory.view.setUint32(this.header + field, value, true);
  }

  #word(address: number): number {
    return this.#memory.view.getUint32(address, true);
  }

  #setWord(address: number, value: number): void {
    this.#memory.view.setUint32(address, value, true);
  }

  get size(): number {
    return this.#get(tableFields.count);
  }

  #makeBuckets(count: number): void {
    this.#set(tableFields.buckets, this.#memory.allocate(count * 4));
    this.#set(tableFields.mask, count - 1);
  }

  #bucket(hash: number): number {
    return this.#get(tableFields.buckets) + (hash & this.#get(tableFields.mask)) * 4;
  }

  /** Hash of the key at an address, four bytes at a time where the size allows it. */
  hash(address: number): number {
    const { bytes, view } = this.#memory;
    const size = this.#keySize;
    let hash = size;
    let at = 0;
    for (; at + 4 <= size; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(address + at, true), hashFactor);
      hash ^= hash >>> 15;
    }
    for (; at < size; at += 1) {
      hash = Math.imul(hash ^ (bytes[address + at] as number), hashTailFactor);
    }
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

  /** Address of the element with the key at an address; 0 where there is none. */
  find(key: number): number {
    const hash = this.hash(key);
    let element = this.#word(this.#bucket(hash));
    while (element !== 0) {
      const isCandidate = (this.#word(element + elementFields.hash) | 0) === hash;
      if (isCandidate && this.#isEqual(element + elementFields.key, key)) return element;
      element = this.#word(element + elementFields.next);
    }
    return 0;
  }

  /** Adds an element with the key at an address; its values are what they were. */
  insert(key: number): number {
    // Making room may move memory, but not the addresses in it.
    if (this.#get(tableFields.free) === 0) this.#addChunk();
    const element = this.#get(tableFields.free);
    this.#set(tableFields.free, this.#word(element + elementFields.next));
    this.#memory.bytes.copyWithin(element + elementFields.key, key, key + this.#keySize);
    const hash = this.hash(key);
    this.#setWord(element + elementFields.hash, hash);
    this.#setWord(element + elementFields.used, 0);
    this.#turn(element);
    const count = this.size + 1;
    this.#set(tableFields.count, count);
    const bucket = this.#bucket(hash);
    this.#setWord(element + elementFields.next, this.#word(bucket));
    this.#setWord(bucket, element);
    if (count > this.#get(tableFields.mask) + 1) this.#grow();
    return element;
  }

  /** Free becomes used and the other way round. */
  #turn(element: number): void {
    this.#setWord(element + elementFields.chunk, -this.#word(element + elementFields.chunk));
  }

  #isFree(element: number): boolean {
    return this.#memory.view.getInt32(element + elementFields.chunk, true) <= 0;
  }

  #chunkOf(element: number): number {
    const size = this.#elementSize * elementsPerChunk;
    return this.#chunks.findLastIndex((start) => element >= start && element < start + size);
  }

  #addChunk(): void {
    const size = this.#elementSize * elementsPerChunk;
    const chunk = this.#memory.allocate(size);
    this.#chunks.push(chunk);
    this.#memory.nameRegion({ kind: "map value", name: this.#name, start: chunk, size });
    let next = 0;
    for (let i = elementsPerChunk - 1; i >= 0; i -= 1) {
      const element = chunk + i * this.#elementSize;
      this.#prepare(element);
      this.#setWord(element + elementFields.next, next);
      this.#setWord(element + elementFields.chunk, -this.#chunks.length);
      next = element;
    }
    this.#set(tableFields.free, next);
  }

  #grow(): void {
    const count = this.#get(tableFields.mask) + 1;
    const old = this.#get(tableFields.buckets);
    this.#makeBuckets(count * 4);
    this.#memory.release(old, count * 4);
    for (const element of this.elements()) {
      const bucket = this.#bucket(this.#word(element + elementFields.hash) | 0);
      this.#setWord(element + elementFields.next, this.#word(bucket));
      this.#setWord(bucket, element);
    }
  }

  remove(element: number): void {
    let link = this.#bucket(this.#word(element + elementFields.hash) | 0);
    while (this.#word(link) !== element) link = this.#word(link) + elementFields.next;
    this.#setWord(link, this.#word(element + elementFields.next));
    this.#setWord(element + elementFields.next, this.#get(tableFields.free));
    this.#turn(element);
    this.#set(tableFields.free, element);
    this.#set(tableFields.count, this.size - 1);
  }

  /** Notes that an element was looked up. */
  touch(element: number): void {
    this.#setWord(element + elementFields.used, 1);
  }

  /**
   * The element that a least recently used map gives up: the next in a round through all of them that
   * was not looked up since the round last passed it. The table is not empty.
   */
  victim(): number {
    const slots = this.#chunks.length * elementsPerChunk;
    for (;;) {
      this.#hand = (this.#hand + 1) % slots;
      const element = this.#slot(this.#hand);
      if (this.#isFree(element)) continue;
      if (this.#word(element + elementFields.used) === 0) return element;
      this.#setWord(element + elementFields.used, 0);
    }
  }

  #slot(index: number): number {
    const chunk = this.#chunks[Math.floor(index / elementsPerChunk)] as number;
    return chunk + (index % elementsPerChunk) * this.#elementSize;
  }

  /** The element after one (the first after 0) in the order of chunks; 0 at the end. */
  next(element: number): number {
    const slots = this.#chunks.length * elementsPerChunk;
    let index = 0;
    if (element !== 0) {
      const chunk = this.#word(element + elementFields.chunk) - 1;
      const within = (element - (this.#chunks[chunk] as number)) / this.#elementSize;
      index = chunk * elementsPerChunk + within + 1;
    }
    for (; index < slots; index += 1) {
      const candidate = this.#slot(index);
      if (!this.#isFree(candidate)) return candidate;
    }
    return 0;
  }

  elements(): number[] {
    const list: number[] = [];
    for (let e = this.next(0); e !== 0; e = this.next(e)) list.push(e);
    return list;
  }

  /** The element that an address lies in; 0 where there is none. */
  elementAt(address: number): number {
    const chunk = this.#chunks[this.#chunkOf(address)];
    if (chunk === undefined) return 0;
    const within = Math.floor((address - chunk) / this.#elementSize);
    const element = chunk + within * this.#elementSize;
    return this.#isFree(element) ? 0 : element;
  }

  release(): void {
    const memory = this.#memory;
    for (const chunk of this.#chunks) {
      memory.forgetRegion(chunk);
      memory.release(chunk, this.#elementSize * elementsPerChunk);
    }
    memory.release(this.#get(tableFields.buckets), (this.#get(tableFields.mask) + 1) * 4);
    memory.release(this.header, headerSize);
  }
}
