/**
 * A loop that runs while `i < min(n, c)`, c a constant, tests both bounds instead: `i < c && i < n`. The
 * branch that made the minimum goes, and with it the two states in which the verifier would follow the
 * whole loop: a value that is n is of no importance to it, one that is c it would keep apart. The bound
 * that it needs for accesses it still has, from the constant.
 * Needs: reachable blocks; loops that are to be unrolled are. Leaves an empty branch and an unused
 * comparison behind.
 */
import { findLoops, type Loop, predecessors } from "../4-lower/cfg.ts";
import type {
  Block,
  Constant,
  IntPredicate,
  IrFunction,
  IrInstruction,
  Value,
} from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  phisOf,
  removeInstruction,
  sameValue,
  signedValue,
  successors,
  terminatorOf,
  type Use,
} from "../4-lower/ir-builder.ts";
import { invertedPredicate, swappedPredicate } from "./fold-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { type InstructionOf, isOp, operand } from "./values.ts";

export const splitBounds: FunctionPass = {
  kind: "function",
  name: "split-bounds",
  run(fn, { runs }) {
    const loops = findLoops(fn);
    if (loops.length === 0) return false;
    const { uses } = runs.factsOf(fn);
    const preds = predecessors(fn);
    let changed = false;
    for (const loop of loops) {
      for (const block of loop.blocks) {
        const test = loopTestOf(block, loop);
        const bounds = test && minimumOf(test, uses, preds);
        if (test === undefined || bounds === undefined) continue;
        splitTest(fn, test, bounds);
        changed = true;
      }
    }
    return changed;
  },
};

interface LoopTest {
  readonly block: Block;
  readonly branch: InstructionOf<"condbr">;
  readonly inside: Block;
  readonly outside: Block;
  /** The loop goes on while `counter predicate bound`. */
  readonly predicate: IntPredicate;
  readonly condition: IrInstruction;
  readonly counter: Value;
  readonly bound: InstructionOf<"phi">;
}

interface Bounds {
  readonly value: Value;
  readonly limit: Constant;
}

/** Of the predicates with which a loop goes on below a bound, that by which the bound was taken. */
const minimumPredicates: Partial<Record<IntPredicate, readonly IntPredicate[]>> = {
  ult: ["ult", "ule"],
  ule: ["ult", "ule"],
  slt: ["slt", "sle"],
  sle: ["slt", "sle"],
};

/** A comparison that leaves the loop, of what changes in it with a phi in front of it. */
function loopTestOf(block: Block, loop: Loop): LoopTest | undefined {
  const branch = terminatorOf(block);
  if (!isOp(branch, "condbr")) return undefined;
  const { then, otherwise } = branch.operation;
  if (loop.blocks.has(then) === loop.blocks.has(otherwise)) return undefined;
  const stays = loop.blocks.has(then);
  const condition = operand(branch, 0);
  if (!isOp(condition, "icmp")) return undefined;
  const [a, b] = [operand(condition, 0), operand(condition, 1)];
  const isSwapped = isBound(a, loop);
  const [counter, bound] = isSwapped ? [b, a] : [a, b];
  if (!isBound(bound, loop)) return undefined;
  if (counter.kind !== "instruction" || !loop.blocks.has(counter.block)) return undefined;
  const stay = stays
    ? condition.operation.predicate
    : invertedPredicate[condition.operation.predicate];
  const predicate = isSwapped ? swappedPredicate[stay] : stay;
  const [inside, outside] = stays ? [then, otherwise] : [otherwise, then];
  return { block, branch, inside, outside, condition, predicate, counter, bound };
}

function isBound(value: Value, loop: Loop): value is InstructionOf<"phi"> {
  return isOp(value, "phi") && value.operands.length === 2 && !loop.blocks.has(value.block);
}

/** What the bound is the smaller of, if nobody else asks for it. */
function minimumOf(
  { condition: loopCondition, predicate, bound }: LoopTest,
  uses: ReadonlyMap<Value, readonly Use[]>,
  preds: ReadonlyMap<Block, readonly Block[]>,
): Bounds | undefined {
  const isAlone = uses.get(bound)?.length === 1 && uses.get(loopCondition)?.length === 1;
  if (!isAlone) return undefined;
  const at = bound.operands.findIndex((each) => each.kind === "constant");
  const [limit, value] = [bound.operands[at], operand(bound, at === 0 ? 1 : 0)];
  if (limit?.kind !== "constant" || value.kind === "constant") return undefined;
  const limited = bound.operation.incoming[at] as Block;
  const other = bound.operation.incoming[1 - at] as Block;
  const test = decision(limited, other, bound.block, preds);
  if (test === undefined) return undefined;
  const { condition, ifTrue } = test;
  const [a, b] = [operand(condition, 0), operand(condition, 1)];
  if (!sameValue(a, value) || b.kind !== "constant" || b.type !== limit.type) return undefined;
  // The predicate with which the value is kept.
  const holds = condition.operation.predicate;
  const keeps = ifTrue === other ? holds : invertedPredicate[holds];
  if (minimumPredicates[predicate]?.includes(keeps) !== true) return undefined;
  // The largest value that is kept is the limit, or the one below, as the limit comes out for both.
  const isStrict = keeps === "ult" || keeps === "slt";
  const largest = numberOf(b, keeps) - (isStrict ? 1n : 0n);
  const gap = numberOf(limit, keeps) - largest;
  return gap === 0n || gap === 1n ? { value, limit } : undefined;
}

function numberOf(value: Constant, predicate: IntPredicate): bigint {
  return predicate.startsWith("s") ? signedValue(value) : value.value;
}

/** The comparison that decides by which of two blocks a third is reached; itself may be one of them. */
function decision(
  first: Block,
  second: Block,
  joint: Block,
  preds: ReadonlyMap<Block, readonly Block[]>,
): { condition: InstructionOf<"icmp">; ifTrue: Block } | undefined {
  const only = (block: Block): Block | undefined => {
    const list = preds.get(block) ?? [];
    return list.length === 1 && successors(block).length === 1 ? list[0] : undefined;
  };
  const from =
    only(first) === second
      ? second
      : only(second) === first
        ? first
        : sameBlock(only(first), only(second));
  const branch = from && terminatorOf(from);
  if (from === undefined || !isOp(branch, "condbr")) return undefined;
  const condition = operand(branch, 0);
  const { then, otherwise } = branch.operation;
  if (!isOp(condition, "icmp") || then === otherwise) return undefined;
  return { condition, ifTrue: then === joint ? from : then };
}

function sameBlock(a: Block | undefined, b: Block | undefined): Block | undefined {
  return a === b ? a : undefined;
}

/** The constant first: where it ends the loop, the other test is not followed. */
function splitTest(fn: IrFunction, test: LoopTest, { value, limit }: Bounds): void {
  const { block, branch, inside, outside, predicate, counter, bound, condition } = test;
  const { then, likely } = branch.operation;
  const hint = likely === undefined ? {} : { likely: likely === (then === inside) };
  const next = createBlock(fn, undefined, true);
  const compare = (at: Block, right: Value): Value => {
    const operation = { op: "icmp", predicate } as const;
    const made = createInstruction(fn, at, "i1", operation, [counter, right], branch.location);
    at.instructions.push(made);
    return made;
  };
  block.instructions.pop();
  branch.operands = [compare(block, limit)];
  block.instructions.push(branch);
  branch.operation = { op: "condbr", then: next, otherwise: outside, ...hint };
  const second = compare(next, value);
  const operation = { op: "condbr", then: inside, otherwise: outside, ...hint } as const;
  next.instructions.push(createInstruction(fn, next, "void", operation, [second], branch.location));
  for (const phi of phisOf(inside)) {
    if (phi.operation.op !== "phi") continue;
    phi.operation.incoming = phi.operation.incoming.map((each) => (each === block ? next : each));
  }
  for (const phi of phisOf(outside)) {
    if (phi.operation.op !== "phi") continue;
    phi.operands.push(operand(phi, phi.operation.incoming.indexOf(block)));
    phi.operation.incoming.push(next);
  }
  removeInstruction(condition);
  removeInstruction(bound);
  fn.blocks.splice(fn.blocks.indexOf(block) + 1, 0, next);
}
