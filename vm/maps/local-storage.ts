/** Storage attached to a socket, inode, task or cgroup: one value per owner, made on demand. */
import { errno } from "../errno.ts";
import type { ObjectKind } from "../kernel/objects.ts";
import { BpfMap, checkUpdateFlags, updateFlags } from "./map.ts";

/** What each map type hangs its values on. */
const ownerKinds: Readonly<Record<number, ObjectKind>> = {
  24: "socket",
  28: "inode",
  29: "task",
  32: "cgroup",
};

export class LocalStorageMap extends BpfMap {
  readonly #values = new Map<bigint, number>();

  /** Address of an owner's value; 0 where there is none and `create` is false. */
  get(owner: bigint, create: boolean, initial?: Uint8Array): number {
    const known = this.#values.get(owner);
    if (known !== undefined || !create) return known ?? 0;
    const { valueSize, name } = this.description;
    const copy = initial && new Uint8Array(initial);
    const address = this.host.memory.region("map value", name, valueSize);
    if (copy !== undefined) this.host.memory.bytes.set(copy.subarray(0, valueSize), address);
    this.#values.set(owner, address);
    return address;
  }

  deleteOwner(owner: bigint): number {
    const known = this.#values.get(owner);
    if (known === undefined) return -errno.ENOENT;
    this.#values.delete(owner);
    this.host.memory.forgetRegion(known);
    this.host.memory.release(known, this.description.valueSize);
    return 0;
  }

  /** The object whose handle user space gave; undefined where there is none of the right kind. */
  #ownerOf(key: Uint8Array): bigint | undefined {
    const id = new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this.host.little);
    const wanted = ownerKinds[this.description.type];
    return this.host.objectById(id)?.kind === wanted ? BigInt(id) : undefined;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    const owner = this.#ownerOf(key);
    if (owner === undefined) return -errno.EBADF;
    const address = this.#values.get(owner);
    if (address === undefined) return -errno.ENOENT;
    return this.host.memory.copyOut(address, this.description.valueSize);
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const owner = this.#ownerOf(key);
    if (owner === undefined) return -errno.EBADF;
    const plain = checkUpdateFlags(flags);
    if (plain === undefined) return -errno.EINVAL;
    const known = this.#values.get(owner);
    if (known !== undefined && plain === updateFlags.noexist) return -errno.EEXIST;
    if (known === undefined && plain === updateFlags.exist) return -errno.ENOENT;
    if (known === undefined) this.get(owner, true, value);
    else this.host.memory.bytes.set(value, known);
    return 0;
  }

  override delete(key: Uint8Array): number {
    const owner = this.#ownerOf(key);
    return owner === undefined ? -errno.EBADF : this.deleteOwner(owner);
  }

  override nextKey(_key: Uint8Array | undefined): number {
    return -errno.ENOTSUPP;
  }

  override entries(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    const { little, memory } = this.host;
    return [...this.#values].map(([owner, address]) => {
      const key = new Uint8Array(8);
      new DataView(key.buffer).setBigUint64(0, owner, little);
      return [key, memory.copyOut(address, this.description.valueSize)] as const;
    });
  }
}
