/** Map types that can be created and named, but whose contents the simulated kernel cannot fill. */
import { errno } from "../errno.ts";
import { BpfMap } from "./map.ts";

export class OpaqueMap extends BpfMap {
  override userLookup(_key: Uint8Array): Uint8Array | number {
    return -errno.ENOENT;
  }

  override userUpdate(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -errno.EOPNOTSUPP;
  }
}
