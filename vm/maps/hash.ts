/**
 * Hash maps, per-CPU and LRU ones included. Elements (key, then values) stand in chunks of linear
 * memory, so that programs can hold pointers to them.
 */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import { programAccess } from "./array.ts";
import { ElementTable } from "./element-table.ts";
import { BpfMap, checkUpdateFlags, type MapDescription, type MapHost, updateFlags } from "./map.ts";

const elementsPerChunk = 64;

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
  protected readonly table: ElementTable;
  /** Where keys from user space are put to be looked for. */
  readonly #keyBuffer: number;
  readonly #valueStride: number;
  readonly #valueOffset: number;
  readonly #elementSize: number;
  readonly #free: number[] = [];
  readonly #chunks: number[] = [];

  constructor(id: number, description: MapDescription, host: MapHost) {
    super(id, description, host);
    this.#valueOffset = alignUp(description.keySize, 8);
    this.#valueStride = alignUp(description.valueSize, 8);
    this.#elementSize = this.#valueOffset + this.#valueStride * (this.isPerCpu ? host.cpuCount : 1);
    this.#keyBuffer = host.memory.allocate(description.keySize);
    this.table = new ElementTable(host.memory, description.keySize);
  }

  protected address(element: number, cpu: number): number {
    return element + this.#valueOffset + (this.isPerCpu ? cpu * this.#valueStride : 0);
  }

  #allocate(): number {
    const known = this.#free.pop();
    if (known !== undefined) return known;
    const { memory } = this.host;
    const { keySize, valueSize, name, flags } = this.description;
    const size = this.#elementSize * elementsPerChunk;
    const chunk = memory.allocate(size);
    this.#chunks.push(chunk);
    memory.nameRegion({ kind: "map value", name, start: chunk, size });
    const copies = this.isPerCpu ? this.host.cpuCount : 1;
    for (let i = elementsPerChunk - 1; i >= 0; i -= 1) {
      const element = chunk + i * this.#elementSize;
      memory.allow(element, keySize, "read");
      for (let cpu = 0; cpu < copies; cpu += 1) {
        memory.allow(this.address(element, cpu), valueSize, programAccess(flags));
      }
      this.#free.push(element);
    }
    return this.#free.pop() as number;
  }

  /** What happens when a new element finds the map full. */
  protected makeRoom(): number {
    return -errno.E2BIG;
  }

  /** Called for each use of an element by a program or user space. */
  protected touch(_element: number): void {}

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
    if (element < 0) return 0;
    this.touch(element);
    return this.address(this.table.addressOf(element), cpu);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#put(key, flags, (element, isNew) => {
      const { memory, cpu } = this.host;
      if (isNew && this.isPerCpu) {
        memory.bytes.fill(0, this.address(element, 0), element + this.#elementSize);
      }
      memory.bytes.set(value.subarray(0, this.description.valueSize), this.address(element, cpu));
    });
  }

  /** An element that is there already is overwritten in place. */
  override updateAt(keyAddress: number, valueAddress: number, flags: bigint): number {
    const known = flags === 0n ? this.table.find(keyAddress) : -1;
    if (known < 0) return super.updateAt(keyAddress, valueAddress, flags);
    this.touch(known);
    const target = this.address(this.table.addressOf(known), this.host.cpu);
    const { memory } = this.host;
    memory.bytes.copyWithin(target, valueAddress, valueAddress + this.description.valueSize);
    return 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (!this.isPerCpu) return this.update(key, value, flags);
    // The padding of each CPU's value is copied too, as the kernel does.
    return this.#put(key, flags, (element) => {
      for (let cpu = 0; cpu < this.host.cpuCount; cpu += 1) {
        const part = value.subarray(cpu * this.#valueStride, (cpu + 1) * this.#valueStride);
        this.host.memory.bytes.set(part, this.address(element, cpu));
      }
    });
  }

  #put(key: Uint8Array, flags: bigint, write: (element: number, isNew: boolean) => void): number {
    const plain = checkUpdateFlags(flags, this.description.hasLock);
    if (plain === undefined) return -errno.EINVAL;
    const known = this.#find(key);
    if (known >= 0) {
      if (plain === updateFlags.noexist) return -errno.EEXIST;
      this.touch(known);
      write(this.table.addressOf(known), false);
      return 0;
    }
    if (plain === updateFlags.exist) return -errno.ENOENT;
    if (this.table.size >= this.description.maxEntries) {
      const problem = this.makeRoom();
      if (problem !== 0) return problem;
    }
    const address = this.#allocate();
    this.host.memory.bytes.copyWithin(
      address,
      this.#keyBuffer,
      this.#keyBuffer + this.description.keySize,
    );
    this.table.insert(address);
    write(address, true);
    return 0;
  }

  override delete(key: Uint8Array): number {
    const element = this.#find(key);
    if (element < 0) return -errno.ENOENT;
    this.remove(element);
    return 0;
  }

  protected remove(element: number): void {
    this.#free.push(this.table.addressOf(element));
    this.table.remove(element);
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const known = key === undefined ? -1 : this.#find(key);
    const next = known < 0 ? this.table.oldest : this.table.next(known);
    if (next < 0) return undefined;
    return this.host.memory.copyOut(this.table.addressOf(next), this.description.keySize);
  }

  override visitAll(visit: (keyAddress: number, valueAddress: number) => boolean): number {
    let count = 0;
    for (const element of this.table.addresses()) {
      count += 1;
      if (!visit(element, this.address(element, this.host.cpu))) break;
    }
    return count;
  }

  override elementAround(address: number): { key: number; value: number } | undefined {
    const { valueSize } = this.description;
    for (const key of this.table.addresses()) {
      const value = this.address(key, this.host.cpu);
      if (address >= value && address < value + valueSize) return { key, value };
    }
    return undefined;
  }

  /** Reading all entries does not count as using them. */
  override entries(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    const { memory, cpuCount } = this.host;
    const { keySize, valueSize } = this.description;
    return this.table.addresses().map((element) => {
      const key = memory.copyOut(element, keySize);
      if (!this.isPerCpu)
        return [key, memory.copyOut(this.address(element, 0), valueSize)] as const;
      const size = this.#valueStride * cpuCount;
      return [key, memory.copyOut(this.address(element, 0), size)] as const;
    });
  }

  override release(): void {
    for (const chunk of this.#chunks) {
      this.host.memory.forgetRegion(chunk);
      this.host.memory.release(chunk, this.#elementSize * elementsPerChunk);
    }
    this.host.memory.release(this.#keyBuffer, this.description.keySize);
  }
}

export class PerCpuHashMap extends HashMap {
  override get isPerCpu(): boolean {
    return true;
  }
}

/** Evicts the least recently used element; the kernel's choice is only roughly that. */
export class LruHashMap extends HashMap {
  protected override makeRoom(): number {
    this.remove(this.table.oldest);
    return 0;
  }

  protected override touch(element: number): void {
    this.table.touch(element);
  }
}

export class LruPerCpuHashMap extends LruHashMap {
  override get isPerCpu(): boolean {
    return true;
  }
}
