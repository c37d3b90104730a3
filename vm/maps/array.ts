/** Array and per-CPU array: all elements exist from the start, one after another in memory. */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import {
  BpfMap,
  checkUpdateFlags,
  type MapDescription,
  type MapHost,
  mapFlags,
  updateFlags,
} from "./map.ts";

/** Access that programs have to a map's values. */
export function programAccess(flags: number): "read" | "write" {
  return (flags & mapFlags.readOnlyProgram) !== 0 ? "read" : "write";
}

export class ArrayMap extends BpfMap {
  /** Address of element 0 (of CPU 0). */
  readonly start: number;
  /** Bytes from one element to the next. */
  readonly stride: number;
  /** Distance of two CPUs' copies of an element. */
  readonly bytesPerCpu: number;
  /** Of all elements and CPUs. */
  readonly bytes: number;

  /** Where the key that a timer callback gets stands. */
  #timerKey: number | undefined;

  constructor(id: number, description: MapDescription, host: MapHost) {
    super(id, description, host);
    const { valueSize, maxEntries, flags, name } = description;
    this.stride = alignUp(valueSize, 8);
    this.bytesPerCpu = this.stride * maxEntries;
    const { memory } = host;
    this.bytes = this.bytesPerCpu * this.#copies();
    const size = this.bytes;
    this.start = memory.allocate(size);
    memory.nameRegion({ kind: "map value", name, start: this.start, size });
    const access = programAccess(flags);
    // Without padding between elements one call marks them all.
    if (this.stride === valueSize) memory.allow(this.start, size, access);
    else {
      for (let at = 0; at < size; at += this.stride)
        memory.allow(this.start + at, valueSize, access);
    }
  }

  #copies(): number {
    return this.isPerCpu ? this.host.cpuCount : 1;
  }

  indexOf(key: Uint8Array): number {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    return view.getUint32(0, this.host.little);
  }

  address(index: number, cpu: number): number {
    return this.start + (this.isPerCpu ? cpu * this.bytesPerCpu : 0) + index * this.stride;
  }

  override lookup(key: Uint8Array, cpu = this.host.cpu): number {
    const index = this.indexOf(key);
    return index < this.description.maxEntries ? this.address(index, cpu) : 0;
  }

  override lookupAt(keyAddress: number): number {
    const { memory, cpu, little } = this.host;
    const index = memory.view.getUint32(keyAddress, little);
    return index < this.description.maxEntries ? this.address(index, cpu) : 0;
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const problem = this.#checkUpdate(key, flags);
    if (problem !== 0) return problem;
    const address = this.address(this.indexOf(key), this.host.cpu);
    this.host.memory.bytes.set(value.subarray(0, this.description.valueSize), address);
    return 0;
  }

  #checkUpdate(key: Uint8Array, flags: bigint): number {
    const plain = checkUpdateFlags(flags, this.description.hasLock);
    if (plain === undefined) return -errno.EINVAL;
    if (this.indexOf(key) >= this.description.maxEntries) return -errno.E2BIG;
    return plain === updateFlags.noexist ? -errno.EEXIST : 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (!this.isPerCpu) return this.update(key, value, flags);
    const problem = this.#checkUpdate(key, flags);
    if (problem !== 0) return problem;
    const index = this.indexOf(key);
    for (let cpu = 0; cpu < this.host.cpuCount; cpu += 1) {
      const part = value.subarray(cpu * this.stride, (cpu + 1) * this.stride);
      this.host.memory.bytes.set(part, this.address(index, cpu));
    }
    return 0;
  }

  override delete(_key: Uint8Array): number {
    return -errno.EINVAL;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const { maxEntries } = this.description;
    const index = key === undefined ? -1 : this.indexOf(key);
    const next = index >= maxEntries ? 0 : index + 1;
    if (next >= maxEntries) return undefined;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, next, this.host.little);
    return bytes;
  }

  override visitAll(visit: (keyAddress: number, valueAddress: number) => boolean): number {
    const { memory, cpu, little } = this.host;
    const key = memory.region("map key", this.description.name, 4);
    let count = 0;
    for (let index = 0; index < this.description.maxEntries; index += 1) {
      memory.view.setUint32(key, index, little);
      count += 1;
      if (!visit(key, this.address(index, cpu))) break;
    }
    memory.forgetRegion(key);
    memory.release(key, 4);
    return count;
  }

  override elementAround(address: number): { key: number; value: number } | undefined {
    const index = Math.floor((address - this.start) / this.stride);
    if (index < 0 || index >= this.description.maxEntries) return undefined;
    const { memory, little } = this.host;
    this.#timerKey ??= memory.region("map key", this.description.name, 4);
    memory.view.setUint32(this.#timerKey, index, little);
    return { key: this.#timerKey, value: this.start + index * this.stride };
  }

  override release(): void {
    const size = this.bytesPerCpu * this.#copies();
    this.host.memory.forgetRegion(this.start);
    this.host.memory.release(this.start, size);
  }
}

export class PerCpuArrayMap extends ArrayMap {
  override get isPerCpu(): boolean {
    return true;
  }
}
