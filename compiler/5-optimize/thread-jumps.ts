/**
 * Jump threading: where a path into a block decides how the block will branch, that path gets its own
 * copy of the block and goes straight on. Only short blocks are copied. A loop's header is copied for
 * the way in only, where the first test is decided: the loop then tests at its end. The verifier keeps more on such a path, not less: it knows the constant either way, but now without
 * a join in between.
 * Needs: simplify-cfg before (threads blocks that need no copy).
 */
import { appendAll } from "../../common/append.ts";
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  predecessors,
  removeUnreachableBlocks,
} from "../4-lower/cfg.ts";
import type {
  Block,
  Constant,
  IntPredicate,
  IrFunction,
  IrInstruction,
  Value,
} from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import {
  constant,
  createBlock,
  createInstruction,
  phisOf,
  redirectSuccessor,
  removeIncoming,
  successors,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { decidedBy } from "./choices.ts";
import { Demotion, usesOutside } from "./demote-values.ts";
import { type EdgeRanges, edgeRangesOf } from "./edge-ranges.ts";
import {
  foldInstruction,
  holdsForEqual,
  invertedPredicate,
  isEquality,
  swappedPredicate,
} from "./fold-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { promoteAllocas } from "./promote-memory.ts";
import { decide } from "./value-ranges.ts";
import { type InstructionOf, isConstant, isOp, isPure, operand } from "./values.ts";

/** Most instructions that a copied block may have, besides phis and its branch. */
const longestCopy = 4;
/** Blocks above an edge that are looked at for the same question. */
const mostAbove = 6;

export const threadJumps: FunctionPass = {
  kind: "function",
  name: "thread-jumps",
  run(fn, { runs }) {
    const threads = findThreads(fn);
    if (threads.length === 0) return false;
    const { uses } = runs.factsOf(fn);
    const demotion = new Demotion(fn);
    for (const { block } of threads) {
      for (const [value, list] of usesOutside(new Set([block]), uses)) demotion.demote(value, list);
    }
    demotion.apply();
    const made = threads.flatMap((thread) => carryOut(fn, thread));
    appendAll(fn.blocks, made);
    removeUnreachableBlocks(fn);
    promoteAllocas(fn);
    return true;
  },
};

/** Paths from `preds` through `block` that all go on to `target`. */
interface Thread {
  readonly block: Block;
  readonly ways: ReadonlyMap<Block, readonly Block[]>;
}

function findThreads(fn: IrFunction): Thread[] {
  const preds = predecessors(fn);
  const tree = dominatorTree(fn);
  const headers = new Map(findLoops(fn).map((loop) => [loop.header, loop]));
  const ranges = edgeRangesOf(fn);
  const threads: Thread[] = [];
  // A block that takes part in one thread stays as it is for the others.
  const busy = new Set<Block>();
  for (const block of fn.blocks) {
    if (busy.has(block) || !isCopyable(block)) continue;
    const loop = headers.get(block);
    // To enter a loop half-way is no gain: what its rounds share would have to be joined.
    if (loop !== undefined && successors(block).every((next) => loop.blocks.has(next))) continue;
    const ways = new Map<Block, Block[]>();
    for (const pred of preds.get(block) ?? []) {
      const target =
        busy.has(pred) || loop?.blocks.has(pred)
          ? undefined
          : targetFrom(block, pred, ranges, { tree, preds });
      if (target === undefined || headers.has(target) || target === block) continue;
      ways.set(target, [...(ways.get(target) ?? []), pred]);
    }
    if (ways.size === 0) continue;
    threads.push({ block, ways });
    for (const each of [block, ...(preds.get(block) ?? []), ...successors(block)]) busy.add(each);
  }
  return threads;
}

function isCopyable(block: Block): boolean {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr" && last?.operation.op !== "switch") return false;
  const body = block.instructions.filter((each) => each.operation.op !== "phi" && each !== last);
  return body.length <= longestCopy && body.every((each) => isPure(each) || isOp(each, "load"));
}

interface Graph {
  readonly tree: DominatorTree;
  readonly preds: ReadonlyMap<Block, readonly Block[]>;
}

/** Where `block` goes if it is entered from `pred`, if that can be told. */
function targetFrom(
  block: Block,
  pred: Block,
  ranges: EdgeRanges,
  graph: Graph,
): Block | undefined {
  const last = terminatorOf(block) as IrInstruction;
  const from = terminatorOf(pred)?.operation;
  if (from?.op !== "br" && from?.op !== "condbr" && from?.op !== "switch") return undefined;
  const tested = operand(last, 0);
  const value =
    valueOnEdge(tested, block, pred, 0) ??
    testOnEdge(tested, block, pred, ranges) ??
    orderOnEdge(tested, block, pred) ??
    answerOnEdge(tested, block, pred, graph) ??
    nullOnEdge(tested, block, pred, graph);
  if (value === undefined) return undefined;
  const { operation } = last;
  if (operation.op === "condbr") return value.value === 1n ? operation.then : operation.otherwise;
  if (operation.op !== "switch") return undefined;
  return operation.cases.find((each) => each.value === value.value)?.target ?? operation.fallback;
}

function valueOnEdge(value: Value, block: Block, pred: Block, depth: number): Constant | undefined {
  if (value.kind === "constant") return value;
  if (value.kind !== "instruction" || value.block !== block || depth > longestCopy)
    return undefined;
  if (value.operation.op === "phi") {
    const input = value.operands[value.operation.incoming.indexOf(pred)];
    return input?.kind === "constant" ? input : undefined;
  }
  if (!isPure(value)) return undefined;
  const operands: Constant[] = [];
  for (const each of value.operands) {
    const known = valueOnEdge(each, block, pred, depth + 1);
    if (known === undefined) return undefined;
    operands.push(known);
  }
  return foldInstruction(value, operands);
}

/** A question that was asked before: on either way from there its answer is known. */
function answerOnEdge(test: Value, block: Block, pred: Block, graph: Graph): Constant | undefined {
  if (test.kind !== "instruction" || test.block === block) return undefined;
  const answer = answerAbove(block, pred, graph, (asked) => asked === test);
  return answer && constant("i1", answer.holds ? 1n : 0n);
}

/** What a branch above the edge says of a question, and how it asks it. */
function answerAbove(
  block: Block,
  pred: Block,
  { tree, preds }: Graph,
  isWanted: (asked: Value) => boolean,
): { readonly asked: Value; readonly holds: boolean } | undefined {
  let to = block;
  let from: Block | undefined = pred;
  for (let steps = 0; from !== undefined && steps < mostAbove; steps += 1) {
    const branch = terminatorOf(from);
    const isOnlyWay = to === block || preds.get(to)?.length === 1;
    if (isOnlyWay && branch?.operation.op === "condbr" && isWanted(operand(branch, 0))) {
      const { then, otherwise } = branch.operation;
      if (then !== otherwise && (to === then || to === otherwise))
        return { asked: operand(branch, 0), holds: to === then };
    }
    to = from;
    from = tree.parent.get(from);
  }
  return undefined;
}

/** A pointer that comes in was asked whether it is null. */
function nullOnEdge(test: Value, block: Block, pred: Block, graph: Graph): Constant | undefined {
  const [phi] = isNullTest(test) && test.block === block ? test.operands : [];
  if (!isNullTest(test) || phi === undefined || !isOp(phi, "phi") || phi.block !== block)
    return undefined;
  const input = operand(phi, phi.operation.incoming.indexOf(pred));
  const answer = answerAbove(
    block,
    pred,
    graph,
    (asked) => isNullTest(asked) && operand(asked, 0) === input,
  );
  if (answer === undefined || !isNullTest(answer.asked)) return undefined;
  const isSame = answer.asked.operation.predicate === test.operation.predicate;
  return constant("i1", answer.holds === isSame ? 1n : 0n);
}

function isNullTest(test: Value): test is InstructionOf<"icmp"> {
  if (!isOp(test, "icmp") || operand(test, 0).type !== "ptr") return false;
  return isEquality(test.operation.predicate) && isConstant(operand(test, 1), 0n);
}

/** A comparison with a constant that the range of what comes in decides. */
function testOnEdge(
  test: Value,
  block: Block,
  pred: Block,
  ranges: EdgeRanges,
): Constant | undefined {
  if (!isOp(test, "icmp") || test.block !== block) return undefined;
  const [phi, bound] = [operand(test, 0), operand(test, 1)];
  if (!isOp(phi, "phi") || phi.block !== block || bound.kind !== "constant") return undefined;
  const input = operand(phi, phi.operation.incoming.indexOf(pred));
  const range = ranges.range(input, pred, block);
  const { predicate } = test.operation;
  const holds = range && decide(range, predicate, bound.value, bitWidth[bound.type as ValueType]);
  return holds === undefined ? undefined : constant("i1", holds ? 1n : 0n);
}

/** A comparison of two values of which the one that comes in is the other, or was compared with it. */
function orderOnEdge(test: Value, block: Block, pred: Block): Constant | undefined {
  if (!isOp(test, "icmp") || test.block !== block) return undefined;
  const enters = (value: Value): Value =>
    isOp(value, "phi") && value.block === block
      ? operand(value, value.operation.incoming.indexOf(pred))
      : value;
  const [a, b] = [enters(operand(test, 0)), enters(operand(test, 1))];
  const { predicate } = test.operation;
  const holds = a === b ? holdsForEqual(predicate) : knownOrder(predicate, a, b, pred, block);
  return holds === undefined ? undefined : constant("i1", holds ? 1n : 0n);
}

/** What the branch says from which the edge comes. */
function knownOrder(
  predicate: IntPredicate,
  a: Value,
  b: Value,
  pred: Block,
  block: Block,
): boolean | undefined {
  const branch = terminatorOf(pred);
  if (branch?.operation.op !== "condbr") return undefined;
  const { then, otherwise } = branch.operation;
  const condition = operand(branch, 0);
  if (!isOp(condition, "icmp") || then === otherwise) return undefined;
  const { predicate: asked } = condition.operation;
  const known = then === block ? asked : invertedPredicate[asked];
  const [x, y] = [operand(condition, 0), operand(condition, 1)];
  if (x === a && y === b) return decidedBy(known, predicate);
  return x === b && y === a ? decidedBy(swappedPredicate[known], predicate) : undefined;
}

/** One copy of the block for each target. */
function carryOut(fn: IrFunction, { block, ways }: Thread): Block[] {
  const made: Block[] = [];
  for (const [target, preds] of ways) {
    const copy = createBlock(fn, block.name, true);
    const values = new Map<Value, Value>();
    for (const each of block.instructions.slice(0, -1)) {
      const clone = createInstruction(
        fn,
        copy,
        each.type,
        { ...each.operation },
        each.operands,
        each.location,
      );
      if (each.name !== undefined) clone.name = each.name;
      if (clone.operation.op === "phi" && each.operation.op === "phi") {
        const { incoming } = each.operation;
        clone.operation = { op: "phi", incoming: [...preds] };
        clone.operands = preds.map((pred) => operand(each, incoming.indexOf(pred)));
      } else clone.operands = clone.operands.map((value) => values.get(value) ?? value);
      values.set(each, clone);
      copy.instructions.push(clone);
    }
    const last = terminatorOf(block);
    copy.instructions.push(
      createInstruction(fn, copy, "void", { op: "br", target }, [], last?.location),
    );
    for (const phi of phisOf(target)) {
      if (phi.operation.op !== "phi") continue;
      const value = operand(phi, phi.operation.incoming.indexOf(block));
      phi.operation.incoming.push(copy);
      phi.operands.push(values.get(value) ?? value);
    }
    // What the user said of the loop stays with its header.
    if (block.unroll !== undefined && target.unroll === undefined) target.unroll = block.unroll;
    for (const pred of preds) {
      redirectSuccessor(pred, block, copy);
      removeIncoming(block, pred);
    }
    made.push(copy);
  }
  return made;
}
