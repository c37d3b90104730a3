/**
 * How many instructions away each value is read next, at the start of each block. A way out of a loop counts as
 * very long: what is read only behind a loop is far from everything in it.
 * Needs: blocks in an order where predecessors stand first (back edges aside).
 */
import type { MachineBlock, MachineFunction, MachineRegister } from "../6-select/machine.ts";
import { isVirtual, machineSuccessors } from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";
import { type Liveness, operationsOf } from "./intervals.ts";

/** What leaving a loop adds. */
export const loopExitDistance = 100_000;

/** Nested loops settle in a few rounds; what has not by then is an estimate all the same. */
const mostRounds = 6;

export interface NextUses {
  /** By block, by virtual register that comes in. */
  readonly atStart: readonly ReadonlyMap<MachineRegister, number>[];
  /** From the end of a block on; infinite where the value is not read. */
  atEnd(block: number, register: MachineRegister): number;
}

interface Edge {
  readonly to: number;
  readonly length: number;
}

export function nextUses(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
): NextUses {
  const places = new Map(fn.blocks.map((block, at) => [block, at]));
  const depthOf = (block: MachineBlock): number => depths.get(block) ?? 0;
  const edges = fn.blocks.map((block): Edge[] =>
    machineSuccessors(block).map((next) => ({
      to: places.get(next) ?? 0,
      length: loopExitDistance * Math.max(0, depthOf(block) - depthOf(next)),
    })),
  );
  const atStart = fn.blocks.map(() => new Map<MachineRegister, number>());
  const atEnd = (block: number, register: MachineRegister): number =>
    (edges[block] ?? []).reduce((least, { to, length }) => {
      const there = atStart[to]?.get(register);
      return there === undefined ? least : Math.min(least, there + length);
    }, Number.POSITIVE_INFINITY);
  const firstReads = fn.blocks.map(firstReadsOf);
  for (let round = 0, changed = true; changed && round < mostRounds; round += 1) {
    changed = false;
    for (let at = fn.blocks.length - 1; at >= 0; at -= 1) {
      const length = (fn.blocks[at]?.instructions.length ?? 0) + 1;
      const here = atStart[at] as Map<MachineRegister, number>;
      for (const register of liveness.liveIn[at] ?? []) {
        if (!isVirtual(register)) continue;
        const distance = firstReads[at]?.get(register) ?? length + atEnd(at, register);
        if (distance === (here.get(register) ?? Number.POSITIVE_INFINITY)) continue;
        here.set(register, distance);
        changed = true;
      }
    }
  }
  return { atStart, atEnd };
}

/** Where a block reads what comes in. */
function firstReadsOf(block: MachineBlock): Map<MachineRegister, number> {
  const reads = new Map<MachineRegister, number>();
  const written = new Set<MachineRegister>();
  operationsOf(block).forEach((op, at) => {
    visitRegisters(op, {
      use: (register) => {
        if (!written.has(register) && !reads.has(register)) reads.set(register, at);
      },
      def: (register) => written.add(register),
      clobber: (register) => written.add(register),
    });
  });
  return reads;
}
