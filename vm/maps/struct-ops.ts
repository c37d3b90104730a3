/** BPF_MAP_TYPE_STRUCT_OPS: one value, whose functions are programs; an update registers it. */
import { errno } from "../errno.ts";
import { BpfMap } from "./map.ts";

export class StructOpsMap extends BpfMap {
  #value: Uint8Array | undefined;

  /** The registered value; undefined where there is none. */
  get registered(): Uint8Array | undefined {
    return this.#value?.slice();
  }

  #isFirst(key: Uint8Array): boolean {
    return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this.host.little) === 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return -errno.EINVAL;
    if (!this.#isFirst(key)) return -errno.E2BIG;
    if (this.#value !== undefined) return -errno.EBUSY;
    this.#value = value.slice();
    return 0;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    if (!this.#isFirst(key)) return -errno.ENOENT;
    return this.#value?.slice() ?? new Uint8Array(this.description.valueSize);
  }

  override delete(_key: Uint8Array): number {
    if (this.#value === undefined) return -errno.ENOENT;
    this.#value = undefined;
    return 0;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    return key !== undefined && this.#isFirst(key) ? undefined : new Uint8Array(4);
  }
}
