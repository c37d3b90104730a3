/** Growing output buffer with a byte order chosen at run time; the counterpart of byte-reader.ts. */
import type { Endian } from "./object-file.ts";

export class ByteWriter {
  readonly #little: boolean;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** `capacity`: bytes that are expected; more are no mistake. */
  constructor(endian: Endian, capacity = 1024) {
    this.#little = endian === "little";
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): void {
    // The view is looked up afterwards: making room may replace it.
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, this.#little);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, this.#little);
  }

  u64(value: bigint | number): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), this.#little);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Pads with zeros to a multiple of `align`. */
  align(align: number): void {
    if (align > 1) this.#reserve((align - (this.#length % align)) % align);
  }

  /** Overwrites a word that was written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, this.#little);
  }

  /** The bytes written so far; of a full buffer, itself, otherwise a copy. Nothing is written after. */
  finish(): Uint8Array {
    const isFull = this.#length === this.#bytes.length;
    return isFull ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  /** The bytes written so far, in place. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
