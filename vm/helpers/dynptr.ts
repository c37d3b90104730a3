/**
 * Dynamic pointers. Their 16 bytes on the program's stack hold, as in the kernel: the data's
 * address, then size (24 bits), kind and read-only flag, then an offset.
 */
import { errno } from "../errno.ts";
import { RingBufferMap } from "../maps/ring-buffer.ts";
import { UserRingBufferMap } from "../maps/user-ring-buffer.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const sizeMask = 0xff_ffff;
const readOnlyBit = 0x8000_0000;

export interface Dynptr {
  /** Address of the data; 0 for a null dynptr. */
  readonly data: number;
  readonly size: number;
  readonly readOnly: boolean;
}

export function writeDynptr(call: HelperCall, address: bigint, pointer: Dynptr): void {
  const at = call.memory.check(address, 16, true);
  const { view } = call.memory;
  view.setBigUint64(at, BigInt(pointer.data), true);
  view.setUint32(at + 8, (pointer.size | (pointer.readOnly ? readOnlyBit : 0)) >>> 0, true);
  view.setUint32(at + 12, 0, true);
}

export function readDynptr(call: HelperCall, address: bigint): Dynptr {
  const at = call.memory.check(address, 16, false);
  const { view } = call.memory;
  const word = view.getUint32(at + 8, true);
  return {
    data: Number(view.getBigUint64(at, true)),
    size: word & sizeMask,
    readOnly: (word & readOnlyBit) !== 0,
  };
}

const nullPointer: Dynptr = { data: 0, size: 0, readOnly: false };

const finish =
  (discard: boolean): Helper =>
  (call) => {
    const pointer = readDynptr(call, call.arg(1));
    if (pointer.data !== 0) {
      call.kernel.ringBufferOf(BigInt(pointer.data))?.commit(pointer.data, discard);
    }
    writeDynptr(call, call.arg(1), nullPointer);
    return 0;
  };

const largestDrain = 128 << 10;

/** `(map, callback, context, flags)`: records drained; the callback gets a read-only dynptr. */
const drain: Helper = (call) => {
  const map = call.mapOf(1, UserRingBufferMap);
  const [callback, context, flags] = [call.arg(2), call.arg(3), call.arg(4)];
  if ((flags & ~3n) !== 0n) return -errno.EINVAL;
  let count = 0;
  for (let stop = false; !stop && count < largestDrain; ) {
    const record = map.take();
    if (record === undefined) break;
    const data = call.memory.region("ring buffer record", "record", record.length, "read");
    const pointer = call.memory.region("dynptr", "record", 16);
    call.memory.bytes.set(record, data);
    writeDynptr(call, BigInt(pointer), { data, size: record.length, readOnly: true });
    stop = call.engine.callFunction(callback, [BigInt(pointer), context]) !== 0n;
    for (const [start, size] of [
      [data, record.length],
      [pointer, 16],
    ] as const) {
      call.memory.forgetRegion(start);
      call.memory.release(start, size);
    }
    count += 1;
  }
  return count;
};

export const dynptrHelpers: Readonly<Record<string, Helper>> = {
  bpf_user_ringbuf_drain: drain,
  bpf_ringbuf_reserve_dynptr: (call) => {
    const map = call.mapOf(1, RingBufferMap);
    const size = call.low(2);
    const data = call.arg(3) === 0n && size <= sizeMask ? map.reserve(size) : 0;
    writeDynptr(call, call.arg(4), data === 0 ? nullPointer : { data, size, readOnly: false });
    if (data !== 0) return 0;
    return call.arg(3) !== 0n ? -errno.EINVAL : size > sizeMask ? -errno.E2BIG : -errno.EINVAL;
  },
  bpf_ringbuf_submit_dynptr: finish(false),
  bpf_ringbuf_discard_dynptr: finish(true),
  bpf_dynptr_from_mem: (call) => {
    const size = call.low(2);
    const valid = size <= sizeMask && call.arg(3) === 0n;
    const data = valid ? call.memory.check(call.arg(1), size, true) : 0;
    writeDynptr(call, call.arg(4), valid ? { data, size, readOnly: false } : nullPointer);
    if (valid) return 0;
    return size > sizeMask ? -errno.E2BIG : -errno.EINVAL;
  },
  bpf_dynptr_read: (call) => {
    const length = call.size(2);
    const pointer = readDynptr(call, call.arg(3));
    const offset = call.low(4);
    if (pointer.data === 0 || call.arg(5) !== 0n) return -errno.EINVAL;
    if (offset + length > pointer.size) return -errno.E2BIG;
    const bytes = call.memory.copyOut(pointer.data + offset, length);
    call.bytes(1, length, true).set(bytes);
    return 0;
  },
  bpf_dynptr_write: (call) => {
    const pointer = readDynptr(call, call.arg(1));
    const offset = call.low(2);
    const length = call.size(4);
    if (pointer.data === 0 || pointer.readOnly || call.arg(5) !== 0n) return -errno.EINVAL;
    if (offset + length > pointer.size) return -errno.E2BIG;
    call.memory.bytes.set(call.copy(3, length), pointer.data + offset);
    return 0;
  },
  bpf_dynptr_data: (call) => {
    const pointer = readDynptr(call, call.arg(1));
    const [offset, length] = [call.low(2), call.low(3)];
    if (pointer.data === 0 || pointer.readOnly) return 0;
    return offset + length > pointer.size ? 0 : pointer.data + offset;
  },
};
