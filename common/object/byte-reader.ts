/**
 * Reading of fixed-layout binary data with a byte order that is known at run time only.
 * Reads outside the bytes give 0 and set {@link ByteReader.failed}; so a parser checks once per
 * record instead of once per field.
 */
import type { Endian } from "./object-file.ts";

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly little: boolean;
  position = 0;
  failed = false;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, endian: Endian, position = 0) {
    this.bytes = bytes;
    this.little = endian === "little";
    this.position = position;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  #take(size: number): number {
    const at = this.position;
    if (at < 0 || at + size > this.bytes.length) {
      this.failed = true;
      return -1;
    }
    this.position = at + size;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, this.little);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, this.little);
  }

  i32(): number {
    return this.u32() | 0;
  }

  u64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#view.getBigUint64(at, this.little);
  }

  /** A 64-bit size or offset: numbers above 2^53 fail, as no file is that long. */
  size64(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.failed = true;
      return 0;
    }
    return Number(value);
  }

  skip(size: number): void {
    this.#take(size);
  }
}

const decoder = new TextDecoder();

/** The NUL-terminated UTF-8 string at an offset; undefined where it does not end in the table. */
export function stringAt(table: Uint8Array, offset: number): string | undefined {
  if (offset < 0 || offset >= table.length) return offset === 0 ? "" : undefined;
  let end = offset;
  let ascii = true;
  for (; end < table.length; end++) {
    const byte = table[end]!;
    if (byte === 0) break;
    if (byte >= 0x80) ascii = false;
  }
  if (end === table.length) return undefined;
  const bytes = table.subarray(offset, end);
  if (ascii && bytes.length < 512) return String.fromCharCode(...bytes);
  return decoder.decode(bytes);
}
