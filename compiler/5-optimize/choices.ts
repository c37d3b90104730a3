/**
 * Phis as choices: where a branch's two arms join again, with nothing that matters in between, the phi is
 * `condition ? a : b`, as in the minimum of two numbers. And what one comparison says about another one of
 * the same two values.
 */
import type { DominatorTree } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrInstruction, Value } from "../4-lower/ir.ts";
import { sameValue, terminatorOf } from "../4-lower/ir-builder.ts";
import { foldInstruction, isEquality } from "./fold-constants.ts";
import { isOp, isPure, operand } from "./values.ts";

/** `condition ? then : otherwise`; the places are indices of the phi's operands. */
export interface Choice {
  readonly condition: Value;
  readonly then: number;
  readonly otherwise: number;
}

/** How the phis of `block` choose, if the branch that dominates it is what decides. */
export function choiceAt(
  phi: IrInstruction,
  tree: DominatorTree,
  preds: ReadonlyMap<Block, readonly Block[]>,
): Choice | undefined {
  if (phi.operation.op !== "phi" || phi.operands.length !== 2) return undefined;
  const head = tree.parent.get(phi.block);
  const branch = head && terminatorOf(head);
  if (branch?.operation.op !== "condbr") return undefined;
  const { then, otherwise } = branch.operation;
  if (then === otherwise) return undefined;
  const { incoming } = phi.operation;
  const placeOf = (arm: Block): number => {
    if (arm === phi.block) return incoming.indexOf(head as Block);
    return preds.get(arm)?.length === 1 ? incoming.indexOf(arm) : -1;
  };
  const choice = {
    condition: operand(branch, 0),
    then: placeOf(then),
    otherwise: placeOf(otherwise),
  };
  return choice.then < 0 || choice.otherwise < 0 ? undefined : choice;
}

/**
 * Whether `value` is `result` where the condition comes out as `outcome`, which then says that something is a constant:
 * x + 1 is 1 where x == 0.
 */
export function agreesWhere(
  condition: Value,
  outcome: boolean,
  value: Value,
  result: Value,
): value is IrInstruction {
  if (!isOp(condition, "icmp") || value.kind !== "instruction" || !isPure(value)) return false;
  const [x, known] = [operand(condition, 0), operand(condition, 1)];
  const isEqual = condition.operation.predicate === (outcome ? "eq" : "ne");
  if (!isEqual || known.kind !== "constant" || x.kind === "constant") return false;
  const operands = value.operands.map((each) => (each === x ? known : each));
  const folded = foldInstruction(value, operands);
  return folded !== undefined && sameValue(folded, result);
}

/** Whether a is below, equal to or above b. */
const outcomes: Readonly<Record<IntPredicate, number>> = {
  eq: 0b010,
  ne: 0b101,
  ult: 0b100,
  ule: 0b110,
  ugt: 0b001,
  uge: 0b011,
  slt: 0b100,
  sle: 0b110,
  sgt: 0b001,
  sge: 0b011,
};

/** Whether `predicate` holds between two values of which `known` holds; undefined if that says nothing. */
export function decidedBy(known: IntPredicate, predicate: IntPredicate): boolean | undefined {
  const isOneOrder = isEquality(known) || isEquality(predicate) || known[0] === predicate[0];
  if (!isOneOrder) return undefined;
  const common = outcomes[known] & outcomes[predicate];
  if (common === 0) return false;
  return common === outcomes[known] ? true : undefined;
}
