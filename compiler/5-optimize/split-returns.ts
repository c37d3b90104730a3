/**
 * A return block that gets constants from several places becomes one block per constant: branches then
 * lead straight to `r0 = c; exit`, with no copy on the way. Values that are computed keep the shared
 * block, as do single constants.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, Constant, IrFunction, IrInstruction } from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  phisOf,
  redirectSuccessor,
  removeIncoming,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";

export const splitReturns: FunctionPass = {
  kind: "function",
  name: "split-returns",
  run(fn) {
    const preds = predecessors(fn);
    let changed = false;
    for (const block of [...fn.blocks]) {
      if (splitReturn(fn, block, preds.get(block) ?? [])) changed = true;
    }
    if (changed) removeUnreachableBlocks(fn);
    return changed;
  },
};

function splitReturn(fn: IrFunction, block: Block, preds: readonly Block[]): boolean {
  const last = terminatorOf(block);
  const [phi, ...others] = phisOf(block);
  if (last?.operation.op !== "ret" || phi?.operation.op !== "phi" || others.length > 0)
    return false;
  if (block.instructions.length !== 2 || last.operands[0] !== phi) return false;
  const groups = new Map<bigint, { constant: Constant; from: Block[] }>();
  for (const pred of preds) {
    const value = phi.operands[phi.operation.incoming.indexOf(pred)];
    if (value?.kind !== "constant" || terminatorOf(pred)?.operation.op === "asm_goto") continue;
    const group = groups.get(value.value);
    if (group === undefined) groups.set(value.value, { constant: value, from: [pred] });
    else group.from.push(pred);
  }
  const all = [...groups.values()];
  if (all.length === 0 || (all.length === 1 && all[0]?.from.length === preds.length)) return false;
  for (const { constant, from } of all) {
    const made = createBlock(fn);
    const ret: IrInstruction = createInstruction(
      fn,
      made,
      "void",
      { op: "ret" },
      [constant],
      last.location,
    );
    made.instructions.push(ret);
    for (const pred of from) {
      redirectSuccessor(pred, block, made);
      removeIncoming(block, pred);
    }
  }
  return true;
}
