/**
 * How low a counter gets that falls from a start that is not negative: what the tests on the way through
 * the loop leave. By induction: while the counter is not below the bound, a step does not wrap, and the
 * tests with which the loop goes on keep the next value from going below it.
 */
import type { DominatorTree } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { terminatorOf, type ValueType } from "../4-lower/ir-builder.ts";
import { type Fact, factOnEdge, type Range } from "./value-ranges.ts";
import { larger, smaller } from "./values.ts";

export interface Counter {
  readonly phi: IrInstruction;
  readonly next: Value;
  readonly latch: Block;
  /** Where it starts: within these bounds. */
  readonly first: Pick<Range, "smin" | "smax">;
  readonly by: bigint;
  /** The first number that the signed reading of its type does not have. */
  readonly half: bigint;
}

/** Tests that are looked at. */
const mostSteps = 16;

/** The smallest value that a counter with negative `by` has at the start of a round; undefined if it may wrap. */
export function fallingBound(
  counter: Counter,
  tree: DominatorTree,
  preds: ReadonlyMap<Block, readonly Block[]>,
): bigint | undefined {
  const { latch, phi, first, by, half } = counter;
  let best: bigint | undefined;
  let [from, at] = [latch, phi.block];
  for (let step = 0; step < mostSteps; step += 1) {
    const branch = terminatorOf(from);
    // The back edge itself is asked about; further up only an edge that is the only way says something.
    const isOnlyWay = step === 0 || preds.get(at)?.length === 1;
    const fact = isOnlyWay && branch ? factOnEdge(branch, at) : undefined;
    const left = fact && lowestNext(fact, counter);
    if (left !== undefined && (best === undefined || left > best)) best = left;
    const up = tree.parent.get(from);
    if (up === undefined || from === phi.block) break;
    [from, at] = [up, from];
  }
  if (best === undefined) return undefined;
  const lowest = smaller(first.smin, best);
  return lowest + by < -half ? undefined : lowest;
}

/** The smallest next value, if the fact holds and the counter was not below that or its start before. */
function lowestNext(fact: Fact, { phi, next, first, by, half }: Counter): bigint | undefined {
  if (fact.value !== phi && fact.value !== next) return undefined;
  const after = fact.value === phi ? by : 0n;
  const bits = bitWidth[phi.type as ValueType];
  const bound = BigInt.asIntN(bits, fact.bound);
  const isStrict = fact.holds === "sgt" || fact.holds === "ugt";
  switch (fact.holds) {
    case "sgt":
    case "sge":
      return bound + (isStrict ? 1n : 0n) + after;
    case "ugt":
    case "uge":
    case "ne": {
      // Read as numbers that are not negative: so must be all that the test sees, which are those from
      // the bound up, and what one step leads to from there.
      const least = bound + (isStrict || fact.holds === "ne" ? 1n : 0n);
      if (bound < 0n) return undefined;
      if (fact.holds === "ne" && (by !== -1n || first.smin < least + after)) return undefined;
      const lowest = smaller(first.smin, least + after);
      const seen = fact.value === phi ? lowest : lowest + by;
      return seen >= 0n ? least + after : undefined;
    }
    case "ult":
    case "ule":
      // Below a bound in the unsigned reading: not negative.
      return fact.bound < half && fact.bound > 0n ? larger(after, -half) : undefined;
    case "eq":
    case "slt":
    case "sle":
      return undefined;
  }
}
