/** Queue and stack: values without keys. */
import { errno } from "../errno.ts";
import { BpfMap, updateFlags } from "./map.ts";

abstract class SequenceMap extends BpfMap {
  protected readonly values: Uint8Array[] = [];

  /** Position of the value that comes out next. */
  protected abstract get nextIndex(): number;

  override push(value: Uint8Array, flags: bigint): number {
    const replace = flags === BigInt(updateFlags.exist);
    if (flags !== BigInt(updateFlags.any) && !replace) return -errno.EINVAL;
    if (this.values.length >= this.description.maxEntries) {
      if (!replace) return -errno.E2BIG;
      // The oldest goes, in a stack too.
      this.values.shift();
    }
    this.values.push(new Uint8Array(value));
    return 0;
  }

  override pop(value: Uint8Array): number {
    return this.#take(value, true);
  }

  override peek(value: Uint8Array): number {
    return this.#take(value, false);
  }

  #take(value: Uint8Array, remove: boolean): number {
    const found = this.values[this.nextIndex];
    if (found === undefined) {
      value.fill(0);
      return -errno.ENOENT;
    }
    value.set(found);
    if (remove) this.values.splice(this.nextIndex, 1);
    return 0;
  }

  override userLookup(_key: Uint8Array): Uint8Array | number {
    return this.values[this.nextIndex]?.slice() ?? -errno.ENOENT;
  }

  override userUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.push(value, flags);
  }

  override nextKey(_key: Uint8Array | undefined): number {
    return -errno.EINVAL;
  }

  override delete(_key: Uint8Array): number {
    return -errno.EINVAL;
  }

  override entries(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    return this.values.map((value) => [new Uint8Array(0), value] as const);
  }
}

export class QueueMap extends SequenceMap {
  protected override get nextIndex(): number {
    return 0;
  }
}

export class StackMap extends SequenceMap {
  protected override get nextIndex(): number {
    return this.values.length - 1;
  }
}
