/** BPF_MAP_TYPE_USER_RINGBUF: user space produces, programs drain. */
import { errno } from "../errno.ts";
import { alignUp } from "../memory.ts";
import { BpfMap } from "./map.ts";

const headerSize = 8;

export class UserRingBufferMap extends BpfMap {
  readonly #records: Uint8Array[] = [];
  #used = 0;

  /** User space's side: 0, or -ENOSPC where the record finds no room. */
  produce(record: Uint8Array): number {
    const length = alignUp(record.length + headerSize, 8);
    if (this.#used + length > this.description.maxEntries) return -errno.ENOSPC;
    this.#records.push(record.slice());
    this.#used += length;
    return 0;
  }

  /** The oldest record, which is taken out; undefined where there is none. */
  take(): Uint8Array | undefined {
    const record = this.#records.shift();
    if (record !== undefined) this.#used -= alignUp(record.length + headerSize, 8);
    return record;
  }
}
