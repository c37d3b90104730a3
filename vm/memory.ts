/**
 * The one linear memory that a kernel's programs share: stacks, contexts, packets, map values.
 * Addresses are byte offsets in it, so that WebAssembly code can use them as they are. A shadow
 * byte per 8-byte granule says how many of its first bytes may be accessed, which makes every
 * bounds check exact; the null page and the gaps have 0 there. The shadow lies in the same memory,
 * where compiled code reads it, from its start on. Pages of it that are never touched cost nothing.
 */
import { pushTo } from "../common/append.ts";
import { Fault, type RegionName } from "./fault.ts";

export interface Region {
  readonly kind: string;
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

export const granule = 8;
/** Shadow bit of memory that programs may only read. */
export const readOnlyShadow = 0x80;
const wasmPage = 65536;
/** Nothing lives below: null pointers plus a structure offset must fault. */
export const firstAddress = wasmPage;
/** Addresses end at 256 MiB: reserving the shadow of a larger space takes milliseconds. */
export const addressBits = 28;
/** Address of the shadow: one byte per granule. */
export const shadowBase = firstAddress;
const shadowSize = 2 ** addressBits / granule;
const maximumPages = 2 ** addressBits / wasmPage;
const firstFree = shadowBase + shadowSize;
const pagesToStartWith = 32;

export const alignUp = (value: number, align: number): number => Math.ceil(value / align) * align;

export class LinearMemory {
  readonly wasm: WebAssembly.Memory;
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  words: BigUint64Array;
  #next = firstFree;
  readonly #free = new Map<number, number[]>();
  readonly #regions: Region[] = [];

  constructor() {
    this.wasm = new WebAssembly.Memory({
      initial: firstFree / wasmPage + pagesToStartWith,
      maximum: maximumPages,
    });
    this.bytes = new Uint8Array(this.wasm.buffer as ArrayBuffer);
    this.view = new DataView(this.wasm.buffer);
    this.words = new BigUint64Array(this.wasm.buffer);
  }

  /** Pages are added as needed; views are made anew, because growing detaches the old buffer. */
  #ensure(end: number): void {
    if (end <= this.bytes.length) return;
    const missing = Math.ceil((end - this.bytes.length) / wasmPage);
    const pages = this.bytes.length / wasmPage;
    // Larger steps keep the number of new views low.
    const step = (pages - firstFree / wasmPage) >> 1;
    const wanted = Math.min(Math.max(missing, step), maximumPages - pages);
    if (wanted < missing)
      throw new Fault("out-of-memory", "the programs' memory is used up (256 MiB)");
    this.wasm.grow(wanted);
    this.bytes = new Uint8Array(this.wasm.buffer as ArrayBuffer);
    this.view = new DataView(this.wasm.buffer);
    this.words = new BigUint64Array(this.wasm.buffer);
  }

  /** Where memory was ever given out, aligned to granules. */
  get used(): { readonly from: number; readonly to: number } {
    return { from: firstFree, to: this.#next };
  }

  /** Zeroed bytes at an 8-byte aligned address, not yet accessible; a gap follows. */
  allocate(size: number): number {
    const bytes = alignUp(Math.max(size, 1), granule) + granule;
    const reused = this.#free.get(bytes)?.pop();
    if (reused !== undefined) {
      this.bytes.fill(0, reused, reused + bytes);
      return reused;
    }
    const start = this.#next;
    this.#ensure(start + bytes);
    this.#next = start + bytes;
    return start;
  }

  /** Gives back what `allocate` of that size gave; it must no longer be accessible. */
  release(start: number, size: number): void {
    const bytes = alignUp(Math.max(size, 1), granule) + granule;
    this.allow(start, size, "none");
    pushTo(this.#free, bytes, start);
  }

  /** Sets who may access `size` bytes at an address. Both ends may lie within a granule. */
  allow(start: number, size: number, access: "none" | "read" | "write"): void {
    const flag = access === "read" ? readOnlyShadow : 0;
    const first = shadowBase + Math.floor(start / granule);
    const end = shadowBase + Math.floor((start + size) / granule);
    this.bytes.fill(access === "none" ? 0 : flag | granule, first, end);
    const rest = (start + size) % granule;
    if (rest > 0) this.bytes[end] = access === "none" ? 0 : flag | rest;
  }

  /** Moves the start of a writable range whose end stays where it is. */
  moveStart(from: number, to: number): void {
    const [old, start] = [Math.floor(from / granule), Math.floor(to / granule)];
    for (let g = start; g < old; g += 1) this.bytes[shadowBase + g] = granule;
    for (let g = old; g < start; g += 1) this.bytes[shadowBase + g] = 0;
  }

  /** Allocates, makes accessible and names a region. */
  region(kind: string, name: string, size: number, access: "read" | "write" = "write"): number {
    const start = this.allocate(size);
    this.allow(start, size, access);
    this.nameRegion({ kind, name, start, size });
    return start;
  }

  nameRegion(region: Region): void {
    let at = this.#regions.length;
    while (at > 0 && (this.#regions[at - 1] as Region).start > region.start) at -= 1;
    const known = this.#regions[at - 1];
    if (known?.start === region.start) this.#regions[at - 1] = region;
    else this.#regions.splice(at, 0, region);
  }

  forgetRegion(start: number): void {
    const at = this.#regions.findIndex((region) => region.start === start);
    if (at >= 0) this.#regions.splice(at, 1);
  }

  /** The region that holds an address, or the nearest below. */
  regionAt(address: number): RegionName | undefined {
    let low = 0;
    let high = this.#regions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#regions[middle] as Region).start <= address) low = middle + 1;
      else high = middle;
    }
    const region = this.#regions[low - 1];
    if (region === undefined) return undefined;
    const { kind, name, size, start } = region;
    return { kind, name, size, offset: address - start };
  }

  isAccessible(address: number, size: number, write: boolean): boolean {
    const end = address + size;
    if (address < firstFree || end > this.bytes.length) return false;
    const last = Math.floor((end - 1) / granule);
    for (let g = Math.floor(address / granule); g <= last; g += 1) {
      const shadow = this.bytes[shadowBase + g] as number;
      if (write && (shadow & readOnlyShadow) !== 0) return false;
      const valid = g === last ? end - g * granule : granule;
      if ((shadow & 15) < valid) return false;
    }
    return true;
  }

  /** The checked address as a number; faults where any byte is out of bounds. */
  check(address: bigint, size: number, write: boolean): number {
    const start = address < 0x1_0000_0000n ? Number(address) : -1;
    if (size === 0 || this.isAccessible(start, size, write)) return start;
    if (write && this.isAccessible(start, size, false)) {
      throw new Fault("read-only", `write of ${size} bytes to read-only memory`, address);
    }
    const verb = write ? "write" : "read";
    if (address < BigInt(firstAddress)) {
      throw new Fault("bad-address", `${verb} of ${size} bytes through a null pointer`, address);
    }
    throw new Fault("bad-address", `${verb} of ${size} bytes out of bounds`, address);
  }

  /** A view of checked memory; valid until memory grows. */
  slice(address: bigint, size: number, write: boolean): Uint8Array {
    const start = this.check(address, size, write);
    return this.bytes.subarray(Math.max(0, start), Math.max(0, start) + size);
  }

  /** Zeroes what lies between two addresses; a call of fill() costs more than a few bytes do. */
  clear(from: number, to: number): void {
    if (to - from > 64) this.bytes.fill(0, from, to);
    else for (let at = from; at < to; at += 1) this.bytes[at] = 0;
  }

  /** Copies within memory, both ends checked before. */
  copy(to: number, from: number, size: number): void {
    if (size > 64 || Math.abs(to - from) < size) {
      this.bytes.copyWithin(to, from, from + size);
      return;
    }
    let at = 0;
    for (; at + 4 <= size; at += 4) {
      this.view.setInt32(to + at, this.view.getInt32(from + at, true), true);
    }
    for (; at < size; at += 1) this.bytes[to + at] = this.bytes[from + at] as number;
  }

  copyOut(address: number, size: number): Uint8Array {
    return this.bytes.slice(address, address + size);
  }

  load(address: number, size: number, little: boolean): bigint {
    switch (size) {
      case 1:
        return BigInt(this.view.getUint8(address));
      case 2:
        return BigInt(this.view.getUint16(address, little));
      case 4:
        return BigInt(this.view.getUint32(address, little));
      default:
        return this.view.getBigUint64(address, little);
    }
  }

  store(address: number, size: number, value: bigint, little: boolean): void {
    switch (size) {
      case 1:
        this.view.setUint8(address, Number(value & 0xffn));
        break;
      case 2:
        this.view.setUint16(address, Number(value & 0xffffn), little);
        break;
      case 4:
        this.view.setUint32(address, Number(value & 0xffffffffn), little);
        break;
      default:
        this.view.setBigUint64(address, BigInt.asUintN(64, value), little);
    }
  }
}
