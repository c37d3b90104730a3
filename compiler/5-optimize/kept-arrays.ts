/**
 * Which arrays on the stack stay arrays whatever becomes of one loop: those that something else asks for an
 * element of which nothing is known before the program runs. Unrolling a loop over them gains no values.
 */
import { type DominatorTree, findLoops, type Loop } from "../4-lower/cfg.ts";
import type { IrFunction, IrInstruction } from "../4-lower/ir.ts";
import { sizeOf } from "./clone-blocks.ts";
import type { PassContext } from "./pass.ts";
import { tripCount } from "./trip-count.ts";
import { constantAddress, instructionsOf, isOp, operand } from "./values.ts";

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
