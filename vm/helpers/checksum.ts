/** Internet checksums, in the byte order of memory. */
import { errno } from "../errno.ts";
import type { Helper } from "./helper-call.ts";

/** One's complement sum of two 32-bit numbers. */
export function add32(a: number, b: number): number {
  const sum = a + b;
  return sum > 0xffffffff ? (sum + 1) % 0x1_0000_0000 : sum;
}

export const complement32 = (value: number): number => ~value >>> 0;

/** 32-bit one's complement sum of bytes; a last word that is cut short is filled with zeroes. */
export function sumBytes(bytes: Uint8Array, seed: number, little: boolean): number {
  let sum = seed;
  for (let i = 0; i < bytes.length; i += 4) {
    let word = 0;
    for (let k = 0; k < 4; k += 1) {
      word += (bytes[i + k] ?? 0) * 2 ** (8 * (little ? k : 3 - k));
    }
    sum = add32(sum, word);
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
    const { little } = call.kernel;
    const from = fromSize === 0 ? new Uint8Array(0) : call.bytes(1, fromSize);
    const to = toSize === 0 ? new Uint8Array(0) : call.bytes(3, toSize);
    if (fromSize === 0) return fold16(sumBytes(to, seed, little));
    if (toSize === 0) return fold16(complement32(sumBytes(from, complement32(seed), little)));
    const added = sumBytes(to, seed, little);
    return fold16(add32(added, complement32(sumBytes(from, 0, little))));
  },
};
