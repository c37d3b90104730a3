/** Arrays of objects that user space puts in by handle: programs, maps, perf events, cgroups. */
import { errno } from "../errno.ts";
import { BpfMap, updateFlags } from "./map.ts";

/** An array of 32-bit ids; 0 is an empty slot. */
export abstract class ObjectArrayMap extends BpfMap {
  protected readonly slots = new Map<number, number>();

  protected indexOf(key: Uint8Array): number {
    return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this.host.little);
  }

  protected idOf(value: Uint8Array): number {
    return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, this.host.little);
  }

  /** Whether an object of that id may be put in: 0 or a negative errno. */
  protected abstract accept(id: number): number;

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags !== BigInt(updateFlags.any)) return -errno.EINVAL;
    const index = this.indexOf(key);
    if (index >= this.description.maxEntries) return -errno.E2BIG;
    const id = this.idOf(value);
    const problem = this.accept(id);
    if (problem === 0) this.slots.set(index, id);
    return problem;
  }

  /** What user space reads from a slot. */
  protected userValue(id: number): number {
    return id;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    const id = this.slots.get(this.indexOf(key));
    if (id === undefined) return -errno.ENOENT;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.userValue(id), this.host.little);
    return bytes;
  }

  override delete(key: Uint8Array): number {
    const index = this.indexOf(key);
    if (index >= this.description.maxEntries) return -errno.E2BIG;
    return this.slots.delete(index) ? 0 : -errno.ENOENT;
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

  /** The id in a slot, for programs; undefined where it is empty. */
  slot(index: number): number | undefined {
    return this.slots.get(index);
  }

  put(index: number, id: number): void {
    this.slots.set(index, id);
  }
}

/** BPF_MAP_TYPE_PROG_ARRAY: targets of tail calls, by program id. */
export class ProgramArrayMap extends ObjectArrayMap {
  protected override accept(id: number): number {
    return this.host.isProgram(id) ? 0 : -errno.EBADF;
  }
}

/** BPF_MAP_TYPE_CGROUP_ARRAY: cgroup ids. */
export class CgroupArrayMap extends ObjectArrayMap {
  protected override accept(id: number): number {
    return this.host.objectById(id)?.kind === "cgroup" ? 0 : -errno.EBADF;
  }

  override userLookup(_key: Uint8Array): Uint8Array | number {
    return -errno.ENOTSUPP;
  }
}

/** BPF_MAP_TYPE_ARRAY_OF_MAPS: programs look up map pointers. */
export class ArrayOfMaps extends ObjectArrayMap {
  protected override accept(id: number): number {
    return this.host.mapById(id) === undefined ? -errno.EBADF : 0;
  }

  /** The inner map's id, for programs, by the address of the key; 0 where there is none. */
  innerAt(keyAddress: number): number {
    const { memory, little } = this.host;
    return this.slots.get(memory.view.getUint32(keyAddress, little)) ?? 0;
  }
}
