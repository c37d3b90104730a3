/**
 * Aggressive dead-code elimination: what no effect depends on goes, cycles of phis included. Branches
 * stay (for those see remove-dead-branches). Guarantees: every value left has a use.
 */
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import type { FunctionPass } from "./pass.ts";
import { isRemovableIfUnused } from "./values.ts";

export const removeDeadCode: FunctionPass = {
  kind: "function",
  name: "remove-dead-code",
  onlyRemoves: true,
  run: removeUnused,
};

export function removeUnused(fn: IrFunction): boolean {
  const live = new Set<IrInstruction>();
  const work: IrInstruction[] = [];
  const mark = (value: Value): void => {
    if (value.kind !== "instruction" || live.has(value)) return;
    live.add(value);
    work.push(value);
  };
  for (const block of fn.blocks) {
    for (const each of block.instructions) {
      if (!isRemovableIfUnused(each) && !isLifetimeMark(each)) mark(each);
    }
  }
  for (let each = work.pop(); each !== undefined; each = work.pop()) each.operands.forEach(mark);
  let changed = false;
  for (const block of fn.blocks) {
    const kept = block.instructions.filter((each) => {
      if (!isLifetimeMark(each)) return live.has(each);
      const [object] = each.operands;
      return object?.kind === "instruction" && live.has(object);
    });
    if (kept.length === block.instructions.length) continue;
    block.instructions = kept;
    changed = true;
  }
  return changed;
}

export function isLifetimeMark({ operation }: IrInstruction): boolean {
  return operation.op === "lifetime_start" || operation.op === "lifetime_end";
}
