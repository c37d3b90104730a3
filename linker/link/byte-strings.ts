/** Strings as bytes, each once: number 0 is the empty one, others count from 1. */
const encoder = new TextEncoder();

/** A list of numbers that grows by doubling. */
class Numbers {
  list = new Int32Array(1 << 12);

  set(index: number, value: number): void {
    if (index >= this.list.length) {
      const grown = new Int32Array(this.list.length * 2);
      grown.set(this.list);
      this.list = grown;
    }
    this.list[index] = value;
  }
}

export class ByteStrings {
  readonly #tables: Uint8Array[] = [];
  /** By number: index of the table that holds the bytes, their start and their end. */
  readonly #table = new Numbers();
  readonly #start = new Numbers();
  readonly #end = new Numbers();
  readonly #hash = new Numbers();
  #count = 1;
  /** Open addressing: number of the string in each slot. */
  #slots: Int32Array;

  /** `expected`: about how many strings there will be. */
  constructor(expected = 0) {
    let size = 1 << 12;
    while (size < expected * 2) size *= 2;
    this.#slots = new Int32Array(size);
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
    if (this.#count * 2 > this.#slots.length) this.#grow();
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot]!;
      if (known === 0) {
        slots[slot] = this.#count;
        return this.#append(table, start, end, hash);
      }
      if (this.#hash.list[known] === hash && this.#equals(known, table, start, end)) return known;
    }
  }

  add(text: string): number {
    return text === "" ? 0 : this.addFrom(encoder.encode(text), 0);
  }

  bytes(text: number): Uint8Array {
    if (text === 0) return new Uint8Array();
    const table = this.#tables[this.#table.list[text]!]!;
    return table.subarray(this.#start.list[text]!, this.#end.list[text]!);
  }

  #append(table: Uint8Array, start: number, end: number, hash: number): number {
    if (this.#tables.at(-1) !== table) this.#tables.push(table);
    const number = this.#count;
    this.#count += 1;
    this.#table.set(number, this.#tables.length - 1);
    this.#start.set(number, start);
    this.#end.set(number, end);
    this.#hash.set(number, hash);
    return number;
  }

  #equals(known: number, table: Uint8Array, start: number, end: number): boolean {
    const from = this.#start.list[known]!;
    if (this.#end.list[known]! - from !== end - start) return false;
    const other = this.#tables[this.#table.list[known]!]!;
    for (let at = start; at < end; at++) {
      if (other[from + at - start] !== table[at]) return false;
    }
    return true;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let number = 1; number < this.#count; number++) {
      const hash = this.#hash.list[number]!;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}
