/** bpf_trace_printk and its relatives: lines go to the kernel's trace list. */
import { errno } from "../errno.ts";
import { formatText } from "./format.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const longestLine = 1024;

/** Arguments from an array of u64 in memory. */
function arrayArguments(call: HelperCall, address: bigint, size: number) {
  return (index: number): bigint | undefined => {
    if ((index + 1) * 8 > size) return undefined;
    const at = call.memory.check(address + BigInt(index * 8), 8, false);
    return call.load64(at);
  };
}

function emit(call: HelperCall, text: string | number): number {
  if (typeof text === "number") return text;
  const line = text.slice(0, longestLine - 1);
  call.kernel.traceLine(line.replace(/\n$/, ""));
  return line.length;
}

export const traceHelpers: Readonly<Record<string, Helper>> = {
  bpf_trace_printk: (call) => {
    const format = call.bytes(1, call.low(2));
    const args = (i: number): bigint | undefined => (i < 3 ? call.arg(3 + i) : undefined);
    return emit(call, formatText(format, args, call));
  },
  bpf_trace_vprintk: (call) => {
    const format = call.bytes(1, call.low(2));
    const size = call.low(4);
    if (size % 8 !== 0 || size > 96) return -errno.EINVAL;
    return emit(call, formatText(format, arrayArguments(call, call.arg(3), size), call));
  },
  bpf_snprintf: (call) => {
    const size = call.low(2);
    const dataSize = call.low(5);
    if (dataSize % 8 !== 0 || dataSize > 96) return -errno.EINVAL;
    const start = call.memory.check(call.arg(3), 1, false);
    const end = call.memory.bytes.indexOf(0, start);
    const format = call.memory.bytes.subarray(start, end + 1);
    const text = formatText(format, arrayArguments(call, call.arg(4), dataSize), call);
    if (typeof text === "number") return text;
    const target = call.bytes(1, size, true);
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    if (size > 0) {
      target.set(bytes.subarray(0, size - 1));
      target[Math.min(bytes.length, size - 1)] = 0;
    }
    return bytes.length + 1;
  },
};
