/** The range of a number on one edge of the graph, or in a block: what the branches on the way there say about it. */
import { dominatorTree, findLoops, predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { signedValue, terminatorOf, type ValueType } from "../4-lower/ir-builder.ts";
import { counterRange } from "./counter-ranges.ts";
import { factOnEdge, fullRange, type Range, refine, scaled, shifted } from "./value-ranges.ts";
import { isOp } from "./values.ts";

export interface EdgeRanges {
  /** Of an integer that is there at the end of `pred`, on the way from there to `to`. */
  range(value: Value, pred: Block, to: Block): Range | undefined;
  /** Of an integer that is there in the block. */
  rangeIn(value: Value, block: Block): Range | undefined;
}

interface Place {
  readonly from: Block | undefined;
  readonly to: Block;
  /** Whether the edge between the two is the one that is asked about; otherwise it may be one of several. */
  readonly isEdge: boolean;
}

/** How many branches are asked, and how deep sums are taken apart. */
const mostSteps = 16;
const mostDepth = 4;
const scalable: ReadonlySet<string> = new Set(["add", "mul", "shl"]);

/** For the function's graph as it is now. */
export function edgeRangesOf(fn: IrFunction): EdgeRanges {
  const tree = dominatorTree(fn);
  const preds = predecessors(fn);
  const headers = new Map(findLoops(fn).map((loop) => [loop.header, loop]));
  const rangeAt = (value: Value, place: Place, depth = 0): Range | undefined => {
    if (value.type === "ptr" || value.type === "i1" || value.type === "void") return undefined;
    let result = basicRange(value, place, depth);
    let { from, to: at, isEdge } = place;
    for (let step = 0; from !== undefined && step < mostSteps; step += 1) {
      const branch = terminatorOf(from);
      // Further up only an edge that is the only way says something.
      const isOnlyWay = isEdge || preds.get(at)?.length === 1;
      const fact = isOnlyWay && branch ? factOnEdge(branch, at) : undefined;
      if (fact?.value === value) {
        result = refine(result, fact.holds, fact.bound, bitWidth[value.type as ValueType]);
      }
      if (value.kind === "instruction" && value.block === from) break;
      [from, at, isEdge] = [tree.parent.get(from), from, false];
    }
    return result;
  };
  const basicRange = (value: Value, place: Place, depth: number): Range => {
    const whole = fullRange(value);
    if (value.kind !== "instruction" || depth >= mostDepth) return whole;
    if (value.operation.op === "phi") {
      const startRange = (start: Value, entry: Block): Range | undefined =>
        rangeAt(start, { from: entry, to: value.block, isEdge: true }, depth + 1);
      const around = { tree, preds, startRange };
      return counterRange(value, headers.get(value.block), around) ?? whole;
    }
    const [inner, by] = value.operands;
    if (inner === undefined || inner.kind !== "instruction") return whole;
    if (isOp(value, "zext")) {
      const known = rangeAt(inner, place, depth + 1);
      return known ? { ...known, smin: known.min, smax: known.max } : whole;
    }
    if (value.operation.op !== "binary" || by?.kind !== "constant") return whole;
    const { binary } = value.operation;
    const known = scalable.has(binary) ? rangeAt(inner, place, depth + 1) : undefined;
    if (known === undefined) return whole;
    const made =
      binary === "add"
        ? shifted(known, signedValue(by), value)
        : scaled(known, binary, by.value, value);
    return made ?? whole;
  };
  return {
    range: (value, from, to) => rangeAt(value, { from, to, isEdge: true }),
    rangeIn: (value, to) => rangeAt(value, { from: tree.parent.get(to), to, isEdge: false }),
  };
}
