/** The range of a number on one edge of the graph: what the branches on the way there say about it. */
import type { DominatorTree, Loop } from "../4-lower/cfg.ts";
import type { Block, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { signedValue, terminatorOf, type ValueType } from "../4-lower/ir-builder.ts";
import { counterRange } from "./counter-ranges.ts";
import { factOnEdge, fullRange, type Range, refine, shifted } from "./value-ranges.ts";
import { isBinary, isOp, operand } from "./values.ts";

export interface EdgeRanges {
  /** Of an integer that is there at the end of `pred`, on the way from there to `to`. */
  range(value: Value, pred: Block, to: Block): Range | undefined;
}

/** How many branches are asked, and how deep sums are taken apart. */
const mostSteps = 16;
const mostDepth = 3;

/** @param headers loops by their header */
export function edgeRanges(
  tree: DominatorTree,
  preds: ReadonlyMap<Block, readonly Block[]>,
  headers: ReadonlyMap<Block, Loop>,
): EdgeRanges {
  const range = (value: Value, pred: Block, to: Block, depth = 0): Range | undefined => {
    if (value.type === "ptr" || value.type === "i1" || value.type === "void") return undefined;
    let result = basicRange(value, pred, to, depth);
    let [from, at] = [pred, to];
    for (let step = 0; step < mostSteps; step += 1) {
      const branch = terminatorOf(from);
      // The first edge is asked about; further up only an edge that is the only way says something.
      const isOnlyWay = step === 0 || preds.get(at)?.length === 1;
      const fact = isOnlyWay && branch ? factOnEdge(branch, at) : undefined;
      if (fact?.value === value) {
        result = refine(result, fact.holds, fact.bound, bitWidth[value.type as ValueType]);
      }
      const up = tree.parent.get(from);
      if (up === undefined || (value.kind === "instruction" && value.block === from)) break;
      [from, at] = [up, from];
    }
    return result;
  };
  const basicRange = (value: Value, pred: Block, to: Block, depth: number): Range => {
    const whole = fullRange(value);
    if (value.kind !== "instruction" || depth >= mostDepth) return whole;
    if (value.operation.op === "phi") {
      const startRange = (start: Value, entry: Block): Range | undefined =>
        range(start, entry, value.block, depth + 1);
      const around = { tree, preds, startRange };
      return counterRange(value, headers.get(value.block), around) ?? whole;
    }
    const inner = value.operands[0];
    if (inner === undefined || inner.kind !== "instruction") return whole;
    if (isOp(value, "zext")) {
      const known = range(inner, pred, to, depth + 1);
      return known ? { ...known, smin: known.min, smax: known.max } : whole;
    }
    const by = isBinary(value, "add") ? operand(value, 1) : undefined;
    if (by?.kind !== "constant") return whole;
    const known = range(inner, pred, to, depth + 1);
    return (known && shifted(known, signedValue(by), value)) ?? whole;
  };
  return { range };
}
