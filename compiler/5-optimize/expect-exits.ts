/**
 * Marks the ways out of loops as the likely ones where the kernel's verifier would otherwise keep too
 * many ways open. It follows the way that is fallen into, and puts the other by: where each of 64
 * rounds in each of 256 leaves by a jump, it goes round 16,384 times before it looks at a single way out,
 * and gives up at 8,192 open ones. Falling out of the loop it has one open way for each outer round. Where a loop
 * around has a number of rounds that is not known, its own way out suffices.
 * Last of the passes: layout.ts makes the likely way the one that is fallen into.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, Value } from "../4-lower/ir.ts";
import { terminatorOf } from "../4-lower/ir-builder.ts";
import { type EdgeRanges, edgeRangesOf } from "./edge-ranges.ts";
import { assumedRounds, expectExit, leaves } from "./loop-exits.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { soleEntry } from "./preheader.ts";
import { type TripCount, tripCount } from "./trip-count.ts";
import { isOp, operand } from "./values.ts";

/** Half of what the kernel takes: other branches are open too. */
const mostOpen = 4096;
/** Beyond that many rounds it gives up however it goes through them. */
const mostRounds = 500_000n;
export const expectExits: FunctionPass = {
  kind: "function",
  name: "expect-exits",
  run(fn, context) {
    const loops = findLoops(fn);
    const isLeft = leaveLongLoops(fn, loops, context);
    // One loop alone with a number of rounds that is known has no more than trip-count.ts tries.
    if (!loops.some((loop) => loop.parent !== undefined)) return isLeft;
    const tree = dominatorTree(fn);
    const trips = new Map(loops.map((loop) => [loop, tripCount(loop, tree, context)]));
    const tests = new Map(loops.map((loop) => [loop, openTests(loop, trips.get(loop))]));
    const isCrowded = (loop: Loop, rounds: ReadonlyMap<Loop, number>): boolean =>
      (tests.get(loop)?.length ?? 0) * (rounds.get(loop) ?? 0) >= mostOpen;
    const inOrder = countRounds(loops, trips, new Set());
    const crowded = loops.filter((loop) => isCrowded(loop, inOrder));
    const left = new Set<Loop>();
    let changed = isLeft;
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

/** Loops by themselves that count to a number of which no more is known than that it may be large. */
function leaveLongLoops(fn: IrFunction, loops: readonly Loop[], context: PassContext): boolean {
  let changed = false;
  let ranges: EdgeRanges | undefined;
  let preds: ReadonlyMap<Block, readonly Block[]> | undefined;
  let tree: DominatorTree | undefined;
  for (const loop of loops) {
    if (loop.parent !== undefined) continue;
    const test = counterTest(loop, openTests(loop, undefined));
    const bound = test && boundOf(test, loop);
    if (test === undefined || bound === undefined) continue;
    preds ??= predecessors(fn);
    const entry = soleEntry(loop, preds);
    if (entry === undefined) continue;
    ranges ??= edgeRangesOf(fn);
    const most = ranges.range(bound, entry, loop.header)?.max ?? 0n;
    if (most < mostOpen || most > mostRounds) continue;
    tree ??= dominatorTree(fn);
    if (tripCount(loop, tree, context) !== undefined) continue;
    changed = expectExit(test, loop) || changed;
  }
  return changed;
}

/** What a counter is compared with, if that is not known before the program runs and stays what it is. */
function boundOf(test: Block, loop: Loop): Value | undefined {
  const operands = terminatorOf(test)?.operands[0];
  const [a, b] = isOp(operands, "icmp") ? operands.operands : [];
  const isOutside = (value: Value | undefined): value is Value =>
    value !== undefined &&
    value.kind !== "constant" &&
    (value.kind !== "instruction" || !loop.blocks.has(value.block));
  return [a, b].find(isOutside);
}

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
