/** Strings as bytes, each once: number 0 is the empty one, others count from 1. */
const encoder = new TextEncoder();

interface Place {
  readonly table: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class ByteStrings {
  readonly #places: Place[] = [{ table: new Uint8Array(), start: 0, end: 0 }];
  /** Open addressing: number of the string in each slot. */
  #slots = new Int32Array(1 << 12);

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
    if (this.#places.length * 2 > this.#slots.length) this.#grow();
    const mask = this.#slots.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot]!;
      if (known === 0) {
        this.#slots[slot] = this.#places.length;
        return this.#places.push({ table, start, end }) - 1;
      }
      if (this.#equals(this.#places[known]!, table, start, end)) return known;
    }
  }

  add(text: string): number {
    return text === "" ? 0 : this.addFrom(encoder.encode(text), 0);
  }

  bytes(text: number): Uint8Array {
    const { table, start, end } = this.#places[text]!;
    return table.subarray(start, end);
  }

  #equals(place: Place, table: Uint8Array, start: number, end: number): boolean {
    if (place.end - place.start !== end - start) return false;
    if (place.table === table && place.start === start) return true;
    for (let at = start; at < end; at++) {
      if (place.table[place.start + at - start] !== table[at]) return false;
    }
    return true;
  }

  #grow(): void {
    const places = this.#places.splice(1);
    this.#slots = new Int32Array(this.#slots.length * 4);
    for (const { table, start } of places) this.addFrom(table, start);
  }
}
