/** Numbers from text, comparison. */
import { errno } from "../errno.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

interface Digits {
  readonly value: bigint;
  readonly negative: boolean;
  readonly used: number;
}

function parseDigits(call: HelperCall, signed: boolean): Digits | number {
  const length = call.size(2);
  const base = Number(call.arg(3) & 0x1fn);
  if ((call.arg(3) & ~0x1fn) !== 0n || ![0, 8, 10, 16].includes(base)) return -errno.EINVAL;
  if (length === 0) return -errno.EINVAL;
  const bytes = call.bytes(1, length);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte))
    .join("")
    .replace(/\0.*$/s, "");
  const match = /^(\s*)(-?)(0[xX](?=[0-9a-fA-F]))?(.*)$/s.exec(text);
  const [, space = "", sign = "", prefix = "", rest = ""] = match ?? [];
  if (sign === "-" && !signed) return -errno.EINVAL;
  const isHex = base === 16 || (base === 0 && prefix !== "");
  if (prefix !== "" && !isHex)
    return { value: 0n, negative: false, used: space.length + sign.length + 1 };
  const isOctal = base === 8 || (base === 0 && rest.startsWith("0"));
  const pattern = isHex ? /^[0-9a-fA-F]+/ : isOctal ? /^[0-7]+/ : /^\d+/;
  const digits = pattern.exec(rest)?.[0];
  if (digits === undefined) return -errno.EINVAL;
  const value = BigInt(`${isHex ? "0x" : isOctal ? "0o" : ""}${digits}`);
  const used = space.length + sign.length + prefix.length + digits.length;
  return { value, negative: sign === "-", used };
}

const store = (call: HelperCall, value: bigint): void => {
  call.memory.store(call.memory.check(call.arg(4), 8, true), 8, value, call.kernel.little);
};

export const stringHelpers: Readonly<Record<string, Helper>> = {
  bpf_strtol: (call) => {
    const parsed = parseDigits(call, true);
    if (typeof parsed === "number") return parsed;
    const limit = 1n << 63n;
    if (parsed.value > limit || (!parsed.negative && parsed.value === limit)) return -errno.ERANGE;
    store(call, parsed.negative ? -parsed.value : parsed.value);
    return parsed.used;
  },
  bpf_strtoul: (call) => {
    const parsed = parseDigits(call, false);
    if (typeof parsed === "number") return parsed;
    if (parsed.value >= 1n << 64n) return -errno.ERANGE;
    store(call, parsed.value);
    return parsed.used;
  },
  bpf_strncmp: (call) => {
    const length = call.low(2);
    const { bytes } = call.memory;
    const a = length === 0 ? 0 : call.address(1, length, false);
    const b = call.address(3, 1, false);
    for (let i = 0; i < length; i += 1) {
      const byte = bytes[a + i] as number;
      const difference = byte - (bytes[b + i] as number);
      if (difference !== 0) return difference < 0 ? -1 : 1;
      if (byte === 0) return 0;
    }
    return 0;
  },
};
