/**
 * Joins registers that a copy connects and that are never alive together, hottest copies first, so
 * that two-address operations and phis cost no moves.
 */
import type { MachineBlock, MachineFunction, MachineRegister } from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { isCopy, replaceRegisters } from "../6-select/operands.ts";
import { IntervalUnion } from "./interval-union.ts";
import type { Liveness } from "./intervals.ts";

interface Copy {
  readonly dst: MachineRegister;
  readonly src: MachineRegister;
  readonly depth: number;
}

/** Rewrites the function, which makes `liveness` out of date; copies that became empty stay. */
export function coalesce(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
): void {
  const parents = Int32Array.from({ length: fn.nextRegister }, (_, register) => register);
  const find = (register: MachineRegister): MachineRegister => {
    let root = register;
    for (let up = parents[root] as number; up !== root; up = parents[root] as number) root = up;
    for (let at = register; at !== root; ) {
      const up = parents[at] as number;
      parents[at] = root;
      at = up;
    }
    return root;
  };
  const intervals = new Map<MachineRegister, IntervalUnion>();
  const intervalOf = (register: MachineRegister): IntervalUnion | undefined => {
    const known = intervals.get(register);
    const segments = liveness.segments[register];
    if (known !== undefined || segments === undefined) return known;
    const made = new IntervalUnion(segments);
    intervals.set(register, made);
    return made;
  };
  const copies = collectCopies(fn, depths).sort((a, b) => b.depth - a.depth);
  for (const copy of copies) {
    const dst = find(copy.dst);
    const src = find(copy.src);
    if (dst === src) continue;
    const a = intervalOf(dst);
    const b = intervalOf(src);
    if (a === undefined || b === undefined || a.overlaps(b)) continue;
    intervals.set(dst, a.join(b));
    intervals.delete(src);
    parents[src] = dst;
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
