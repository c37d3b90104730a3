/**
 * The control-flow graph of a function: predecessors, orders, dominators, loops. What was computed is
 * kept and given again as long as the graph is the same (kept-graph.ts looks each time), so that
 * passes need not say what they left as it was; nobody may change what they get.
 */
import { appendAll } from "../../common/append.ts";
import type { Block, IrFunction } from "./ir.ts";
import { successors } from "./ir-builder.ts";
import { keptGraph } from "./kept-graph.ts";

/** Predecessors of each block, each once, in the function's block order. */
export function predecessors(fn: IrFunction): ReadonlyMap<Block, readonly Block[]> {
  const graph = keptGraph(fn);
  graph.predecessors ??= findPredecessors(fn);
  return graph.predecessors;
}

function findPredecessors(fn: IrFunction): Map<Block, Block[]> {
  const result = new Map<Block, Block[]>(fn.blocks.map((block) => [block, []]));
  for (const block of fn.blocks) {
    for (const next of successors(block)) {
      const list = result.get(next);
      if (list === undefined) result.set(next, [block]);
      else if (list.at(-1) !== block) list.push(block);
    }
  }
  return result;
}

/** Blocks reachable from the entry; a block comes after its predecessors, back edges aside. */
export function reversePostOrder(fn: IrFunction): readonly Block[] {
  const graph = keptGraph(fn);
  graph.order ??= findOrder(fn);
  return graph.order;
}

function findOrder(fn: IrFunction): Block[] {
  const entry = fn.blocks[0];
  if (entry === undefined) return [];
  return depthFirstOrder([entry], successors);
}

/**
 * Reverse post-order of what can be reached in a graph.
 * @param next where a node leads to: a list of the caller's own, which is used up
 */
export function depthFirstOrder<Node>(
  roots: readonly Node[],
  next: (node: Node) => Node[],
): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ node: root, left: next(root) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      // Taken from the end, so that in the reversed order the first successor comes first.
      const node = top.left.pop();
      if (node === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(node)) {
        seen.add(node);
        stack.push({ node, left: next(node) });
      }
    }
  }
  return order.reverse();
}

/** Drops blocks that cannot be reached, and what phis took from them. Returns how many. */
export function removeUnreachableBlocks(fn: IrFunction): number {
  const order = reversePostOrder(fn);
  const before = fn.blocks.length;
  if (order.length === before) return 0;
  const reachable = new Set(order);
  fn.blocks = fn.blocks.filter((block) => reachable.has(block));
  for (const block of fn.blocks) {
    for (const phi of block.instructions) {
      const operation = phi.operation;
      if (operation.op !== "phi") break;
      const keep = operation.incoming.map((from) => reachable.has(from));
      if (!keep.includes(false)) continue;
      phi.operands = phi.operands.filter((_, at) => keep[at]);
      operation.incoming = operation.incoming.filter((_, at) => keep[at]);
    }
  }
  return before - fn.blocks.length;
}

/** Which blocks dominate which. Unreachable blocks are in no relation. */
export interface DominatorTree {
  readonly order: readonly Block[];
  /** Immediate dominator; the entry has none. */
  readonly parent: ReadonlyMap<Block, Block>;
  readonly children: ReadonlyMap<Block, readonly Block[]>;
  /** True if every path to `b` goes through `a`; a block dominates itself. */
  dominates(a: Block, b: Block): boolean;
}

export function dominatorTree(fn: IrFunction): DominatorTree {
  const graph = keptGraph(fn);
  graph.tree ??= findTree(fn);
  return graph.tree;
}

/** Cooper, Harvey and Kennedy's iteration over reverse post-order. */
function findTree(fn: IrFunction): DominatorTree {
  const order = reversePostOrder(fn);
  const index = new Map(order.map((block, at) => [block, at]));
  const preds = predecessors(fn);
  const idom = immediateDominators(order, index, preds);
  const parent = new Map<Block, Block>();
  const children = new Map<Block, Block[]>(order.map((block) => [block, []]));
  order.forEach((block, at) => {
    const up = order[idom[at] ?? -1];
    if (at === 0 || up === undefined) return;
    parent.set(block, up);
    children.get(up)?.push(block);
  });
  const { enter, leave } = numberTree(order[0], children);
  const dominates = (a: Block, b: Block): boolean => {
    const from = enter.get(a);
    const to = enter.get(b);
    if (from === undefined || to === undefined) return false;
    return from <= to && to <= (leave.get(a) ?? -1);
  };
  return { order, parent, children, dominates };
}

function immediateDominators(
  order: readonly Block[],
  index: ReadonlyMap<Block, number>,
  preds: ReadonlyMap<Block, readonly Block[]>,
): Int32Array {
  const from = order.map((block) =>
    Int32Array.from((preds.get(block) ?? []).flatMap((pred) => index.get(pred) ?? [])),
  );
  return dominatorsOf(from);
}

/**
 * Immediate dominators in a graph of which node 0 is the entry and the others stand in reverse post-order,
 * by the nodes that lead to each, which are put in order; the entry is its own.
 */
export function dominatorsOf(from: readonly Int32Array[]): Int32Array {
  // From the last predecessor up: from one to the next it is mostly a step, where a node has thousands.
  for (const each of from) each.sort().reverse();
  const idom = new Int32Array(from.length).fill(-1);
  if (from.length > 0) idom[0] = 0;
  const intersect = (first: number, second: number): number => {
    let a = first;
    let b = second;
    while (a !== b) {
      while (a > b) a = idom[a] ?? 0;
      while (b > a) b = idom[b] ?? 0;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let at = 1; at < from.length; at += 1) {
      let best = -1;
      for (const pred of from[at] ?? []) {
        if (idom[pred] === -1) continue;
        best = best < 0 ? pred : intersect(pred, best);
      }
      if (best >= 0 && idom[at] !== best) {
        idom[at] = best;
        changed = true;
      }
    }
  }
  return idom;
}

/** Entry and exit numbers of a depth-first walk: an ancestor's interval holds its descendants'. */
function numberTree(
  root: Block | undefined,
  children: ReadonlyMap<Block, readonly Block[]>,
): { enter: Map<Block, number>; leave: Map<Block, number> } {
  const enter = new Map<Block, number>();
  const leave = new Map<Block, number>();
  let count = 0;
  const stack: { block: Block; done: boolean }[] = root ? [{ block: root, done: false }] : [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.done) {
      leave.set(top.block, count - 1);
      continue;
    }
    enter.set(top.block, count);
    count += 1;
    stack.push({ block: top.block, done: true });
    for (const child of [...(children.get(top.block) ?? [])].reverse()) {
      stack.push({ block: child, done: false });
    }
  }
  return { enter, leave };
}

/** Where definitions in a block stop dominating: the join blocks that need phis. */
export function dominanceFrontiers(fn: IrFunction, tree: DominatorTree): Map<Block, Set<Block>> {
  const frontiers = new Map<Block, Set<Block>>(tree.order.map((block) => [block, new Set()]));
  const preds = predecessors(fn);
  for (const block of tree.order) {
    const from = (preds.get(block) ?? []).filter((pred) => frontiers.has(pred));
    if (from.length < 2 && !(block === tree.order[0] && from.length > 0)) continue;
    const stop = tree.parent.get(block);
    for (const pred of from) {
      for (
        let runner: Block | undefined = pred;
        runner !== undefined && runner !== stop;
        runner = tree.parent.get(runner)
      ) {
        const frontier = frontiers.get(runner);
        // Another way has come by here, and went on upwards.
        if (frontier?.has(block) === true) break;
        frontier?.add(block);
      }
    }
  }
  return frontiers;
}

/** A natural loop. */
export interface Loop {
  readonly header: Block;
  /** Blocks of the loop that jump back to the header. */
  readonly latches: readonly Block[];
  readonly blocks: ReadonlySet<Block>;
  /** The loop around it. */
  readonly parent: Loop | undefined;
  /** 1 for outermost. */
  readonly depth: number;
}

/** All natural loops, inner ones after outer ones. Loops with one header are one loop. */
export function findLoops(fn: IrFunction): readonly Loop[] {
  const graph = keptGraph(fn);
  graph.loops ??= computeLoops(dominatorTree(fn), predecessors(fn));
  return graph.loops;
}

function computeLoops(
  tree: DominatorTree,
  preds: ReadonlyMap<Block, readonly Block[]>,
): readonly Loop[] {
  const loops: Loop[] = [];
  const innermost = new Map<Block, Loop>();
  for (const header of tree.order) {
    const latches = (preds.get(header) ?? []).filter((pred) => tree.dominates(header, pred));
    if (latches.length === 0) continue;
    const blocks = new Set<Block>([header]);
    const work = [...latches];
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      if (blocks.has(block)) continue;
      blocks.add(block);
      appendAll(
        work,
        (preds.get(block) ?? []).filter((pred) => tree.parent.has(pred)),
      );
    }
    // In reverse post-order an outer loop's header comes before the inner ones'.
    const parent = innermost.get(header);
    const loop = { header, latches, blocks, parent, depth: (parent?.depth ?? 0) + 1 };
    loops.push(loop);
    for (const block of blocks) innermost.set(block, loop);
  }
  return loops;
}

/** Those that hold no other one. */
export function innermostLoops(loops: readonly Loop[]): Loop[] {
  const outer = new Set(loops.map(({ parent }) => parent));
  return loops.filter((loop) => !outer.has(loop));
}

/** Edges that leave a loop, as [block inside, block outside]. */
export function loopExits(loop: Loop): [Block, Block][] {
  const exits: [Block, Block][] = [];
  for (const block of loop.blocks) {
    for (const next of successors(block)) if (!loop.blocks.has(next)) exits.push([block, next]);
  }
  return exits;
}
