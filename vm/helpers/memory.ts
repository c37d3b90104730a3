/** Helpers that read memory which the program may not touch itself. Faults give -EFAULT. */
import { errno } from "../errno.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const isReadable = (call: HelperCall, address: bigint, size: number): boolean =>
  address < 0x1_0000_0000n && call.memory.isAccessible(Number(address), size, false);

/** `(dst, size, unsafe pointer)`: the destination is zeroed where the source cannot be read. */
const probeRead: Helper = (call) => {
  const size = call.size(2);
  const target = call.bytes(1, size, true);
  if (size === 0) return 0;
  const source = call.arg(3);
  if (!isReadable(call, source, size)) {
    target.fill(0);
    return -errno.EFAULT;
  }
  const from = Number(source);
  target.set(call.memory.bytes.slice(from, from + size));
  return 0;
};

/** Bytes of a string with its NUL, at most `size`; undefined where it cannot be read. */
export function readString(
  call: HelperCall,
  address: bigint,
  size: number,
): Uint8Array | undefined {
  const bytes: number[] = [];
  for (let i = 0; i < size; i += 1) {
    const at = address + BigInt(i);
    if (!isReadable(call, at, 1)) return undefined;
    const byte = call.memory.bytes[Number(at)] as number;
    bytes.push(byte);
    if (byte === 0) return Uint8Array.from(bytes);
  }
  if (bytes.length > 0) bytes[bytes.length - 1] = 0;
  return Uint8Array.from(bytes);
}

/** `(dst, size, unsafe pointer)`: the string's length with its NUL. */
const probeReadString: Helper = (call) => {
  const size = call.size(2);
  const target = call.bytes(1, size, true);
  if (size === 0) return 0;
  const text = readString(call, call.arg(3), size);
  if (text === undefined) {
    target.fill(0);
    return -errno.EFAULT;
  }
  target.set(text);
  return text.length;
};

export const memoryHelpers: Readonly<Record<string, Helper>> = {
  bpf_probe_read: probeRead,
  bpf_probe_read_user: probeRead,
  bpf_probe_read_kernel: probeRead,
  bpf_copy_from_user: probeRead,
  bpf_probe_read_str: probeReadString,
  bpf_probe_read_user_str: probeReadString,
  bpf_probe_read_kernel_str: probeReadString,
  /** All memory is one process's. */
  bpf_copy_from_user_task: (call) => (call.arg(5) === 0n ? probeRead(call) : -errno.EINVAL),
  bpf_probe_write_user: (call) => {
    const size = call.size(3);
    const source = call.copy(2, size);
    const target = call.arg(1);
    const writable =
      target < 0x1_0000_0000n && call.memory.isAccessible(Number(target), size, true);
    if (!writable) return -errno.EPERM;
    call.memory.bytes.set(source, Number(target));
    return 0;
  },
};
