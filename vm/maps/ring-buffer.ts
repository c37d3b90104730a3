/**
 * BPF_MAP_TYPE_RINGBUF: records with an 8-byte header in a ring whose size is a power of two.
 * A record that wraps around stays contiguous, because the ring's memory is there twice.
 */
import { alignUp } from "../memory.ts";
import { BpfMap, type MapDescription, type MapHost } from "./map.ts";

const headerSize = 8;
const busyBit = 0x80000000;
const discardBit = 0x40000000;
const maximumRecord = 0x3fffffff;

export type RingListener = (record: Uint8Array) => void;

export class RingBufferMap extends BpfMap {
  readonly #start: number;
  #producer = 0;
  #consumer = 0;
  #dropped = 0;
  readonly #reserved = new Set<number>();
  /** Called for each record as soon as it is committed; without one, records wait in the ring. */
  listener: RingListener | undefined;

  constructor(id: number, description: MapDescription, host: MapHost) {
    super(id, description, host);
    this.#start = host.memory.allocate(2 * description.maxEntries);
    host.memory.nameRegion({
      kind: "ring buffer",
      name: description.name,
      start: this.#start,
      size: 2 * description.maxEntries,
    });
  }

  /** How many records found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Address of a record's data; 0 where there is no room. */
  reserve(size: number): number {
    const { maxEntries } = this.description;
    const length = alignUp(size + headerSize, 8);
    const isTooLarge = size > maximumRecord || length > maxEntries;
    if (isTooLarge || this.#producer + length - this.#consumer > maxEntries - 1) {
      this.#dropped += 1;
      return 0;
    }
    const { memory } = this.host;
    const record = this.#start + (this.#producer % maxEntries);
    memory.view.setUint32(record, (size | busyBit) >>> 0, true);
    memory.view.setUint32(record + 4, 0, true);
    memory.allow(record + headerSize, size, "write");
    this.#producer += length;
    this.#reserved.add(record + headerSize);
    return record + headerSize;
  }

  /** Ends a reservation. `data` is the address that `reserve` gave. */
  commit(data: number, discard: boolean): void {
    const { memory } = this.host;
    const record = data - headerSize;
    this.#reserved.delete(data);
    const size = memory.view.getUint32(record, true) & ~busyBit;
    memory.allow(data, size, "none");
    memory.view.setUint32(record, (size | (discard ? discardBit : 0)) >>> 0, true);
    if (this.listener !== undefined) for (const bytes of this.consume()) this.listener(bytes);
  }

  /** Whether an address is that of a record which is reserved and not yet committed. */
  isReserved(address: bigint): boolean {
    return this.#reserved.has(Number(address));
  }

  /** Takes all records up to the first that is not committed yet. */
  consume(): Uint8Array[] {
    const { memory } = this.host;
    const records: Uint8Array[] = [];
    while (this.#consumer < this.#producer) {
      const record = this.#start + (this.#consumer % this.description.maxEntries);
      const header = memory.view.getUint32(record, true);
      if ((header & busyBit) !== 0) break;
      const size = header & ~discardBit;
      if ((header & discardBit) === 0) records.push(memory.copyOut(record + headerSize, size));
      this.#consumer += alignUp(size + headerSize, 8);
    }
    return records;
  }

  /** bpf_ringbuf_query: 0 unread bytes, 1 size, 2 and 3 the positions. */
  query(what: bigint): bigint {
    switch (what) {
      case 0n:
        return BigInt(this.#producer - this.#consumer);
      case 1n:
        return BigInt(this.description.maxEntries);
      case 2n:
        return BigInt(this.#consumer);
      case 3n:
        return BigInt(this.#producer);
      default:
        return 0n;
    }
  }

  override release(): void {
    this.host.memory.forgetRegion(this.#start);
    this.host.memory.release(this.#start, 2 * this.description.maxEntries);
  }
}
