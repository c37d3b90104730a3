/**
 * Hash maps, per-CPU and LRU ones included. Their tables stand in linear memory: programs
 * hold pointers into them, and compiled code looks keys up by itself.
 */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import { programAccess } from "./array.ts";
import { elementFields, HashTable, valueOffset } from "./hash-table.ts";
import { BpfMap, checkUpdateFlags, type MapDescription, type MapHost, updateFlags } from "./map.ts";

/** Key bytes as a string of one UTF-16 unit per byte: a key for JavaScript maps. */
export function keyText(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  return text;
}

/** The bytes of {@link keyText}. */
export function keyBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export class HashMap extends BpfMap {
  readonly table: HashTable;
  /** Where keys from user space are put to be looked for. */
  readonly #keyBuffer: number;
  /** Distance of two CPUs' values. */
  readonly valueStride: number;
  readonly #valueOffset: number;

  constructor(id: number, description: MapDescription, host: MapHost) {
    super(id, description, host);
    const { name, keySize, valueSize, maxEntries } = description;
    const { memory, cpuCell } = host;
    this.#valueOffset = valueOffset(keySize);
    this.valueStride = alignUp(valueSize, 8);
    const elementSize = this.#valueOffset + this.valueStride * this.#copies();
    this.#keyBuffer = memory.allocate(keySize);
    const shape = { name, keySize, elementSize, maxEntries, cpuCell };
    this.table = new HashTable(memory, shape, (element) => this.#allow(element));
  }

  /** Lookups mark what they find as used. */
  get isLru(): boolean {
    return false;
  }

  #copies(): number {
    return this.isPerCpu ? this.host.cpuCount : 1;
  }

  #allow(element: number): void {
    const { memory } = this.host;
    const { keySize, valueSize, flags } = this.description;
    memory.allow(element + elementFields.key, keySize, "read");
    for (let cpu = 0; cpu < this.#copies(); cpu += 1) {
      memory.allow(this.address(element, cpu), valueSize, programAccess(flags));
    }
  }

  protected address(element: number, cpu: number): number {
    return element + this.#valueOffset + (this.isPerCpu ? cpu * this.valueStride : 0);
  }

  /** What happens when a new element finds the map full. */
  protected makeRoom(): number {
    return -errno.E2BIG;
  }

  #find(key: Uint8Array): number {
    this.host.memory.bytes.set(key, this.#keyBuffer);
    return this.table.find(this.#keyBuffer);
  }

  override lookup(key: Uint8Array, cpu = this.host.cpu): number {
    return this.#valueOf(this.#find(key), cpu);
  }

  override lookupAt(keyAddress: number): number {
    return this.#valueOf(this.table.find(keyAddress), this.host.cpu);
  }

  #valueOf(element: number, cpu: number): number {
    if (element === 0) return 0;
    if (this.isLru) this.table.touch(element);
    return this.address(element, cpu);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#put(key, flags, (element, isNew) => {
      const { memory, cpu } = this.host;
      if (isNew && this.isPerCpu) {
        const first = this.address(element, 0);
        memory.bytes.fill(0, first, first + this.valueStride * this.#copies());
      }
      memory.bytes.set(value.subarray(0, this.description.valueSize), this.address(element, cpu));
    });
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (!this.isPerCpu) return this.update(key, value, flags);
    // The padding of each CPU's value is copied too, as the kernel does.
    return this.#put(key, flags, (element) => {
      for (let cpu = 0; cpu < this.host.cpuCount; cpu += 1) {
        const part = value.subarray(cpu * this.valueStride, (cpu + 1) * this.valueStride);
        this.host.memory.bytes.set(part, this.address(element, cpu));
      }
    });
  }

  #put(key: Uint8Array, flags: bigint, write: (element: number, isNew: boolean) => void): number {
    const plain = checkUpdateFlags(flags, this.description.hasLock);
    if (plain === undefined) return -errno.EINVAL;
    const known = this.#find(key);
    if (known !== 0) {
      if (plain === updateFlags.noexist) return -errno.EEXIST;
      if (this.isLru) this.table.touch(known);
      write(known, false);
      return 0;
    }
    if (plain === updateFlags.exist) return -errno.ENOENT;
    if (this.table.size >= this.description.maxEntries) {
      const problem = this.makeRoom();
      if (problem !== 0) return problem;
    }
    write(this.table.insert(this.#keyBuffer), true);
    return 0;
  }

  override delete(key: Uint8Array): number {
    const element = this.#find(key);
    if (element === 0) return -errno.ENOENT;
    this.table.remove(element);
    return 0;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const next = this.table.next(key === undefined ? 0 : this.#find(key));
    return next === 0 ? undefined : this.#keyOf(next);
  }

  #keyOf(element: number): Uint8Array {
    const start = element + elementFields.key;
    return this.host.memory.copyOut(start, this.description.keySize);
  }

  override visitAll(visit: (keyAddress: number, valueAddress: number) => boolean): number {
    let count = 0;
    for (const element of this.table.elements()) {
      count += 1;
      if (!visit(element + elementFields.key, this.address(element, this.host.cpu))) break;
    }
    return count;
  }

  override elementAround(address: number): { key: number; value: number } | undefined {
    const element = this.table.elementAt(address);
    if (element === 0) return undefined;
    return { key: element + elementFields.key, value: this.address(element, this.host.cpu) };
  }

  /** Reading all entries does not count as using them. */
  override entries(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    const size = this.isPerCpu ? this.valueStride * this.#copies() : this.description.valueSize;
    return this.table
      .elements()
      .map((e) => [this.#keyOf(e), this.host.memory.copyOut(this.address(e, 0), size)] as const);
  }

  override release(): void {
    this.table.release();
    this.host.memory.release(this.#keyBuffer, this.description.keySize);
  }
}

export class PerCpuHashMap extends HashMap {
  override get isPerCpu(): boolean {
    return true;
  }
}

/** Evicts an element that was not used lately; the kernel's choice is only roughly that, too. */
export class LruHashMap extends HashMap {
  override get isLru(): boolean {
    return true;
  }

  protected override makeRoom(): number {
    this.table.remove(this.table.victim());
    return 0;
  }
}

export class LruPerCpuHashMap extends LruHashMap {
  override get isPerCpu(): boolean {
    return true;
  }
}
