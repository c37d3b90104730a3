/** A packet in linear memory: head room, optional metadata, data, tail room. */
import { alignUp, granule, type LinearMemory } from "../memory.ts";

export class Packet {
  readonly #memory: LinearMemory;
  readonly #base: number;
  readonly #capacity: number;
  /** Addresses. Metadata lies directly before data. */
  meta: number;
  data: number;
  end: number;
  /** Called when the bounds have moved. */
  onMove: (() => void) | undefined;

  constructor(memory: LinearMemory, bytes: Uint8Array, headRoom: number, tailRoom: number) {
    this.#memory = memory;
    this.#capacity = alignUp(headRoom + bytes.length + tailRoom, 8);
    this.#base = memory.allocate(this.#capacity);
    this.data = this.#base + headRoom;
    this.meta = this.data;
    this.end = this.data + bytes.length;
    memory.bytes.set(bytes, this.data);
    this.#allow("write");
    const [start, size] = [this.#base, this.#capacity];
    memory.nameRegion({ kind: "packet", name: "packet", start, size });
  }

  get length(): number {
    return this.end - this.data;
  }

  get headRoom(): number {
    return this.meta - this.#base;
  }

  get tailRoom(): number {
    return this.#base + this.#capacity - this.end;
  }

  /** The granule that data starts in may hold a few bytes before it: those stay accessible. */
  #allow(access: "none" | "write"): void {
    const size = this.end - this.meta;
    if (size > 0) this.#memory.allow(this.meta, size, access);
  }

  /** Moves the bounds; the caller has checked them against the room. New bytes are zero. */
  move(meta: number, data: number, end: number): void {
    this.#memory.clear(meta, this.meta);
    this.#memory.clear(this.end, end);
    const isHead = end === this.end && meta + granule <= end && this.meta + granule <= end;
    if (isHead) this.#memory.moveStart(this.meta, meta);
    else this.#allow("none");
    this.meta = meta;
    this.data = data;
    this.end = end;
    if (!isHead) this.#allow("write");
    this.onMove?.();
  }

  bytes(): Uint8Array {
    return this.#memory.copyOut(this.data, this.length);
  }

  /** Bytes at an offset of the data; undefined where they are not all there. */
  at(offset: number, size: number): number | undefined {
    const inside = offset >= 0 && size >= 0 && offset + size <= this.length;
    return inside ? this.data + offset : undefined;
  }

  release(): void {
    this.#memory.allow(this.#base, this.#capacity, "none");
    this.#memory.forgetRegion(this.#base);
    this.#memory.release(this.#base, this.#capacity);
  }
}
