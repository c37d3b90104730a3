/**
 * Drops moves of what a register holds already: constants and addresses of objects on all ways into a
 * block, copies along a single way. A branch on equality tells a constant too: after `if r0 == 0` r0
 * is that constant, so that a failed lookup returns 0 for free. Pointers learn only after calls of helpers and kfuncs,
 * whose results the kernel's verifier turns into the scalar 0 there; of other pointers (BTF ones,
 * loaded from memory) it would still say that they are pointers.
 */
import type {
  LocatedTerminator,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
} from "../6-select/machine.ts";
import { machinePredecessors, registerSource } from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";
import { machineOrder } from "./flow.ts";

/** A constant (`c` and 64 bits, or a CO-RE question whose answer a loader fills in) or the number of an unknown value: positive for results of calls. */
type Held = string | number;
type State = (Held | undefined)[];

export function reuseValues(fn: MachineFunction): void {
  const preds = machinePredecessors(fn);
  const ends = new Map<MachineBlock, State>();
  let next = 0;
  const fresh = (): number => {
    next += 1;
    return next;
  };
  for (const block of machineOrder(fn)) {
    const state = entryState(block, preds.get(block) ?? [], ends, fn.blocks[0] === block);
    block.instructions = block.instructions.flatMap((op) => {
      const held = movedValue(op, state);
      if (held === undefined || (op.kind !== "alu" && op.kind !== "load_imm64")) {
        forget(op, state, fresh);
        return [op];
      }
      if (state[op.dst] === held) return [];
      const holder = state.indexOf(held);
      state[op.dst] = held;
      return [op.kind === "load_imm64" && holder >= 0 ? copyOf(op, holder) : op];
    });
    ends.set(block, state);
  }
}

/** A move of a wide constant from the register that holds it: one instruction for two. */
function copyOf(
  { dst, location }: Pick<MachineInstruction, "location"> & { readonly dst: number },
  holder: number,
): MachineInstruction {
  return { kind: "alu", op: "mov", width: 64, dst, src: registerSource(holder), location };
}

/** What the move puts into its register, if that can be named. */
function movedValue(op: MachineInstruction, state: State): Held | undefined {
  if (op.kind === "load_imm64" && op.core === undefined) {
    const wide = BigInt.asUintN(64, op.value);
    return op.symbol === undefined ? `c${wide}` : `address ${op.symbol} ${wide}`;
  }
  if (op.kind !== "alu" || op.op !== "mov") return undefined;
  if (op.core !== undefined) {
    const { relocation, rootName, access } = op.core;
    return `core ${relocation} ${rootName} ${access}`;
  }
  if (op.src.kind === "register") return op.width === 64 ? state[op.src.register] : undefined;
  const wide = BigInt.asUintN(op.width, BigInt(op.src.value));
  return `c${wide}`;
}

function forget(op: MachineInstruction, state: State, fresh: () => number): void {
  // A copy of an unknown register: both hold the same new unknown.
  if (op.kind === "alu" && op.op === "mov" && op.src.kind === "register" && op.width === 64) {
    const value = -fresh();
    state[op.src.register] = value;
    state[op.dst] = value;
    return;
  }
  const lose = (register: number): void => {
    state[register] = undefined;
  };
  visitRegisters(op, { use: () => {}, def: lose, clobber: lose });
  if (op.kind === "call" && op.target.kind !== "local") state[0] = fresh();
}

function entryState(
  block: MachineBlock,
  preds: readonly MachineBlock[],
  ends: ReadonlyMap<MachineBlock, State>,
  isEntry: boolean,
): State {
  if (isEntry || preds.length === 0) return [];
  const states = preds.map((pred) => {
    const end = ends.get(pred);
    return end === undefined ? undefined : edgeState(pred.terminator, end, block);
  });
  const [first] = states;
  if (first === undefined || states.includes(undefined)) return [];
  if (states.length === 1) return first;
  return first.map((held, register) => {
    const agree = states.every((state) => state?.[register] === held);
    return agree && typeof held === "string" ? held : undefined;
  });
}

/** The state at the end of a predecessor, with what its branch says. */
function edgeState(end: LocatedTerminator, before: State, to: MachineBlock): State {
  const state = [...before];
  if (end.kind === "asm_goto") return [];
  if (end.kind !== "branch" || end.then === end.otherwise) return state;
  const isEqual = (end.op === "eq" && end.then === to) || (end.op === "ne" && end.otherwise === to);
  if (!isEqual || end.width !== 64 || end.src.kind !== "immediate") return state;
  const held = state[end.dst];
  if (end.isPointer === true && !(typeof held === "number" && held > 0)) return state;
  const known = `c${BigInt.asUintN(64, BigInt(end.src.value))}`;
  state[end.dst] = known;
  if (typeof held === "number") {
    for (let register = 0; register < 10; register += 1) {
      if (state[register] === held) state[register] = known;
    }
  }
  return state;
}
