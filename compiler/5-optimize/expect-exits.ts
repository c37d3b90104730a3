/**
 * Marks the ways out of loops as the likely ones where the kernel's verifier would otherwise keep too
 * many ways open. It follows the way that is fallen into, and puts the other by: where each of 64
 * rounds in each of 256 leaves by a jump, it goes round 16,384 times before it looks at a single way out,
 * and gives up at 8,192 open ones. Falling out of the loop it has one open way for each outer round.
 * Last of the passes: layout.ts makes the likely way the one that is fallen into.
 */
import { dominatorTree, findLoops, type Loop } from "../4-lower/cfg.ts";
import type { Block, IrFunction } from "../4-lower/ir.ts";
import { terminatorOf } from "../4-lower/ir-builder.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { tripCount } from "./trip-count.ts";

/** Half of what the kernel takes: other branches are open too. */
const mostOpen = 4096;
/** Rounds of a loop whose number is not known. */
const assumedRounds = 32;

export const expectExits: FunctionPass = {
  kind: "function",
  name: "expect-exits",
  run(fn, context) {
    const loops = findLoops(fn);
    // One loop alone has no more rounds than trip-count.ts tries, and is not worth a look.
    if (!loops.some((loop) => loop.parent !== undefined)) return false;
    const rounds = countRounds(fn, loops, context);
    let changed = false;
    for (const loop of loops) {
      const open = [...loop.blocks].filter(
        (block) => leaves(block, loop) && rounds.get(loop)?.exiting !== block,
      );
      if (open.length * (rounds.get(loop)?.all ?? 0) < mostOpen) continue;
      for (const block of open) if (expectExit(block, loop)) changed = true;
    }
    return changed;
  },
};

interface Rounds {
  /** Those of the loops around it counted in. */
  readonly all: number;
  /** The test whose outcome the verifier knows. */
  readonly exiting: Block | undefined;
}

function countRounds(
  fn: IrFunction,
  loops: readonly Loop[],
  context: PassContext,
): Map<Loop, Rounds> {
  const tree = dominatorTree(fn);
  const rounds = new Map<Loop, Rounds>();
  for (const loop of loops) {
    const trip = tripCount(loop, tree, context);
    const around = loop.parent === undefined ? 1 : (rounds.get(loop.parent)?.all ?? 1);
    const all = around * ((trip?.count ?? assumedRounds) + 1);
    rounds.set(loop, { all, exiting: trip?.exiting });
  }
  return rounds;
}

/** Whether one side of the block's branch stays in the loop and the other does not. */
function leaves(block: Block, loop: Loop): boolean {
  const operation = terminatorOf(block)?.operation;
  if (operation?.op !== "condbr") return false;
  return loop.blocks.has(operation.then) !== loop.blocks.has(operation.otherwise);
}

function expectExit(block: Block, loop: Loop): boolean {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr" || last.operation.likely !== undefined) return false;
  last.operation = { ...last.operation, likely: !loop.blocks.has(last.operation.then) };
  return true;
}
