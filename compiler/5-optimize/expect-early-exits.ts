/**
 * Marks one way out of a loop that walks a packet as the likely one, where much follows the loop. Each
 * round that checks the packet further leaves the loop knowing more of it than the round before. The kernel's
 * verifier takes two states for one if the earlier knows less: if it leaves in the first round first, all
 * later ways out have been seen, but from the last round backwards none has, and what follows the loop
 * is gone through once for each. It follows the way that is fallen into first, which is the likely one.
 */
import { pushTo } from "../../common/append.ts";
import { dominatorTree, findLoops, type Loop } from "../4-lower/cfg.ts";
import type { Block } from "../4-lower/ir.ts";
import { successors, terminatorOf } from "../4-lower/ir-builder.ts";
import { assumedRounds, expectExit, leaves } from "./loop-exits.ts";
import type { FunctionPass } from "./pass.ts";
import { tripCount } from "./trip-count.ts";
import { isOp } from "./values.ts";

/** What the verifier may go through behind the loop more often than once, a fiftieth of all it goes through. */
const mostBehind = 20_000;
export const expectEarlyExits: FunctionPass = {
  kind: "function",
  name: "expect-early-exits",
  run(fn, context) {
    const loops = findLoops(fn);
    const outermost = loops.filter((loop) => loop.parent === undefined);
    const isWalk = (loop: Loop): boolean =>
      [...loop.blocks].some((block) => leaves(block, loop) && comparesAddresses(block));
    if (!outermost.some(isWalk)) return false;
    const tree = dominatorTree(fn);
    const trips = new Map(outermost.map((loop) => [loop, tripCount(loop, tree, context)]));
    const rounds = (loop: Loop): number => trips.get(loop)?.count ?? assumedRounds;
    const costs = new Map<Block, number>();
    for (const loop of outermost) {
      for (const block of loop.blocks) costs.set(block, rounds(loop) * block.instructions.length);
    }
    const known = new Set([...trips.values()].map((trip) => trip?.exiting));
    let changed = false;
    for (const [loop, all] of testsOf(outermost, tree.order)) {
      const tests = all.filter((block) => !known.has(block));
      const [first] = tests;
      if (first === undefined || !tests.some(comparesAddresses)) continue;
      if (isMuchBehind(loop, costs, mostBehind / rounds(loop)))
        changed = expectExit(first, loop) || changed;
    }
    return changed;
  },
};

/** The blocks of each loop that may leave it, in order. */
function testsOf(
  outermost: readonly Loop[],
  order: readonly Block[],
): ReadonlyMap<Loop, readonly Block[]> {
  const loopOf = new Map<Block, Loop>();
  for (const loop of outermost) for (const block of loop.blocks) loopOf.set(block, loop);
  const tests = new Map<Loop, Block[]>();
  for (const block of order) {
    const loop = loopOf.get(block);
    if (loop !== undefined && leaves(block, loop)) pushTo(tests, loop, block);
  }
  return tests;
}

/** Of an address that the rounds compute with another, as the end of a packet is asked for. */
function comparesAddresses(block: Block): boolean {
  const condition = terminatorOf(block)?.operands[0];
  if (!isOp(condition, "icmp")) return false;
  return condition.operands.every(
    (value) => value.type === "ptr" && value.kind !== "constant" && value.kind !== "global",
  );
}

/** Whether what follows costs so much; `costs` has the blocks of loops. Looks no further than it takes. */
function isMuchBehind(loop: Loop, costs: ReadonlyMap<Block, number>, most: number): boolean {
  const reached = new Set<Block>();
  const work = [...loop.blocks].flatMap(successors).filter((block) => !loop.blocks.has(block));
  let cost = 0;
  for (let block = work.pop(); block !== undefined && cost < most; block = work.pop()) {
    if (reached.has(block)) continue;
    reached.add(block);
    cost += costs.get(block) ?? block.instructions.length;
    work.push(...successors(block));
  }
  return cost >= most;
}
