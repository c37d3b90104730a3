/** Which comparisons were decided on the way to a block: what the verifier has learnt of values there. */
import type { DominatorTree } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, Value } from "../4-lower/ir.ts";
import { terminatorOf } from "../4-lower/ir-builder.ts";
import { invertedPredicate } from "./fold-constants.ts";
import { type InstructionOf, isOp, operand } from "./values.ts";

/** The graph of a function. */
export interface Graph {
  readonly tree: DominatorTree;
  readonly preds: ReadonlyMap<Block, readonly Block[]>;
}

/** A comparison, and the block where its outcome is known. */
export interface PassedTest {
  readonly test: InstructionOf<"icmp">;
  readonly behind: Block;
  /** What is so there of its operands; undefined if it is one of several that were asked together. */
  readonly holds: IntPredicate | undefined;
}

/** Blocks on the way that are looked at, and depth of a condition of several comparisons. */
const longestWay = 128;
const mostDepth = 3;

/** The comparisons on the way from `above`, which dominates it, to `below`; the last first. */
export function testsBetween(above: Block, below: Block, { tree, preds }: Graph): PassedTest[] {
  const passed: PassedTest[] = [];
  let at = below;
  for (let steps = 0; at !== above && steps < longestWay; steps += 1) {
    const [pred, ...others] = preds.get(at) ?? [];
    const branch = pred && others.length === 0 ? terminatorOf(pred) : undefined;
    if (isOp(branch, "condbr") && branch.operation.then !== branch.operation.otherwise) {
      const condition = operand(branch, 0);
      for (const test of comparisonsOf(condition)) {
        const { predicate } = test.operation;
        const isTrue = branch.operation.then === at;
        const holds = isTrue ? predicate : invertedPredicate[predicate];
        passed.push({ test, behind: at, holds: test === condition ? holds : undefined });
      }
    }
    const up = tree.parent.get(at);
    if (up === undefined) break;
    at = up;
  }
  return passed;
}

/** The comparisons that a condition consists of. */
export function comparisonsOf(condition: Value, depth = 0): InstructionOf<"icmp">[] {
  if (isOp(condition, "icmp")) return [condition];
  if (condition.kind !== "instruction" || depth > mostDepth) return [];
  const { op } = condition.operation;
  if (op !== "binary" && op !== "select") return [];
  return condition.operands.flatMap((each) => comparisonsOf(each, depth + 1));
}

/** A value and what it was made from with constants and casts alone, itself first. */
export function derivation(value: Value): Value[] {
  const chain = [value];
  for (let at = value; chain.length <= 4; ) {
    if (at.kind !== "instruction" || !isStep(at.operation.op)) break;
    const [from, by] = at.operands;
    if (from === undefined || (by !== undefined && by.kind !== "constant")) break;
    chain.push(from);
    at = from;
  }
  return chain;
}

const isStep = (op: string): boolean =>
  op === "binary" || op === "zext" || op === "sext" || op === "trunc";
