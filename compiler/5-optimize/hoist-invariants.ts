/**
 * Loop-invariant code motion, for integers only: arithmetic whose operands do not change in a loop is
 * done once before it. Addresses stay (a sum of pointer and variable must not move above its checks),
 * and so do loads and comparisons. BPF arithmetic cannot trap, so that doing it early is harmless.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

export const hoistInvariants: FunctionPass = {
  kind: "function",
  name: "hoist-invariants",
  run(fn) {
    const tree = dominatorTree(fn);
    const loops = findLoops(fn, tree);
    if (loops.length === 0) return false;
    const preds = predecessors(fn);
    let changed = false;
    // Inner loops first; what leaves one may then leave the next.
    for (const loop of loops.reverse()) {
      const rewriter = new Rewriter(fn);
      hoistFrom(loop, preds, tree, rewriter);
      changed = rewriter.apply() || changed;
    }
    return changed;
  },
};

/** Each hoisted value occupies a register throughout the loop; there are few. */
const mostHoisted = 3;

function hoistFrom(
  loop: Loop,
  preds: ReadonlyMap<Block, readonly Block[]>,
  tree: DominatorTree,
  rewriter: Rewriter,
): void {
  const outside = (preds.get(loop.header) ?? []).filter((block) => !loop.blocks.has(block));
  const [entry, ...others] = outside;
  if (entry === undefined || others.length > 0) return;
  if (entry.instructions.at(-1)?.operation.op === "asm_goto") return;
  let count = 0;
  for (const block of tree.order) {
    if (!loop.blocks.has(block)) continue;
    for (const each of block.instructions) {
      if (count >= mostHoisted) return;
      if (!isHoistable(each) || !each.operands.every((value) => isInvariant(value, loop))) continue;
      rewriter.moveToEnd(each, entry);
      count += 1;
    }
  }
}

function isHoistable({ operation, type }: IrInstruction): boolean {
  if (type === "i1" || type === "ptr") return false;
  return operation.op === "binary" || operation.op === "bswap" || operation.op === "sext";
}

/** Defined before the loop. What was hoisted in this round counts in the next. */
function isInvariant(value: Value, loop: Loop): boolean {
  return value.kind !== "instruction" || !loop.blocks.has(value.block);
}
