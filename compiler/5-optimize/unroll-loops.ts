/**
 * Loop unrolling. Loops of constant trip count become straight code where the user asks for it
 * (#pragma unroll), or where that is small (unroll-plan.ts): what depends on the counter alone folds away,
 * and arrays on the stack become values. Others are copied `count` times if asked for; of a loop with a
 * counter one copy tests it, of others each.
 * Needs: split-aggregates before. Leaves unfolded constants and single-input phis behind.
 */
import { appendAll } from "../../common/append.ts";
import { dominatorTree, findLoops, innermostLoops, type Loop } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  computeUses,
  createBlock,
  createInstruction,
  makeJump,
  phisOf,
  redirectSuccessor,
  removeIncoming,
  sameValue,
  successors,
  type Use,
} from "../4-lower/ir-builder.ts";
import { AliasAnalysis } from "./alias.ts";
import { cloneBlocks, sizeOf } from "./clone-blocks.ts";
import { Demotion, usesOutside } from "./demote-values.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { promoteAllocas } from "./promote-memory.ts";
import { planOf, type UnrollPlan } from "./unroll-plan.ts";
import { countInstructions } from "./values.ts";

/** A function does not grow beyond this, whatever the pragma says. */
const largestFunction = 60_000;

export const unrollLoops: FunctionPass = {
  kind: "function",
  name: "unroll-loops",
  run: (fn, context) => unrollInnermost(fn, context, false),
};

/** The first time: loops that the source has within others may become larger than what is around them later. */
export const unrollInnerLoops: FunctionPass = {
  kind: "function",
  name: "unroll-inner-loops",
  run: (fn, context) => unrollInnermost(fn, context, true),
};

/** Unrolls what it can of the loops that hold no other loop. */
function unrollInnermost(fn: IrFunction, context: PassContext, isFirst: boolean): boolean {
  const first = dominatorTree(fn);
  const loops = findLoops(fn);
  if (loops.length === 0) return false;
  const merged = innermostLoops(loops).filter((loop) => joinLatches(fn, loop));
  const tree = merged.length > 0 ? dominatorTree(fn) : first;
  const all = merged.length > 0 ? findLoops(fn) : loops;
  const alias = new AliasAnalysis(fn);
  const chosen: { loop: Loop; plan: UnrollPlan }[] = [];
  let size = countInstructions(fn);
  for (const loop of innermostLoops(all)) {
    const isHot = isFirst && loop.parent !== undefined;
    const plan = planOf(loop, { fn, tree, alias }, context, isHot);
    if (plan === undefined) continue;
    size += sizeOf(loop.blocks) * plan.copies;
    if (size > largestFunction) break;
    chosen.push({ loop, plan });
  }
  if (chosen.length === 0) return merged.length > 0;
  const uses = computeUses(fn);
  const demotion = new Demotion(fn);
  for (const { loop } of chosen) demoteLiveOut(loop, uses, demotion);
  demotion.apply();
  for (const { loop, plan } of chosen) unroll(fn, loop, plan);
  promoteAllocas(fn);
  return true;
}

/** Several back edges become one. Returns whether that was needed. */
function joinLatches(fn: IrFunction, loop: Loop): boolean {
  if (loop.latches.length < 2) return false;
  const { header } = loop;
  const latches = new Set(loop.latches);
  const joined = createBlock(fn, undefined, true);
  for (const phi of phisOf(header)) {
    if (phi.operation.op !== "phi") continue;
    const { incoming } = phi.operation;
    const from = incoming.filter((block) => latches.has(block));
    const values = phi.operands.filter((_, at) => latches.has(incoming[at] as Block));
    const [first] = values;
    const isSame = first !== undefined && values.every((each) => sameValue(each, first));
    const operation = { op: "phi", incoming: from } as const;
    const merged = isSame
      ? first
      : createInstruction(fn, joined, phi.type, { ...operation }, values, phi.location);
    if (!isSame) joined.instructions.push(merged as IrInstruction);
    phi.operands = [...phi.operands.filter((_, at) => !latches.has(incoming[at] as Block)), merged];
    phi.operation.incoming = [...incoming.filter((block) => !latches.has(block)), joined];
  }
  for (const latch of latches) redirectSuccessor(latch, header, joined);
  const jump = createInstruction(fn, joined, "void", { op: "br", target: header }, []);
  const [last] = loop.latches;
  jump.location = last?.instructions.at(-1)?.location;
  joined.instructions.push(jump);
  fn.blocks.push(joined);
  return true;
}

/** Values that are used after the loop go through memory, so that each copy can set them. */
function demoteLiveOut(
  loop: Loop,
  uses: ReadonlyMap<Value, readonly Use[]>,
  demotion: Demotion,
): void {
  for (const [value, list] of usesOutside(loop.blocks, uses)) demotion.demote(value, list);
}

function unroll(fn: IrFunction, loop: Loop, plan: UnrollPlan): void {
  const { header } = loop;
  const latch = loop.latches[0] as Block;
  const blocks = fn.blocks.filter((block) => loop.blocks.has(block));
  const phis = phisOf(header);
  const carried = phis.map((phi) =>
    phi.operation.op === "phi"
      ? (phi.operands[phi.operation.incoming.indexOf(latch)] as Value)
      : phi,
  );
  const exits = exitInputs(loop);
  const made: Block[] = [];
  let lastLatch = latch;
  let lastValues: ReadonlyMap<Value, Value> = new Map();
  removeIncoming(header, latch);
  delete header.unroll;
  delete latch.unroll;
  let lastHeader = header;
  let firstCopy: Block | undefined;
  const { trips } = plan;
  const tests = trips === undefined ? [] : [trips.exiting];
  for (let copy = 0; copy < plan.copies; copy += 1) {
    const values = new Map<Value, Value>();
    const map = new Map<Block, Block>();
    appendAll(made, cloneBlocks(fn, blocks, { values, blocks: map, location: (at) => at }));
    const head = map.get(header) as Block;
    for (const [at, phi] of phis.entries()) {
      const clone = values.get(phi) as IrInstruction;
      const value = carried[at] as Value;
      clone.operation = { op: "phi", incoming: [lastLatch] };
      clone.operands = [lastValues.get(value) ?? value];
    }
    // The original's back edge moves last: until then copies are made of it.
    if (copy === 0) firstCopy = head;
    else redirectSuccessor(lastLatch, lastHeader, head);
    for (const { phi, from, value } of exits) {
      if (phi.operation.op !== "phi") continue;
      phi.operation.incoming.push(map.get(from) as Block);
      phi.operands.push(values.get(value) ?? value);
    }
    if (trips !== undefined) tests.push(map.get(trips.exiting) as Block);
    lastLatch = map.get(latch) as Block;
    lastHeader = head;
    lastValues = values;
  }
  if (firstCopy !== undefined) redirectSuccessor(latch, header, firstCopy);
  closeLoop(fn, plan, { header, phis, carried, lastLatch, lastHeader, lastValues }, made);
  const at = fn.blocks.indexOf(blocks.at(-1) as Block);
  fn.blocks.splice(at + 1, 0, ...made);
  if (trips === undefined) return;
  const inside = new Set([...blocks, ...made]);
  const last = trips.count % tests.length;
  for (const [copy, test] of tests.entries()) if (copy !== last) stayInside(test, inside);
}

/** The test lets the loop go on. */
function stayInside(test: Block, inside: ReadonlySet<Block>): void {
  const branch = test.instructions.at(-1);
  if (branch?.operation.op !== "condbr") return;
  const { then, otherwise } = branch.operation;
  const [target, exit] = inside.has(then) ? [then, otherwise] : [otherwise, then];
  removeIncoming(exit, test);
  makeJump(branch, target);
}

/** What phis outside take from blocks of the loop, before it is copied. */
function exitInputs(loop: Loop): { phi: IrInstruction; from: Block; value: Value }[] {
  const result: { phi: IrInstruction; from: Block; value: Value }[] = [];
  const seen = new Set<Block>();
  for (const block of loop.blocks) {
    for (const next of successors(block)) {
      if (loop.blocks.has(next) || seen.has(next)) continue;
      seen.add(next);
      for (const phi of phisOf(next)) {
        if (phi.operation.op !== "phi") continue;
        for (const [at, from] of phi.operation.incoming.entries()) {
          if (loop.blocks.has(from)) result.push({ phi, from, value: phi.operands[at] as Value });
        }
      }
    }
  }
  return result;
}

interface LoopEnd {
  readonly header: Block;
  readonly phis: readonly IrInstruction[];
  readonly carried: readonly Value[];
  readonly lastLatch: Block;
  readonly lastHeader: Block;
  readonly lastValues: ReadonlyMap<Value, Value>;
}

/** The last back edge: never taken, or to the first copy. */
function closeLoop(fn: IrFunction, plan: UnrollPlan, end: LoopEnd, made: Block[]): void {
  const { header, phis, carried, lastLatch, lastHeader, lastValues } = end;
  if (plan.isFull) {
    const never = createBlock(fn, undefined, true);
    never.instructions.push(createInstruction(fn, never, "void", { op: "unreachable" }, []));
    redirectSuccessor(lastLatch, lastHeader, never);
    made.push(never);
    return;
  }
  redirectSuccessor(lastLatch, lastHeader, header);
  for (const [at, phi] of phis.entries()) {
    if (phi.operation.op !== "phi") continue;
    const value = carried[at] as Value;
    phi.operation.incoming.push(lastLatch);
    phi.operands.push(lastValues.get(value) ?? value);
  }
  header.unroll = { kind: "disable" };
}
