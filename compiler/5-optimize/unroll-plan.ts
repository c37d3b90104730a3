/**
 * Whether a loop is unrolled, and how often: what the user asks for, and otherwise what is small. Loops that
 * stay keep their form: index loops are what the verifier follows best.
 */
import type { DominatorTree, Loop } from "../4-lower/cfg.ts";
import { loopExits } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { phisOf, signedValue, successors } from "../4-lower/ir-builder.ts";
import type { OptimizationLevel } from "../options.ts";
import type { AliasAnalysis } from "./alias.ts";
import { isCounted } from "./clone-blocks.ts";
import { addressRoot } from "./context.ts";
import { memoryEffect } from "./effects.ts";
import { holdsConstants, staysArray } from "./kept-arrays.ts";
import type { PassContext } from "./pass.ts";
import { constantGlobal } from "./rules/memory.ts";
import { type TripCount, tripCount } from "./trip-count.ts";
import { byteSize, constantAddress, isOp, isPure, operand } from "./values.ts";

/**
 * Largest estimate, in instructions, of a loop that is unrolled without being asked for. Loops of several
 * ways out may be larger: the verifier follows each way in every round, and as it keeps states by the number
 * of jumps, it may keep none in which rounds meet; each copy has states of its own.
 */
const thresholds: Readonly<Record<OptimizationLevel, Threshold>> = {
  "0": { oneExit: 0, manyExits: 0, hot: 0, hotWays: 0 },
  s: { oneExit: 12, manyExits: 70, hot: 12, hotWays: 0 },
  "1": { oneExit: 30, manyExits: 90, hot: 30, hotWays: 0 },
  "2": { oneExit: 96, manyExits: 150, hot: 150, hotWays: 220 },
  "3": { oneExit: 150, manyExits: 250, hot: 200, hotWays: 250 },
};

interface Threshold {
  readonly oneExit: number;
  readonly manyExits: number;
  /** Of one way out, within another loop: here is where the time goes. */
  readonly hot: number;
  /** Of several ways out, within another loop and of few rounds: the processor learns each round's branches. */
  readonly hotWays: number;
}

/** What is left of that where functions are called, besides whose bodies the loop costs nothing. */
const callingShare = 2 / 3;
/**
 * The same where the counter ends the loop together with something else, which mostly ends it earlier; and where
 * anything is called besides.
 */
const sharedExit = 70;
const callingExit = 30;
/** The same of several ways out where helpers are called, beside which counting and jumping cost little. */
const callingWays = 100;
/** Rounds of a loop up to which what folds counts for nothing, and what a counter costs in each round. */
const mostFolded = 10;
const ofCounting = 3;
/** What `#pragma unroll` without a number may make of a loop, as in clang; other wishes have no limit. */
const largestEnabled = 16_384;
/** What a loop that folds away may be before it does. */
const largestFolded = 4096;
/** With arrays on the stack that become values. */
const arrayFactor = 3;

export interface UnrollPlan {
  /** Copies besides the loop itself. */
  readonly copies: number;
  /** The last copy's back edge is never taken. */
  readonly isFull: boolean;
  /** Of a loop with a counter: its test ends the loop in the copy of one round, and is not asked in the others. */
  readonly trips?: TripCount;
}

/** Where a loop is. */
export interface Surroundings {
  readonly fn: IrFunction;
  readonly tree: DominatorTree;
  readonly alias: AliasAnalysis;
}

/**
 * What is done with a loop of one latch; undefined where it stays.
 * @param isHot within another loop that will stay a loop
 */
export function planOf(
  loop: Loop,
  { fn, tree, alias }: Surroundings,
  context: PassContext,
  isHot: boolean,
): UnrollPlan | undefined {
  const { level } = context.options;
  const wish = loop.header.unroll ?? loop.latches[0]?.unroll;
  if (wish?.kind === "disable" || loop.latches.length !== 1) return undefined;
  if (wish?.kind === "count" && wish.count <= 1) return undefined;
  const trips = tripCount(loop, tree, context);
  if (trips === undefined) {
    return wish?.kind === "count" ? { copies: wish.count - 1, isFull: false } : undefined;
  }
  const full: UnrollPlan = { copies: trips.count, isFull: true };
  if (wish?.kind === "count" && wish.count < trips.count) {
    return { copies: wish.count - 1, isFull: false, trips };
  }
  if (wish !== undefined && wish.kind !== "enable") return full;
  const estimated = estimate(loop, { fn, alias, tree }, context);
  const { cost, saved, once, stores, filled, arrays } = estimated;
  if (wish !== undefined) return cost * trips.count <= largestEnabled ? full : undefined;
  // A test that gives the same in all rounds would be made in each copy; numbers alone gain little.
  const { hasFixedTests, hasPlaces } = estimated;
  const isDear = isHot && hasPlaces && !hasFixedTests && loopExits(loop).length === 1;
  const largest = thresholds[level].oneExit * arrayFactor;
  const hasArrays = arrays.some((each) => !staysArray(each, loop, largest, { fn, tree }, context));
  const limit = Math.max(
    limitOf(loop, trips, hasArrays, isDear, level),
    isHot && hasWays(loop, trips) ? thresholds[level].hotWays : 0,
  );
  if (cost === saved + stores && (stores === 0 || filled > 0)) {
    // Nothing is left but the stores of a fill, which merge.
    const isShort = cost * trips.count <= largestFolded && limit > 0;
    return isShort && (filled * trips.count) / 8 <= limit ? full : undefined;
  }
  // Of many rounds each is a copy, whatever folds in it: only the counting is saved for certain.
  const isLong = trips.count > mostFolded && !hasArrays && !(isDear && limit > thresholds.s.hot);
  const perRound = cost - once - (isLong ? Math.min(saved, ofCounting) : saved);
  const unrolled = perRound * trips.count + once;
  return unrolled <= Math.max(limit, cost) && limit > 0 ? full : undefined;
}

/** A few rounds, in each of which something else than the counter may end the loop, and no calls. */
function hasWays(loop: Loop, { count }: TripCount): boolean {
  if (count > mostFolded || loopExits(loop).length < 2) return false;
  return [...loop.blocks].every((block) => block.instructions.every((each) => !isOp(each, "call")));
}

function limitOf(
  loop: Loop,
  { exiting }: TripCount,
  hasArrays: boolean,
  isHot: boolean,
  level: OptimizationLevel,
): number {
  const calls = [...loop.blocks].flatMap((block) =>
    block.instructions.filter((each) => isOp(each, "call")),
  );
  const callsFunctions = calls.some(
    ({ operation }) => operation.op === "call" && operation.callee.kind !== "helper",
  );
  const share = callsFunctions ? callingShare : 1;
  const oneExit = thresholds[level].oneExit * share;
  const manyExits = thresholds[level].manyExits * share;
  const exits = loopExits(loop).length;
  if (exits > 1 && isPartOfTest(loop, exiting)) {
    return Math.min(manyExits, calls.length > 0 ? callingExit : sharedExit);
  }
  if (hasArrays) return oneExit * arrayFactor;
  if (exits === 1) return isHot ? thresholds[level].hot * share : oneExit;
  return calls.length > 0 ? Math.min(manyExits, callingWays) : manyExits;
}

/** `i < n && more`, either way round: the counter's test is half of one. */
function isPartOfTest(loop: Loop, exiting: Block): boolean {
  const exitOf = (block: Block): Block | undefined =>
    successors(block).find((next) => !loop.blocks.has(next));
  const isTest = (block: Block): boolean =>
    block.instructions.every((each) => isOp(each, "condbr") || isPure(each));
  const exit = exitOf(exiting);
  return [...loop.blocks].some((each) => {
    if (each === exiting || exitOf(each) !== exit) return false;
    const isFirst = successors(each).includes(exiting) && isTest(exiting);
    return isFirst || (successors(exiting).includes(each) && isTest(each));
  });
}

interface Estimate {
  /** Instructions of one iteration. */
  readonly cost: number;
  /** How many of them fold once the counter is a constant. */
  readonly saved: number;
  /** How many give the same in all iterations, so that the copies share them. */
  readonly once: number;
  readonly stores: number;
  /** Bytes that the only store sets to a constant, behind those of the iteration before; or 0. */
  readonly filled: number;
  /** Objects on the stack whose elements it takes by counters. */
  readonly arrays: readonly IrInstruction[];
  /** Accesses whose addresses become offsets. */
  readonly hasPlaces: boolean;
  /** Branches within the loop on what does not change in it. */
  readonly hasFixedTests: boolean;
}

function estimate(loop: Loop, around: Surroundings, context: PassContext): Estimate {
  const { tree, alias } = around;
  const invariant = invariantValues(loop, tree);
  const { folding, folds } = foldingValues(loop, around, context);
  const isFixed = (value: Value): boolean =>
    value.kind !== "instruction" || !loop.blocks.has(value.block) || invariant.has(value);
  let cost = 0;
  let saved = 0;
  let once = 0;
  let stores = 0;
  let filled = 0;
  const arrays = new Set<IrInstruction>();
  let hasPlaces = false;
  let hasFixedTests = false;
  for (const block of loop.blocks) {
    for (const each of block.instructions) {
      // A call wants each argument in its register.
      if (isCounted(each)) cost += isOp(each, "call") ? 1 + each.operands.length : 1;
      if (isOp(each, "store")) {
        stores += 1;
        filled = stores === 1 ? filledBytes(each, loop) : 0;
      }
      const [condition] = each.operands;
      if (isOp(each, "condbr") && condition !== undefined && isFixed(condition))
        hasFixedTests = true;
      if (folding.has(each) && !isOp(each, "phi")) saved += 1;
      else if (isOp(each, "condbr") && each.operands.every(folds)) saved += 1;
      else if (isOp(each, "ptradd")) {
        const [base, offset] = each.operands as [Value, Value];
        if (!folds(offset)) {
          if (invariant.has(each)) once += 1;
          continue;
        }
        // The address becomes the offset of the access.
        saved += 1;
        hasPlaces = true;
        const object = constantAddress(base).base;
        if (isOp(object, "alloca") && alias.escapeOf(object) === "none") arrays.add(object);
      } else if (invariant.has(each) && isCounted(each)) once += 1;
    }
  }
  return { cost, saved, once, stores, filled, arrays: [...arrays], hasPlaces, hasFixedTests };
}

/** Bytes of a constant that is stored at places one behind the other, from iteration to iteration. */
function filledBytes({ operation, operands }: IrInstruction, loop: Loop): number {
  const [value, pointer] = operands as [Value, Value];
  if (operation.op !== "store" || operation.volatile || value.kind !== "constant") return 0;
  const size = byteSize[value.type];
  return pointerStride(pointer, loop) === BigInt(size) ? size : 0;
}

/** The same of an address: a fixed one and an offset that moves, or one that moves itself. */
function pointerStride(pointer: Value, loop: Loop): bigint | undefined {
  if (isOp(pointer, "phi") && loop.header.instructions.includes(pointer)) {
    const { operation, operands } = pointer;
    const next = operands[operation.incoming.indexOf(loop.latches[0] as Block)];
    if (!isOp(next, "ptradd") || next.operands[0] !== pointer) return undefined;
    const step = operand(next, 1);
    return step.kind === "constant" ? signedValue(step) : undefined;
  }
  if (!isOp(pointer, "ptradd")) return undefined;
  const base = operand(pointer, 0);
  const isInside = base.kind === "instruction" && loop.blocks.has(base.block);
  return isInside ? undefined : strideOf(operand(pointer, 1), loop);
}

/** What each iteration adds to a value; undefined where that is not plain. */
function strideOf(value: Value, loop: Loop): bigint | undefined {
  if (value.kind !== "instruction") return undefined;
  const { operation } = value;
  const [a, b] = value.operands;
  if (a === undefined) return undefined;
  if (operation.op === "zext" || operation.op === "sext") return strideOf(a, loop);
  if (operation.op === "phi") {
    const next = value.operands[operation.incoming.indexOf(loop.latches[0] as Block)];
    if (!loop.header.instructions.includes(value) || !isOp(next, "binary")) return undefined;
    const [from, step] = next.operands;
    const isAdd = next.operation.op === "binary" && next.operation.binary === "add";
    return isAdd && from === value && step?.kind === "constant" ? signedValue(step) : undefined;
  }
  if (operation.op !== "binary" || b?.kind !== "constant") return undefined;
  const inner = strideOf(a, loop);
  if (inner === undefined) return undefined;
  if (operation.binary === "add") return inner;
  if (operation.binary === "shl") return b.value < 64n ? inner << b.value : undefined;
  return operation.binary === "mul" ? inner * signedValue(b) : undefined;
}

/** What is the same in each round: pure values of others from outside, and loads where nothing is written. */
function invariantValues(loop: Loop, tree: DominatorTree): Set<Value> {
  const blocks = tree.order.filter((block) => loop.blocks.has(block));
  const isReadOnly = blocks.every((block) =>
    block.instructions.every((each) => {
      const effect = memoryEffect(each);
      return effect.kind === "none" || (effect.kind === "load" && !effect.ordered);
    }),
  );
  const invariant = new Set<Value>();
  const isFixed = (value: Value): boolean =>
    value.kind !== "instruction" || !loop.blocks.has(value.block) || invariant.has(value);
  for (const block of blocks) {
    for (const each of block.instructions) {
      const isSame = isPure(each) || (isReadOnly && isOp(each, "load"));
      if (isSame && each.operands.every(isFixed)) invariant.add(each);
    }
  }
  return invariant;
}

interface Folding {
  readonly folding: ReadonlySet<Value>;
  readonly folds: (value: Value) => boolean;
}

/** What is a constant in each copy: counters, and what is computed from them and constants. */
function foldingValues(loop: Loop, around: Surroundings, context: PassContext): Folding {
  const latch = loop.latches[0] as Block;
  const blocks = around.tree.order.filter((block) => loop.blocks.has(block));
  const all = blocks.flatMap((block) => block.instructions);
  const loads = all.filter(({ operation }) => operation.op === "load" && !operation.volatile);
  const objects = new Set(loads.map((each) => addressRoot(operand(each, 0))));
  const tables = [...objects].filter(
    (each) => isOp(each, "alloca") && holdsConstants(each, loop, around),
  );
  const isConstant = (value: Value): boolean =>
    value.kind === "constant" ||
    (value.kind === "global" && constantGlobal(context, value.symbol) !== undefined) ||
    tables.includes(value);
  const readings = new Set(loads.filter((each) => isConstant(addressRoot(operand(each, 0)))));
  const pure = all.filter((each) => isPure(each) || readings.has(each));
  let counters = phisOf(loop.header).filter((phi) => phi.operands.some(isConstant));
  for (;;) {
    const folding = new Set<Value>(counters);
    const folds = (value: Value): boolean => isConstant(value) || folding.has(value);
    for (const each of pure) {
      // What CO-RE fills in is known to the loader only.
      if (each.operation.op !== "core" && each.operands.every(folds)) folding.add(each);
    }
    const kept = counters.filter(({ operation, operands }) => {
      const next = operation.op === "phi" ? operands[operation.incoming.indexOf(latch)] : undefined;
      return next !== undefined && folds(next);
    });
    if (kept.length === counters.length) return { folding, folds };
    counters = kept;
  }
}
