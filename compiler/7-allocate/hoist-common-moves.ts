/**
 * Moves that both ways of a branch begin with are made before it, once: mostly what is carried around a loop
 * and out of it. A block that did nothing else is gone then, and with it a jump. Needs physical registers.
 * Only moves of whole registers and constants: everything else may depend on what the branch checks.
 */
import {
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  machinePredecessors,
} from "../6-select/machine.ts";

export function hoistCommonMoves(fn: MachineFunction): void {
  const preds = machinePredecessors(fn);
  for (const block of fn.blocks) {
    const end = block.terminator;
    if (end.kind !== "branch" || end.then === end.otherwise) continue;
    const arms = [end.then, end.otherwise];
    if (arms.some((arm) => preds.get(arm)?.length !== 1)) continue;
    const read = [end.dst, end.src.kind === "register" ? end.src.register : end.dst];
    for (;;) {
      const move = commonMove(arms, read);
      if (move === undefined) break;
      block.instructions.push(move);
      for (const arm of arms) arm.instructions = arm.instructions.slice(1);
    }
  }
}

/** The first move of all blocks, if it is one and the branch does not read what it writes. */
function commonMove(
  arms: readonly MachineBlock[],
  read: readonly number[],
): MachineInstruction | undefined {
  const [first, second] = arms.map(({ instructions }) => moveAt(instructions[0]));
  if (first === undefined || second === undefined || read.includes(first.dst)) return undefined;
  const isSame =
    first.dst === second.dst &&
    first.width === second.width &&
    (first.src.kind === "register"
      ? second.src.kind === "register" && first.src.register === second.src.register
      : second.src.kind === "immediate" && first.src.value === second.src.value);
  return isSame ? first : undefined;
}

function moveAt(
  op: MachineInstruction | undefined,
): (MachineInstruction & { kind: "alu" }) | undefined {
  if (op?.kind !== "alu" || op.op !== "mov" || op.core !== undefined) return undefined;
  return op.width === 64 || op.src.kind === "immediate" ? op : undefined;
}
