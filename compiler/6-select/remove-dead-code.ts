/** Drops machine instructions whose results nobody reads: what selection made and then folded elsewhere. */
import { pushTo } from "../../common/append.ts";
import type { MachineFunction, MachineInstruction, MachineRegister } from "./machine.ts";
import { isVirtual } from "./machine.ts";
import { isPure, visitRegisters } from "./operands.ts";

export function removeDeadCode(fn: MachineFunction): void {
  const definitions = new Map<MachineRegister, (() => void)[]>();
  const live = new Set<MachineRegister>();
  const work: MachineRegister[] = [];
  const read = (register: MachineRegister): void => {
    if (!isVirtual(register) || live.has(register)) return;
    live.add(register);
    work.push(register);
  };
  const readsOf = (op: MachineInstruction): void =>
    visitRegisters(op, { use: read, def: () => {}, clobber: () => {} });
  const addDefinition = (register: MachineRegister, then: () => void): void => {
    pushTo(definitions, register, then);
  };
  for (const block of fn.blocks) {
    for (const phi of block.phis) {
      addDefinition(phi.dst, () => {
        for (const { value } of phi.inputs) if (value.kind === "register") read(value.register);
      });
    }
    for (const op of block.instructions) {
      const target = removableTarget(op);
      if (target === undefined) readsOf(op);
      else addDefinition(target, () => readsOf(op));
    }
    visitRegisters(block.terminator, { use: read, def: () => {}, clobber: () => {} });
  }
  for (let register = work.pop(); register !== undefined; register = work.pop()) {
    for (const visit of definitions.get(register) ?? []) visit();
  }
  for (const block of fn.blocks) {
    block.phis = block.phis.filter(({ dst }) => live.has(dst));
    block.instructions = block.instructions.filter((op) => {
      const target = removableTarget(op);
      return target === undefined || live.has(target);
    });
  }
}

/** The virtual register that is all the instruction is for, or undefined if it must stay. */
function removableTarget(op: MachineInstruction): MachineRegister | undefined {
  if (!isPure(op) || !("dst" in op) || !isVirtual(op.dst)) return undefined;
  return op.dst;
}
