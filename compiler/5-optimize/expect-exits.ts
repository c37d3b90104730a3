/**
 * Marks the ways out of loops as the likely ones where the kernel's verifier would otherwise keep too
 * many ways open. It follows the way that is fallen into, and puts the other by: where each of 64
 * rounds in each of 256 leaves by a jump, it goes round 16,384 times before it looks at a single way out,
 * and gives up at 8,192 open ones. Falling out of the loop it has one open way for each outer round. Where a loop
 * around has a number of rounds that is not known, its own way out suffices.
 * Last of the passes: layout.ts makes the likely way the one that is fallen into.
 */
import { dominatorTree, findLoops, type Loop } from "../4-lower/cfg.ts";
import type { Block, Value } from "../4-lower/ir.ts";
import { terminatorOf } from "../4-lower/ir-builder.ts";
import { assumedRounds, expectExit, leaves } from "./loop-exits.ts";
import type { FunctionPass } from "./pass.ts";
import { type TripCount, tripCount } from "./trip-count.ts";
import { isOp, operand } from "./values.ts";

/** Half of what the kernel takes: other branches are open too. */
const mostOpen = 4096;
export const expectExits: FunctionPass = {
  kind: "function",
  name: "expect-exits",
  run(fn, context) {
    const loops = findLoops(fn);
    // One loop alone has no more rounds than trip-count.ts tries, and is not worth a look.
    if (!loops.some((loop) => loop.parent !== undefined)) return false;
    const tree = dominatorTree(fn);
    const trips = new Map(loops.map((loop) => [loop, tripCount(loop, tree, context)]));
    const tests = new Map(loops.map((loop) => [loop, openTests(loop, trips.get(loop))]));
    const isCrowded = (loop: Loop, rounds: ReadonlyMap<Loop, number>): boolean =>
      (tests.get(loop)?.length ?? 0) * (rounds.get(loop) ?? 0) >= mostOpen;
    const inOrder = countRounds(loops, trips, new Set());
    const crowded = loops.filter((loop) => isCrowded(loop, inOrder));
    const left = new Set<Loop>();
    let changed = false;
    for (const loop of crowded.flatMap(withOuter)) {
      const test =
        trips.get(loop) || left.has(loop) ? undefined : counterTest(loop, tests.get(loop));
      if (test === undefined) continue;
      left.add(loop);
      changed = expectExit(test, loop) || changed;
    }
    const rounds = countRounds(loops, trips, left);
    for (const loop of crowded) {
      if (!isCrowded(loop, rounds)) continue;
      for (const block of tests.get(loop) ?? []) changed = expectExit(block, loop) || changed;
    }
    return changed;
  },
};

/** Those that may leave the loop in any round, as far as the verifier knows. */
function openTests(loop: Loop, trip: TripCount | undefined): Block[] {
  return [...loop.blocks].filter((block) => leaves(block, loop) && trip?.exiting !== block);
}

function withOuter(loop: Loop): Loop[] {
  return [loop, ...(loop.parent === undefined ? [] : withOuter(loop.parent))];
}

/**
 * The test of a counter against what is not known. With the way out fallen into, the first round of the loop
 * is followed by what is behind the loop; its other rounds come one at a time, when all that is done with.
 */
function counterTest(loop: Loop, tests: readonly Block[] = []): Block | undefined {
  const isCounter = (value: Value): boolean =>
    (isOp(value, "phi") && value.block === loop.header) ||
    (isOp(value, "binary") && isCounter(operand(value, 0)));
  return tests.find((block) => {
    const condition = terminatorOf(block)?.operands[0];
    const isOften = block === loop.header || loop.latches.includes(block);
    return isOften && isOp(condition, "icmp") && condition.operands.some(isCounter);
  });
}

/** Rounds per loop that are gone through before the first way to the end is; those around it counted in. */
function countRounds(
  loops: readonly Loop[],
  trips: ReadonlyMap<Loop, TripCount | undefined>,
  left: ReadonlySet<Loop>,
): Map<Loop, number> {
  const rounds = new Map<Loop, number>();
  for (const loop of loops) {
    const around = loop.parent === undefined ? 1 : (rounds.get(loop.parent) ?? 1);
    const own = left.has(loop) ? 1 : (trips.get(loop)?.count ?? assumedRounds);
    rounds.set(loop, around * (own + 1));
  }
  return rounds;
}
