/**
 * Block order: chains of blocks that fall through into each other, so that few jumps remain. The
 * emitter prints a jump only where the next block is not the target.
 */
import {
  type MachineBlock,
  type MachineFunction,
  machinePredecessors,
} from "../6-select/machine.ts";
import { machineOrder } from "./flow.ts";

export function layoutBlocks(fn: MachineFunction): void {
  const order = machineOrder(fn);
  const index = new Map(order.map((block, at) => [block, at]));
  const preds = machinePredecessors(fn);
  const placed = new Set<MachineBlock>();
  const result: MachineBlock[] = [];
  for (const start of order) {
    for (let at: MachineBlock | undefined = start; at !== undefined && !placed.has(at); ) {
      placed.add(at);
      result.push(at);
      at = bestNext(at, placed, preds, index);
    }
  }
  fn.blocks = result;
}

/** The successor to fall through to: the jump's target, or the branch's side that nobody else can fall into. */
function bestNext(
  block: MachineBlock,
  placed: ReadonlySet<MachineBlock>,
  preds: ReadonlyMap<MachineBlock, readonly MachineBlock[]>,
  index: ReadonlyMap<MachineBlock, number>,
): MachineBlock | undefined {
  const end = block.terminator;
  const open = (next: MachineBlock): boolean => !placed.has(next);
  if (end.kind === "jump") {
    const target = end.target;
    if (!open(target)) return undefined;
    const waiting = (preds.get(target) ?? []).some(
      (pred) => !placed.has(pred) && (index.get(pred) ?? 0) < (index.get(target) ?? 0),
    );
    return waiting ? undefined : target;
  }
  if (end.kind === "asm_goto") return open(end.next) ? end.next : undefined;
  if (end.kind !== "branch") return undefined;
  const options = [end.otherwise, end.then].filter(open);
  if (end.likely === true && open(end.then)) return end.then;
  const free = options.find((next) => (preds.get(next) ?? []).every((pred) => placed.has(pred)));
  return free ?? options[0];
}
