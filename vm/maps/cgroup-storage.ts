/**
 * BPF_MAP_TYPE_CGROUP_STORAGE and its per-CPU form: a value per cgroup that a program is attached to.
 * Storage comes with the attachment (see {@link CgroupStorageMap.attach}); user space finds it by the
 * cgroup's id.
 */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import { keyBytes, keyText } from "./hash.ts";
import { BpfMap, updateFlags } from "./map.ts";

const sharedKey = 8;

export class CgroupStorageMap extends BpfMap {
  readonly #addresses = new Map<string, number>();

  #size(): number {
    const { valueSize } = this.description;
    return this.isPerCpu ? alignUp(valueSize, 8) * this.host.cpuCount : valueSize;
  }

  #keyOf(cgroup: bigint, attachType: number): Uint8Array {
    const key = new Uint8Array(this.description.keySize);
    const view = new DataView(key.buffer);
    view.setBigUint64(0, cgroup, this.host.little);
    if (key.length > sharedKey) view.setUint32(sharedKey, attachType, this.host.little);
    return key;
  }

  /** Makes the storage of a cgroup; its address. */
  attach(cgroup: bigint, attachType: number): number {
    const text = keyText(this.#keyOf(cgroup, attachType));
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const address = this.host.memory.region("map value", this.description.name, this.#size());
    this.#addresses.set(text, address);
    return address;
  }

  override lookup(key: Uint8Array, cpu = this.host.cpu): number {
    const address = this.#addresses.get(keyText(key));
    if (address === undefined) return 0;
    return this.isPerCpu ? address + cpu * alignUp(this.description.valueSize, 8) : address;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const known = flags & ~BigInt(updateFlags.lock);
    if (!this.isPerCpu && known !== 0n && known !== BigInt(updateFlags.exist)) return -errno.EINVAL;
    if (this.isPerCpu && flags !== 0n && flags !== BigInt(updateFlags.exist)) return -errno.EINVAL;
    const address = this.#addresses.get(keyText(key));
    if (address === undefined) return -errno.ENOENT;
    this.host.memory.bytes.set(value, address);
    return 0;
  }

  override delete(_key: Uint8Array): number {
    return -errno.EINVAL;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | number | undefined {
    const keys = [...this.#addresses.keys()];
    if (keys.length === 0) return -errno.ENOENT;
    const at = key === undefined ? -1 : keys.indexOf(keyText(key));
    const next = keys[at + 1];
    return next === undefined ? undefined : keyBytes(next);
  }

  override release(): void {
    for (const address of this.#addresses.values()) {
      this.host.memory.forgetRegion(address);
      this.host.memory.release(address, this.#size());
    }
  }
}

export class PerCpuCgroupStorageMap extends CgroupStorageMap {
  override get isPerCpu(): boolean {
    return true;
  }
}
