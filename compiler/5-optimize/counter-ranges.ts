/** The range of a loop's counter, from its start, its step and the test that ends the loop. */
import type { Loop } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { phisOf, signedValue, terminatorOf, type ValueType } from "../4-lower/ir-builder.ts";
import { type Fact, factOnEdge, larger, type Range } from "./value-ranges.ts";
import { isBinary, operand } from "./values.ts";

/**
 * A counter: it starts at a constant, a positive step is added each time, and the loop goes on only below
 * a bound. Then it lies between, and never wraps.
 */
export function counterRange(phi: IrInstruction, loop: Loop | undefined): Range | undefined {
  const counter = loop && counterOf(phi);
  if (loop === undefined || counter === undefined) return undefined;
  const { first, by, half } = counter;
  const last = larger(lastOf(counter, loop) ?? lastBySiblings(counter, loop) ?? half, first);
  if (last + by >= half) return undefined;
  return { min: first, max: last, smin: first, smax: last };
}

interface Counter {
  readonly phi: IrInstruction;
  readonly next: Value;
  readonly latch: Block;
  readonly first: bigint;
  readonly by: bigint;
  /** The first number that the signed reading of its type does not have. */
  readonly half: bigint;
}

function counterOf(phi: IrInstruction): Counter | undefined {
  if (phi.operation.op !== "phi" || phi.operands.length !== 2 || phi.type === "ptr")
    return undefined;
  if (phi.type === "i1" || phi.type === "void") return undefined;
  const at = phi.operands.findIndex((each) => each.kind === "constant");
  const [initial, next] = [phi.operands[at], phi.operands[1 - at]];
  const latch = phi.operation.incoming[1 - at];
  if (initial?.kind !== "constant" || latch === undefined || !isBinary(next, "add"))
    return undefined;
  const step = operand(next, 1);
  if (operand(next, 0) !== phi || step.kind !== "constant") return undefined;
  const [first, by] = [signedValue(initial), signedValue(step)];
  if (first < 0n || by <= 0n) return undefined;
  return { phi, next, latch, first, by, half: 1n << BigInt(bitWidth[phi.type] - 1) };
}

/** The largest value that its own test lets it have. */
function lastOf({ phi, next, latch, by }: Counter, loop: Loop): bigint | undefined {
  return upperBound(latch, phi.block, next) ?? upperBoundOf(phi, by, loop);
}

/** The largest value that it reaches in as many rounds as another counter of the loop allows. */
function lastBySiblings(counter: Counter, loop: Loop): bigint | undefined {
  if (!isFollowed(loop)) return undefined;
  let fewest: bigint | undefined;
  for (const phi of phisOf(loop.header)) {
    const sibling = phi === counter.phi ? undefined : counterOf(phi);
    const last = sibling && lastOf(sibling, loop);
    if (sibling === undefined || last === undefined || last + sibling.by >= sibling.half) continue;
    const rounds = last < sibling.first ? 0n : (last - sibling.first) / sibling.by;
    if (fewest === undefined || rounds < fewest) fewest = rounds;
  }
  return fewest === undefined ? undefined : counter.first + counter.by * fewest;
}

/**
 * Whether the verifier goes through the loop round by round, and so knows how its counters belong
 * together. Loops of iterators and of may_goto, which is inline assembly, it closes earlier: there each
 * counter needs its own test.
 */
function isFollowed(loop: Loop): boolean {
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
