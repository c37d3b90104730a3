/** BPF_MAP_TYPE_HASH_OF_MAPS: map ids by any key. */
import { errno } from "../errno.ts";
import { keyBytes, keyText } from "./hash.ts";
import { BpfMap, checkUpdateFlags, updateFlags } from "./map.ts";

export class HashOfMaps extends BpfMap {
  readonly #ids = new Map<string, number>();

  /** The inner map's id, for programs; 0 where there is none. */
  inner(key: Uint8Array): number {
    return this.#ids.get(keyText(key)) ?? 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const id = new DataView(value.buffer, value.byteOffset, 4).getUint32(0, this.host.little);
    if (this.host.mapById(id) === undefined) return -errno.EBADF;
    const plain = checkUpdateFlags(flags);
    if (plain === undefined) return -errno.EINVAL;
    const text = keyText(key);
    const known = this.#ids.has(text);
    if (known && plain === updateFlags.noexist) return -errno.EEXIST;
    if (!known && plain === updateFlags.exist) return -errno.ENOENT;
    if (!known && this.#ids.size >= this.description.maxEntries) return -errno.E2BIG;
    this.#ids.set(text, id);
    return 0;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    const id = this.inner(key);
    if (id === 0) return -errno.ENOENT;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, id, this.host.little);
    return bytes;
  }

  /** The inner map's id, for programs, by the address of the key; 0 where there is none. */
  innerAt(keyAddress: number): number {
    const { keySize } = this.description;
    return this.inner(this.host.memory.bytes.subarray(keyAddress, keyAddress + keySize));
  }

  override delete(key: Uint8Array): number {
    return this.#ids.delete(keyText(key)) ? 0 : -errno.ENOENT;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const keys = [...this.#ids.keys()];
    const at = key === undefined ? -1 : keys.indexOf(keyText(key));
    const next = keys[at + 1];
    return next === undefined ? undefined : keyBytes(next);
  }
}
