/** Targets of bpf_redirect_map: devices, CPUs and AF_XDP sockets, by index or hash. */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import { keyBytes, keyText } from "./hash.ts";
import { BpfMap, checkUpdateFlags, updateFlags } from "./map.ts";

/** Values in linear memory, by key; made when they are first set. */
abstract class TargetMap extends BpfMap {
  readonly #addresses = new Map<string, number>();

  /** Whether the key may be used: 0 or a negative errno. */
  protected abstract checkKey(key: Uint8Array): number;

  /** Whether a first word of 0 takes the entry away, and which values are refused. */
  protected abstract checkValue(word: number): "set" | "remove" | number;

  protected wordOf(bytes: Uint8Array): number {
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, this.host.little);
  }

  override lookup(key: Uint8Array): number {
    return this.#addresses.get(keyText(key)) ?? 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const plain = checkUpdateFlags(flags);
    if (plain === undefined || flags > BigInt(updateFlags.exist)) return -errno.EINVAL;
    const keyProblem = this.checkKey(key);
    if (keyProblem !== 0) return keyProblem;
    const text = keyText(key);
    const known = this.#addresses.get(text);
    const action = this.checkValue(this.wordOf(value));
    if (typeof action === "number") return action;
    const problem = this.flagsProblem(plain, known !== undefined);
    if (problem !== 0) return problem;
    const { memory } = this.host;
    if (action === "remove") {
      if (known !== undefined) this.delete(key);
      return 0;
    }
    if (known === undefined && this.#addresses.size >= this.description.maxEntries)
      return -errno.E2BIG;
    const size = alignUp(this.description.valueSize, 8);
    const address = known ?? memory.region("map value", this.description.name, size, "read");
    memory.bytes.set(value, address);
    this.#addresses.set(text, address);
    return 0;
  }

  /** BPF_EXIST is taken as BPF_ANY, as the kernel's device hash does. */
  protected flagsProblem(plain: number, known: boolean): number {
    return plain === updateFlags.noexist && known ? -errno.EEXIST : 0;
  }

  override delete(key: Uint8Array): number {
    const text = keyText(key);
    const known = this.#addresses.get(text);
    if (known === undefined) return -errno.ENOENT;
    this.#addresses.delete(text);
    this.host.memory.forgetRegion(known);
    this.host.memory.release(known, alignUp(this.description.valueSize, 8));
    return 0;
  }

  protected keys(): Uint8Array[] {
    return [...this.#addresses.keys()].map(keyBytes);
  }

  /** The first word of the value under a 32-bit key, for bpf_redirect_map; undefined: no entry. */
  target(index: number): number | undefined {
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, index, this.host.little);
    const address = this.lookup(key);
    return address === 0 ? undefined : this.host.memory.view.getUint32(address, this.host.little);
  }
}

/** Keys are indexes below max_entries, all of which exist for iteration. */
abstract class TargetArrayMap extends TargetMap {
  protected override checkKey(key: Uint8Array): number {
    return this.wordOf(key) >= this.description.maxEntries ? -errno.E2BIG : 0;
  }

  protected override flagsProblem(plain: number, _known: boolean): number {
    return plain === updateFlags.noexist ? -errno.EEXIST : 0;
  }

  /** Taking away what is not there is no error in an array. */
  override delete(key: Uint8Array): number {
    if (this.wordOf(key) >= this.description.maxEntries) return -errno.EINVAL;
    super.delete(key);
    return 0;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const { maxEntries } = this.description;
    const index = key === undefined ? -1 : this.wordOf(key);
    const next = index >= maxEntries ? 0 : index + 1;
    if (next >= maxEntries) return undefined;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, next, this.host.little);
    return bytes;
  }
}

export class DevMap extends TargetArrayMap {
  protected override checkValue(word: number): "set" | "remove" {
    return word === 0 ? "remove" : "set";
  }
}

const maximumQueue = 16384;

export class CpuMap extends TargetArrayMap {
  protected override checkValue(word: number): "set" | "remove" | number {
    if (word > maximumQueue) return -errno.EOVERFLOW;
    return word === 0 ? "remove" : "set";
  }
}

export class XskMap extends TargetArrayMap {
  protected override checkValue(word: number): "set" | number {
    const object = this.host.objectById(word);
    if (object === undefined) return -errno.EBADF;
    if (object.kind === "AF_XDP socket") return "set";
    return object.kind === "socket" ? -errno.EOPNOTSUPP : -errno.ENOTSOCK;
  }
}

export class DevHashMap extends TargetMap {
  protected override checkKey(_key: Uint8Array): number {
    return 0;
  }

  protected override checkValue(word: number): "set" | number {
    return word === 0 ? -errno.EINVAL : "set";
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const keys = this.keys();
    const text = key === undefined ? undefined : keyText(key);
    return keys[keys.findIndex((candidate) => keyText(candidate) === text) + 1];
  }
}
