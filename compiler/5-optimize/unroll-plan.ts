/**
 * Whether a loop is unrolled, and how often: what the user asks for, and otherwise what is small. Loops that
 * stay keep their form: index loops are what the verifier follows best.
 */
import type { Loop } from "../4-lower/cfg.ts";
import { loopExits } from "../4-lower/cfg.ts";
import type { Block } from "../4-lower/ir.ts";
import { phisOf, successors } from "../4-lower/ir-builder.ts";
import type { OptimizationLevel } from "../options.ts";
import { staysArray } from "./kept-arrays.ts";
import type { PassContext } from "./pass.ts";
import { type TripCount, tripCount } from "./trip-count.ts";
import { estimate, type Surroundings } from "./unroll-estimate.ts";
import { isOp, isPure } from "./values.ts";

/**
 * Largest estimate, in instructions, of a loop that is unrolled without being asked for. Loops of several
 * ways out may be larger: the verifier follows each way in every round, and as it keeps states by the number
 * of jumps, it may keep none in which rounds meet; each copy has states of its own.
 */
const thresholds: Readonly<Record<OptimizationLevel, Threshold>> = {
  "0": { oneExit: 0, manyExits: 0, hot: 0, hotWays: 0, arms: 0 },
  s: { oneExit: 12, manyExits: 70, hot: 12, hotWays: 0, arms: 0 },
  "1": { oneExit: 30, manyExits: 90, hot: 30, hotWays: 0, arms: 0 },
  "2": { oneExit: 96, manyExits: 150, hot: 150, hotWays: 220, arms: 160 },
  "3": { oneExit: 150, manyExits: 250, hot: 200, hotWays: 250, arms: 250 },
};

interface Threshold {
  readonly oneExit: number;
  readonly manyExits: number;
  /** Of one way out, within another loop: here is where the time goes. */
  readonly hot: number;
  /** Of several ways out, within another loop and of few rounds: the processor learns each round's branches. */
  readonly hotWays: number;
  /** Of several ways out and several arms that rounds go on from: see hasArms. */
  readonly arms: number;
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
/** Arms and rounds from which on copies cost the verifier much less than a loop. */
const fewestArms = 5;
const fewestArmedRounds = 6;
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
  // What is large by itself would take more room than the arrays do.
  const hasArrays =
    cost - saved <= thresholds[level].oneExit &&
    arrays.some((each) => !staysArray(each, loop, largest, { fn, tree }, context));
  const limit = Math.max(
    limitOf(loop, trips, hasArrays, isDear, level),
    isHot && hasWays(loop, trips) ? thresholds[level].hotWays : 0,
    hasArms(loop, trips) ? thresholds[level].arms : 0,
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

/**
 * Rounds that go on from several arms, each with values of its own: the verifier keeps their states for all rounds in
 * one list, drops those that another round did not match, and then sees each way through all rounds by itself.
 */
function hasArms(loop: Loop, trips: TripCount): boolean {
  if (trips.count < fewestArmedRounds || !hasWays(loop, trips)) return false;
  return [...loop.blocks].some((block) => {
    if (block === loop.header) return false;
    const carried = phisOf(block);
    return carried.length >= 2 && (carried[0]?.operands.length ?? 0) >= fewestArms;
  });
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
