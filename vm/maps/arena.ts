/**
 * BPF_MAP_TYPE_ARENA: pages that programs and user space share. The whole range stands in linear
 * memory; a page becomes accessible when it is allocated. User space sees it at `userStart`, and so do
 * programs before they cast a pointer to the kernel's view.
 */
import { errno } from "../errno.ts";
import { BpfMap, type MapDescription, type MapHost } from "./map.ts";

export const arenaPage = 4096;
/** More than this is not given: all maps share 256 MiB. */
const largestArena = 64 << 20;

/** `imm` of the cast from user space's view (1) to the kernel's (0). */
export const toKernelSpace = 1;

/** The arena of a program; it has one at the most. */
export function arenaOf(program: { readonly maps: readonly BpfMap[] }): ArenaMap | undefined {
  return program.maps.find((map): map is ArenaMap => map instanceof ArenaMap);
}

export class ArenaMap extends BpfMap {
  /** Address of the first page. */
  readonly start: number;
  readonly size: number;
  /** Where user space has it. */
  readonly userStart: bigint;
  readonly #pages: Uint8Array;

  constructor(id: number, description: MapDescription, host: MapHost) {
    super(id, description, host);
    this.size = Math.min(description.maxEntries * arenaPage, largestArena);
    this.start = host.memory.allocate(this.size);
    this.userStart = description.extra === 0n ? BigInt(this.start) : description.extra;
    this.#pages = new Uint8Array(this.size / arenaPage);
    const { name } = description;
    host.memory.nameRegion({ kind: "arena", name, start: this.start, size: this.size });
  }

  /** From the kernel's view (an address) to user space's; 0 stays 0. */
  toUser(address: bigint): bigint {
    const low = BigInt.asUintN(32, address);
    return low === 0n ? 0n : BigInt.asUintN(64, this.userStart + low - BigInt(this.start));
  }

  /** From user space's view to an address; only its low half counts. */
  toKernel(pointer: bigint): bigint {
    const low = BigInt.asUintN(32, pointer);
    if (low === 0n) return 0n;
    return BigInt.asUintN(32, low - BigInt.asUintN(32, this.userStart) + BigInt(this.start));
  }

  #index(pointer: bigint): number {
    const offset = this.toKernel(pointer) - BigInt(this.start);
    const isPage = offset >= 0n && offset < BigInt(this.size) && offset % BigInt(arenaPage) === 0n;
    return isPage ? Number(offset) / arenaPage : -1;
  }

  #isFree(first: number, count: number): boolean {
    return this.#pages.subarray(first, first + count).every((page) => page === 0);
  }

  /** Zeroed pages, at a place that is asked for or anywhere; user space's pointer, or 0. */
  allocatePages(at: bigint, count: number): bigint {
    const total = this.#pages.length;
    if (count === 0 || count > total) return 0n;
    let first = at === 0n ? 0 : this.#index(at);
    if (first < 0 || first + count > total) return 0n;
    if (at === 0n) while (first + count <= total && !this.#isFree(first, count)) first += 1;
    if (first + count > total || !this.#isFree(first, count)) return 0n;
    this.#pages.fill(1, first, first + count);
    const address = this.start + first * arenaPage;
    const { memory } = this.host;
    memory.bytes.fill(0, address, address + count * arenaPage);
    memory.allow(address, count * arenaPage, "write");
    return this.toUser(BigInt(address));
  }

  freePages(at: bigint, count: number): void {
    const first = this.#index(at);
    if (first < 0 || count === 0) return;
    const end = Math.min(first + count, this.#pages.length);
    this.#pages.fill(0, first, end);
    const address = this.start + first * arenaPage;
    // Pages that are not there read 0.
    this.host.memory.bytes.fill(0, address, address + (end - first) * arenaPage);
    this.host.memory.allow(address, (end - first) * arenaPage, "none");
  }

  override userLookup(_key: Uint8Array): number {
    return -errno.EINVAL;
  }

  override release(): void {
    this.host.memory.allow(this.start, this.size, "none");
    this.host.memory.forgetRegion(this.start);
    this.host.memory.release(this.start, this.size);
  }
}
