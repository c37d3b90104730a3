/** Maps of sockets: by index, by hash, for SO_REUSEPORT groups. User space reads cookies back. */
import { errno } from "../errno.ts";
import { keyBytes, keyText } from "./hash.ts";
import { BpfMap, updateFlags } from "./map.ts";
import { ObjectArrayMap } from "./program-array.ts";

const wideValue = 8;

/** Value as user space passes it: a 4-byte handle, or one of 8 bytes. */
function handleOf(value: Uint8Array, little: boolean): bigint {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return value.length === wideValue
    ? view.getBigUint64(0, little)
    : BigInt(view.getUint32(0, little));
}

function cookieBytes(map: BpfMap, id: number): Uint8Array {
  const bytes = new Uint8Array(wideValue);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(id), map.host.little);
  return bytes;
}

/** Errors of an update before the entry is looked at. */
function checkSocket(map: BpfMap, value: Uint8Array, flags: bigint): number | { id: number } {
  const handle = handleOf(value, map.host.little);
  if (handle > 0x7fff_ffffn) return -errno.EINVAL;
  const id = Number(handle);
  const object = map.host.objectById(id);
  if (object === undefined) return -errno.EBADF;
  if (object.kind !== "socket") return -errno.ENOTSOCK;
  if (flags > BigInt(updateFlags.exist)) return -errno.EINVAL;
  const takes =
    object.protocol === "udp" || object.state === "established" || object.state === "listening";
  return takes ? { id } : -errno.EOPNOTSUPP;
}

export class SockMap extends ObjectArrayMap {
  protected override accept(_id: number): number {
    return 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const socket = checkSocket(this, value, flags);
    if (typeof socket === "number") return socket;
    const index = this.indexOf(key);
    if (index >= this.description.maxEntries) return -errno.E2BIG;
    const isTaken = this.slots.has(index);
    if (isTaken && flags === BigInt(updateFlags.noexist)) return -errno.EEXIST;
    if (!isTaken && flags === BigInt(updateFlags.exist)) return -errno.ENOENT;
    this.slots.set(index, socket.id);
    return 0;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    if (this.description.valueSize !== wideValue) return -errno.ENOSPC;
    const id = this.slots.get(this.indexOf(key));
    return id === undefined ? -errno.ENOENT : cookieBytes(this, id);
  }

  override delete(key: Uint8Array): number {
    const index = this.indexOf(key);
    if (index >= this.description.maxEntries) return -errno.EINVAL;
    return this.slots.delete(index) ? 0 : -errno.EINVAL;
  }
}

export class SockHash extends BpfMap {
  readonly #ids = new Map<string, number>();

  /** The socket under a key, for programs; 0 where there is none. */
  socket(key: Uint8Array): number {
    return this.#ids.get(keyText(key)) ?? 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const socket = checkSocket(this, value, flags);
    if (typeof socket === "number") return socket;
    const text = keyText(key);
    const known = this.#ids.has(text);
    if (known && flags === BigInt(updateFlags.noexist)) return -errno.EEXIST;
    if (!known && flags === BigInt(updateFlags.exist)) return -errno.ENOENT;
    if (!known && this.#ids.size >= this.description.maxEntries) return -errno.E2BIG;
    this.#ids.set(text, socket.id);
    return 0;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    if (this.description.valueSize !== wideValue) return -errno.ENOSPC;
    const id = this.socket(key);
    return id === 0 ? -errno.ENOENT : cookieBytes(this, id);
  }

  override delete(key: Uint8Array): number {
    return this.#ids.delete(keyText(key)) ? 0 : -errno.ENOENT;
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const keys = [...this.#ids.keys()];
    const next = keys[(key === undefined ? -1 : keys.indexOf(keyText(key))) + 1];
    return next === undefined ? undefined : keyBytes(next);
  }
}

/** BPF_MAP_TYPE_REUSEPORT_SOCKARRAY. */
export class ReuseportArray extends ObjectArrayMap {
  keyIndex(key: Uint8Array): number {
    return this.indexOf(key);
  }

  protected override accept(_id: number): number {
    return 0;
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > BigInt(updateFlags.exist)) return -errno.EINVAL;
    const index = this.indexOf(key);
    if (index >= this.description.maxEntries) return -errno.E2BIG;
    const handle = handleOf(value, this.host.little);
    if (handle > 0x7fff_ffffn) return -errno.EINVAL;
    const object = this.host.objectById(Number(handle));
    if (object === undefined) return -errno.EBADF;
    if (object.kind !== "socket") return -errno.ENOTSOCK;
    const isTaken = this.slots.has(index);
    if (isTaken && flags === BigInt(updateFlags.noexist)) return -errno.EEXIST;
    if (!isTaken && flags === BigInt(updateFlags.exist)) return -errno.ENOENT;
    // A socket has one such place at the most.
    if ([...this.slots.values()].includes(Number(handle))) return -errno.EBUSY;
    this.slots.set(index, Number(handle));
    return 0;
  }

  override userLookup(key: Uint8Array): Uint8Array | number {
    if (this.description.valueSize !== wideValue) return -errno.ENOSPC;
    const id = this.slots.get(this.indexOf(key));
    return id === undefined ? -errno.ENOENT : cookieBytes(this, id);
  }
}
