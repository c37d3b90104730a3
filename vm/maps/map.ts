/**
 * What every map type offers: to programs (addresses of values in linear memory) and to user space
 * (copies of bytes). Operations return 0, a value, or a negative errno, as the kernel's do.
 */
import { errno } from "../errno.ts";
import type { KernelObject } from "../kernel/objects.ts";
import { alignUp, type LinearMemory } from "../memory.ts";

export interface MapDescription {
  readonly name: string;
  /** enum bpf_map_type. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly extra: bigint;
  /** The value has a struct bpf_spin_lock: only then BPF_F_LOCK is allowed. */
  readonly hasLock?: boolean;
  /** Of a map of maps: what its elements must look like. */
  readonly inner?: MapDescription;
}

/** What a map needs of the kernel that it belongs to. */
export interface MapHost {
  readonly memory: LinearMemory;
  readonly cpuCount: number;
  /** The CPU that the running program is on. */
  readonly cpu: number;
  /** Where compiled code finds that number. */
  readonly cpuCell: number;
  /** Little-endian targets. */
  readonly little: boolean;
  mapById(id: number): BpfMap | undefined;
  isProgram(id: number): boolean;
  /** A socket, cgroup … by the number that stands for its descriptor. */
  objectById(id: number): KernelObject | undefined;
}

export const updateFlags = { any: 0, noexist: 1, exist: 2, lock: 4 } as const;
export const mapFlags = {
  noPrealloc: 1,
  readOnlyProgram: 1 << 7,
  writeOnlyProgram: 1 << 8,
  innerMap: 1 << 12,
} as const;

/** Values of programs that are map pointers: the slot plus this, which no memory access can reach. */
export const mapHandleBase = 0x2_0000_0000n;

export abstract class BpfMap {
  readonly id: number;
  readonly description: MapDescription;
  readonly host: MapHost;
  /** Set by BPF_MAP_FREEZE: user space may no longer write. */
  frozen = false;
  /**
   * What programs know the map by. Unlike ids, slots are used again, so that a program which is
   * loaded anew compiles to the same code.
   */
  handleSlot = 0;

  constructor(id: number, description: MapDescription, host: MapHost) {
    this.id = id;
    this.description = description;
    this.host = host;
  }

  /** The 64-bit value that programs hold as pointer to this map. */
  get handle(): bigint {
    return mapHandleBase + BigInt(this.handleSlot);
  }

  get isPerCpu(): boolean {
    return false;
  }

  /** Bytes of a value as user space sees it: for per-CPU maps all CPUs' values. */
  get userValueSize(): number {
    const { valueSize } = this.description;
    return this.isPerCpu ? alignUp(valueSize, 8) * this.host.cpuCount : valueSize;
  }

  /** Address of the value that a program gets; 0 where there is none. */
  lookup(_key: Uint8Array, _cpu = this.host.cpu): number {
    return 0;
  }

  /** Like `lookup`, with the key in linear memory: the way that costs programs least. */
  lookupAt(keyAddress: number): number {
    const { keySize } = this.description;
    return this.lookup(this.host.memory.bytes.subarray(keyAddress, keyAddress + keySize));
  }

  /** From a program: `value` has the value's size. */
  update(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -errno.EOPNOTSUPP;
  }

  /** Like `update`, with key and value in linear memory. */
  updateAt(keyAddress: number, valueAddress: number, flags: bigint): number {
    const { memory } = this.host;
    const { keySize, valueSize } = this.description;
    // Copies: making room for the element may move memory.
    const key = memory.copyOut(keyAddress, keySize);
    return this.update(key, memory.copyOut(valueAddress, valueSize), flags);
  }

  delete(_key: Uint8Array): number {
    return -errno.EOPNOTSUPP;
  }

  push(_value: Uint8Array, _flags: bigint): number {
    return -errno.EOPNOTSUPP;
  }

  pop(_value: Uint8Array): number {
    return -errno.EOPNOTSUPP;
  }

  peek(_value: Uint8Array): number {
    return -errno.EOPNOTSUPP;
  }

  /** The key after one; the first for undefined or an unknown key; undefined at the end. */
  nextKey(_key: Uint8Array | undefined): Uint8Array | undefined | number {
    return -errno.EOPNOTSUPP;
  }

  /** User space's lookup. */
  userLookup(key: Uint8Array): Uint8Array | number {
    const { memory, cpuCount } = this.host;
    const { valueSize } = this.description;
    if (!this.isPerCpu) {
      const address = this.lookup(key);
      return address === 0 ? -errno.ENOENT : memory.copyOut(address, valueSize);
    }
    const stride = alignUp(valueSize, 8);
    const bytes = new Uint8Array(stride * cpuCount);
    for (let cpu = 0; cpu < cpuCount; cpu += 1) {
      const address = this.lookup(key, cpu);
      if (address === 0) return -errno.ENOENT;
      bytes.set(memory.copyOut(address, stride), cpu * stride);
    }
    return bytes;
  }

  /** User space's update; per-CPU maps take all CPUs' values. */
  userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.update(key, value, flags);
  }

  /** All entries as user space would list them. */
  entries(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    const list: (readonly [Uint8Array, Uint8Array])[] = [];
    let key = this.nextKey(undefined);
    while (key instanceof Uint8Array) {
      const value = this.userLookup(key);
      if (value instanceof Uint8Array) list.push([key, value]);
      key = this.nextKey(key);
    }
    return list;
  }

  /** Calls back once per element, as bpf_for_each_map_elem does; a nonzero result stops it. */
  visitAll(_visit: (keyAddress: number, valueAddress: number) => boolean): number {
    return -errno.EINVAL;
  }

  /** Addresses of key and value of the element whose value holds an address. */
  elementAround(_address: number): { readonly key: number; readonly value: number } | undefined {
    return undefined;
  }

  /** Gives memory back. */
  release(): void {}
}

/** Update flags besides BPF_F_LOCK; undefined where they are invalid. */
export function checkUpdateFlags(flags: bigint, hasLock = false): number | undefined {
  if (!hasLock && (flags & BigInt(updateFlags.lock)) !== 0n) return undefined;
  const plain = Number(flags & ~BigInt(updateFlags.lock));
  return flags > 7n || plain > updateFlags.exist ? undefined : plain;
}
