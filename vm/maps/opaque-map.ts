/** Map types that can be created and named, but whose contents the simulated kernel cannot fill. */
import { errno } from "../errno.ts";
import { BpfMap } from "./map.ts";

export class OpaqueMap extends BpfMap {
  override userLookup(_key: Uint8Array): Uint8Array | number {
    return -errno.ENOENT;
  }

  override delete(key: Uint8Array): number {
    const { keySize, maxEntries } = this.description;
    if (keySize !== 4) return -errno.ENOENT;
    const view = new DataView(key.buffer, key.byteOffset, 4);
    return view.getUint32(0, this.host.little) >= maxEntries ? -errno.E2BIG : -errno.ENOENT;
  }

  override nextKey(_key: Uint8Array | undefined): undefined {
    return undefined;
  }

  override userUpdate(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -errno.EOPNOTSUPP;
  }
}
