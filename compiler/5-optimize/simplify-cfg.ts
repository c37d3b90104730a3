/**
 * Control-flow clean-up: decided branches go, empty blocks are skipped, chains become one block, phis
 * of one value vanish, branches on what a phi brings in are taken at its source, branches on and/or
 * become two branches. Never makes selects: BPF has none, and merging paths loses what the verifier
 * learnt on each. Guarantees: all blocks reachable.
 */
import {
  type DominatorTree,
  dominatorTree,
  predecessors,
  removeUnreachableBlocks,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Terminator, Value } from "../4-lower/ir.ts";
import {
  constant,
  createBlock,
  createInstruction,
  makeJump,
  phisOf,
  sameValue,
  successors,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { PhiInputs } from "./phi-inputs.ts";
import { skipEmptyBlocks, threadConstantPhis } from "./redirect-edges.ts";
import { Rewriter } from "./rewriter.ts";
import { isBinary, isConstant, operand } from "./values.ts";

export const simplifyCfg: FunctionPass = {
  kind: "function",
  name: "simplify-cfg",
  run(fn) {
    let changed = removeUnreachableBlocks(fn) > 0;
    /** How many steps in a row found nothing to do. */
    let idle = 0;
    for (let at = 0; at < 16 * steps.length && idle < steps.length; at += 1) {
      idle += 1;
      if (steps[at % steps.length]?.(fn) !== true) continue;
      idle = 0;
      changed = true;
    }
    return changed;
  },
};

const steps = [
  foldBranches,
  splitLogicalBranches,
  threadConstantPhis,
  skipEmptyBlocks,
  mergeChains,
  simplifyPhis,
];

/** Branches whose way is known, and branches that lead to one block either way. */
export function foldBranches(fn: IrFunction): boolean {
  const inputs = new PhiInputs();
  let changed = false;
  for (const block of fn.blocks) {
    const last = terminatorOf(block);
    const target = last && onlyTarget(last);
    if (last === undefined || target === undefined) {
      if (last !== undefined) changed = tidyBranch(fn, block, last) || changed;
      continue;
    }
    for (const next of new Set(successors(block))) if (next !== target) inputs.remove(next, block);
    makeJump(last, target);
    changed = true;
  }
  inputs.finish();
  return removeUnreachableBlocks(fn) > 0 || changed;
}

function onlyTarget(last: IrInstruction): Block | undefined {
  const { operation } = last;
  const [value] = last.operands;
  if (operation.op === "condbr") {
    if (operation.then === operation.otherwise) return operation.then;
    if (value?.kind === "constant")
      return value.value === 1n ? operation.then : operation.otherwise;
    return value?.kind === "undef" ? operation.otherwise : undefined;
  }
  if (operation.op !== "switch") return undefined;
  if (value?.kind === "undef" || operation.cases.length === 0) return operation.fallback;
  if (value?.kind === "constant") {
    const hit = operation.cases.find((each) => each.value === value.value);
    return hit?.target ?? operation.fallback;
  }
  return operation.cases.every((each) => each.target === operation.fallback)
    ? operation.fallback
    : undefined;
}

/** !c ? a : b → c ? b : a;  a switch of one case → an equality. */
function tidyBranch(fn: IrFunction, block: Block, last: IrInstruction): boolean {
  const { operation } = last;
  if (operation.op === "condbr") {
    const condition = operand(last, 0);
    if (!isBinary(condition, "xor") || !isConstant(operand(condition, 1), 1n)) return false;
    const { then, otherwise, likely } = operation;
    last.operation = { op: "condbr", then: otherwise, otherwise: then };
    if (likely !== undefined) last.operation.likely = !likely;
    last.operands = [operand(condition, 0)];
    return true;
  }
  if (operation.op !== "switch") return false;
  const before = operation.cases.length;
  operation.cases = operation.cases.filter((each) => each.target !== operation.fallback);
  const [only, ...others] = operation.cases;
  if (only === undefined || others.length > 0) return operation.cases.length < before;
  const value = operand(last, 0);
  const test = createInstruction(
    fn,
    block,
    "i1",
    { op: "icmp", predicate: "eq" },
    [value, constant(value.type as "i32", only.value)],
    last.location,
  );
  block.instructions.splice(-1, 0, test);
  last.operation = { op: "condbr", then: only.target, otherwise: operation.fallback };
  last.operands = [test];
  return true;
}

/** if (a & b) → if (a) if (b);  if (a | b) → if (a) … else if (b): truth values cost a branch anyway. */
export function splitLogicalBranches(fn: IrFunction): boolean {
  const blocks: Block[] = [];
  const inputs = new PhiInputs();
  for (const block of fn.blocks) {
    blocks.push(block);
    const last = terminatorOf(block);
    if (last?.operation.op !== "condbr") continue;
    const condition = operand(last, 0);
    const isAnd = isBinary(condition, "and");
    if (!isAnd && !isBinary(condition, "or")) continue;
    const { then, otherwise } = last.operation;
    if (then === otherwise) continue;
    const second = createBlock(fn, undefined, true);
    blocks.push(second);
    const branch: Terminator = { op: "condbr", then, otherwise };
    const value = operand(condition as IrInstruction, 1);
    second.instructions.push(createInstruction(fn, second, "void", branch, [value], last.location));
    last.operands = [operand(condition as IrInstruction, 0)];
    last.operation = isAnd
      ? { op: "condbr", then: second, otherwise }
      : { op: "condbr", then, otherwise: second };
    inputs.rename(isAnd ? then : otherwise, block, second);
    const both = isAnd ? otherwise : then;
    inputs.add(
      both,
      second,
      phisOf(both).map((phi) => inputs.valueFrom(phi, block) as Value),
    );
  }
  const changed = blocks.length > fn.blocks.length;
  fn.blocks = blocks;
  return changed;
}

/** A block and its only successor, whose only predecessor it is, become one. */
export function mergeChains(fn: IrFunction): boolean {
  const preds = predecessors(fn);
  /** Where blocks have gone that are in front of a block with phis. */
  const into = new Map<Block, Block>();
  const rewriter = new Rewriter(fn);
  for (const block of fn.blocks) {
    if (into.has(block)) continue;
    for (;;) {
      const last = terminatorOf(block);
      if (last?.operation.op !== "br") break;
      const { target } = last.operation;
      if (target === block || target === fn.blocks[0] || (preds.get(target) ?? []).length !== 1)
        break;
      for (const phi of phisOf(target)) rewriter.replace(phi, operand(phi, 0));
      block.instructions.pop();
      for (const each of target.instructions) {
        each.block = block;
        block.instructions.push(each);
      }
      into.set(target, block);
    }
  }
  if (into.size === 0) return false;
  fn.blocks = fn.blocks.filter((block) => !into.has(block));
  for (const block of fn.blocks) renameInputs(block, into);
  rewriter.apply();
  return true;
}

/** Phis take from what blocks have become. */
function renameInputs(block: Block, into: ReadonlyMap<Block, Block>): void {
  for (const phi of phisOf(block)) {
    if (phi.operation.op !== "phi") continue;
    const { incoming } = phi.operation;
    for (const [at, from] of incoming.entries()) {
      let now = into.get(from);
      for (let next = now; next !== undefined; next = into.get(now)) now = next;
      if (now !== undefined) incoming[at] = now;
    }
  }
}

/** phi(x, x) → x;  phi(x, itself) → x;  phi(x, undef) → x where x is known everywhere. */
export function simplifyPhis(fn: IrFunction): boolean {
  const rewriter = new Rewriter(fn);
  let tree: DominatorTree | undefined;
  const isKnownAt = (value: IrInstruction, phi: IrInstruction): boolean => {
    if (value.block === phi.block) return false;
    tree ??= dominatorTree(fn);
    return tree.dominates(value.block, phi.block);
  };
  for (const block of fn.blocks) {
    for (const phi of phisOf(block)) {
      const value = soleInput(phi, rewriter, isKnownAt);
      if (value !== undefined) rewriter.replace(phi, value);
    }
  }
  return rewriter.apply();
}

function soleInput(
  phi: IrInstruction,
  rewriter: Rewriter,
  isKnownAt: (value: IrInstruction, phi: IrInstruction) => boolean,
): Value | undefined {
  let sole: Value | undefined;
  let hasUndef = false;
  for (const each of phi.operands) {
    const value = rewriter.resolve(each);
    if (value === phi) continue;
    if (value.kind === "undef") {
      hasUndef = true;
      continue;
    }
    if (sole !== undefined && !sameValue(sole, value)) return undefined;
    sole = value;
  }
  if (sole === undefined) return hasUndef ? operand(phi, 0) : undefined;
  // With undef on another path an instruction need not dominate the phi.
  return hasUndef && sole.kind === "instruction" && !isKnownAt(sole, phi) ? undefined : sole;
}
