/** Internet checksums, in the byte order of memory. */
import { errno } from "../errno.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

/** One's complement sum of two 32-bit numbers. */
export function add32(a: number, b: number): number {
  const sum = a + b;
  return sum > 0xffffffff ? (sum + 1) % 0x1_0000_0000 : sum;
}

export const complement32 = (value: number): number => ~value >>> 0;

const largestBlock = 1 << 16;

/** 32-bit one's complement sum of whole words of memory. */
function sumWords(call: HelperCall, start: number, size: number, seed: number): number {
  const { view } = call.memory;
  const { little } = call.kernel;
  // Halves add up as small integers, which costs less; so many words do not overflow them.
  let sum = seed;
  for (let from = start; from < start + size; from += largestBlock) {
    let [low, high] = [0, 0];
    const end = Math.min(start + size, from + largestBlock);
    for (let at = from; at < end; at += 4) {
      const word = little ? view.getInt32(at, true) : view.getInt32(at, false);
      low += word & 0xffff;
      high += word >>> 16;
    }
    sum += high * 0x1_0000 + low;
  }
  while (sum > 0xffffffff) {
    const carries = Math.floor(sum / 0x1_0000_0000);
    sum = sum - carries * 0x1_0000_0000 + carries;
  }
  return sum;
}

/** 32 bits folded to 16. */
export function fold16(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** A checksum field after a 32-bit (or zero-extended 16-bit) value that it covers changed. */
export function replaceInChecksum(field: number, from: number, to: number): number {
  const without = add32(~field & 0xffff, complement32(from));
  return ~fold16(add32(without, to)) & 0xffff;
}

/** A checksum field after a difference (bpf_csum_diff's result) is added to what it covers. */
export function addToChecksum(field: number, difference: number): number {
  return ~fold16(add32(difference, complement32(field))) & 0xffff;
}

export const checksumHelpers: Readonly<Record<string, Helper>> = {
  bpf_csum_diff: (call) => {
    const [fromSize, toSize, seed] = [call.low(2), call.low(4), call.low(5)];
    if (((fromSize | toSize) & 3) !== 0) return -errno.EINVAL;
    const from = fromSize === 0 ? 0 : call.address(1, fromSize, false);
    const to = toSize === 0 ? 0 : call.address(3, toSize, false);
    if (fromSize === 0) return fold16(sumWords(call, to, toSize, seed));
    if (toSize === 0) {
      return fold16(complement32(sumWords(call, from, fromSize, complement32(seed))));
    }
    const added = sumWords(call, to, toSize, seed);
    return fold16(add32(added, complement32(sumWords(call, from, fromSize, 0))));
  },
};
