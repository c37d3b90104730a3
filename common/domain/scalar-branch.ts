/** Branches: whether a comparison of two scalars is already decided, and what each side then knows. */
import type { JumpOp } from "../isa/instruction.ts";
import {
  isConstant32,
  isContradiction,
  MutableScalar,
  type Scalar,
  s32Max,
  s32Min,
  syncBounds,
  unbound32,
  unbound64,
  unknownScalar,
} from "./scalar.ts";
import {
  type Tnum,
  tnumAnd,
  tnumConst,
  tnumIntersect,
  tnumOr,
  tnumOverlap,
  tnumSubreg,
  tnumWithSubreg,
} from "./tnum.ts";

/** The same comparison with its operands exchanged. */
export const flippedJump: Record<JumpOp, JumpOp> = {
  eq: "eq",
  ne: "ne",
  set: "set",
  gt: "lt",
  ge: "le",
  lt: "gt",
  le: "ge",
  sgt: "slt",
  sge: "sle",
  slt: "sgt",
  sle: "sge",
};

/** A known number, as the width of the comparison sees it. */
export function constantOf(s: Scalar, is32: boolean): bigint | undefined {
  if (is32) return isConstant32(s) ? BigInt(s.u32min) : undefined;
  return s.mask === 0n ? s.value : undefined;
}

interface View {
  readonly bits: Tnum;
  readonly umin: bigint | number;
  readonly umax: bigint | number;
  readonly smin: bigint | number;
  readonly smax: bigint | number;
}

function viewOf(s: Scalar, is32: boolean): View {
  if (!is32) return { bits: s, umin: s.umin, umax: s.umax, smin: s.smin, smax: s.smax };
  const { u32min, u32max, s32min, s32max } = s;
  return { bits: tnumSubreg(s), umin: u32min, umax: u32max, smin: s32min, smax: s32max };
}

function areDisjoint(a: Scalar, b: Scalar, is32: boolean): boolean {
  const x = viewOf(a, is32);
  const y = viewOf(b, is32);
  if (!tnumOverlap(x.bits, y.bits)) return true;
  if (x.umin > y.umax || x.umax < y.umin || x.smin > y.smax || x.smax < y.smin) return true;
  if (is32) return false;
  if (a.u32min > b.u32max || a.u32max < b.u32min) return true;
  return a.s32min > b.s32max || a.s32max < b.s32min;
}

function decideEqual(a: Scalar, b: Scalar, is32: boolean): boolean | undefined {
  const x = is32 ? tnumSubreg(a) : a;
  const y = is32 ? tnumSubreg(b) : b;
  if (x.mask === 0n && y.mask === 0n) return x.value === y.value;
  return areDisjoint(a, b, is32) ? false : undefined;
}

function decideSet(a: Scalar, b: Scalar, is32: boolean): boolean | undefined {
  let bits: Scalar = a;
  let mask = constantOf(b, is32);
  if (mask === undefined) {
    bits = b;
    mask = constantOf(a, is32);
  }
  if (mask === undefined) return undefined;
  const view = is32 ? tnumSubreg(bits) : bits;
  if ((view.value & mask) !== 0n) return true;
  return ((view.value | view.mask) & mask) === 0n ? false : undefined;
}

function decideOrder(
  aMin: bigint | number,
  aMax: bigint | number,
  bMin: bigint | number,
  bMax: bigint | number,
  orEqual: boolean,
): boolean | undefined {
  if (orEqual ? aMin >= bMax : aMin > bMax) return true;
  return (orEqual ? aMax < bMin : aMax <= bMin) ? false : undefined;
}

function negate(answer: boolean | undefined): boolean | undefined {
  return answer === undefined ? undefined : !answer;
}

/** Whether `a op b` always (true) or never (false) holds; undefined if it depends. */
export function decideBranch(op: JumpOp, a: Scalar, b: Scalar, is32: boolean): boolean | undefined {
  switch (op) {
    case "eq":
      return decideEqual(a, b, is32);
    case "ne":
      return negate(decideEqual(a, b, is32));
    case "set":
      return decideSet(a, b, is32);
    case "lt":
    case "le":
    case "slt":
    case "sle":
      return decideBranch(flippedJump[op], b, a, is32);
    case "gt":
    case "ge": {
      const x = viewOf(a, is32);
      const y = viewOf(b, is32);
      return decideOrder(x.umin, x.umax, y.umin, y.umax, op === "ge");
    }
    case "sgt":
    case "sge": {
      const x = viewOf(a, is32);
      const y = viewOf(b, is32);
      return decideOrder(x.smin, x.smax, y.smin, y.smax, op === "sge");
    }
  }
}

/** Comparisons as refinements know them: `clear` is the false side of `set`. */
type Refinement = JumpOp | "clear";

const reversedJump: Record<JumpOp, Refinement> = {
  eq: "ne",
  ne: "eq",
  set: "clear",
  gt: "le",
  le: "gt",
  ge: "lt",
  lt: "ge",
  sgt: "sle",
  sle: "sgt",
  sge: "slt",
  slt: "sge",
};

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function refineEqual(a: MutableScalar, b: MutableScalar, is32: boolean): void {
  if (is32) {
    a.u32min = b.u32min = Math.max(a.u32min, b.u32min);
    a.u32max = b.u32max = Math.min(a.u32max, b.u32max);
    a.s32min = b.s32min = Math.max(a.s32min, b.s32min);
    a.s32max = b.s32max = Math.min(a.s32max, b.s32max);
    const low = tnumIntersect(tnumSubreg(a), tnumSubreg(b));
    setBits(a, tnumWithSubreg(a, low));
    setBits(b, tnumWithSubreg(b, low));
    return;
  }
  a.umin = b.umin = max(a.umin, b.umin);
  a.umax = b.umax = min(a.umax, b.umax);
  a.smin = b.smin = max(a.smin, b.smin);
  a.smax = b.smax = min(a.smax, b.smax);
  const bits = tnumIntersect(a, b);
  setBits(a, bits);
  setBits(b, bits);
}

function setBits(s: MutableScalar, bits: Tnum): void {
  s.value = bits.value;
  s.mask = bits.mask;
}

/** An excluded number shortens a range only where it is an end of it. */
function refineNotEqual(a: MutableScalar, excluded: bigint, is32: boolean): void {
  if (is32) {
    const unsigned = Number(excluded) >>> 0;
    const signed = Number(excluded) | 0;
    if (a.u32min === unsigned) a.u32min = (a.u32min + 1) >>> 0;
    if (a.u32max === unsigned) a.u32max = (a.u32max - 1) >>> 0;
    if (a.s32min === signed) a.s32min = (a.s32min + 1) | 0;
    if (a.s32max === signed) a.s32max = (a.s32max - 1) | 0;
    return;
  }
  const signed = BigInt.asIntN(64, excluded);
  if (a.umin === excluded) a.umin = BigInt.asUintN(64, a.umin + 1n);
  if (a.umax === excluded) a.umax = BigInt.asUintN(64, a.umax - 1n);
  if (a.smin === signed) a.smin = BigInt.asIntN(64, a.smin + 1n);
  if (a.smax === signed) a.smax = BigInt.asIntN(64, a.smax - 1n);
}

function refineBits(a: MutableScalar, mask: bigint, is32: boolean, isSet: boolean): void {
  if (isSet && (mask === 0n || (mask & (mask - 1n)) !== 0n)) return;
  if (!isSet) {
    unbound64(a);
    unbound32(a);
  }
  const operand = isSet ? tnumConst(mask) : tnumConst(~mask);
  const apply = isSet ? tnumOr : tnumAnd;
  setBits(a, is32 ? tnumWithSubreg(a, apply(tnumSubreg(a), operand)) : apply(a, operand));
}

/** `a < b` or `a <= b`, `step` being 1 or 0. Values at the very end wrap, as machine numbers do. */
function refineUnsigned(a: MutableScalar, b: MutableScalar, is32: boolean, step: 0 | 1): void {
  if (is32) {
    a.u32max = Math.min(a.u32max, (b.u32max - step) >>> 0);
    b.u32min = Math.max((a.u32min + step) >>> 0, b.u32min);
    return;
  }
  const by = BigInt(step);
  a.umax = min(a.umax, BigInt.asUintN(64, b.umax - by));
  b.umin = max(BigInt.asUintN(64, a.umin + by), b.umin);
}

function refineSigned(a: MutableScalar, b: MutableScalar, is32: boolean, step: 0 | 1): void {
  if (is32) {
    a.s32max = Math.min(a.s32max, b.s32max === s32Min && step === 1 ? s32Max : b.s32max - step);
    b.s32min = Math.max(a.s32min === s32Max && step === 1 ? s32Min : a.s32min + step, b.s32min);
    return;
  }
  const by = BigInt(step);
  a.smax = min(a.smax, BigInt.asIntN(64, b.smax - by));
  b.smin = max(BigInt.asIntN(64, a.smin + by), b.smin);
}

function refine(op: Refinement, a: MutableScalar, b: MutableScalar, is32: boolean): void {
  switch (op) {
    case "gt":
    case "ge":
    case "sgt":
    case "sge":
      refine(flippedJump[op], b, a, is32);
      break;
    case "eq":
      refineEqual(a, b, is32);
      break;
    case "ne":
    case "set":
    case "clear": {
      const constant = constantOf(b, is32);
      const other = constant === undefined ? constantOf(a, is32) : constant;
      if (other === undefined) return;
      const target = constant === undefined ? b : a;
      if (op === "ne") {
        refineNotEqual(target, other, is32);
        return;
      }
      refineBits(target, other, is32, op === "set");
      return;
    }
    case "lt":
      refineUnsigned(a, b, is32, 1);
      break;
    case "le":
      refineUnsigned(a, b, is32, 0);
      break;
    case "slt":
      refineSigned(a, b, is32, 1);
      break;
    case "sle":
      refineSigned(a, b, is32, 0);
  }
}

/** Both operands after one outcome of a comparison. */
export interface RefinedPair {
  readonly a: Scalar;
  readonly b: Scalar;
}

/** A contradiction is a dead branch that the deductions missed: nothing is then claimed. */
function finish(s: MutableScalar): Scalar {
  syncBounds(s);
  if (!isContradiction(s)) return s;
  const unbounded = new MutableScalar(unknownScalar);
  setBits(unbounded, s);
  return unbounded;
}

/** What `a op b` (or its negation, if `holds` is false) says of a and b. */
export function refineBranch(
  op: JumpOp,
  a: Scalar,
  b: Scalar,
  is32: boolean,
  holds: boolean,
  isSame = false,
): RefinedPair {
  const left = new MutableScalar(a);
  const right = isSame ? left : new MutableScalar(b);
  refine(holds ? op : reversedJump[op], left, right, is32);
  if (isSame) syncBounds(left);
  return { a: finish(left), b: finish(right) };
}
