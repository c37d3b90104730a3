/**
 * Loads from the packet by LD_ABS and LD_IND want the context in r6. Where nothing else is ever put there, the
 * register that it comes from is r6 from its definition on, instead of a copy before each of them.
 * Needs: no phis. Guarantees: the same function; r6 may then be alive throughout.
 */
import type { MachineFunction, MachineRegister } from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { isCopy, replaceRegisters, visitRegisters } from "../6-select/operands.ts";

const contextRegister = 6;

export function pinContext(fn: MachineFunction): void {
  const source = soleSource(fn);
  if (source === undefined) return;
  const pinned = (register: MachineRegister): MachineRegister =>
    register === source ? contextRegister : register;
  for (const block of fn.blocks) {
    for (const op of block.instructions) replaceRegisters(op, pinned);
    replaceRegisters(block.terminator, pinned);
  }
}

/** The one register that r6 is copied from, if it is defined once and r6 in no other way. */
function soleSource(fn: MachineFunction): MachineRegister | undefined {
  const sources = new Set<MachineRegister>();
  const definitions = new Map<MachineRegister, number>();
  const count = (register: MachineRegister): void => {
    definitions.set(register, (definitions.get(register) ?? 0) + 1);
  };
  for (const block of fn.blocks) {
    visitRegisters(block.terminator, { use: () => {}, def: count, clobber: count });
    for (const op of block.instructions) {
      if (isCopy(op) && op.dst === contextRegister) {
        sources.add(op.src.register);
        continue;
      }
      visitRegisters(op, { use: () => {}, def: count, clobber: count });
    }
  }
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0 || !isVirtual(source)) return undefined;
  return definitions.get(source) === 1 && !definitions.has(contextRegister) ? source : undefined;
}
