/**
 * Ranges of integers in both readings, signed and unsigned, and what comparisons with constants teach
 * about them.
 */
import type { BinaryOp, Block, IntPredicate, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { signedValue, type ValueType } from "../4-lower/ir-builder.ts";
import { invertedPredicate } from "./fold-constants.ts";
import { isFromDivision, knownOf, maskAround } from "./known-bits.ts";
import { isOp, larger, operand, smaller } from "./values.ts";

/** Inclusive bounds, in both readings. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
}

export function fullRange(value: Value): Range {
  if (value.kind === "constant") {
    const signed = signedValue(value);
    return { min: value.value, max: value.value, smin: signed, smax: signed };
  }
  const bits = bitWidth[value.type as ValueType];
  const half = 1n << BigInt(bits - 1);
  const { min, max } = knownOf(value);
  // The verifier knows nothing of a quotient or remainder, so that tests of it stay but for its sign.
  if (max < half && isFromDivision(value))
    return { min: 0n, max: half - 1n, smin: 0n, smax: half - 1n };
  if (max < half) return { min, max, smin: min, smax: max };
  const least = isOp(value, "sext")
    ? 1n << BigInt(bitWidth[operand(value, 0).type as "i32"] - 1)
    : half;
  return { min, max, smin: -least, smax: least - 1n };
}

/** The range if `predicate` holds between the value and a constant. */
export function refine(range: Range, predicate: IntPredicate, value: bigint, bits: number): Range {
  const signed = BigInt.asIntN(bits, value);
  let { min, max, smin, smax } = range;
  switch (predicate) {
    case "eq":
      [min, max] = [larger(min, value), smaller(max, value)];
      [smin, smax] = [larger(smin, signed), smaller(smax, signed)];
      break;
    case "ne":
      if (value === min) min += 1n;
      if (value === max) max -= 1n;
      if (signed === smin) smin += 1n;
      if (signed === smax) smax -= 1n;
      break;
    case "ult":
      max = smaller(max, value - 1n);
      break;
    case "ule":
      max = smaller(max, value);
      break;
    case "ugt":
      min = larger(min, value + 1n);
      break;
    case "uge":
      min = larger(min, value);
      break;
    case "slt":
      smax = smaller(smax, signed - 1n);
      break;
    case "sle":
      smax = smaller(smax, signed);
      break;
    case "sgt":
      smin = larger(smin, signed + 1n);
      break;
    case "sge":
      smin = larger(smin, signed);
      break;
  }
  return agree({ min, max, smin, smax }, bits);
}

/** Each reading learns from the other where the sign is known. */
function agree(range: Range, bits: number): Range {
  let { min, max, smin, smax } = range;
  const half = 1n << BigInt(bits - 1);
  if (max < half) {
    smin = larger(smin, min);
    smax = smaller(smax, max);
  }
  if (smin >= 0n) {
    min = larger(min, smin);
    max = smaller(max, smax);
  }
  return { min, max, smin, smax };
}

/** Whether the comparison holds for all (true), none (false) or some values of the range. */
export function decide(
  range: Range,
  predicate: IntPredicate,
  value: bigint,
  bits: number,
): boolean | undefined {
  // Contradictory facts: the code is never reached, and nothing is to be concluded.
  if (range.min > range.max || range.smin > range.smax) return undefined;
  const isEmpty = (r: Range): boolean => r.min > r.max || r.smin > r.smax;
  if (isEmpty(refine(range, predicate, value, bits))) return false;
  return isEmpty(refine(range, invertedPredicate[predicate], value, bits)) ? true : undefined;
}

/** The same between two values: where one range ends before the other begins. */
export function decideBetween(a: Range, predicate: IntPredicate, b: Range): boolean | undefined {
  if (a.min > a.max || b.min > b.max || a.smin > a.smax || b.smin > b.smax) return undefined;
  if (predicate === "eq" || predicate === "ne") {
    const isApart = a.max < b.min || a.min > b.max || a.smax < b.smin || a.smin > b.smax;
    return isApart ? predicate === "ne" : undefined;
  }
  const isSigned = predicate.startsWith("s");
  const isBelow = isSigned ? a.smax < b.smin : a.max < b.min;
  const isAbove = isSigned ? a.smin > b.smax : a.min > b.max;
  if (isBelow) return predicate.slice(1).startsWith("l");
  return isAbove ? predicate.slice(1).startsWith("g") : undefined;
}

/** The range of `x + step` if that cannot wrap in the signed reading; negative results are no unsigned ones. */
export function shifted(range: Range, step: bigint, value: Value): Range | undefined {
  const half = 1n << BigInt(bitWidth[value.type as ValueType] - 1);
  const [smin, smax] = [range.smin + step, range.smax + step];
  if (smin < 0n || smax >= half || range.smin > range.smax) return undefined;
  return { min: smin, max: smax, smin, smax };
}

/** The same of a sum of two that are not negative. */
export function sumOf(a: Range, b: Range, value: Value): Range | undefined {
  const half = 1n << BigInt(bitWidth[value.type as ValueType] - 1);
  if (a.smin < 0n || b.smin < 0n || a.smin > a.smax || b.smin > b.smax) return undefined;
  const [smin, smax] = [a.smin + b.smin, a.smax + b.smax];
  return smax < half ? { min: smin, max: smax, smin, smax } : undefined;
}

const bitwise: ReadonlySet<BinaryOp> = new Set(["and", "or", "xor"]);

export const isBitwise = (binary: BinaryOp): boolean => bitwise.has(binary);

/** The same of two such that are joined bit by bit: no bit is set above those of the greater. */
export function combined(a: Range, binary: BinaryOp, b: Range, value: Value): Range | undefined {
  const known = sumOf(a, b, value);
  if (known === undefined) return undefined;
  const min = binary === "or" ? larger(a.smin, b.smin) : 0n;
  const max = binary === "and" ? smaller(a.smax, b.smax) : maskAround(larger(a.smax, b.smax));
  return { min, max, smin: min, smax: max };
}

/** Of one whose sign is extended: of bounds below zero the verifier keeps no more than the source's width. */
export function extended(range: Range | undefined, value: Value): Range {
  if (range === undefined || range.smin < 0n) return fullRange(value);
  return { min: range.smin, max: range.smax, smin: range.smin, smax: range.smax };
}

/** The same of one that is cut short, where that loses nothing. */
export function shortened(range: Range, value: Value): Range | undefined {
  const half = 1n << BigInt(bitWidth[value.type as ValueType] - 1);
  const { smin, smax } = range;
  return smin >= 0n && smax < half ? { min: smin, max: smax, smin, smax } : undefined;
}

/** The range of a number that is not negative times, shifted or divided by a constant, if that cannot wrap. */
export function scaled(
  range: Range,
  binary: BinaryOp,
  by: bigint,
  value: Value,
): Range | undefined {
  const scale = scales[binary];
  if (scale === undefined || range.smin < 0n || range.smin > range.smax) return undefined;
  const bits = bitWidth[value.type as ValueType];
  if (by < 0n || by >= 1n << BigInt(bits - 1)) return undefined;
  if (binary !== "mul" && by >= bits) return undefined;
  const [min, max] = [scale(range.smin, by), scale(range.smax, by)];
  return max < 1n << BigInt(bits - 1) ? { min, max, smin: min, smax: max } : undefined;
}

const scales: Readonly<Partial<Record<BinaryOp, (value: bigint, by: bigint) => bigint>>> = {
  mul: (value, by) => value * by,
  shl: (value, by) => value << by,
  lshr: (value, by) => value >> by,
  ashr: (value, by) => value >> by,
};

export interface Fact {
  readonly value: Value;
  readonly holds: IntPredicate;
  readonly bound: bigint;
}

/** What a branch says on its edge to `target`, if it compares an integer with a constant. */
export function factOnEdge(branch: IrInstruction, target: Block): Fact | undefined {
  if (branch.operation.op !== "condbr") return undefined;
  const { then, otherwise } = branch.operation;
  const condition = operand(branch, 0);
  if (then === otherwise || !isOp(condition, "icmp")) return undefined;
  const [value, bound] = [operand(condition, 0), operand(condition, 1)];
  if (bound.kind !== "constant" || value.kind === "constant") return undefined;
  if (value.type === "ptr" || value.type === "i1") return undefined;
  const { predicate } = condition.operation;
  return {
    value,
    holds: then === target ? predicate : invertedPredicate[predicate],
    bound: bound.value,
  };
}
