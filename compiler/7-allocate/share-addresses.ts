/**
 * Addresses of stack objects and symbols that are wanted again and again stay in a register which no call
 * clobbers, if one is left over: a copy costs one instruction, the address itself two. The verifier knows such
 * a register as well as one that was just made.
 * Needs: physical registers, a frame that is laid out, its addresses not yet resolved (objects whose life ended
 * are no longer told apart from others in their place). Guarantees: the same function, fewer instructions.
 */
import {
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachineRegister,
  machinePredecessors,
  registerSource,
} from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";
import { machineOrder } from "./flow.ts";

/** Registers that calls leave alone. */
const kept: readonly MachineRegister[] = [6, 7, 8, 9];
/** Below that nothing is gained. */
const fewest = 3;

type Maker = Extract<MachineInstruction, { kind: "frame_address" | "load_imm64" }>;

export function shareAddresses(fn: MachineFunction): void {
  const counts = new Map<string, number>();
  for (const { instructions } of fn.blocks) {
    for (const op of instructions) {
      const key = keyOf(fn, op);
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const wanted = [...counts].filter(([, count]) => count >= fewest).sort((a, b) => b[1] - a[1]);
  if (wanted.length === 0) return;
  const free = freeRegisters(fn);
  for (const [key] of wanted) {
    const register = free.at(-1);
    if (register === undefined) return;
    if (share(fn, key, register)) free.pop();
  }
}

/** What is made; undefined for other instructions. */
function keyOf(fn: MachineFunction, op: MachineInstruction): string | undefined {
  if (op.core !== undefined) return undefined;
  if (op.kind === "frame_address") {
    const below = (fn.slots[op.slot]?.offset ?? 0) + op.offset;
    // r10 itself costs one instruction, as a copy does.
    return below === 0 ? undefined : `frame ${below}`;
  }
  return op.kind === "load_imm64" && op.symbol !== undefined
    ? `symbol ${op.symbol} ${op.value}`
    : undefined;
}

function freeRegisters(fn: MachineFunction): MachineRegister[] {
  const used = new Set<MachineRegister>();
  const note = (register: MachineRegister): void => {
    used.add(register);
  };
  const visitor = { use: note, def: note, clobber: note };
  for (const { instructions, terminator } of fn.blocks) {
    for (const op of [...instructions, terminator]) {
      visitRegisters(op, visitor);
      if (op.kind === "asm" || op.kind === "asm_goto") noteNamed(op.body.template, note);
    }
  }
  return kept.filter((register) => !used.has(register));
}

/** Registers that the text of inline assembly names, whether it says so or not. */
function noteNamed(template: string, note: (register: MachineRegister) => void): void {
  for (const [, number] of template.matchAll(/\b[rw](\d)\b/g)) note(Number(number));
}

/** Keeps the address in `register` from where it is made first, if that saves more than it costs. */
function share(fn: MachineFunction, key: string, register: MachineRegister): boolean {
  const there = availability(fn, key);
  const first = new Set<MachineInstruction>();
  let again = 0;
  for (const block of fn.blocks) {
    let isThere = there.get(block) ?? false;
    for (const op of block.instructions) {
      if (keyOf(fn, op) !== key) continue;
      if (isThere) again += 1;
      else first.add(op);
      isThere = true;
    }
  }
  if (again <= first.size) return false;
  for (const block of fn.blocks) {
    block.instructions = block.instructions.flatMap((op) => {
      if (keyOf(fn, op) !== key) return [op];
      const maker = op as Maker;
      const { dst, location } = maker;
      const src = registerSource(register);
      const copy = { kind: "alu", op: "mov", width: 64, dst, src, location } as const;
      return first.has(op) ? [{ ...maker, dst: register }, copy] : [copy];
    });
  }
  return true;
}

/** Whether the address was made on all ways to each block. */
function availability(fn: MachineFunction, key: string): Map<MachineBlock, boolean> {
  const preds = machinePredecessors(fn);
  const order = machineOrder(fn);
  const makes = new Set(
    order.filter((block) => block.instructions.some((op) => keyOf(fn, op) === key)),
  );
  // What is not known yet counts as yes: only a way that misses it says no.
  const there = new Map(order.map((block, at) => [block, at > 0]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order.slice(1)) {
      const all = (preds.get(block) ?? []).every((pred) => makes.has(pred) || there.get(pred));
      if (all || there.get(block) !== true) continue;
      there.set(block, false);
      changed = true;
    }
  }
  return there;
}
