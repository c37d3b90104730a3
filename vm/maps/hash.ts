/**
 * Hash maps, per-CPU and LRU ones included. Elements (key, then values) stand in chunks of linear
 * memory, so that programs can hold pointers to them; an index in JavaScript finds them.
 */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import { programAccess } from "./array.ts";
import { BpfMap, checkUpdateFlags, type MapDescription, type MapHost, updateFlags } from "./map.ts";

const elementsPerChunk = 64;

/** Key bytes as a string of one UTF-16 unit per byte: the index's key. */
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
  /** Key → address of the element, in order of insertion (for LRU: of last use). */
  protected readonly index = new Map<string, number>();
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
  protected touch(_key: string): void {}

  override lookup(key: Uint8Array, cpu = this.host.cpu): number {
    const text = keyText(key);
    const element = this.index.get(text);
    if (element === undefined) return 0;
    this.touch(text);
    return this.address(element, cpu);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#put(key, flags, (element, isNew) => {
      const { memory, cpu, cpuCount } = this.host;
      if (isNew && this.isPerCpu) {
        for (let other = 0; other < cpuCount; other += 1) {
          memory.bytes.fill(
            0,
            this.address(element, other),
            this.address(element, other) + this.#valueStride,
          );
        }
      }
      memory.bytes.set(value.subarray(0, this.description.valueSize), this.address(element, cpu));
    });
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (!this.isPerCpu) return this.update(key, value, flags);
    const { valueSize } = this.description;
    return this.#put(key, flags, (element) => {
      for (let cpu = 0; cpu < this.host.cpuCount; cpu += 1) {
        const part = value.subarray(cpu * this.#valueStride, cpu * this.#valueStride + valueSize);
        this.host.memory.bytes.set(part, this.address(element, cpu));
      }
    });
  }

  #put(key: Uint8Array, flags: bigint, write: (element: number, isNew: boolean) => void): number {
    const plain = checkUpdateFlags(flags);
    if (plain === undefined) return -errno.EINVAL;
    const text = keyText(key);
    const known = this.index.get(text);
    if (known !== undefined) {
      if (plain === updateFlags.noexist) return -errno.EEXIST;
      this.touch(text);
      write(known, false);
      return 0;
    }
    if (plain === updateFlags.exist) return -errno.ENOENT;
    if (this.index.size >= this.description.maxEntries) {
      const problem = this.makeRoom();
      if (problem !== 0) return problem;
    }
    // The value may point into memory that moves when the map grows.
    const element = this.#allocate();
    this.host.memory.bytes.set(keyBytes(text), element);
    this.index.set(text, element);
    write(element, true);
    return 0;
  }

  override delete(key: Uint8Array): number {
    return this.remove(keyText(key)) ? 0 : -errno.ENOENT;
  }

  protected remove(text: string): boolean {
    const element = this.index.get(text);
    if (element === undefined) return false;
    this.index.delete(text);
    this.#free.push(element);
    return true;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const keys = this.index.keys();
    if (key !== undefined && this.index.has(keyText(key))) {
      const text = keyText(key);
      for (let step = keys.next(); !step.done && step.value !== text; ) step = keys.next();
    }
    const next = keys.next();
    return next.done ? undefined : keyBytes(next.value);
  }

  override entries(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    return [...this.index.keys()].map((text) => {
      const key = keyBytes(text);
      return [key, this.userLookup(key) as Uint8Array] as const;
    });
  }

  override visitAll(visit: (keyAddress: number, valueAddress: number) => boolean): number {
    let count = 0;
    for (const element of [...this.index.values()]) {
      count += 1;
      if (!visit(element, this.address(element, this.host.cpu))) break;
    }
    return count;
  }

  override release(): void {
    for (const chunk of this.#chunks) {
      this.host.memory.forgetRegion(chunk);
      this.host.memory.release(chunk, this.#elementSize * elementsPerChunk);
    }
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
    const oldest = this.index.keys().next();
    if (oldest.done) return -errno.ENOMEM;
    this.remove(oldest.value);
    return 0;
  }

  protected override touch(key: string): void {
    const element = this.index.get(key) as number;
    this.index.delete(key);
    this.index.set(key, element);
  }
}

export class LruPerCpuHashMap extends LruHashMap {
  override get isPerCpu(): boolean {
    return true;
  }
}
