/** printk formats as BPF programs may use them (bpf_trace_printk, bpf_snprintf, bpf_seq_printf). */
import { errno } from "../errno.ts";
import type { HelperCall } from "./helper-call.ts";
import { readString } from "./memory.ts";

const conversion =
  /%(?:%|([-+ #0]*)(\d*)(?:\.(\d+))?(c|s|d|i|u|x|X|l[diuxX]|ll[diuxX]|p(?:[ku]s|[xKBsS]|[iI][46])?))/g;
const longestString = 512;

/** Where arguments come from: the n-th as a 64-bit value, or undefined where there are no more. */
export type ArgumentSource = (index: number) => bigint | undefined;

interface Specification {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly type: string;
}

/** The text, or a negative errno for a format that the kernel refuses. */
export function formatText(
  format: Uint8Array,
  args: ArgumentSource,
  call: HelperCall,
): string | number {
  const end = format.indexOf(0);
  if (end < 0) return -errno.EINVAL;
  const text = latin1(format.subarray(0, end));
  for (const character of text) {
    const isText = (character >= " " && character <= "~") || /\s/.test(character);
    if (!isText) return -errno.EINVAL;
  }
  let result = "";
  let last = 0;
  let used = 0;
  for (const match of text.matchAll(conversion)) {
    const plain = text.slice(last, match.index);
    if (plain.includes("%")) return -errno.EINVAL;
    result += plain;
    last = match.index + match[0].length;
    if (match[0] === "%%") {
      result += "%";
      continue;
    }
    const [, flags = "", width = "", precision, type = ""] = match;
    const value = args(used);
    used += 1;
    if (value === undefined) return -errno.EINVAL;
    const digits = precision === undefined ? undefined : Number(precision);
    result += formatOne({ flags, width: Number(width || 0), precision: digits, type }, value, call);
  }
  const rest = text.slice(last);
  return rest.includes("%") ? -errno.EINVAL : result + rest;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function pad(text: string, { flags, width }: Specification, zero: boolean): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!zero || !flags.includes("0")) return text.padStart(width);
  const sign = /^[-+ ]|^0[xX]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

function formatOne(spec: Specification, value: bigint, call: HelperCall): string {
  const { type } = spec;
  if (type === "c") return pad(String.fromCharCode(Number(value & 0xffn)), spec, false);
  if (type === "s" || type === "pks" || type === "pus")
    return pad(stringAt(value, call), spec, false);
  if (type.startsWith("p")) return formatPointer(spec, value, call);
  return formatInteger(spec, value);
}

function stringAt(address: bigint, call: HelperCall): string {
  const bytes = readString(call, address, longestString);
  return bytes === undefined ? "" : latin1(bytes.subarray(0, bytes.length - 1));
}

function formatInteger(spec: Specification, value: bigint): string {
  const { type, flags, precision } = spec;
  const width = type.startsWith("l") ? 64 : 32;
  const base = type.at(-1) ?? "d";
  let digits: string;
  let sign = "";
  if (base === "d" || base === "i") {
    const number = BigInt.asIntN(width, value);
    sign = number < 0n ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
    digits = (number < 0n ? -number : number).toString();
  } else {
    const number = BigInt.asUintN(width, value);
    digits = base === "u" ? number.toString() : number.toString(16);
    if (base === "X") digits = digits.toUpperCase();
    if (flags.includes("#") && base !== "u") sign = `0${base}`;
  }
  if (precision !== undefined) digits = digits.padStart(precision, "0");
  return pad(sign + digits, spec, precision === undefined);
}

function formatPointer(spec: Specification, value: bigint, call: HelperCall): string {
  const kind = spec.type.slice(1);
  if (kind === "i4" || kind === "I4")
    return pad(formatIpv4(value, call, kind === "i4"), spec, false);
  if (kind === "i6" || kind === "I6")
    return pad(formatIpv6(value, call, kind === "I6"), spec, false);
  if (kind === "B" || kind === "s" || kind === "S") return `0x${value.toString(16)}`;
  return value.toString(16).padStart(16, "0");
}

function formatIpv4(address: bigint, call: HelperCall, padded: boolean): string {
  const bytes = call.memory.slice(address, 4, false);
  return [...bytes].map((byte) => String(byte).padStart(padded ? 3 : 1, "0")).join(".");
}

function formatIpv6(address: bigint, call: HelperCall, colons: boolean): string {
  const bytes = call.memory.slice(address, 16, false);
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[i * 2] as number) << 8) | (bytes[i * 2 + 1] as number)).toString(16).padStart(4, "0"),
  );
  return groups.join(colons ? ":" : "");
}
