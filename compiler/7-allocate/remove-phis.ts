/**
 * Turns machine phis into copies: each phi gets a register of its own that every predecessor writes
 * at its end and the block copies out first. The extra register makes the copies of one edge
 * independent of each other; coalescing removes nearly all of them.
 */
import { appendAll } from "../../common/append.ts";
import { constantMove } from "../6-select/context.ts";
import {
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachinePhi,
  machinePredecessors,
  machineSuccessors,
  newRegister,
  registerSource,
} from "../6-select/machine.ts";
import { splitEdge } from "./flow.ts";

export function removePhis(fn: MachineFunction, has32: boolean): void {
  const preds = machinePredecessors(fn);
  const added: MachineBlock[] = [];
  for (const block of fn.blocks) {
    if (block.phis.length === 0) continue;
    for (const pred of preds.get(block) ?? []) {
      if (machineSuccessors(pred).length > 1) added.push(splitEdge(fn, pred, block));
    }
  }
  appendAll(fn.blocks, added);
  for (const block of fn.blocks) {
    const copies = block.phis.map((phi) => lowerPhi(fn, phi, has32));
    if (copies.length > 0) block.instructions.unshift(...copies);
    block.phis = [];
  }
}

function lowerPhi(fn: MachineFunction, phi: MachinePhi, has32: boolean): MachineInstruction {
  const carrier = newRegister(fn);
  for (const { from, value } of phi.inputs) {
    const location = from.terminator.location;
    if (value.kind === "register") {
      const src = registerSource(value.register);
      from.instructions.push({ kind: "alu", op: "mov", width: 64, dst: carrier, src, location });
    } else {
      // An undefined value still has to be something: the verifier refuses unwritten registers.
      const bits = value.kind === "undef" ? 0n : value.value;
      from.instructions.push({ ...constantMove(carrier, bits, has32), location });
    }
  }
  const src = registerSource(carrier);
  return { kind: "alu", op: "mov", width: 64, dst: phi.dst, src, location: phi.location };
}
