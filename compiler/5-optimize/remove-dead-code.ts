/**
 * Aggressive dead-code elimination: what no effect depends on goes, cycles of phis included, and what is written to
 * variables of which nothing but such writing depends. Branches
 * stay (for those see remove-dead-branches). Guarantees: every value left has a use.
 */
import { pushTo } from "../../common/append.ts";
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { addressRoot } from "./context.ts";
import type { FunctionPass } from "./pass.ts";
import { isLifetimeMark, isOp, isRemovableIfUnused, operand } from "./values.ts";

export const removeDeadCode: FunctionPass = {
  kind: "function",
  name: "remove-dead-code",
  onlyRemoves: true,
  run: removeUnused,
};

export function removeUnused(fn: IrFunction): boolean {
  return keepOnly(fn, liveInstructions(fn, { isRoot: (each) => !isRemovableIfUnused(each) }));
}

export interface Liveness {
  /** Whether an instruction is of use by itself. Marks of lifetimes and what writes to objects alone are not. */
  readonly isRoot: (instruction: IrInstruction) => boolean;
  /** What a live instruction needs besides its operands. */
  readonly markNeeded?: (instruction: IrInstruction, mark: (value: Value) => void) => void;
}

/** All that something of use depends on. */
export function liveInstructions(
  fn: IrFunction,
  { isRoot, markNeeded }: Liveness,
): Set<IrInstruction> {
  const live = new Set<IrInstruction>();
  const work: IrInstruction[] = [];
  const mark = (value: Value): void => {
    if (value.kind !== "instruction" || live.has(value)) return;
    live.add(value);
    work.push(value);
  };
  const writers = new Writers();
  for (const block of fn.blocks) {
    for (const each of block.instructions) {
      if (isRoot(each) && !isLifetimeMark(each) && !writers.add(each)) mark(each);
    }
  }
  for (let each = work.pop(); each !== undefined; each = work.pop()) {
    each.operands.forEach(mark);
    writers.of(each).forEach(mark);
    markNeeded?.(each, mark);
  }
  return live;
}

/** Jumps stay; lifetimes go with their object. Returns whether something went. */
export function keepOnly(fn: IrFunction, live: ReadonlySet<IrInstruction>): boolean {
  let changed = false;
  for (const block of fn.blocks) {
    const kept = block.instructions.filter((each) => {
      if (!isLifetimeMark(each)) return live.has(each) || each.operation.op === "br";
      const [object] = each.operands;
      return object?.kind === "instruction" && live.has(object);
    });
    if (kept.length === block.instructions.length) continue;
    block.instructions = kept;
    changed = true;
  }
  return changed;
}

/** What writes to stack objects by their own address: it is of use only where the object is to something else. */
class Writers {
  readonly #byObject = new Map<IrInstruction, IrInstruction[]>();

  /** Returns whether the instruction is such a one. */
  add(instruction: IrInstruction): boolean {
    const target = targetOf(instruction);
    const object = target && addressRoot(target);
    if (!isOp(object, "alloca")) return false;
    pushTo(this.#byObject, object, instruction);
    return true;
  }

  /** Nothing for all else than objects. */
  of(object: IrInstruction): readonly IrInstruction[] {
    return this.#byObject.get(object) ?? [];
  }
}

/** Where an instruction writes that does nothing else. */
function targetOf(instruction: IrInstruction): Value | undefined {
  const { operation } = instruction;
  switch (operation.op) {
    case "store":
      return operation.volatile ? undefined : operand(instruction, 1);
    case "memset":
    case "memcpy":
    case "memmove":
      return operation.volatile ? undefined : operand(instruction, 0);
    default:
      return undefined;
  }
}
