/**
 * Ways out of a loop without effects, that all lead to one place and tell it the same, meet in front of it: which of them
 * was taken is then nobody's business, where other ways lead to that place too.
 */
import { findLoops, type Loop, loopExits, predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  phisOf,
  redirectSuccessor,
  sameValue,
} from "../4-lower/ir-builder.ts";
import { hasEffect } from "./values.ts";

/** Returns whether a block was made. */
export function joinExits(fn: IrFunction): boolean {
  let changed = false;
  for (let loop = findLoop(fn); loop !== undefined; loop = findLoop(fn)) {
    join(fn, loop, sharedTarget(loop) as Block);
    changed = true;
  }
  return changed;
}

function findLoop(fn: IrFunction): Loop | undefined {
  return findLoops(fn).find((loop) => {
    const target = sharedTarget(loop);
    const before = target && predecessors(fn).get(target);
    if (before?.some((block) => !loop.blocks.has(block)) !== true) return false;
    return ![...loop.blocks].some(({ instructions }) => instructions.some(hasEffect));
  });
}

/** Where several ways out lead that tell it nothing of the loop. */
function sharedTarget(loop: Loop): Block | undefined {
  const [first, ...others] = loopExits(loop);
  const target = first?.[1];
  if (target === undefined || others.length === 0) return undefined;
  if (others.some(([, next]) => next !== target)) return undefined;
  const phis = phisOf(target);
  const isSame = phis.every((phi) => {
    const [value, ...rest] = inputsFrom(phi, loop);
    if (value === undefined || (value.kind === "instruction" && loop.blocks.has(value.block)))
      return false;
    return rest.every((each) => sameValue(each, value));
  });
  return isSame && phis.length > 0 ? target : undefined;
}

/** What a phi behind the loop takes from it. */
function inputsFrom({ operation, operands }: IrInstruction, loop: Loop): Value[] {
  if (operation.op !== "phi") return [];
  return operands.filter((_, at) => loop.blocks.has(operation.incoming[at] as Block));
}

function join(fn: IrFunction, loop: Loop, target: Block): void {
  const exits = loopExits(loop);
  const made = createBlock(fn, undefined, true);
  const location = target.instructions.at(-1)?.location;
  made.instructions.push(createInstruction(fn, made, "void", { op: "br", target }, [], location));
  for (const phi of phisOf(target)) {
    if (phi.operation.op !== "phi") continue;
    const { incoming } = phi.operation;
    const [value] = inputsFrom(phi, loop);
    const isKept = (_: unknown, at: number): boolean => !loop.blocks.has(incoming[at] as Block);
    phi.operands = [...phi.operands.filter(isKept), value as Value];
    phi.operation.incoming = [...incoming.filter(isKept), made];
  }
  for (const [from] of exits) redirectSuccessor(from, target, made);
  fn.blocks.splice(fn.blocks.indexOf(target), 0, made);
}
