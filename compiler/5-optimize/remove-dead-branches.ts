/**
 * Dead-code elimination by control dependence: a branch goes where nothing with an effect, and no value that is
 * read, depends on which way it takes; a loop among them, since every BPF program ends. What the branch told
 * the verifier was of use to nobody: who needs it depends on the branch.
 * Needs: reachable blocks, and that those which return the same are empty or one (before split-returns). Leaves
 * blocks that only jump on to simplify-cfg. Guarantees: every value left has a use.
 */
import { pushTo } from "../../common/append.ts";
import { removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { makeJump, removeIncoming, successors, terminatorOf } from "../4-lower/ir-builder.ts";
import { type PostDominators, postDominators } from "../4-lower/post-dominators.ts";
import { joinExits } from "./join-exits.ts";
import type { FunctionPass } from "./pass.ts";
import { keepOnly, liveInstructions } from "./remove-dead-code.ts";
import { hasEffect } from "./values.ts";

export const removeDeadBranches: FunctionPass = {
  kind: "function",
  name: "remove-dead-branches",
  run(fn) {
    if (!fn.blocks.some(isChoice)) return false;
    const joined = joinExits(fn);
    const order = postDominators(fn);
    const control = order && controlOf(fn, order);
    if (order === undefined || control === undefined) return joined;
    const live = liveBranches(fn, control);
    const dead = fn.blocks.filter(
      (block) => isChoice(block) && !live.has(terminatorOf(block) as IrInstruction),
    );
    if (dead.length === 0) return joined;
    for (const block of dead) leadOn(block, order);
    keepOnly(fn, live);
    removeUnreachableBlocks(fn);
    return true;
  },
};

/** Steps for the dependences of all blocks together, per block. */
const mostSteps = 64;

function isChoice(block: Block): boolean {
  const op = terminatorOf(block)?.operation.op;
  return op === "condbr" || op === "switch";
}

/** Per block the branches that decide whether it is reached; nothing where that is too much to find out. */
function controlOf(
  fn: IrFunction,
  { parent, next }: PostDominators,
): ReadonlyMap<Block, readonly IrInstruction[]> | undefined {
  const control = new Map<Block, IrInstruction[]>();
  let steps = mostSteps * fn.blocks.length;
  for (const [block, after] of next) {
    const branch = terminatorOf(block);
    if (branch === undefined || after.length < 2) continue;
    const end = parent.get(block);
    for (const first of after) {
      for (let at: Block | undefined = first; at !== undefined && at !== end; at = parent.get(at)) {
        steps -= 1;
        if (steps < 0) return undefined;
        pushTo(control, at, branch);
      }
    }
  }
  return control;
}

/** What has an effect, with all that decides whether it is reached, and what it reads. */
function liveBranches(
  fn: IrFunction,
  control: ReadonlyMap<Block, readonly IrInstruction[]>,
): ReadonlySet<IrInstruction> {
  const reached = new Set<Block>();
  const reach = (block: Block, mark: (value: Value) => void): void => {
    if (reached.has(block)) return;
    reached.add(block);
    for (const branch of control.get(block) ?? []) mark(branch);
  };
  return liveInstructions(fn, {
    isRoot: hasEffect,
    markNeeded({ block, operation }, mark) {
      reach(block, mark);
      if (operation.op !== "phi") return;
      // Which way it is come in by makes the value.
      for (const from of operation.incoming) {
        reach(from, mark);
        mark(terminatorOf(from) as IrInstruction);
      }
    },
  });
}

/** The branch becomes a jump to the successor that is nearest to the end. */
function leadOn(block: Block, { place }: PostDominators): void {
  const branch = terminatorOf(block) as IrInstruction;
  // Returns that another stands for have no place; they are ends.
  const ways = [...new Set(successors(block))].sort(
    (a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0),
  );
  const [target, ...others] = ways;
  if (target === undefined) return;
  for (const other of others) removeIncoming(other, block);
  makeJump(branch, target);
}
