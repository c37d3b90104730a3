/**
 * Loop unrolling. Loops of constant trip count become straight code where the user asks for it
 * (#pragma unroll), or where that is small: what depends on the counter alone folds away, and arrays
 * on the stack become values. Others are copied `count` times if asked for, tests included. Loops that
 * stay keep their form: index loops are what the verifier follows best.
 * Needs: split-aggregates before. Leaves unfolded constants and single-input phis behind.
 */
import { appendAll } from "../../common/append.ts";
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  loopExits,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  computeUses,
  createBlock,
  createInstruction,
  phisOf,
  redirectSuccessor,
  removeIncoming,
  successors,
  type Use,
} from "../4-lower/ir-builder.ts";
import type { OptimizationLevel } from "../options.ts";
import { AliasAnalysis } from "./alias.ts";
import { cloneBlocks, isCounted, sizeOf } from "./clone-blocks.ts";
import { Demotion, usesOutside } from "./demote-values.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { promoteAllocas } from "./promote-memory.ts";
import { tripCount } from "./trip-count.ts";
import { constantAddress, countInstructions, isOp, isPure } from "./values.ts";

/** Largest estimate, in instructions, of a loop that is unrolled without being asked for. */
const thresholds: Readonly<Record<OptimizationLevel, number>> = {
  "0": 0,
  s: 12,
  "1": 30,
  "2": 90,
  "3": 150,
};
/** Rounds of a loop up to which what folds counts for nothing, and what a counter costs in each round. */
const mostFolded = 16;
const ofCounting = 3;
/** With arrays on the stack that become values. */
const arrayFactor = 3;
/** With several exits. */
const exitDivisor = 3;
/** A function does not grow beyond this, whatever the pragma says. */
const largestFunction = 60_000;

export const unrollLoops: FunctionPass = {
  kind: "function",
  name: "unroll-loops",
  run: unrollInnermost,
};

/** Unrolls what it can of the loops that hold no other loop. */
function unrollInnermost(fn: IrFunction, context: PassContext): boolean {
  const first = dominatorTree(fn);
  const loops = findLoops(fn, first);
  if (loops.length === 0) return false;
  const outer = new Set(loops.map((loop) => loop.parent));
  const merged = loops.filter((loop) => !outer.has(loop) && joinLatches(fn, loop));
  const tree = merged.length > 0 ? dominatorTree(fn) : first;
  const all = merged.length > 0 ? findLoops(fn, tree) : loops;
  const around = new Set(all.map((loop) => loop.parent));
  const alias = new AliasAnalysis(fn);
  const chosen: { loop: Loop; plan: Plan }[] = [];
  let size = countInstructions(fn);
  for (const loop of all) {
    if (around.has(loop)) continue;
    const plan = planOf(loop, tree, alias, context);
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

interface Plan {
  /** Copies besides the loop itself. */
  readonly copies: number;
  /** The last copy's back edge is never taken. */
  readonly isFull: boolean;
}

function planOf(
  loop: Loop,
  tree: DominatorTree,
  alias: AliasAnalysis,
  context: PassContext,
): Plan | undefined {
  const wish = loop.header.unroll ?? loop.latches[0]?.unroll;
  if (wish?.kind === "disable" || loop.latches.length !== 1) return undefined;
  if (wish?.kind === "count" && wish.count <= 1) return undefined;
  const trips = tripCount(loop, tree);
  if (trips === undefined) {
    return wish?.kind === "count" ? { copies: wish.count - 1, isFull: false } : undefined;
  }
  const full: Plan = { copies: trips.count, isFull: true };
  if (wish?.kind === "count" && wish.count < trips.count) {
    return { copies: wish.count - 1, isFull: false };
  }
  if (wish !== undefined) return full;
  const { cost, saved, hasArrays } = estimate(loop, alias);
  // Of many rounds each is a copy, whatever folds in it: only the counting is saved for certain.
  const isLong = trips.count > mostFolded && !hasArrays;
  const unrolled = (cost - (isLong ? Math.min(saved, ofCounting) : saved)) * trips.count;
  // Each further way out is a branch per copy, and what is behind it may run seldom.
  const exits = loopExits(loop).length;
  const factor = hasArrays ? arrayFactor : exits > 1 ? 1 / exitDivisor : 1;
  const limit = thresholds[context.options.level] * factor;
  return unrolled <= Math.max(limit, cost) && limit > 0 ? full : undefined;
}

/** Instructions of one iteration, and how many of them fold once the counter is a constant. */
function estimate(
  loop: Loop,
  alias: AliasAnalysis,
): { cost: number; saved: number; hasArrays: boolean } {
  const folding = new Set<Value>();
  let cost = 0;
  let saved = 0;
  let hasArrays = false;
  for (const phi of phisOf(loop.header)) {
    if (phi.operands.some((each) => each.kind === "constant")) folding.add(phi);
  }
  const folds = (value: Value): boolean => value.kind === "constant" || folding.has(value);
  for (const block of loop.blocks) {
    for (const each of block.instructions) {
      // A call wants each argument in its register.
      if (isCounted(each)) cost += isOp(each, "call") ? 1 + each.operands.length : 1;
      if (isPure(each) && each.operands.every(folds)) {
        folding.add(each);
        saved += 1;
      } else if (isOp(each, "condbr") && each.operands.every(folds)) saved += 1;
      else if (isOp(each, "ptradd")) {
        const [base, offset] = each.operands as [Value, Value];
        if (!folds(offset)) continue;
        // The address becomes the offset of the access.
        saved += 1;
        const object = constantAddress(base).base;
        if (isOp(object, "alloca") && alias.escapeOf(object) === "none") hasArrays = true;
      }
    }
  }
  return { cost, saved, hasArrays };
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
    const operation = { op: "phi", incoming: from } as const;
    const merged = createInstruction(fn, joined, phi.type, { ...operation }, values, phi.location);
    joined.instructions.push(merged);
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

function unroll(fn: IrFunction, loop: Loop, plan: Plan): void {
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
    lastLatch = map.get(latch) as Block;
    lastHeader = head;
    lastValues = values;
  }
  if (firstCopy !== undefined) redirectSuccessor(latch, header, firstCopy);
  closeLoop(fn, plan, { header, phis, carried, lastLatch, lastHeader, lastValues }, made);
  const at = fn.blocks.indexOf(blocks.at(-1) as Block);
  fn.blocks.splice(at + 1, 0, ...made);
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
function closeLoop(fn: IrFunction, plan: Plan, end: LoopEnd, made: Block[]): void {
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
