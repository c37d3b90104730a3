/**
 * BPF_MAP_TYPE_BLOOM_FILTER. Which absent values seem present depends on the kernel's hash seed
 * there; here the seed is 0.
 */
import { errno } from "../errno.ts";
import { BpfMap, type MapDescription, type MapHost } from "./map.ts";

export class BloomFilterMap extends BpfMap {
  readonly #bits: Uint32Array;
  readonly #mask: number;
  readonly #hashes: number;

  constructor(id: number, description: MapDescription, host: MapHost) {
    super(id, description, host);
    this.#hashes = Number(description.extra & 15n) || 5;
    // As the kernel does: bits = entries * hashes / ln 2, rounded up to a power of two.
    const wanted = Math.floor((description.maxEntries * this.#hashes * 7) / 5);
    const bits = Math.max(32, 2 ** Math.ceil(Math.log2(Math.max(wanted, 1))));
    this.#mask = Math.min(bits, 2 ** 31) - 1;
    this.#bits = new Uint32Array(Math.ceil((this.#mask + 1) / 32));
  }

  #positions(value: Uint8Array): number[] {
    return Array.from({ length: this.#hashes }, (_, seed) => {
      let hash = 0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1);
      for (const byte of value) hash = Math.imul(hash ^ byte, 0x01000193);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0x85ebca6b);
      hash ^= hash >>> 13;
      return (hash >>> 0) & this.#mask;
    });
  }

  override push(value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return -errno.EINVAL;
    for (const at of this.#positions(value)) {
      this.#bits[at >>> 5] = (this.#bits[at >>> 5] as number) | (1 << (at & 31));
    }
    return 0;
  }

  /** 0: perhaps present; -ENOENT: not present. */
  override peek(value: Uint8Array): number {
    const present = this.#positions(value).every(
      (at) => ((this.#bits[at >>> 5] as number) & (1 << (at & 31))) !== 0,
    );
    return present ? 0 : -errno.ENOENT;
  }

  override pop(_value: Uint8Array): number {
    return -errno.EOPNOTSUPP;
  }

  override userUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.push(value, flags);
  }

  override update(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -errno.EINVAL;
  }

  override userLookup(_key: Uint8Array): Uint8Array | number {
    return -errno.EINVAL;
  }
}
