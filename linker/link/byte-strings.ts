/**
 * Strings as bytes, each once and in the order of their first use, as .BTF wants its table: a string's
 * number is where it starts there. 0 is the empty string.
 */
const encoder = new TextEncoder();

export class ByteStrings {
  #pool: Uint8Array<ArrayBuffer>;
  #length = 1;
  #count = 0;
  /** Open addressing: the string in each slot, and its hash. */
  #slots: Int32Array;
  #hashes: Int32Array;

  /** `expected`: about how many bytes there will be. */
  constructor(expected = 0) {
    this.#pool = new Uint8Array(expected + 1024);
    // Names have 20 bytes or so; half of the slots stay free.
    let size = 1 << 10;
    while (size < expected >> 3) size *= 2;
    this.#slots = new Int32Array(size);
    this.#hashes = new Int32Array(size);
  }

  /** The table, each string with its NUL. */
  get bytes(): Uint8Array {
    return this.#pool.subarray(0, this.#length);
  }

  /** The string that starts there and ends with NUL or the table. */
  addFrom(table: Uint8Array, start: number): number {
    let hash = 0x811c9dc5;
    let end = start;
    for (; end < table.length; end++) {
      const byte = table[end]!;
      if (byte === 0) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (end === start) return 0;
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    hash ^= hash >>> 15;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot]!;
      if (known === 0) {
        slots[slot] = this.#length;
        this.#hashes[slot] = hash;
        return this.#append(table, start, end);
      }
      if (this.#hashes[slot] === hash && this.#equals(known, table, start, end)) return known;
    }
  }

  add(text: string): number {
    return text === "" ? 0 : this.addFrom(encoder.encode(text), 0);
  }

  #append(table: Uint8Array, start: number, end: number): number {
    const number = this.#length;
    const after = number + end - start + 1;
    if (after > this.#pool.length) {
      const grown = new Uint8Array(after * 2);
      grown.set(this.#pool);
      this.#pool = grown;
    }
    const pool = this.#pool;
    for (let at = start, to = number; at < end; at++, to++) pool[to] = table[at]!;
    this.#length = after;
    this.#count += 1;
    return number;
  }

  #equals(known: number, table: Uint8Array, start: number, end: number): boolean {
    const pool = this.#pool;
    const shift = known - start;
    for (let at = start; at < end; at++) {
      if (pool[at + shift] !== table[at]) return false;
    }
    return pool[end + shift] === 0;
  }

  #grow(): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    const mask = slots.length * 4 - 1;
    this.#slots = new Int32Array(mask + 1);
    this.#hashes = new Int32Array(mask + 1);
    for (let from = 0; from < slots.length; from++) {
      if (slots[from] === 0) continue;
      let slot = hashes[from]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = slots[from]!;
      this.#hashes[slot] = hashes[from]!;
    }
  }
}
