/** Queue and stack: values without keys. */
import { errno } from "../errno.ts";
import { BpfMap, updateFlags } from "./map.ts";

const slotsToStartWith = 16;

/** Values one after another in a ring, which grows up to the map's size. */
abstract class SequenceMap extends BpfMap {
  #bytes = new Uint8Array(slotsToStartWith * this.description.valueSize);
  /** Slot of the oldest value. */
  #first = 0;
  protected count = 0;

  /** Position of the value that comes out next, counted from the oldest. */
  protected abstract get nextIndex(): number;

  #at(index: number): number {
    const { valueSize } = this.description;
    return ((this.#first + index) % (this.#bytes.length / valueSize)) * valueSize;
  }

  #grow(): void {
    const { valueSize, maxEntries } = this.description;
    const slots = Math.min(maxEntries, (2 * this.#bytes.length) / valueSize);
    const larger = new Uint8Array(slots * valueSize);
    for (const [i, value] of this.#values().entries()) larger.set(value, i * valueSize);
    this.#bytes = larger;
    this.#first = 0;
  }

  #values(): Uint8Array[] {
    const { valueSize } = this.description;
    return Array.from({ length: this.count }, (_, i) => {
      const at = this.#at(i);
      return this.#bytes.slice(at, at + valueSize);
    });
  }

  override push(value: Uint8Array, flags: bigint): number {
    const replace = flags === BigInt(updateFlags.exist);
    if (flags !== BigInt(updateFlags.any) && !replace) return -errno.EINVAL;
    const { maxEntries, valueSize } = this.description;
    if (this.count >= maxEntries) {
      if (!replace) return -errno.E2BIG;
      // The oldest goes, in a stack too.
      this.#first = this.#at(1) / valueSize;
      this.count -= 1;
    }
    if ((this.count + 1) * valueSize > this.#bytes.length) this.#grow();
    const at = this.#at(this.count);
    for (let i = 0; i < valueSize; i += 1) this.#bytes[at + i] = value[i] as number;
    this.count += 1;
    return 0;
  }

  override pop(value: Uint8Array): number {
    const index = this.nextIndex;
    const problem = this.peek(value);
    if (problem !== 0) return problem;
    if (index === 0) this.#first = this.#at(1) / this.description.valueSize;
    this.count -= 1;
    return 0;
  }

  override peek(value: Uint8Array): number {
    if (this.count === 0) {
      value.fill(0);
      return -errno.ENOENT;
    }
    const at = this.#at(this.nextIndex);
    const { valueSize } = this.description;
    for (let i = 0; i < valueSize; i += 1) value[i] = this.#bytes[at + i] as number;
    return 0;
  }

  override userLookup(_key: Uint8Array): Uint8Array | number {
    const value = new Uint8Array(this.description.valueSize);
    return this.peek(value) === 0 ? value : -errno.ENOENT;
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
    return this.#values().map((value) => [new Uint8Array(0), value] as const);
  }
}

export class QueueMap extends SequenceMap {
  protected override get nextIndex(): number {
    return 0;
  }
}

export class StackMap extends SequenceMap {
  protected override get nextIndex(): number {
    return this.count - 1;
  }
}
