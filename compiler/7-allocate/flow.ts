/** Orders of machine blocks and how often they run: reverse post-order, loop depth, edge splitting. */
import { appendAll } from "../../common/append.ts";
import { depthFirstOrder } from "../4-lower/cfg.ts";
import {
  type MachineBlock,
  type MachineFunction,
  machinePredecessors,
  machineSuccessors,
  newMachineBlock,
  redirectEdge,
} from "../6-select/machine.ts";

/** Blocks reachable from the entry, predecessors first (back edges aside). */
export function machineOrder(fn: MachineFunction): MachineBlock[] {
  const entry = fn.blocks[0];
  if (entry === undefined) return [];
  return depthFirstOrder([entry], machineSuccessors);
}

/** How often a block in that many loops runs, beside one in none. */
export function frequencyAt(depth: number | undefined): number {
  return 4 ** Math.min(depth ?? 0, 6);
}

/** A loop of back edges in depth-first order; jumps may lead into its midst, too. */
export interface MachineLoop {
  readonly header: MachineBlock;
  readonly blocks: ReadonlySet<MachineBlock>;
}

/** Outer loops come before inner ones. */
export function machineLoops(fn: MachineFunction): MachineLoop[] {
  const order = machineOrder(fn);
  const index = new Map(order.map((block, at) => [block, at]));
  const preds = machinePredecessors(fn);
  return order.flatMap((header) => {
    const at = index.get(header) ?? 0;
    const latches = (preds.get(header) ?? []).filter((pred) => (index.get(pred) ?? -1) >= at);
    if (latches.length === 0) return [];
    const blocks = new Set([header]);
    const work = [...latches];
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      // Blocks before the header cannot be in its loop: that bounds irreducible graphs too.
      if (blocks.has(block) || (index.get(block) ?? -1) < at) continue;
      blocks.add(block);
      appendAll(work, preds.get(block) ?? []);
    }
    return [{ header, blocks }];
  });
}

/** How many loops each block is in. */
export function loopDepths(fn: MachineFunction): Map<MachineBlock, number> {
  const depths = new Map<MachineBlock, number>(machineOrder(fn).map((block) => [block, 0]));
  for (const { blocks } of machineLoops(fn)) {
    for (const block of blocks) depths.set(block, (depths.get(block) ?? 0) + 1);
  }
  return depths;
}

/** Puts a new empty block on the edge; it is appended to the function's list after `from`. */
export function splitEdge(fn: MachineFunction, from: MachineBlock, to: MachineBlock): MachineBlock {
  const middle = newMachineBlock(fn);
  middle.terminator = { kind: "jump", target: to, location: from.terminator.location };
  redirectEdge(from, to, middle);
  for (const phi of to.phis) {
    phi.inputs.forEach((input) => {
      if (input.from === from) input.from = middle;
    });
  }
  return middle;
}
