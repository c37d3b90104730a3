/**
 * Keeps what was computed of a function's control-flow graph from one pass to the next: most passes
 * change no edge, and all of them ask for dominators or loops.
 *
 * Needs nothing of the passes: a graph is the same if the function has the same blocks in the same
 * order and their branches go to the same blocks, and that is compared at each question, which is
 * cheaper by far than any answer. Guarantees that answers are never out of date.
 */
import type { DominatorTree, Loop } from "./cfg.ts";
import type { Block, IrFunction, Operation } from "./ir.ts";

/** The answers that are known, by graph. */
export interface KeptGraph {
  predecessors?: ReadonlyMap<Block, readonly Block[]>;
  order?: readonly Block[];
  tree?: DominatorTree;
  loops?: readonly Loop[];
}

interface Snapshot {
  readonly graph: KeptGraph;
  readonly blocks: readonly Block[];
  /** Where branches go, block by block; undefined ends each block's. */
  readonly targets: readonly (Block | undefined)[];
}

const snapshots = new WeakMap<IrFunction, Snapshot>();

/** Answers about the function's graph as it is now. */
export function keptGraph(fn: IrFunction): KeptGraph {
  const known = snapshots.get(fn);
  if (known !== undefined && isSame(fn, known)) return known.graph;
  const targets: (Block | undefined)[] = [];
  const listed = new Set(fn.blocks);
  let isWhole = true;
  for (const { instructions } of fn.blocks) {
    everyTarget(instructions[instructions.length - 1]?.operation, (target) => {
      targets.push(target);
      isWhole &&= listed.has(target);
      return true;
    });
    targets.push(undefined);
  }
  const graph: KeptGraph = {};
  // What blocks outside of the list do would not be seen.
  if (isWhole) snapshots.set(fn, { graph, blocks: [...fn.blocks], targets });
  else snapshots.delete(fn);
  return graph;
}

function isSame(fn: IrFunction, { blocks, targets }: Snapshot): boolean {
  if (fn.blocks.length !== blocks.length) return false;
  let at = 0;
  const isNext = (target: Block): boolean => {
    at += 1;
    return targets[at - 1] === target;
  };
  for (let index = 0; index < blocks.length; index += 1) {
    const block = fn.blocks[index] as Block;
    if (block !== blocks[index]) return false;
    const { instructions } = block;
    const operation = instructions[instructions.length - 1]?.operation;
    // The usual ends without a call of a function: this is asked very often.
    if (operation?.op === "br") {
      if (targets[at] !== operation.target) return false;
      at += 1;
    } else if (operation?.op === "condbr") {
      if (targets[at] !== operation.then || targets[at + 1] !== operation.otherwise) return false;
      at += 2;
    } else if (!everyTarget(operation, isNext)) return false;
    if (targets[at] !== undefined) return false;
    at += 1;
  }
  return true;
}

/** Asks about each block that a terminator may go to, in order, until one answer is no. */
function everyTarget(operation: Operation | undefined, test: (target: Block) => boolean): boolean {
  switch (operation?.op) {
    case "br":
      return test(operation.target);
    case "condbr":
      return test(operation.then) && test(operation.otherwise);
    case "switch":
      return operation.cases.every(({ target }) => test(target)) && test(operation.fallback);
    case "asm_goto":
      return test(operation.next) && operation.labels.every(test);
    default:
      return true;
  }
}
