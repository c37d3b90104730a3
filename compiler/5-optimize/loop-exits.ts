/** Ways out of loops, and which of them the kernel's verifier follows first: it is the likely one that is fallen into. */
import type { Loop } from "../4-lower/cfg.ts";
import type { Block } from "../4-lower/ir.ts";
import { terminatorOf } from "../4-lower/ir-builder.ts";

/** Rounds of a loop whose number is not known. */
export const assumedRounds = 32;

/** Whether one side of the block's branch stays in the loop and the other does not. */
export function leaves(block: Block, loop: Loop): boolean {
  const operation = terminatorOf(block)?.operation;
  if (operation?.op !== "condbr") return false;
  return loop.blocks.has(operation.then) !== loop.blocks.has(operation.otherwise);
}

/** Marks the block's way out as the likely one, where nothing is said of it yet; true where it was marked. */
export function expectExit(block: Block, loop: Loop): boolean {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr" || last.operation.likely !== undefined) return false;
  last.operation = { ...last.operation, likely: !loop.blocks.has(last.operation.then) };
  return true;
}
