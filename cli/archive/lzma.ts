/**
 * LZMA as LZMA2 chunks carry it (the LZMA SDK's specification, lzma-specification.txt). Damaged data
 * ends in `LzmaError`, which read-archive.ts turns into a diagnostic.
 */
export class LzmaError extends Error {}

/** Probabilities of bits, in 2048ths; a bit decoder reads and adapts them. */
const half = 1024;
const probabilities = (count: number): Uint16Array => new Uint16Array(count).fill(half);

class RangeDecoder {
  readonly #bytes: Uint8Array;
  #at: number;
  #range = 0xffff_ffff;
  #code = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#at = 1;
    for (let i = 0; i < 4; i++) this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new LzmaError("compressed data is cut short");
    this.#at += 1;
    return byte;
  }

  #normalise(): void {
    if (this.#range >= 0x100_0000) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
  }

  bit(probs: Uint16Array, index: number): number {
    const prob = probs[index]!;
    const bound = (this.#range >>> 11) * prob;
    const isZero = this.#code < bound;
    if (isZero) {
      this.#range = bound;
      probs[index] = prob + ((2048 - prob) >> 5);
    } else {
      this.#range -= bound;
      this.#code -= bound;
      probs[index] = prob - (prob >> 5);
    }
    this.#normalise();
    return isZero ? 0 : 1;
  }

  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const isOne = this.#code >= this.#range;
      if (isOne) this.#code -= this.#range;
      value = value * 2 + (isOne ? 1 : 0);
      this.#normalise();
    }
    return value;
  }

  /** `bits` bits, the highest first; `base` is where the tree starts. */
  tree(probs: Uint16Array, base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = node * 2 + this.bit(probs, base + node);
    return node - (1 << bits);
  }

  reverseTree(probs: Uint16Array, base: number, bits: number): number {
    let [node, value] = [1, 0];
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probs, base + node);
      node = node * 2 + bit;
      value |= bit << i;
    }
    return value;
  }
}

class LengthDecoder {
  readonly #choice = probabilities(2);
  readonly #low = probabilities(16 * 8);
  readonly #mid = probabilities(16 * 8);
  readonly #high = probabilities(256);

  decode(range: RangeDecoder, place: number): number {
    if (range.bit(this.#choice, 0) === 0) return 2 + range.tree(this.#low, place * 8, 3);
    if (range.bit(this.#choice, 1) === 0) return 10 + range.tree(this.#mid, place * 8, 3);
    return 18 + range.tree(this.#high, 0, 8);
  }
}

/** What adapts while data is decoded; a chunk may ask for a new one. */
class Model {
  readonly literals: Uint16Array;
  readonly isMatch = probabilities(12 * 16);
  readonly isRepeat = probabilities(12);
  readonly isRepeat0 = probabilities(12);
  readonly isRepeat0Long = probabilities(12 * 16);
  readonly isRepeat1 = probabilities(12);
  readonly isRepeat2 = probabilities(12);
  readonly slots = probabilities(4 * 64);
  readonly special = probabilities(128);
  readonly align = probabilities(16);
  readonly lengths = new LengthDecoder();
  readonly repeatLengths = new LengthDecoder();
  state = 0;
  /** The last four distances, less one; the latest first. */
  distances: [number, number, number, number] = [0, 0, 0, 0];

  constructor(literalBits: number) {
    this.literals = probabilities(0x300 << literalBits);
  }
}

export interface LzmaProperties {
  readonly literalContext: number;
  readonly literalPlace: number;
  readonly place: number;
}

/** Decodes chunk after chunk; what was decoded is the dictionary. */
export class LzmaDecoder {
  readonly #most: number;
  #out = new Uint8Array(1 << 20);
  #length = 0;
  /** Where the dictionary starts: positions count from there. */
  #start = 0;
  #properties: LzmaProperties = { literalContext: 0, literalPlace: 0, place: 0 };
  #model = new Model(0);

  /** `most`: bytes that may come out. */
  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): Uint8Array {
    return this.#out.subarray(0, this.#length);
  }

  reset(properties = this.#properties): void {
    this.#properties = properties;
    this.#model = new Model(properties.literalContext + properties.literalPlace);
  }

  /** Forgets what was decoded before. */
  startDictionary(): void {
    this.#start = this.#length;
  }

  /** Bytes that are not compressed. */
  copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#out.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** One chunk that makes `size` bytes. */
  decode(bytes: Uint8Array, size: number): void {
    this.#reserve(size);
    const range = new RangeDecoder(bytes);
    const end = this.#length + size;
    while (this.#length < end) this.#step(range, end);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed > this.#most) throw new LzmaError("it is too large");
    if (needed <= this.#out.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#out.length * 2));
    grown.set(this.#out);
    this.#out = grown;
  }

  #step(range: RangeDecoder, end: number): void {
    const model = this.#model;
    const { state, distances } = model;
    const place = (this.#length - this.#start) & ((1 << this.#properties.place) - 1);
    if (range.bit(model.isMatch, state * 16 + place) === 0) {
      this.#literal(range);
      return;
    }
    const isLate = state >= 7;
    if (range.bit(model.isRepeat, state) === 0) {
      const length = model.lengths.decode(range, place);
      const distance = this.#distance(range, length);
      model.distances = [distance, distances[0], distances[1], distances[2]];
      model.state = isLate ? 10 : 7;
      this.#repeat(distance, length, end);
      return;
    }
    const isShort = this.#chooseRepeat(range, place);
    const length = isShort ? 1 : model.repeatLengths.decode(range, place);
    model.state = isShort ? (isLate ? 11 : 9) : isLate ? 11 : 8;
    this.#repeat(model.distances[0], length, end);
  }

  /** Moves the distance that is repeated to the front; whether it is a single byte. */
  #chooseRepeat(range: RangeDecoder, place: number): boolean {
    const model = this.#model;
    const { state } = model;
    const [first, second, third, fourth] = model.distances;
    if (range.bit(model.isRepeat0, state) === 0)
      return range.bit(model.isRepeat0Long, state * 16 + place) === 0;
    if (range.bit(model.isRepeat1, state) === 0) model.distances = [second, first, third, fourth];
    else if (range.bit(model.isRepeat2, state) === 0)
      model.distances = [third, first, second, fourth];
    else model.distances = [fourth, first, second, third];
    return false;
  }

  #literal(range: RangeDecoder): void {
    const model = this.#model;
    const { literalContext, literalPlace } = this.#properties;
    const at = this.#length - this.#start;
    const before = at === 0 ? 0 : this.#out[this.#length - 1]!;
    const context = before >> (8 - literalContext);
    const place = at & ((1 << literalPlace) - 1);
    const base = 0x300 * ((place << literalContext) + context);
    let symbol = 1;
    if (model.state >= 7) {
      let match = this.#byteAt(model.distances[0]);
      while (symbol < 0x100) {
        const expected = (match >> 7) & 1;
        match <<= 1;
        const bit = range.bit(model.literals, base + ((1 + expected) << 8) + symbol);
        symbol = symbol * 2 + bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = symbol * 2 + range.bit(model.literals, base + symbol);
    this.#out[this.#length] = symbol & 0xff;
    this.#length += 1;
    model.state = model.state < 4 ? 0 : model.state < 10 ? model.state - 3 : model.state - 6;
  }

  #distance(range: RangeDecoder, length: number): number {
    const { slots, special, align } = this.#model;
    const slot = range.tree(slots, Math.min(length - 2, 3) * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return high + range.reverseTree(special, high - slot, bits);
    return high + range.direct(bits - 4) * 16 + range.reverseTree(align, 0, 4);
  }

  #byteAt(distance: number): number {
    const byte = this.#out[this.#length - distance - 1];
    if (distance >= this.#length - this.#start || byte === undefined)
      throw new LzmaError("compressed data is damaged");
    return byte;
  }

  #repeat(distance: number, length: number, end: number): void {
    if (this.#length + length > end) throw new LzmaError("compressed data is damaged");
    for (let i = 0; i < length; i++) {
      this.#out[this.#length] = this.#byteAt(distance);
      this.#length += 1;
    }
  }
}
