/**
 * Strings as bytes, each once and in the order of their first use, as .BTF wants its table: a string's
 * number is where it starts there. 0 is the empty string.
 */
const encoder = new TextEncoder();

export class ByteStrings {
  #pool: Uint8Array<ArrayBuffer>;
  #length = 1;
  #count = 0;
  /** Open addressing, two entries each: a string (0 for none) and its hash. */
  #slots: Int32Array;

  /** `expected`: about how many bytes there will be. */
  constructor(expected = 0) {
    this.#pool = new Uint8Array(expected + 1024);
    // Names have 20 bytes or so; a third of the slots stays free.
    let size = 1 << 10;
    while (size < expected >> 4) size *= 2;
    this.#slots = new Int32Array(size * 2);
  }

  /** The table, each string with its NUL. */
  get bytes(): Uint8Array {
    return this.#pool.subarray(0, this.#length);
  }

  /** The string that starts there and ends with NUL or the table. */
  addFrom(table: Uint8Array, start: number): number {
    let pool = this.#pool;
    const number = this.#length;
    let end = number;
    let hash = 0x811c9dc5;
    // Appended while it is read; where it is known, what comes next takes its place.
    for (let at = start; at < table.length; at++, end++) {
      const byte = table[at]!;
      if (byte === 0) break;
      if (end + 1 >= pool.length) pool = this.#growPool();
      pool[end] = byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (end === number) return 0;
    pool[end] = 0;
    hash ^= hash >>> 15;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (hash << 1) - 2;
    let known = 0;
    do {
      slot = (slot + 2) & mask;
      known = slots[slot]!;
    } while (known !== 0 && (slots[slot + 1] !== hash || !this.#isSame(known, number)));
    if (known !== 0) return known;
    slots[slot] = number;
    slots[slot + 1] = hash;
    this.#length = end + 1;
    this.#count += 1;
    if (this.#count * 3 > slots.length) this.#growSlots();
    return number;
  }

  add(text: string): number {
    return text === "" ? 0 : this.addFrom(encoder.encode(text), 0);
  }

  #isSame(a: number, b: number): boolean {
    const pool = this.#pool;
    let at = 0;
    while (pool[a + at] === pool[b + at] && pool[a + at] !== 0) at += 1;
    return pool[a + at] === pool[b + at];
  }

  #growPool(): Uint8Array<ArrayBuffer> {
    const grown = new Uint8Array(this.#pool.length * 2);
    grown.set(this.#pool);
    this.#pool = grown;
    return grown;
  }

  #growSlots(): void {
    const slots = this.#slots;
    const grown = new Int32Array(slots.length * 4);
    const mask = grown.length - 1;
    for (let from = 0; from < slots.length; from += 2) {
      if (slots[from] === 0) continue;
      let slot = (slots[from + 1]! << 1) & mask;
      while (grown[slot] !== 0) slot = (slot + 2) & mask;
      grown[slot] = slots[from]!;
      grown[slot + 1] = slots[from + 1]!;
    }
    this.#slots = grown;
  }
}
