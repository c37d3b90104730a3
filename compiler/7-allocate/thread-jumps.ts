/** Edges through empty blocks go straight on; branches with one target become jumps; blocks with one predecessor join it. */
import { appendAll } from "../../common/append.ts";
import {
  type MachineBlock,
  type MachineFunction,
  machinePredecessors,
  machineSuccessors,
  redirectEdge,
} from "../6-select/machine.ts";
import { machineOrder } from "./flow.ts";

export function threadJumps(fn: MachineFunction): void {
  for (const block of fn.blocks) {
    for (const next of machineSuccessors(block)) {
      const end = finalTarget(next);
      if (end !== next) redirectEdge(block, next, end);
    }
    const end = block.terminator;
    if (end.kind === "branch" && end.then === end.otherwise) {
      block.terminator = { kind: "jump", target: end.then, location: end.location };
    }
  }
  fn.blocks = machineOrder(fn);
  mergeChains(fn);
}

function finalTarget(block: MachineBlock): MachineBlock {
  const seen = new Set<MachineBlock>();
  let at = block;
  while (at.instructions.length === 0 && at.terminator.kind === "jump" && !seen.has(at)) {
    seen.add(at);
    at = at.terminator.target;
  }
  return at;
}

/** a → b with no other way into b: one block. */
function mergeChains(fn: MachineFunction): void {
  const preds = machinePredecessors(fn);
  const gone = new Set<MachineBlock>();
  for (const block of fn.blocks) {
    if (gone.has(block)) continue;
    for (;;) {
      const end = block.terminator;
      if (end.kind !== "jump") break;
      const next = end.target;
      if (next === block || next === fn.blocks[0] || preds.get(next)?.length !== 1) break;
      appendAll(block.instructions, next.instructions);
      block.terminator = next.terminator;
      gone.add(next);
      for (const after of machineSuccessors(next)) {
        const list = preds.get(after);
        const at = list?.indexOf(next) ?? -1;
        if (list !== undefined && at >= 0) list[at] = block;
      }
    }
  }
  fn.blocks = fn.blocks.filter((block) => !gone.has(block));
}
