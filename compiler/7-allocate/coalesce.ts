/**
 * Joins registers that a copy connects and that are never alive together, hottest copies first, so
 * that two-address operations and phis cost no moves.
 */
import type { MachineBlock, MachineFunction, MachineRegister } from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { isCopy, replaceRegisters } from "../6-select/operands.ts";
import { type Liveness, mergeSegments, overlaps } from "./intervals.ts";

interface Copy {
  readonly dst: MachineRegister;
  readonly src: MachineRegister;
  readonly depth: number;
}

/** Rewrites the function and merges the intervals; copies that became empty are dropped by the caller's next numbering. */
export function coalesce(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
): void {
  const parent = new Map<MachineRegister, MachineRegister>();
  const find = (register: MachineRegister): MachineRegister => {
    let root = register;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    for (let at = register; at !== root; ) {
      const up = parent.get(at) ?? root;
      parent.set(at, root);
      at = up;
    }
    return root;
  };
  const copies = collectCopies(fn, depths).sort((a, b) => b.depth - a.depth);
  for (const copy of copies) {
    const dst = find(copy.dst);
    const src = find(copy.src);
    if (dst === src) continue;
    const a = liveness.segments[dst];
    const b = liveness.segments[src];
    if (a === undefined || b === undefined || overlaps(a, b)) continue;
    liveness.segments[dst] = mergeSegments(a, b);
    liveness.segments[src] = undefined;
    parent.set(src, dst);
  }
  for (const block of fn.blocks) {
    for (const op of block.instructions) replaceRegisters(op, find);
    replaceRegisters(block.terminator, find);
  }
}

function collectCopies(fn: MachineFunction, depths: ReadonlyMap<MachineBlock, number>): Copy[] {
  const copies: Copy[] = [];
  for (const block of fn.blocks) {
    for (const op of block.instructions) {
      if (!isCopy(op) || !isVirtual(op.dst) || !isVirtual(op.src.register)) continue;
      copies.push({ dst: op.dst, src: op.src.register, depth: depths.get(block) ?? 0 });
    }
  }
  return copies;
}

/** Removes `r = r`. */
export function removeIdentityMoves(fn: MachineFunction): void {
  for (const block of fn.blocks) {
    block.instructions = block.instructions.filter(
      (op) => !isCopy(op) || op.src.register !== op.dst,
    );
  }
}
