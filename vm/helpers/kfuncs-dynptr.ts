/** Kernel functions on dynamic pointers. */
import { errno } from "../errno.ts";
import { type Dynptr, readDynptr, writeDynptr } from "./dynptr.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const nullPointer: Dynptr = { data: 0, size: 0, readOnly: false };

/** `(ctx, flags, dynptr)`: the packet. */
const fromPacket =
  (readOnly: (call: HelperCall) => boolean): Helper =>
  (call) => {
    if (call.arg(2) !== 0n) {
      writeDynptr(call, call.arg(3), nullPointer);
      return -errno.EINVAL;
    }
    const { data, length } = call.packet;
    writeDynptr(call, call.arg(3), { data, size: length, readOnly: readOnly(call) });
    return 0;
  };

/** Packet data that only tc programs and the like may write. */
const writers: readonly number[] = [3, 4, 10, 11, 12];

/** `(dynptr, offset, buffer, size)`: the data's address. It never needs the buffer here. */
const slice =
  (write: boolean): Helper =>
  (call) => {
    const { data, size, readOnly } = readDynptr(call, call.arg(1));
    if (data === 0 || (write && readOnly)) return 0;
    return call.low(2) + call.low(4) > size ? 0 : data + call.low(2);
  };

export const dynptrKfuncs: Readonly<Record<string, Helper>> = {
  bpf_dynptr_from_skb: fromPacket((call) => !writers.includes(call.run.program.spec.type)),
  bpf_dynptr_from_xdp: fromPacket(() => false),
  bpf_dynptr_slice: slice(false),
  bpf_dynptr_slice_rdwr: slice(true),
  bpf_dynptr_is_null: (call) => (readDynptr(call, call.arg(1)).data === 0 ? 1 : 0),
  bpf_dynptr_is_rdonly: (call) => {
    const { data, readOnly } = readDynptr(call, call.arg(1));
    return data !== 0 && readOnly ? 1 : 0;
  },
  bpf_dynptr_size: (call) => {
    const { data, size } = readDynptr(call, call.arg(1));
    return data === 0 ? -errno.EINVAL : size;
  },
  bpf_dynptr_adjust: (call) => {
    const pointer = readDynptr(call, call.arg(1));
    const [start, end] = [call.low(2), call.low(3)];
    if (pointer.data === 0 || start > end) return -errno.EINVAL;
    if (start > pointer.size || end > pointer.size) return -errno.ERANGE;
    const { data, readOnly } = pointer;
    writeDynptr(call, call.arg(1), { data: data + start, size: end - start, readOnly });
    return 0;
  },
  bpf_dynptr_clone: (call) => {
    const pointer = readDynptr(call, call.arg(1));
    writeDynptr(call, call.arg(2), pointer);
    return pointer.data === 0 ? -errno.EINVAL : 0;
  },
  bpf_dynptr_copy: (call) => {
    const [target, source] = [readDynptr(call, call.arg(1)), readDynptr(call, call.arg(3))];
    const [to, from, size] = [call.low(2), call.low(4), call.low(5)];
    if (target.data === 0 || source.data === 0 || target.readOnly) return -errno.EINVAL;
    if (to + size > target.size || from + size > source.size) return -errno.E2BIG;
    const start = source.data + from;
    call.memory.bytes.copyWithin(target.data + to, start, start + size);
    return 0;
  },
  bpf_dynptr_memset: (call) => {
    const { data, size, readOnly } = readDynptr(call, call.arg(1));
    const [offset, length] = [call.low(2), call.low(3)];
    if (data === 0 || readOnly) return -errno.EINVAL;
    if (offset + length > size) return -errno.E2BIG;
    call.memory.bytes.fill(call.low(4) & 0xff, data + offset, data + offset + length);
    return 0;
  },
};
