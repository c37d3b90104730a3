/**
 * Dead-code elimination by control dependence: a branch goes where nothing with an effect, and no value that is
 * read, depends on which way it takes; a loop among them, since every BPF program ends. What the branch told
 * the verifier was of use to nobody: who needs it depends on the branch.
 * Needs: reachable blocks, and that those which return the same are empty or one (before split-returns). Leaves
 * blocks that only jump on to simplify-cfg. Guarantees: every value left has a use.
 */
import { removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { removeIncoming, successors, terminatorOf } from "../4-lower/ir-builder.ts";
import { type PostDominators, postDominators } from "../4-lower/post-dominators.ts";
import { joinExits } from "./join-exits.ts";
import type { FunctionPass } from "./pass.ts";
import { isLifetimeMark, Writers } from "./remove-dead-code.ts";
import { isRemovableIfUnused } from "./values.ts";

export const removeDeadBranches: FunctionPass = {
  kind: "function",
  name: "remove-dead-branches",
  run(fn) {
    if (!fn.blocks.some(isChoice)) return false;
    const joined = joinExits(fn);
    const order = postDominators(fn);
    const control = order && controlOf(fn, order);
    if (order === undefined || control === undefined) return joined;
    const live = liveInstructions(fn, control);
    const dead = fn.blocks.filter(
      (block) => isChoice(block) && !live.has(terminatorOf(block) as IrInstruction),
    );
    if (dead.length === 0) return joined;
    for (const block of dead) leadOn(block, order);
    for (const block of fn.blocks) {
      block.instructions = block.instructions.filter((each) => isKept(each, live));
    }
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
        const list = control.get(at);
        if (list === undefined) control.set(at, [branch]);
        else list.push(branch);
      }
    }
  }
  return control;
}

function liveInstructions(
  fn: IrFunction,
  control: ReadonlyMap<Block, readonly IrInstruction[]>,
): ReadonlySet<IrInstruction> {
  const live = new Set<IrInstruction>();
  const reached = new Set<Block>();
  const work: IrInstruction[] = [];
  const mark = (value: Value): void => {
    if (value.kind !== "instruction" || live.has(value)) return;
    live.add(value);
    work.push(value);
  };
  const reach = (block: Block): void => {
    if (reached.has(block)) return;
    reached.add(block);
    for (const branch of control.get(block) ?? []) mark(branch);
  };
  const writers = new Writers();
  for (const block of fn.blocks) {
    for (const each of block.instructions) if (isRoot(each) && !writers.add(each)) mark(each);
  }
  for (let each = work.pop(); each !== undefined; each = work.pop()) {
    reach(each.block);
    each.operands.forEach(mark);
    writers.of(each).forEach(mark);
    const { operation } = each;
    if (operation.op !== "phi") continue;
    // Which way it is come in by makes the value.
    for (const from of operation.incoming) {
      reach(from);
      mark(terminatorOf(from) as IrInstruction);
    }
  }
  return live;
}

function isRoot(each: IrInstruction): boolean {
  const { op } = each.operation;
  if (op === "br" || op === "condbr" || op === "switch") return false;
  return !isRemovableIfUnused(each) && !isLifetimeMark(each);
}

function isKept(each: IrInstruction, live: ReadonlySet<IrInstruction>): boolean {
  if (live.has(each) || each.operation.op === "br") return true;
  const [object] = each.operands;
  return isLifetimeMark(each) && object?.kind === "instruction" && live.has(object);
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
  branch.operation = { op: "br", target };
  branch.operands = [];
}
