/** Kernel functions on strings: positions, lengths, comparison; errors are negative errno. */
import { errno } from "../errno.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

/** XATTR_SIZE_MAX. */
const longest = 65536;

/** The bytes before the NUL; an errno where they cannot be read or do not end. */
function text(call: HelperCall, register: number, limit = longest): Uint8Array | number {
  const address = call.arg(register);
  const start = address < 0x1_0000_0000n ? Number(address) : 0;
  for (let length = 0; length < limit; length += 1) {
    if (!call.memory.isAccessible(start + length, 1, false)) return -errno.EFAULT;
    if (call.memory.bytes[start + length] === 0) {
      return call.memory.bytes.subarray(start, start + length);
    }
  }
  return limit < longest ? call.memory.bytes.subarray(start, start + limit) : -errno.E2BIG;
}

const onText =
  (
    use: (bytes: Uint8Array, call: HelperCall) => number,
    limit?: (call: HelperCall) => number,
  ): Helper =>
  (call) => {
    const bytes = text(call, 1, limit?.(call));
    return typeof bytes === "number" ? bytes : use(bytes, call);
  };

const found = (index: number): number => (index < 0 ? -errno.ENOENT : index);

const onTwo =
  (use: (a: Uint8Array, b: Uint8Array) => number, limit?: (call: HelperCall) => number): Helper =>
  (call) => {
    const a = text(call, 1, limit?.(call));
    if (typeof a === "number") return a;
    const b = text(call, 2);
    return typeof b === "number" ? b : use(a, b);
  };

const lower = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

function compare(a: Uint8Array, b: Uint8Array, fold: (byte: number) => number): number {
  for (let i = 0; ; i += 1) {
    const [left, right] = [fold(a[i] ?? 0), fold(b[i] ?? 0)];
    if (left !== right) return left < right ? -1 : 1;
    if (left === 0) return 0;
  }
}

const indexOfText = (a: Uint8Array, b: Uint8Array): number => {
  for (let at = 0; at + b.length <= a.length; at += 1) {
    if (b.every((byte, i) => a[at + i] === byte)) return at;
  }
  return -1;
};

/** Length of the part at the start whose bytes are (or are not) in a set. */
const span =
  (member: boolean) =>
  (a: Uint8Array, b: Uint8Array): number => {
    const end = a.findIndex((byte) => b.includes(byte) !== member);
    return end < 0 ? a.length : end;
  };

const character = (call: HelperCall): number => call.low(2) & 0xff;
const indexOf = (bytes: Uint8Array, wanted: number): number =>
  wanted === 0 ? bytes.length : bytes.indexOf(wanted);

export const stringKfuncs: Readonly<Record<string, Helper>> = {
  bpf_strlen: onText((bytes) => bytes.length),
  bpf_strnlen: onText(
    (bytes) => bytes.length,
    (call) => call.low(2),
  ),
  bpf_strchr: onText((bytes, call) => found(indexOf(bytes, character(call)))),
  bpf_strnchr: (call) => {
    const bytes = text(call, 1, call.low(2));
    if (typeof bytes === "number") return bytes;
    const wanted = call.low(3) & 0xff;
    const at = bytes.indexOf(wanted);
    return wanted === 0 && bytes.length < call.low(2) ? bytes.length : found(at);
  },
  bpf_strchrnul: onText((bytes, call) => {
    const at = indexOf(bytes, character(call));
    return at < 0 ? bytes.length : at;
  }),
  bpf_strrchr: onText((bytes, call) =>
    character(call) === 0 ? bytes.length : found(bytes.lastIndexOf(character(call))),
  ),
  bpf_strstr: onTwo((a, b) => found(indexOfText(a, b))),
  bpf_strnstr: onTwo(
    (a, b) => found(indexOfText(a, b)),
    (call) => call.low(3),
  ),
  bpf_strspn: onTwo(span(true)),
  bpf_strcspn: onTwo(span(false)),
  bpf_strcmp: onTwo((a, b) => compare(a, b, (byte) => byte)),
  bpf_strcasecmp: onTwo((a, b) => compare(a, b, lower)),
};
