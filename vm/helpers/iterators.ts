/** What iterator programs write: it is collected in the kernel, in the order of the calls. */
import { errno } from "../errno.ts";
import { formatText } from "./format.ts";
import type { Helper } from "./helper-call.ts";

const longestArguments = 96;

export const iteratorHelpers: Readonly<Record<string, Helper>> = {
  /** `(seq, format, size, arguments, their size)` */
  bpf_seq_printf: (call) => {
    const size = call.low(5);
    if (size % 8 !== 0 || size > longestArguments) return -errno.EINVAL;
    const start = size === 0 ? 0 : call.address(4, size, false);
    const args = (i: number): bigint | undefined =>
      (i + 1) * 8 > size ? undefined : call.load64(start + i * 8);
    const text = formatText(call.bytes(2, call.low(3)), args, call);
    if (typeof text === "number") return text;
    call.kernel.sequence.push(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    return 0;
  },
  bpf_seq_write: (call) => {
    call.kernel.sequence.push(call.copy(2, call.size(3)));
    return 0;
  },
};
