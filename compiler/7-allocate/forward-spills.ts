/**
 * Reloads of spilled values that a register still holds become moves, or go; so do stores of what
 * the slot holds already. Needs physical registers and slots still named by instructions; stores
 * that nobody reads afterwards are left to the layout of the frame.
 */
import {
  framePointer,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  machinePredecessors,
  registerSource,
} from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";
import { machineOrder } from "./flow.ts";

/** By register the spill slot whose value it holds; -1: none. */
type State = Int32Array;

export function forwardSpills(fn: MachineFunction): void {
  if (!fn.slots.some(({ isSpill }) => isSpill)) return;
  const preds = machinePredecessors(fn);
  const ends = new Map<MachineBlock, State>();
  for (const block of machineOrder(fn)) {
    const state = entryState(preds.get(block) ?? [], ends);
    block.instructions = block.instructions.flatMap((op) => rewritten(op, fn, state));
    ends.set(block, state);
  }
}

/** What all ways into a block agree on. */
function entryState(preds: readonly MachineBlock[], ends: ReadonlyMap<MachineBlock, State>): State {
  const states = preds.map((pred) =>
    pred.terminator.kind === "asm_goto" ? undefined : ends.get(pred),
  );
  const [first] = states;
  const result = new Int32Array(framePointer).fill(-1);
  if (first === undefined) return result;
  for (let register = 0; register < framePointer; register += 1) {
    const slot = first[register] as number;
    if (states.every((state) => state?.[register] === slot)) result[register] = slot;
  }
  return result;
}

function rewritten(
  op: MachineInstruction,
  fn: MachineFunction,
  state: State,
): MachineInstruction[] {
  const slot = spillSlotOf(op, fn);
  if (slot === undefined) {
    const copied = op.kind === "alu" && op.op === "mov" && op.width === 64 ? op.src : undefined;
    const held = copied?.kind === "register" ? (state[copied.register] ?? -1) : -1;
    forget(op, state);
    if (op.kind === "alu" && copied !== undefined) state[op.dst] = held;
    return [op];
  }
  if (op.kind === "load") {
    const holder = state[op.dst] === slot ? op.dst : state.indexOf(slot);
    state[op.dst] = slot;
    if (holder === op.dst) return [];
    if (holder < 0) return [op];
    const { dst, location } = op;
    return [{ kind: "alu", op: "mov", width: 64, dst, src: registerSource(holder), location }];
  }
  const from = op.kind === "store" && op.src.kind === "register" ? op.src.register : -1;
  if (from >= 0 && state[from] === slot) return [];
  for (let register = 0; register < framePointer; register += 1)
    if (state[register] === slot) state[register] = -1;
  if (from >= 0) state[from] = slot;
  return [op];
}

/** The slot that a whole spilled value is stored into or loaded from. */
function spillSlotOf(op: MachineInstruction, fn: MachineFunction): number | undefined {
  if ((op.kind !== "load" && op.kind !== "store") || op.address.slot === undefined)
    return undefined;
  return fn.slots[op.address.slot]?.isSpill === true ? op.address.slot : undefined;
}

function forget(op: MachineInstruction, state: State): void {
  const lose = (register: number): void => {
    state[register] = -1;
  };
  visitRegisters(op, { use: () => {}, def: lose, clobber: lose });
}
