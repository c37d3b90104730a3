/** The range of a loop's counter, from its start, its step and the test that ends the loop. */
import type { DominatorTree, Loop } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { phisOf, signedValue, terminatorOf, type ValueType } from "../4-lower/ir-builder.ts";
import { type Counter, fallingBound } from "./falling-counters.ts";
import { type Fact, factOnEdge, type Range } from "./value-ranges.ts";
import { isBinary, larger, operand } from "./values.ts";

/** What is known around a loop. */
export interface AroundLoop {
  readonly tree: DominatorTree;
  readonly preds: ReadonlyMap<Block, readonly Block[]>;
  /** Of the value with which a counter starts, where the loop is entered. */
  startRange(start: Value, entry: Block): Range | undefined;
}

/**
 * A counter: it starts at a constant, or somewhere in a range that is not negative; a constant step is
 * added each time, and the loop goes on only on this side of a bound. Then it lies between, and never wraps.
 */
export function counterRange(
  phi: IrInstruction,
  loop: Loop | undefined,
  around: AroundLoop,
): Range | undefined {
  const counter = loop && counterOf(phi, around);
  if (loop === undefined || counter === undefined) return undefined;
  const { first, by, half } = counter;
  // What the start alone bounds the verifier knows only where it follows the loop.
  if ((by < 0n || first.smin !== first.smax) && !isFollowed(loop)) return undefined;
  if (by < 0n) return fallingRange(counter, around);
  // Where the header lets no other value in, it does not wrap wherever it starts.
  const within = upperBoundOf(phi, by, loop);
  if (within !== undefined && within < half && first.smax >= within)
    return { min: first.smin, max: first.smax, smin: first.smin, smax: first.smax };
  const last = larger(lastOf(counter, loop) ?? lastBySiblings(counter, loop, around), first.smax);
  if (last + by >= half) return undefined;
  return { min: first.smin, max: last, smin: first.smin, smax: last };
}

/** The parts of a phi that has one start and to which a constant is added. */
export interface CounterParts {
  readonly start: Value;
  readonly entry: Block;
  readonly next: IrInstruction;
  readonly latch: Block;
  readonly by: bigint;
}

export function counterParts(phi: Value): CounterParts | undefined {
  if (phi.kind !== "instruction" || phi.operation.op !== "phi" || phi.operands.length !== 2)
    return undefined;
  if (phi.type === "i1" || phi.type === "void" || phi.type === "ptr") return undefined;
  for (const at of [0, 1]) {
    const [next, start] = [phi.operands[at], phi.operands[1 - at]];
    const [latch, entry] = [phi.operation.incoming[at], phi.operation.incoming[1 - at]];
    if (start === undefined || latch === undefined || entry === undefined) return undefined;
    if (!isBinary(next, "add") || operand(next, 0) !== phi) continue;
    const step = operand(next, 1);
    if (step.kind === "constant" && step.value !== 0n)
      return { start, entry, next, latch, by: signedValue(step) };
  }
  return undefined;
}

function counterOf(phi: IrInstruction, around: AroundLoop): Counter | undefined {
  const parts = counterParts(phi);
  if (parts === undefined || phi.type === "void") return undefined;
  const { start, entry, next, latch, by } = parts;
  const first =
    start.kind === "constant"
      ? { smin: signedValue(start), smax: signedValue(start) }
      : around.startRange(start, entry);
  if (first === undefined || first.smin < 0n || first.smin > first.smax) return undefined;
  return { phi, next, latch, first, by, half: 1n << BigInt(bitWidth[phi.type] - 1) };
}

function fallingRange(counter: Counter, { tree, preds }: AroundLoop): Range | undefined {
  const lowest = fallingBound(counter, tree, preds);
  if (lowest === undefined) return undefined;
  const { first, half } = counter;
  const [smin, smax] = [lowest, first.smax];
  return smin < 0n
    ? { min: 0n, max: 2n * half - 1n, smin, smax }
    : { min: smin, max: smax, smin, smax };
}

/** The largest value that its own test lets it have. */
function lastOf({ phi, next, latch, by }: Counter, loop: Loop): bigint | undefined {
  return upperBound(latch, phi.block, next) ?? upperBoundOf(phi, by, loop);
}

/** The largest value that it reaches in as many rounds as another counter of the loop allows. */
function lastBySiblings(counter: Counter, loop: Loop, around: AroundLoop): bigint {
  const { first, half } = counter;
  if (first.smin !== first.smax) return half;
  const fewest = mostRounds(loop, around, counter.phi);
  return fewest === undefined ? half : first.smax + counter.by * fewest;
}

/** How often the loop goes round at most, by its counters that rise from a constant; `except` one of them. */
export function mostRounds(
  loop: Loop,
  around: AroundLoop,
  except?: IrInstruction,
): bigint | undefined {
  if (!isFollowed(loop)) return undefined;
  let fewest: bigint | undefined;
  for (const phi of phisOf(loop.header)) {
    const sibling = phi === except ? undefined : counterOf(phi, around);
    if (sibling === undefined || sibling.by < 0n) continue;
    const start = sibling.first.smin;
    const last = lastOf(sibling, loop);
    if (last === undefined || start !== sibling.first.smax) continue;
    if (last + sibling.by >= sibling.half) continue;
    const rounds = last < start ? 0n : (last - start) / sibling.by;
    if (fewest === undefined || rounds < fewest) fewest = rounds;
  }
  return fewest;
}

/**
 * Whether the verifier goes through the loop round by round, and so knows how its counters belong
 * together. Loops of iterators and of may_goto, which is inline assembly, it closes earlier: there each
 * counter needs its own test.
 */
export function isFollowed(loop: Loop): boolean {
  for (const block of loop.blocks) {
    for (const { operation } of block.instructions) {
      if (operation.op === "asm" || operation.op === "asm_goto") return false;
      if (operation.op !== "call" || operation.callee.kind !== "function") continue;
      if (operation.callee.symbol.startsWith("bpf_iter_")) return false;
    }
  }
  return true;
}

/** Largest value with which the back edge is taken, where it tests the next value. */
function upperBound(latch: Block, header: Block, next: Value): bigint | undefined {
  const last = terminatorOf(latch);
  const fact = last && factOnEdge(last, header);
  return fact?.value === next ? largestBelow(fact) : undefined;
}

/** The same where the header tests the counter itself: one step above the bound it leaves. */
function upperBoundOf(phi: IrInstruction, by: bigint, loop: Loop): bigint | undefined {
  const last = terminatorOf(phi.block);
  if (last?.operation.op !== "condbr") return undefined;
  const { then, otherwise } = last.operation;
  const [stays, leaves] = loop.blocks.has(then) ? [then, otherwise] : [otherwise, then];
  if (!loop.blocks.has(stays) || loop.blocks.has(leaves)) return undefined;
  const fact = factOnEdge(last, stays);
  const bound = fact?.value === phi ? largestBelow(fact) : undefined;
  return bound === undefined ? undefined : bound + by;
}

function largestBelow({ holds, bound, value }: Fact): bigint | undefined {
  const signed = BigInt.asIntN(bitWidth[value.type as ValueType], bound);
  if (signed < 0n) return undefined;
  if (holds === "slt" || holds === "ult") return signed - 1n;
  return holds === "sle" || holds === "ule" ? signed : undefined;
}
