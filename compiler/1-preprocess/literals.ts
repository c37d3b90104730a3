/** Values of number, character and string literals (C17 6.4.4, 6.4.5, GNU `0b`). */
import { brokenByte } from "./broken-text.ts";

export interface IntegerValue {
  readonly value: bigint;
  readonly unsigned: boolean;
  readonly long: 0 | 1 | 2;
  readonly decimal: boolean;
}

export type LiteralProblem = { readonly problem: string };

const integerPattern = /^(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|(0[0-7]*)|([1-9][0-9]*))([uUlL]*)$/;
const suffixes: ReadonlyMap<string, readonly [boolean, 0 | 1 | 2]> = new Map(
  ["", "l", "L", "ll", "LL"].flatMap((long) => {
    const count = long.length as 0 | 1 | 2;
    const rows: [string, readonly [boolean, 0 | 1 | 2]][] = [[long, [false, count]]];
    for (const u of ["u", "U"]) rows.push([u + long, [true, count]], [long + u, [true, count]]);
    return rows;
  }),
);
const exponent = "[eE][+-]?[0-9]+";
const hexDigits = "(?:[0-9a-fA-F]+\\.?[0-9a-fA-F]*|\\.[0-9a-fA-F]+)";
/** Digits with a point or an exponent, or hexadecimal with a binary exponent. */
const floatPattern = new RegExp(
  `^(?:(?:[0-9]+\\.[0-9]*|\\.[0-9]+)(?:${exponent})?|[0-9]+${exponent}|` +
    `0[xX]${hexDigits}[pP][+-]?[0-9]+)(?:[fFlL]|[fF]16|[qQ])?$`,
);

export function isFloatLiteral(image: string): boolean {
  return (
    plainDecimal(image) === undefined && !integerPattern.test(image) && floatPattern.test(image)
  );
}

/** The value of a short decimal literal without suffix: most are, and a pattern has to be compiled first. */
function plainDecimal(image: string): number | undefined {
  if (image.length === 0 || image.length > 9 || (image.length > 1 && image.startsWith("0")))
    return undefined;
  let value = 0;
  for (let at = 0; at < image.length; at += 1) {
    const digit = image.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** The value of an integer literal, or what is wrong with it, in clang's words. */
export function parseInteger(image: string): IntegerValue | LiteralProblem {
  const plain = plainDecimal(image);
  if (plain !== undefined)
    return { value: BigInt(plain), unsigned: false, long: 0, decimal: image !== "0" };
  const match = integerPattern.exec(image);
  const suffix = match === null ? undefined : suffixes.get(match[5] ?? "");
  if (match === null || suffix === undefined) return { problem: integerProblem(image) };
  const [, hex, binary, octal, decimal] = match;
  const digits = hex ?? binary ?? octal ?? decimal ?? "0";
  const prefix =
    hex !== undefined ? "0x" : binary !== undefined ? "0b" : octal !== undefined ? "0o" : "";
  const value = octal === "0" ? 0n : BigInt(prefix === "0o" ? `0o${digits}` : prefix + digits);
  if (value > 0xffff_ffff_ffff_ffffn)
    return { problem: "integer literal is too large to be represented in any integer type" };
  return { value, unsigned: suffix[0], long: suffix[1], decimal: decimal !== undefined };
}

function integerProblem(image: string): string {
  const octal = /^0[0-7]*([89])/.exec(image);
  if (octal !== null) return `invalid digit '${octal[1]}' in octal constant`;
  const parts = /^(?:0[xX][0-9a-fA-F]*|0[bB][01]*|[0-9]+)(.*)$/.exec(image);
  const suffix = parts?.[1] ?? image;
  return `invalid suffix '${suffix}' on integer constant`;
}

const simpleEscapes: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  E: 27,
  "0": 0,
  "\\": 92,
  "'": 39,
  '"': 34,
  "?": 63,
};

export interface DecodedText {
  /** Code points (from the text and `\u`) or raw unit values (from `\x` and octal escapes). */
  readonly units: readonly { readonly value: number; readonly raw: boolean }[];
  readonly problems: readonly string[];
  /** `L`, `u`, `U`, `u8` or empty. */
  readonly prefix: string;
}

/** Decodes the escapes of a character constant or string literal, quotes and prefix included. */
export function decodeQuoted(image: string): DecodedText {
  const open = /['"]/.exec(image)?.index ?? 0;
  const prefix = image.slice(0, open);
  const units: { value: number; raw: boolean }[] = [];
  const problems: string[] = [];
  const end = image.length - 1;
  let at = open + 1;
  while (at < end) {
    if (image[at] !== "\\") {
      const value = image.codePointAt(at)!;
      units.push({ value, raw: false });
      at += value > 0xffff ? 2 : 1;
      continue;
    }
    at = decodeEscape(image, at + 1, end, units, problems);
  }
  return { units, problems, prefix };
}

function decodeEscape(
  image: string,
  from: number,
  end: number,
  units: { value: number; raw: boolean }[],
  problems: string[],
): number {
  const rest = image.slice(from, Math.min(end, from + 32));
  const octal = /^[0-7]{1,3}/.exec(rest);
  if (octal !== null) {
    units.push({ value: Number.parseInt(octal[0], 8), raw: true });
    return from + octal[0].length;
  }
  const hex = /^x([0-9a-fA-F]*)/.exec(rest);
  if (hex !== null) {
    const digits = hex[1] ?? "";
    if (digits === "") problems.push("\\x used with no following hex digits");
    if (digits.length > 8) problems.push("hex escape sequence out of range");
    units.push({ value: Number.parseInt(digits.slice(-8) || "0", 16), raw: true });
    return from + hex[0].length;
  }
  const universal = /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest);
  if (universal !== null) {
    const value = Number.parseInt(universal[1] ?? universal[2] ?? "0", 16);
    if (value > 0x10ffff) problems.push("invalid universal character");
    units.push({ value: Math.min(value, 0x10ffff), raw: false });
    return from + universal[0].length;
  }
  const character = String.fromCodePoint(image.codePointAt(from) ?? 63);
  const value = simpleEscapes[character];
  if (value === undefined) problems.push(`unknown escape sequence '\\${character}'`);
  units.push({ value: value ?? character.codePointAt(0)!, raw: false });
  return from + character.length;
}

/** UTF-8 bytes of narrow text; raw units are bytes. */
export function narrowBytes(text: DecodedText): number[] {
  const bytes: number[] = [];
  for (const { value, raw } of text.units) {
    if (raw || value < 128) bytes.push(value & 0xff);
    else bytes.push(...utf8(value));
  }
  return bytes;
}

function utf8(code: number): number[] {
  const byte = brokenByte(code);
  if (byte !== undefined) return [byte];
  if (code < 0x800) return [0xc0 | (code >> 6), 0x80 | (code & 63)];
  if (code < 0x10000) return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
  return [
    0xf0 | (code >> 18),
    0x80 | ((code >> 12) & 63),
    0x80 | ((code >> 6) & 63),
    0x80 | (code & 63),
  ];
}

/** The int value of a character constant; several narrow characters are packed as clang does. */
export function characterValue(text: DecodedText): number {
  if (text.prefix !== "") return (text.units.at(-1)?.value ?? 0) | 0;
  const bytes = narrowBytes(text);
  if (bytes.length === 1) return (bytes[0]! << 24) >> 24;
  return bytes.reduce((value, byte) => (value << 8) | byte, 0);
}
