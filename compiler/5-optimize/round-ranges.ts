/**
 * Ranges of what a loop of few rounds carries from one to the next: what it starts with, taken through the
 * loop's arithmetic as often as a counter lets it go round. The bounds of a search by halves, of which each
 * round sets one to the middle, so stay where they started but for a few. Tests within the loop say nothing here.
 */
import type { Loop } from "../4-lower/cfg.ts";
import type { BinaryOp, Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { phisOf, type ValueType } from "../4-lower/ir-builder.ts";
import { type AroundLoop, mostRounds } from "./counter-ranges.ts";
import { fullRange, type Range } from "./value-ranges.ts";
import { isOp, larger, operand, smaller } from "./values.ts";

/** Rounds that are followed. */
const longest = 64n;
/** Phis of a header that are followed together, and values that one of them is computed from. */
const widest = 8;
const mostValues = 32;

/** In the signed reading. */
interface Interval {
  readonly low: bigint;
  readonly high: bigint;
}

type Intervals = ReadonlyMap<Value, Interval>;

/** What is known of the integers that a header's phis carry; nothing where no counter ends the loop soon. */
export function roundRanges(loop: Loop, around: AroundLoop): ReadonlyMap<IrInstruction, Range> {
  const none: ReadonlyMap<IrInstruction, Range> = new Map();
  const phis = phisOf(loop.header).filter(({ type }) => type !== "ptr" && type !== "i1");
  if (phis.length < 2 || phis.length > widest) return none;
  const rounds = mostRounds(loop, around);
  if (rounds === undefined || rounds > longest) return none;
  const isBack = (from: Block): boolean => loop.blocks.has(from);
  let all = joined(
    phis,
    (from) => !isBack(from),
    (value) => startOf(value, loop, around),
  );
  for (let round = 0n; round < rounds; round += 1n) {
    const carried = new Carried(loop, around, all);
    const next = joined(phis, isBack, (value) => carried.of(value));
    const grown = new Map(phis.map((phi) => [phi, union(all.get(phi), next.get(phi))]));
    const isSame = phis.every((phi) => isEqual(all.get(phi), grown.get(phi)));
    all = grown;
    if (isSame) break;
  }
  return new Map(phis.map((phi) => [phi, rangeOf(all.get(phi), phi)]));
}

/** What the phis take from the blocks that are asked for. */
function joined(
  phis: readonly IrInstruction[],
  isAsked: (from: Block) => boolean,
  of: (value: Value) => Interval,
): Map<IrInstruction, Interval> {
  const result = new Map<IrInstruction, Interval>();
  for (const phi of phis) {
    const { operation, operands } = phi;
    if (operation.op !== "phi") continue;
    for (const [at, value] of operands.entries()) {
      if (isAsked(operation.incoming[at] as Block))
        result.set(phi, union(result.get(phi), of(value)));
    }
  }
  return result;
}

/** Of a value from in front of the loop. */
function startOf(value: Value, loop: Loop, around: AroundLoop): Interval {
  const range = around.startRange(value, loop.header) ?? fullRange(value);
  // Contradictory facts: the code is never reached.
  return range.smin > range.smax ? anyOf(value) : { low: range.smin, high: range.smax };
}

/** What is computed in a round from what the round begins with. */
class Carried {
  readonly #loop: Loop;
  readonly #around: AroundLoop;
  readonly #known: Map<Value, Interval>;
  #left = mostValues;

  constructor(loop: Loop, around: AroundLoop, carried: Intervals) {
    this.#loop = loop;
    this.#around = around;
    this.#known = new Map(carried);
  }

  of(value: Value): Interval {
    if (value.kind !== "instruction" || !this.#loop.blocks.has(value.block))
      return startOf(value, this.#loop, this.#around);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    // What comes back to itself within the round belongs to an inner loop.
    this.#known.set(value, anyOf(value));
    this.#left -= 1;
    const result = this.#left < 0 ? anyOf(value) : this.#compute(value);
    this.#known.set(value, result);
    return result;
  }

  #compute(value: IrInstruction): Interval {
    const { operation, operands } = value;
    if (operation.op === "phi" || operation.op === "select") {
      const inputs = operation.op === "phi" ? operands : operands.slice(1);
      return inputs.map((each) => this.of(each)).reduce(union);
    }
    if (isOp(value, "zext") || isOp(value, "sext") || isOp(value, "trunc")) {
      const from = operand(value, 0);
      if (from.type === "i1") return anyOf(value);
      const inner = this.of(from);
      return isOp(value, "zext") && inner.low < 0n ? anyOf(value) : within(inner, value);
    }
    if (operation.op !== "binary") return anyOf(value);
    const [left, right] = [operand(value, 0), operand(value, 1)];
    const rule = rules[operation.binary];
    const result = rule?.(this.of(left), this.of(right), BigInt(bitWidth[value.type as ValueType]));
    return result === undefined ? anyOf(value) : within(result, value);
  }
}

type Rule = (a: Interval, b: Interval, bits: bigint) => Interval | undefined;

/** By a fixed number of bits. */
const shifting =
  (isSigned: boolean): Rule =>
  (a, b, bits) => {
    if (b.low !== b.high || b.low < 0n || b.low >= bits || (!isSigned && a.low < 0n))
      return undefined;
    return { low: a.low >> b.low, high: a.high >> b.low };
  };

/** What arithmetic makes of intervals, before it wraps. */
const rules: Readonly<Partial<Record<BinaryOp, Rule>>> = {
  add: (a, b) => ({ low: a.low + b.low, high: a.high + b.high }),
  sub: (a, b) => ({ low: a.low - b.high, high: a.high - b.low }),
  ashr: shifting(true),
  lshr: shifting(false),
  shl: (a, b, bits) =>
    b.low === b.high && b.low >= 0n && b.low < bits
      ? { low: a.low << b.low, high: a.high << b.low }
      : undefined,
  and: (a, b) => {
    if (a.low < 0n && b.low < 0n) return undefined;
    const least = a.low < 0n ? b.high : b.low < 0n ? a.high : smaller(a.high, b.high);
    return { low: 0n, high: least };
  },
  udiv: (a, b) =>
    a.low >= 0n && b.low > 0n ? { low: a.low / b.high, high: a.high / b.low } : undefined,
};

function anyOf(value: Value): Interval {
  const { smin, smax } = fullRange(value);
  return { low: smin, high: smax };
}

/** The interval, unless it leaves the type: then the result may have wrapped to anything. */
function within(interval: Interval, value: IrInstruction): Interval {
  const half = 1n << BigInt(bitWidth[value.type as ValueType] - 1);
  return interval.low >= -half && interval.high < half ? interval : anyOf(value);
}

function union(a: Interval | undefined, b: Interval | undefined): Interval {
  if (a === undefined || b === undefined) return (a ?? b) as Interval;
  return { low: smaller(a.low, b.low), high: larger(a.high, b.high) };
}

function isEqual(a: Interval | undefined, b: Interval | undefined): boolean {
  return a?.low === b?.low && a?.high === b?.high;
}

function rangeOf(interval: Interval | undefined, phi: IrInstruction): Range {
  const full = fullRange(phi);
  if (interval === undefined) return full;
  const { low: smin, high: smax } = interval;
  return smin < 0n ? { ...full, smin, smax } : { min: smin, max: smax, smin, smax };
}
