/** Data as directives: strings where it reads as text, bytes otherwise. */
import type { SymbolReference } from "./asm-module.ts";
import { quoteName } from "./symbols.ts";

const bytesPerLine = 16;
const shortestString = 4;

/** `symbol`, `symbol+8`, `symbol-8`. */
export function targetText({ symbol, addend }: SymbolReference): string {
  const sign = addend < 0 ? "" : "+";
  return `${quoteName(symbol)}${addend === 0 ? "" : `${sign}${addend}`}`;
}

const isPrintable = (byte: number): boolean => byte >= 32 && byte < 127;
const isTextual = (byte: number): boolean => isPrintable(byte) || byte === 9 || byte === 10;

/** A byte of a string literal. */
function escapeByte(byte: number): string {
  if (byte === 9) return "\\t";
  if (byte === 10) return "\\n";
  if (byte === 34 || byte === 92) return `\\${String.fromCharCode(byte)}`;
  return isPrintable(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
}

/** Bytes as the inside of a string literal. */
export function escapeBytes(bytes: Uint8Array): string {
  return [...bytes].map(escapeByte).join("");
}

/** Directives for any bytes. */
export function printBytes(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  let plain: number[] = [];
  const flush = (): void => {
    for (let i = 0; i < plain.length; i += bytesPerLine) {
      lines.push(`\t.byte\t${plain.slice(i, i + bytesPerLine).join(", ")}`);
    }
    plain = [];
  };
  for (let at = 0; at < bytes.length; ) {
    let end = at;
    while (end < bytes.length && isTextual(bytes[end] as number)) end += 1;
    if (end - at < shortestString) {
      plain.push(bytes[at] as number);
      at += 1;
      continue;
    }
    flush();
    const terminated = bytes[end] === 0;
    const text = escapeBytes(bytes.subarray(at, end));
    lines.push(`\t${terminated ? ".asciz" : ".ascii"}\t"${text}"`);
    at = terminated ? end + 1 : end;
  }
  flush();
  return lines;
}
