/** BPF_MAP_TYPE_STACK_TRACE: call stacks by an id that is made of their hash. */
import { errno } from "../errno.ts";
import { BpfMap } from "./map.ts";

export const stackFlags = {
  skipMask: 0xffn,
  user: 1n << 8n,
  fastCompare: 1n << 9n,
  reuse: 1n << 10n,
} as const;

/** The kernel rounds the number of entries up to a power of two. */
const buckets = (maxEntries: number): number => 2 ** Math.ceil(Math.log2(maxEntries));

export class StackTraceMap extends BpfMap {
  readonly #stacks = new Map<number, Uint8Array>();

  /** The id of a stack, which is kept; a negative errno where another one has that id. */
  put(stack: readonly bigint[], flags: bigint): number {
    const { valueSize, maxEntries } = this.description;
    const bytes = new Uint8Array(valueSize);
    const view = new DataView(bytes.buffer);
    let hash = 0x811c9dc5;
    for (const [i, address] of stack.slice(0, valueSize / 8).entries()) {
      view.setBigUint64(i * 8, address, this.host.little);
      hash = Math.imul(hash ^ Number(address & 0xffff_ffffn), 0x01000193);
      hash ^= hash >>> 15;
    }
    const id = hash & (buckets(maxEntries) - 1);
    const known = this.#stacks.get(id);
    const isSame = known?.every((byte, i) => byte === bytes[i]) ?? true;
    if (!isSame && (flags & stackFlags.reuse) === 0n) return -errno.EEXIST;
    this.#stacks.set(id, bytes);
    return id;
  }

  #index(key: Uint8Array): number {
    return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this.host.little);
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    return this.#stacks.get(this.#index(key))?.slice() ?? -errno.ENOENT;
  }

  override delete(key: Uint8Array): number {
    const index = this.#index(key);
    if (index >= buckets(this.description.maxEntries)) return -errno.E2BIG;
    return this.#stacks.delete(index) ? 0 : -errno.ENOENT;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const after = key === undefined ? -1 : this.#index(key);
    // An id that is not there starts from the beginning, as in the kernel.
    const from = key !== undefined && this.#stacks.has(after) ? after : -1;
    const next = [...this.#stacks.keys()].sort((a, b) => a - b).find((id) => id > from);
    if (next === undefined) return undefined;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, next, this.host.little);
    return bytes;
  }
}
