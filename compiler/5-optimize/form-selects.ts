/**
 * A branch around nothing that only chooses between two constants becomes a select:
 * instruction selection makes `r = 1; if c goto +1; r = 0` of it where a phi may take a jump more. Only
 * for integers (pointers of different kinds must not meet), and only where one phi depends on the branch.
 * Last but one of the passes: the others work on branches.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  createInstruction,
  makeJump,
  phisOf,
  sameValue,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { PhiInputs } from "./phi-inputs.ts";
import { operand } from "./values.ts";

export const formSelects: FunctionPass = {
  kind: "function",
  name: "form-selects",
  run(fn) {
    const preds = predecessors(fn);
    const inputs = new PhiInputs();
    let changed = false;
    for (const block of fn.blocks) if (formAt(fn, block, preds, inputs)) changed = true;
    inputs.finish();
    if (changed) removeUnreachableBlocks(fn);
    return changed;
  },
};

/** Where the arm leads if it is empty and only reached from `block`. */
function throughArm(arm: Block, preds: ReadonlyMap<Block, readonly Block[]>): Block | undefined {
  const last = terminatorOf(arm);
  if (last?.operation.op !== "br" || arm.instructions.length !== 1) return undefined;
  return (preds.get(arm) ?? []).length === 1 ? last.operation.target : undefined;
}

function formAt(
  fn: IrFunction,
  block: Block,
  preds: ReadonlyMap<Block, readonly Block[]>,
  inputs: PhiInputs,
): boolean {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr") return false;
  const { then, otherwise } = last.operation;
  if (then === otherwise) return false;
  const [afterThen, afterOther] = [throughArm(then, preds), throughArm(otherwise, preds)];
  let join: Block;
  let edges: readonly [Block, Block];
  if (afterThen !== undefined && afterThen === afterOther)
    [join, edges] = [afterThen, [then, otherwise]];
  else if (afterThen === otherwise) [join, edges] = [otherwise, [then, block]];
  else if (afterOther === then) [join, edges] = [then, [block, otherwise]];
  else return false;
  // What the block chooses must not be a loop's way back into itself.
  if (join === block) return false;
  const differing = phisOf(join).filter((phi) => !takesSame(phi, edges, inputs));
  const [phi, ...more] = differing;
  if (phi === undefined || more.length > 0 || phi.type === "ptr" || phi.type === "i1") return false;
  const [a, b] = [inputFrom(phi, edges[0], inputs), inputFrom(phi, edges[1], inputs)];
  if (a.kind !== "constant" || b.kind !== "constant") return false;
  const condition = operand(last, 0);
  const chosen = createInstruction(
    fn,
    block,
    phi.type,
    { op: "select" },
    [condition, a, b],
    phi.location,
  );
  block.instructions.splice(-1, 0, chosen);
  const values = phisOf(join).map((each) =>
    each === phi ? chosen : inputFrom(each, edges[0], inputs),
  );
  makeJump(last, join);
  // An arm that is gone brings nothing in any more.
  for (const edge of edges) inputs.remove(join, edge);
  inputs.add(join, block, values);
  return true;
}

function inputFrom(phi: IrInstruction, from: Block, inputs: PhiInputs): Value {
  return inputs.valueFrom(phi, from) as Value;
}

function takesSame(phi: IrInstruction, edges: readonly [Block, Block], inputs: PhiInputs): boolean {
  return sameValue(inputFrom(phi, edges[0], inputs), inputFrom(phi, edges[1], inputs));
}
