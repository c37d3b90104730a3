/** BPF_MAP_TYPE_PERF_EVENT_ARRAY: per-CPU buffers that user space opened, by index. */
import { errno } from "../errno.ts";
import { BpfMap } from "./map.ts";

export interface PerfSample {
  readonly cpu: number;
  readonly data: Uint8Array;
}

export class PerfEventArrayMap extends BpfMap {
  readonly #open = new Set<number>();
  readonly #samples: PerfSample[] = [];
  /** Called for each sample; without one, samples are kept until they are taken. */
  listener: ((sample: PerfSample) => void) | undefined;

  /** Opens a perf event for an index, as user space does with perf_event_open and an update. */
  openIndex(index: number): void {
    this.#open.add(index);
  }

  openAll(): void {
    const count =
      this.description.maxEntries === 0 ? this.host.cpuCount : this.description.maxEntries;
    for (let i = 0; i < Math.min(count, this.host.cpuCount); i += 1) this.#open.add(i);
  }

  output(index: number, data: Uint8Array): number {
    const limit =
      this.description.maxEntries === 0 ? this.host.cpuCount : this.description.maxEntries;
    if (index >= limit) return -errno.E2BIG;
    if (!this.#open.has(index)) return -errno.ENOENT;
    if (index !== this.host.cpu) return -errno.EOPNOTSUPP;
    const sample = { cpu: index, data };
    if (this.listener === undefined) this.#samples.push(sample);
    else this.listener(sample);
    return 0;
  }

  consume(): PerfSample[] {
    return this.#samples.splice(0);
  }

  /** File descriptors of perf events do not exist here: see {@link openIndex}. */
  override userUpdate(key: Uint8Array, _value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return -errno.EINVAL;
    return this.#index(key) >= this.description.maxEntries ? -errno.E2BIG : -errno.EBADF;
  }

  #index(key: Uint8Array): number {
    return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this.host.little);
  }

  override delete(key: Uint8Array): number {
    const index = this.#index(key);
    if (index >= this.description.maxEntries) return -errno.E2BIG;
    return this.#open.delete(index) ? 0 : -errno.ENOENT;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const { maxEntries } = this.description;
    const index = key === undefined ? -1 : this.#index(key);
    const next = index >= maxEntries ? 0 : index + 1;
    if (next >= maxEntries) return undefined;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, next, this.host.little);
    return bytes;
  }

  override userLookup(_key: Uint8Array): Uint8Array | number {
    return -errno.ENOTSUPP;
  }
}
