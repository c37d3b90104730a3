/**
 * What is known of an integer wherever it is computed: bits that are zero, and an unsigned range.
 * Only facts that the kernel's verifier finds as well (masks, shifts, loads, extensions) are used,
 * because a check that is dropped for a cleverer reason is a check that the verifier misses; parameters
 * are known only where nothing depends on the verifier's knowing (trust-parameters.ts), or all calls are.
 */
import type { Parameter, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { swapBytes } from "./fold-constants.ts";
import { isBinary, isOp, larger, operand, smaller } from "./values.ts";

/** Bounds are inclusive, unsigned, of the value's own width. */
export interface Known {
  readonly min: bigint;
  readonly max: bigint;
  /** Bits that are certainly zero. */
  readonly zeros: bigint;
}

const depthLimit = 6;

/** By number of bits, up to a word's. */
const masks: readonly bigint[] = Array.from({ length: 65 }, (_, bits) => (1n << BigInt(bits)) - 1n);

/** All ones in `bits`. */
export function onesOf(bits: number): bigint {
  return masks[bits] ?? (1n << BigInt(bits)) - 1n;
}

/** The smallest mask 2^n − 1 that holds `value`, which is not negative. */
export function maskAround(value: bigint): bigint {
  if (value <= 0xffffffffn) return onesOf(32 - Math.clz32(Number(value)));
  const upper = value >> 32n;
  if (upper <= 0xffffffffn) return onesOf(64 - Math.clz32(Number(upper)));
  return onesOf(value.toString(2).length);
}

function fromMax(max: bigint, bits: number): Known {
  return { min: 0n, max, zeros: onesOf(bits) & ~maskAround(max) };
}

function fromZeros(zeros: bigint, bits: number): Known {
  const max = onesOf(bits) & ~zeros;
  return { min: 0n, max, zeros };
}

/** Facts about a value; computed on demand, at most a few definitions deep. */
export function knownOf(value: Value, depth = 0): Known {
  const bits = value.type === "ptr" ? 64 : bitWidth[value.type === "void" ? "i64" : value.type];
  if (value.kind === "constant") return exactly(value.value, bits);
  const anything = fromZeros(0n, bits);
  if (value.kind === "parameter") return trustedRange(value, bits) ?? anything;
  if (value.kind !== "instruction" || depth >= depthLimit) return anything;
  const { operation } = value;
  switch (operation.op) {
    case "zext": {
      const inner = knownOf(operand(value, 0), depth + 1);
      const upper = onesOf(bits) & ~onesOf(bitWidth[operand(value, 0).type as "i8"]);
      return { min: inner.min, max: inner.max, zeros: inner.zeros | upper };
    }
    case "trunc": {
      const inner = knownOf(operand(value, 0), depth + 1);
      const ones = onesOf(bits);
      if (inner.max <= ones) return { ...inner, zeros: inner.zeros & ones };
      return fromZeros(inner.zeros & ones, bits);
    }
    case "sext": {
      const inner = knownOf(operand(value, 0), depth + 1);
      const half = 1n << BigInt(bitWidth[operand(value, 0).type as "i8"] - 1);
      // Of a number that may be negative only bits below the sign are known.
      if (inner.max >= half) return fromZeros(inner.zeros & (half - 1n), bits);
      return {
        min: inner.min,
        max: inner.max,
        zeros: fromMax(inner.max, bits).zeros | inner.zeros,
      };
    }
    case "bswap": {
      const inner = knownOf(operand(value, 0), depth + 1);
      // The verifier forgets the bound, so that none is known here either; low bits bound nothing.
      const zeros = swapBytes(inner.zeros, bits);
      return fromZeros(zeros & ~(zeros + 1n), bits);
    }
    case "select": {
      return union(knownOf(operand(value, 1), depth + 1), knownOf(operand(value, 2), depth + 1));
    }
    case "phi": {
      const { operands } = value;
      if (operands.length > 4 && !isFewConstants(operands)) return anything;
      // A loop's phi would need a fixed point: one that reaches itself is bounded by the depth.
      return operands.map((each) => knownOf(each, depth + 2)).reduce(union);
    }
    case "binary": {
      const [left, right] = [operand(value, 0), operand(value, 1)];
      if (operation.binary === "add" && right.kind === "constant") {
        const { base, step } = stepsUp(left, right.value);
        return knownBinary("add", knownOf(base, depth + 1), exactly(step, bits), bits);
      }
      return knownBinary(
        operation.binary,
        knownOf(left, depth + 1),
        knownOf(right, depth + 1),
        bits,
      );
    }
    default:
      return anything;
  }
}

function exactly(value: bigint, bits: number): Known {
  return { min: value, max: value, zeros: onesOf(bits) & ~value };
}

const mostConstants = 32;

function isFewConstants(operands: readonly Value[]): boolean {
  return operands.length <= mostConstants && operands.every(({ kind }) => kind === "constant");
}

/** Links of a chain of sums that are taken as one: what a loop counts, once that is unrolled. */
const mostLinks = 32;

/** `value + step`, where the value may be such a sum itself, from where the chain begins; steps that go up only. */
function stepsUp(value: Value, step: bigint): { base: Value; step: bigint } {
  let [base, sum] = [value, step];
  for (let link = 0; link < mostLinks && isBinary(base, "add"); link += 1) {
    const next = operand(base, 1);
    if (next.kind !== "constant" || next.value >= 1n << 31n || step >= 1n << 31n) break;
    [base, sum] = [operand(base, 0), sum + next.value];
  }
  return { base, step: sum };
}

/** What callers promise of a parameter that is zero-extended, or what all of them pass. */
function trustedRange(parameter: Parameter, bits: number): Known | undefined {
  const { trusted, extendedFrom, most } = parameter;
  if (most !== undefined) return fromMax(BigInt(most), bits);
  if (trusted !== true || extendedFrom === undefined || extendedFrom[0] === "s") return undefined;
  return fromMax(onesOf(Number(extendedFrom.slice(1))), bits);
}

function union(a: Known, b: Known): Known {
  return {
    min: smaller(a.min, b.min),
    max: -smaller(-a.max, -b.max),
    zeros: a.zeros & b.zeros,
  };
}

function knownBinary(binary: string, a: Known, b: Known, bits: number): Known {
  const ones = onesOf(bits);
  const exact = b.min === b.max ? b.min : undefined;
  switch (binary) {
    case "and": {
      const zeros = a.zeros | b.zeros;
      const max = smaller(smaller(a.max, b.max), ones & ~zeros);
      return { min: 0n, max, zeros };
    }
    case "or":
      return { ...fromZeros(a.zeros & b.zeros, bits), min: larger(a.min, b.min) };
    case "xor": {
      // Of a constant, what meets zeros is set in the result.
      if (exact === undefined) return fromZeros(a.zeros & b.zeros, bits);
      return { ...fromZeros(a.zeros & ~exact & ones, bits), min: exact & a.zeros };
    }
    case "add": {
      const max = a.max + b.max;
      return max <= ones ? { ...fromMax(max, bits), min: a.min + b.min } : fromZeros(0n, bits);
    }
    case "mul": {
      const max = a.max * b.max;
      return max <= ones ? { ...fromMax(max, bits), min: a.min * b.min } : fromZeros(0n, bits);
    }
    case "sub":
      if (a.min >= b.max) return { ...fromMax(a.max - b.min, bits), min: a.min - b.max };
      return fromZeros(0n, bits);
    case "shl": {
      if (exact === undefined) return knownShift(a, b, bits);
      if (exact >= BigInt(bits)) return fromZeros(0n, bits);
      const zeros = ((a.zeros << exact) | onesOf(Number(exact))) & ones;
      const max = a.max << exact;
      if (max > ones) return fromZeros(zeros, bits);
      return { min: a.min << exact, max, zeros: zeros | fromMax(max, bits).zeros };
    }
    case "lshr":
      if (exact === undefined || exact >= BigInt(bits)) return fromMax(a.max, bits);
      return {
        min: a.min >> exact,
        max: a.max >> exact,
        zeros: fromMax(a.max >> exact, bits).zeros | (a.zeros >> exact),
      };
    case "udiv":
      if (exact === undefined || exact === 0n) return fromMax(a.max, bits);
      return { ...fromMax(a.max / exact, bits), min: a.min / exact };
    case "urem": {
      if (exact === undefined || exact === 0n) return fromMax(a.max, bits);
      const max = exact - 1n < a.max ? exact - 1n : a.max;
      return fromMax(max, bits);
    }
    default:
      return fromZeros(0n, bits);
  }
}

/**
 * By a number that is not known: the verifier knows nothing of the result. No bound above is known here either;
 * low bits and a bound below bound nothing that it asks for.
 */
function knownShift(a: Known, b: Known, bits: number): Known {
  const anything = fromZeros(0n, bits);
  if (b.max >= BigInt(bits)) return anything;
  const { zeros, max } = fromZeros(a.zeros & ~(a.zeros + 1n), bits);
  return { min: a.max << b.max <= max ? a.min : 0n, max, zeros };
}

const quotients: ReadonlySet<string> = new Set(["udiv", "urem", "sdiv", "srem"]);

/** What these say with a constant holds for any other operand. */
const maskings: ReadonlySet<string> = new Set(["and", "or"]);

/** Whether what is known of the value comes from a division, of which the verifier knows nothing. */
export function isFromDivision(value: Value, depth = 0): boolean {
  if (value.kind !== "instruction" || depth > 3) return false;
  const { operation, operands } = value;
  const [a, b] = operands;
  if (a === undefined) return false;
  if (operation.op === "zext" || operation.op === "trunc") return isFromDivision(a, depth + 1);
  if (operation.op === "phi" || operation.op === "select") {
    return operands.length <= 4 && operands.some((each) => isFromDivision(each, depth + 1));
  }
  if (operation.op !== "binary") return false;
  if (quotients.has(operation.binary)) return true;
  return !maskings.has(operation.binary) && b?.kind === "constant" && isFromDivision(a, depth + 1);
}

/** True if the value, read as signed, is never negative. */
export function isNonNegative(value: Value): boolean {
  if (value.type === "ptr" || value.type === "void") return false;
  return knownOf(value).max < 1n << BigInt(bitWidth[value.type] - 1);
}

/** Exported for operand checks of rules: do no bits of the two meet? */
export function areDisjoint(a: Value, b: Value): boolean {
  if (a.type === "void" || a.type === "ptr") return false;
  return (knownOf(a).zeros | knownOf(b).zeros) === onesOf(bitWidth[a.type]);
}

/** A zext's source is the value itself with bits that are known to be zero. */
export function withoutZext(value: Value): Value {
  return isOp(value, "zext") ? operand(value, 0) : value;
}
