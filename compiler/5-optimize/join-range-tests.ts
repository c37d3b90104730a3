/**
 * `x < 0 || x > c` as one unsigned test of x, and `x < c || x > c` as one for equality, which saves a branch and tells the verifier both bounds
 * at once.
 */
import { predecessors } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  makeJump,
  phisOf,
  removeIncoming,
  sameValue,
  signedValue,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { invertedPredicate } from "./fold-constants.ts";
import { foldBranches } from "./simplify-cfg.ts";
import { isOp, operand } from "./values.ts";

/** if (x <s 0) goto T; if (x >s c) goto T  →  if (x >u c) goto T, for c >= 0; with x < c and x > c, if (x != c) goto T. */
export function joinRangeTests(fn: IrFunction): boolean {
  const preds = predecessors(fn);
  let changed = false;
  for (const block of fn.blocks) {
    const first = testOf(block);
    if (first === undefined) continue;
    for (const [next, out, holds] of [
      [first.otherwise, first.then, first.predicate],
      [first.then, first.otherwise, invertedPredicate[first.predicate]],
    ] as const) {
      const second = (preds.get(next) ?? []).length === 1 ? testOf(next) : undefined;
      if (second === undefined || next.instructions.length !== 2) continue;
      if (second.condition.block !== next || !sameValue(first.value, second.value)) continue;
      const leaves = second.then === out ? second.predicate : invertedPredicate[second.predicate];
      const stays = second.then === out ? second.otherwise : second.then;
      if ((second.then !== out && second.otherwise !== out) || stays === out) continue;
      const isOther = isNotEqual(holds, leaves) && first.bound === second.bound;
      const bound = isOther ? second.bound : joinedBound(holds, first.bound, leaves, second.bound);
      if (bound === undefined || !sameInputs(out, block, next)) continue;
      second.condition.operation = { op: "icmp", predicate: isOther ? "ne" : "ugt" };
      second.condition.operands = [second.value, constant(second.value.type as ValueType, bound)];
      const last = terminatorOf(next) as IrInstruction;
      last.operation = { op: "condbr", then: out, otherwise: stays };
      const up = terminatorOf(block) as IrInstruction;
      makeJump(up, next);
      removeIncoming(out, block);
      changed = true;
      break;
    }
  }
  if (changed) foldBranches(fn);
  return changed;
}

/** A branch on the comparison of a value with a constant, which is read as a signed number. */
export interface Test {
  readonly condition: IrInstruction;
  readonly predicate: IntPredicate;
  readonly value: Value;
  readonly bound: bigint;
  readonly then: Block;
  readonly otherwise: Block;
}

/** The test at the end of a block. */
export function testOf(block: Block): Test | undefined {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr") return undefined;
  const condition = operand(last, 0);
  if (!isOp(condition, "icmp")) return undefined;
  const [value, bound] = [operand(condition, 0), operand(condition, 1)];
  if (bound.kind !== "constant" || value.kind === "constant" || bound.type === "ptr")
    return undefined;
  const { then, otherwise } = last.operation;
  if (then === otherwise) return undefined;
  return {
    condition,
    predicate: condition.operation.predicate,
    value,
    bound: signedValue(bound),
    then,
    otherwise,
  };
}

/** Whether the two ways out are "less than" and "greater than", in either order. */
function isNotEqual(p: IntPredicate, q: IntPredicate): boolean {
  return oneSide.get(p) === q;
}

const oneSide: ReadonlyMap<IntPredicate, IntPredicate> = new Map([
  ["ult", "ugt"],
  ["ugt", "ult"],
  ["slt", "sgt"],
  ["sgt", "slt"],
]);

/** c, if the two ways out are "negative" and "greater than c" in either order. */
function joinedBound(p: IntPredicate, a: bigint, q: IntPredicate, b: bigint): bigint | undefined {
  const isNegative = (r: IntPredicate, c: bigint): boolean =>
    (r === "slt" && c === 0n) || (r === "sle" && c === -1n);
  const above = (r: IntPredicate, c: bigint): bigint | undefined =>
    r === "sgt" && c >= 0n ? c : r === "sge" && c > 0n ? c - 1n : undefined;
  if (isNegative(p, a)) return above(q, b) ?? (q === "ugt" && b >= 0n ? b : undefined);
  return isNegative(q, b) ? above(p, a) : undefined;
}

/** Phis of `target` take the same from both. */
export function sameInputs(target: Block, a: Block, b: Block): boolean {
  return phisOf(target).every((phi) => {
    if (phi.operation.op !== "phi") return true;
    const { incoming } = phi.operation;
    return sameValue(operand(phi, incoming.indexOf(a)), operand(phi, incoming.indexOf(b)));
  });
}
