/**
 * Which arrays on the stack stay arrays whatever becomes of one loop: those that something else asks for an
 * element of which nothing is known before the program runs. Unrolling a loop over them gains no values.
 * And which hold nothing but constants: texts and tables, whose elements are numbers in an unrolled loop.
 */
import { type DominatorTree, findLoops, type Loop } from "../4-lower/cfg.ts";
import type { IrFunction, IrInstruction } from "../4-lower/ir.ts";
import type { AliasAnalysis } from "./alias.ts";
import { sizeOf } from "./clone-blocks.ts";
import { memoryEffect } from "./effects.ts";
import type { PassContext } from "./pass.ts";
import { tripCount } from "./trip-count.ts";
import { constantAddress, countInstructions, instructionsOf, isOp, operand } from "./values.ts";

/**
 * Whether an element of `array` that is not known is asked for outside of `loop` and of all other loops that
 * would become straight code of at most `limit` instructions.
 */
export function staysArray(
  array: IrInstruction,
  loop: Loop,
  limit: number,
  { fn, tree }: { readonly fn: IrFunction; readonly tree: DominatorTree },
  context: PassContext,
): boolean {
  const others = instructionsOf(fn).filter(
    (each) =>
      isOp(each, "ptradd") &&
      operand(each, 1).kind !== "constant" &&
      constantAddress(operand(each, 0)).base === array &&
      !loop.blocks.has(each.block),
  );
  if (others.length === 0) return false;
  const loops = findLoops(fn);
  return others.some(({ block }) => {
    const around = loops.findLast(({ blocks }) => blocks.has(block));
    if (around === undefined) return true;
    if ((around.header.unroll ?? around.latches[0]?.unroll) !== undefined) return false;
    const trips = tripCount(around, tree, context);
    return trips === undefined || sizeOf(around.blocks) * trips.count > limit;
  });
}

/** Functions above this size, in instructions, are not searched for every loop. */
const largestSearched = 4096;

/** Whether all that is ever written to `array` are constants, each before `loop` on every way there. */
export function holdsConstants(
  array: IrInstruction,
  loop: Loop,
  { fn, tree, alias }: { fn: IrFunction; tree: DominatorTree; alias: AliasAnalysis },
): boolean {
  if (alias.escapeOf(array) !== "none" || countInstructions(fn) > largestSearched) return false;
  let isWritten = false;
  for (const each of instructionsOf(fn)) {
    const effect = memoryEffect(each);
    const target =
      effect.kind === "store"
        ? effect.pointer
        : effect.kind === "block"
          ? effect.target
          : undefined;
    const region = target && alias.regionOf(constantAddress(target).base);
    if (region?.kind !== "stack" || region.object !== array) continue;
    if (!isOp(each, "store") || operand(each, 0).kind !== "constant") return false;
    if (loop.blocks.has(each.block) || !tree.dominates(each.block, loop.header)) return false;
    isWritten = true;
  }
  return isWritten;
}
