/**
 * Floating-point values as bit patterns (IEEE 754 binary32 and binary64), and what the routines of
 * compilers' run-time libraries compute on them. BPF has neither the instructions nor the library:
 * a program may move such values and have constants of them computed, no more.
 */

/** Bytes: binary32 or binary64. */
export type FloatSize = 4 | 8;

const view = new DataView(new ArrayBuffer(8));

export function floatFromBits(bits: bigint, size: FloatSize): number {
  view.setBigUint64(0, BigInt.asUintN(64, bits));
  return size === 4 ? view.getFloat32(4) : view.getFloat64(0);
}

/** The pattern of the nearest value. */
export function floatToBits(value: number, size: FloatSize): bigint {
  if (size === 4) {
    view.setFloat32(0, value);
    return BigInt(view.getUint32(0));
  }
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

/** An integer of any size, rounded once. */
export function integerToFloatBits(value: bigint, size: FloatSize): bigint {
  if (size === 8) return floatToBits(Number(value), size);
  const magnitude = value < 0n ? -value : value;
  const excess = magnitude.toString(2).length - 50;
  if (excess <= 0) return floatToBits(Number(value), size);
  // What is cut off leaves a mark in the lowest bit, so that the one rounding sees it.
  const shift = BigInt(excess);
  const cut = magnitude >> shift;
  const marked = cut << shift === magnitude ? cut : cut | 1n;
  return floatToBits(Number(value < 0n ? -marked : marked) * 2 ** excess, size);
}

/** Towards zero; what the integer type cannot hold becomes its nearest value. */
export function floatToInteger(value: number, width: number, signed: boolean): bigint {
  if (Number.isNaN(value)) return 0n;
  const bits = BigInt(width);
  const [least, most] = signed
    ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
    : [0n, (1n << bits) - 1n];
  if (!Number.isFinite(value)) return value < 0 ? least : most;
  const whole = BigInt(Math.trunc(value));
  return whole < least ? least : whole > most ? most : whole;
}

/** Whether a pattern is that of a zero, of either sign. */
export function isFloatZero(bits: bigint, size: FloatSize): boolean {
  return floatFromBits(bits, size) === 0;
}

/** The value of a floating literal without its suffix, decimal or hexadecimal. */
export function parseFloatDigits(digits: string): number {
  const hex = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(digits);
  if (hex === null) return Number(digits);
  const [, whole = "", fraction = "", power = "0"] = hex;
  const exponent = Number(power) - 4 * fraction.length;
  // In two steps, as 2^exponent alone may be out of range.
  const half = Math.trunc(exponent / 2);
  return Number(BigInt(`0x0${whole}${fraction}`)) * 2 ** half * 2 ** (exponent - half);
}

export type FloatArithmetic = "add" | "sub" | "mul" | "div";

const arithmetic: Readonly<Record<FloatArithmetic, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

/** One operation on values of one format; binary64 holds enough for binary32 to be rounded once. */
export function floatArithmetic(
  op: FloatArithmetic,
  a: bigint,
  b: bigint,
  size: FloatSize,
): bigint {
  return floatToBits(arithmetic[op](floatFromBits(a, size), floatFromBits(b, size)), size);
}

type Routine = (args: readonly bigint[]) => bigint;

const modes: readonly (readonly [mode: string, size: FloatSize])[] = [
  ["sf", 4],
  ["df", 8],
];
const integerModes: readonly (readonly [mode: string, width: number])[] = [
  ["si", 32],
  ["di", 64],
];

/** What a comparison routine returns: below, at or above zero, and which of them for a NaN. */
function order(a: number, b: number, unordered: number): bigint {
  if (Number.isNaN(a) || Number.isNaN(b)) return BigInt(unordered);
  return a < b ? -1n : a > b ? 1n : 0n;
}

function routinesOf(mode: string, size: FloatSize): [string, Routine][] {
  const number = (args: readonly bigint[], i: number): number => floatFromBits(args[i] ?? 0n, size);
  const rows: [string, Routine][] = [];
  for (const op of ["add", "sub", "mul", "div"] as const) {
    rows.push([`__${op}${mode}3`, ([a = 0n, b = 0n]) => floatArithmetic(op, a, b, size)]);
  }
  for (const relation of ["eq", "ne", "lt", "le", "gt", "ge"]) {
    const unordered = relation.startsWith("g") ? -1 : 1;
    rows.push([
      `__${relation}${mode}2`,
      (args) => order(number(args, 0), number(args, 1), unordered),
    ]);
  }
  for (const [integer, width] of integerModes) {
    for (const [sign, signed] of [
      ["", true],
      ["uns", false],
    ] as const) {
      const read = (value: bigint): bigint =>
        signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
      rows.push(
        [
          `__float${signed ? "" : "un"}${integer}${mode}`,
          ([v = 0n]) => integerToFloatBits(read(v), size),
        ],
        [`__fix${sign}${mode}${integer}`, (args) => floatToInteger(number(args, 0), width, signed)],
      );
    }
  }
  return rows;
}

let made: ReadonlyMap<string, Routine> | undefined;

function routines(): ReadonlyMap<string, Routine> {
  made ??= new Map([
    ...modes.flatMap(([mode, size]) => routinesOf(mode, size)),
    ["__extendsfdf2", ([a = 0n]) => floatToBits(floatFromBits(a, 4), 8)],
    ["__truncdfsf2", ([a = 0n]) => floatToBits(floatFromBits(a, 8), 4)],
  ]);
  return made;
}

/** Whether a function is one of the library's for floating-point arithmetic (`__adddf3` …). */
export function isFloatRoutine(name: string): boolean {
  return name.startsWith("__") && routines().has(name);
}

/** What such a function returns for constant arguments; undefined for another function. */
export function callFloatRoutine(name: string, args: readonly bigint[]): bigint | undefined {
  return name.startsWith("__") ? routines().get(name)?.(args) : undefined;
}
