/** Which blocks lie on every way from a block to where the function ends. */
import { depthFirstOrder, dominatorsOf } from "./cfg.ts";
import type { Block, IrFunction, IrInstruction } from "./ir.ts";
import { sameValue, successors, terminatorOf } from "./ir-builder.ts";

export interface PostDominators {
  /** Where a block stands among all: it comes behind its successors, back edges aside, ends first. */
  readonly place: ReadonlyMap<Block, number>;
  /** The next block on every way from a block to an end; none where the ways share only that. */
  readonly parent: ReadonlyMap<Block, Block>;
  /** Where a block may go, once each; of blocks that return the same one stands for all. */
  readonly next: ReadonlyMap<Block, readonly Block[]>;
}

/** Nothing where a block leads to no end. Blocks that stand for others alone are in the answer. */
export function postDominators(fn: IrFunction): PostDominators | undefined {
  const next = nextBlocks(fn);
  const order = reversedOrder(next);
  if (order.length !== next.size) return undefined;
  // Node 0 stands for all ends together.
  const place = new Map(order.map((block, at) => [block, at + 1]));
  const from = order.map((block) => {
    const after = next.get(block) ?? [];
    return Int32Array.from(after.length === 0 ? [0] : after.map((each) => place.get(each) ?? 0));
  });
  const dominators = dominatorsOf([new Int32Array(0), ...from]);
  const parent = new Map<Block, Block>();
  order.forEach((block, at) => {
    const up = order[(dominators[at + 1] ?? 0) - 1];
    if (up !== undefined) parent.set(block, up);
  });
  return { place, parent, next };
}

function nextBlocks(fn: IrFunction): Map<Block, Block[]> {
  const ends: Block[] = [];
  const standIns = new Map<Block, Block>();
  for (const block of fn.blocks) {
    const returned = bareReturn(block);
    if (returned === undefined) continue;
    const known = ends.find((other) => {
      const [a, b] = [returned.operands[0], terminatorOf(other)?.operands[0]];
      return a === b || (a !== undefined && b !== undefined && sameValue(a, b));
    });
    if (known === undefined) ends.push(block);
    else standIns.set(block, known);
  }
  const next = new Map<Block, Block[]>();
  for (const block of fn.blocks) {
    if (standIns.has(block)) continue;
    next.set(block, [...new Set(successors(block).map((each) => standIns.get(each) ?? each))]);
  }
  return next;
}

/** The return of a block that does nothing else; that lifetimes end there says nothing. */
function bareReturn(block: Block): IrInstruction | undefined {
  const first = block.instructions.find(({ operation }) => operation.op !== "lifetime_end");
  return first?.operation.op === "ret" ? first : undefined;
}

/** Reverse post-order of the graph with its edges turned round, from all ends. */
function reversedOrder(next: ReadonlyMap<Block, readonly Block[]>): Block[] {
  const before = new Map<Block, Block[]>();
  for (const block of next.keys()) before.set(block, []);
  for (const [block, after] of next) for (const each of after) before.get(each)?.push(block);
  const ends = [...next].flatMap(([block, after]) => (after.length > 0 ? [] : [block]));
  return depthFirstOrder(ends, (block) => before.get(block) ?? []);
}
