/**
 * What dominating branches say about values: after `i < 0` failed, i is not negative, so that its sign
 * extension is a zero extension, its signed tests are unsigned ones, and tests that are decided go.
 * Facts are taken from comparisons of a value with a constant only, on that very value: what the
 * verifier learns from the same branch. Also joins `x < 0 || x > c` into one unsigned test.
 */
import { pushTo } from "../../common/append.ts";
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import {
  computeUses,
  constant,
  phisOf,
  signedValue,
  successors,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { decideByConstants } from "./constant-sets.ts";
import { type AroundLoop, counterParts, counterRange } from "./counter-ranges.ts";
import { joinRangeTests } from "./join-range-tests.ts";
import { knownOf, onesOf } from "./known-bits.ts";
import type { FunctionPass } from "./pass.ts";
import { PhiInputs } from "./phi-inputs.ts";
import { Rewriter } from "./rewriter.ts";
import { roundRanges } from "./round-ranges.ts";
import { foldBranches } from "./simplify-cfg.ts";
import {
  combined,
  decide,
  decideBetween,
  extended,
  type Fact,
  factOnEdge,
  fullRange,
  isBitwise,
  type Range,
  refine,
  scaled,
  shifted,
  shortened,
  sumOf,
} from "./value-ranges.ts";
import { isBinary, isOp, larger, operand, smaller } from "./values.ts";
import { indexUses, isWidenable } from "./widen-sums.ts";

export const propagateRanges: FunctionPass = {
  kind: "function",
  name: "propagate-ranges",
  ignoresRemovals: true,
  run(fn) {
    const joined = joinRangeTests(fn);
    // Edges go: what blocks cannot be reached must be gone before the graph is looked at.
    const decided = decideByConstants(fn);
    if (decided) foldBranches(fn);
    return new Propagation(fn).run() || joined || decided;
  },
};

class Propagation {
  readonly #fn: IrFunction;
  readonly #tree: DominatorTree;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #loops: ReadonlyMap<Block, Loop>;
  readonly #rewriter: Rewriter;
  #uses: ReturnType<typeof computeUses> | undefined;
  readonly #facts = new Map<Value, Range>();
  /** What comes into each phi, per edge that was visited. */
  readonly #inputs = new Map<IrInstruction, Range[]>();
  readonly #places = new PhiInputs();
  /** Of sums whose extensions were split: see #sumOf. */
  readonly #sums = new Map<IrInstruction, { readonly base: Value; readonly by: bigint }>();
  readonly #carried = new Map<Loop, ReadonlyMap<IrInstruction, Range>>();

  constructor(fn: IrFunction) {
    this.#fn = fn;
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    this.#loops = new Map(findLoops(fn).map((loop) => [loop.header, loop]));
    this.#rewriter = new Rewriter(fn);
  }

  run(): boolean {
    const root = this.#fn.blocks[0];
    if (root === undefined) return false;
    type Frame = { block: Block; undo: (() => void)[] | undefined };
    const stack: Frame[] = [{ block: root, undo: undefined }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      if (frame.undo !== undefined) {
        for (const undo of frame.undo.reverse()) undo();
        stack.pop();
        continue;
      }
      frame.undo = [];
      this.#learn(frame.block, frame.undo);
      for (const each of frame.block.instructions) {
        if (each.operation.op === "phi") this.#visitPhi(each, frame.undo);
        else this.#visit(each);
      }
      this.#leave(frame.block);
      // Popped from the end: the arms of a branch come before the block where they join.
      for (const child of [...(this.#tree.children.get(frame.block) ?? [])].reverse()) {
        stack.push({ block: child, undo: undefined });
      }
    }
    return this.#rewriter.apply();
  }

  #learn(block: Block, undo: (() => void)[]): void {
    const [pred, ...others] = this.#preds.get(block) ?? [];
    const branch = pred && terminatorOf(pred);
    if (branch?.operation.op !== "condbr" || others.length > 0) return;
    const fact = factOnEdge(branch, block);
    if (fact === undefined) return;
    const { value, bound, holds } = fact;
    for (const [target, type] of viewsOf(value)) {
      // A narrower view sees the same number only where the comparison is unsigned.
      if (target !== value && holds.startsWith("s")) continue;
      if (bound > onesOf(bitWidth[type])) continue;
      const before = this.#rangeOf(target) ?? fullRange(target);
      this.#set(target, aligned(refine(before, holds, bound, bitWidth[type]), target), undo);
    }
    this.#learnMasked(fact, undo);
  }

  /** Of what was masked, where a bit of it is set: that it is no smaller. */
  #learnMasked({ value, holds, bound }: Fact, undo: (() => void)[]): void {
    if (!isBinary(value, "and")) return;
    const [source, mask] = [operand(value, 0), operand(value, 1)];
    if (mask.kind !== "constant" || source.kind === "constant") return;
    const isSet = holds === "ne" ? bound === 0n : holds === "eq" && bound !== 0n;
    if (!isSet) return;
    const least = holds === "ne" ? mask.value & -mask.value : bound;
    const known = this.#rangeOf(source) ?? fullRange(source);
    this.#set(source, refine(known, "uge", least, bitWidth[source.type as ValueType]), undo);
  }

  #set(value: Value, range: Range, undo: (() => void)[]): void {
    const before = this.#facts.get(value);
    this.#facts.set(value, range);
    undo.push(() => {
      if (before === undefined) this.#facts.delete(value);
      else this.#facts.set(value, before);
    });
  }

  /** Notes for the phis of the successors what is known of their inputs on the way there. */
  #leave(block: Block): void {
    const last = terminatorOf(block);
    for (const next of new Set(successors(block))) {
      for (const phi of phisOf(next)) {
        if (phi.operation.op !== "phi" || phi.type === "ptr" || phi.type === "i1") continue;
        const value = operand(phi, this.#places.placeOf(phi, block));
        let range = this.#rangeOf(value) ?? fullRange(value);
        const fact = last?.operation.op === "condbr" ? factOnEdge(last, next) : undefined;
        if (fact?.value === value) {
          range = refine(range, fact.holds, fact.bound, bitWidth[value.type as ValueType]);
        }
        pushTo(this.#inputs, phi, range);
      }
    }
  }

  /** Once all edges are known, loops aside, so is the phi. */
  #visitPhi(phi: IrInstruction, undo: (() => void)[]): void {
    const around = {
      tree: this.#tree,
      preds: this.#preds,
      startRange: (start: Value, entry: Block) => {
        const known =
          this.#rangeOf(start) ?? (start.kind === "instruction" ? fullRange(start) : undefined);
        const last = terminatorOf(entry);
        const fact = last?.operation.op === "condbr" ? factOnEdge(last, phi.block) : undefined;
        // One that falls keeps its tests, by which the verifier knows where it is.
        const isRising = (counterParts(phi)?.by ?? 0n) > 0n;
        if (known === undefined || fact?.value !== start || !isRising) return known;
        return refine(known, fact.holds, fact.bound, bitWidth[start.type as ValueType]);
      },
    };
    const loop = this.#loops.get(phi.block);
    const counted = counterRange(phi, loop, around) ?? this.#carriedRange(phi, loop, around);
    if (counted !== undefined) this.#set(phi, counted, undo);
    const inputs = this.#inputs.get(phi);
    if (inputs === undefined || inputs.length < phi.operands.length) return;
    const range = inputs.reduce((a, b) => ({
      min: smaller(a.min, b.min),
      max: larger(a.max, b.max),
      smin: smaller(a.smin, b.smin),
      smax: larger(a.smax, b.smax),
    }));
    this.#set(phi, range, undo);
  }

  #carriedRange(phi: IrInstruction, loop: Loop | undefined, around: AroundLoop): Range | undefined {
    if (loop === undefined || phi.type === "ptr" || phi.type === "i1") return undefined;
    let carried = this.#carried.get(loop);
    if (carried === undefined) this.#carried.set(loop, (carried = roundRanges(loop, around)));
    return carried.get(phi);
  }

  #rangeOf(value: Value, depth = 0): Range | undefined {
    const known = this.#facts.get(value);
    if (known !== undefined) return known;
    if (value.kind === "constant") return fullRange(value);
    if (value.kind === "parameter") return value.most === undefined ? undefined : fullRange(value);
    if (depth >= 4) return undefined;
    // zext keeps the number, and makes it non-negative.
    if (isOp(value, "zext")) {
      const inner = this.#rangeOf(operand(value, 0), depth + 1);
      return inner && { min: inner.min, max: inner.max, smin: inner.min, smax: inner.max };
    }
    if (isOp(value, "sext") && operand(value, 0).type !== "i1") {
      return extended(this.#rangeOf(operand(value, 0), depth + 1), value);
    }
    if (isOp(value, "trunc")) {
      const inner = this.#rangeOf(operand(value, 0), depth + 1);
      return inner && shortened(inner, value);
    }
    if (value.kind !== "instruction" || value.operation.op !== "binary") return undefined;
    const { binary } = value.operation;
    const right = operand(value, 1);
    const range = this.#rangeOf(operand(value, 0), depth + 1);
    if (range === undefined) return undefined;
    if (isBitwise(binary) || (binary === "add" && right.kind !== "constant")) {
      const other = this.#rangeOf(right, depth + 1);
      if (other === undefined) return undefined;
      return binary === "add" ? sumOf(range, other, value) : combined(range, binary, other, value);
    }
    if (right.kind !== "constant") return undefined;
    if (binary === "add") return shifted(range, signedValue(right), value);
    return scaled(range, binary, right.value, value);
  }

  /** zext(x + c) → zext(x) + c where that does not wrap and is of use in an address. */
  #widen(extension: IrInstruction): boolean {
    const sum = operand(extension, 0);
    if (!isBinary(sum, "add")) return false;
    const parts = this.#sumOf(sum);
    if (parts === undefined) return false;
    const { base, by } = parts;
    this.#uses ??= computeUses(this.#fn);
    if (!isWidenable(extension, this.#uses)) return false;
    this.#sums.set(sum, parts);
    // Each address has a sum of its own, which becomes part of its offset; equal values join later.
    for (const { user, index, scaled } of indexUses(extension, this.#uses) ?? []) {
      const wide = this.#rewriter.insertBefore(user, "i64", { op: "zext" }, [base]);
      const add = { op: "binary", binary: "add" } as const;
      const added = this.#rewriter.insertBefore(user, "i64", add, [wide, constant("i64", by)]);
      const offset =
        scaled === undefined
          ? added
          : this.#rewriter.insertBefore(user, "i64", scaled.operation, [added, operand(scaled, 1)]);
      user.operands[index] = offset;
    }
    this.#rewriter.touch();
    return true;
  }

  /**
   * What a sum is computed from and the constant that is added in all, if that does not wrap: of a chain of
   * sums, as rounds of an unrolled loop make, the start, so that all of them are counted from there. Whether
   * it wraps depends on the place.
   */
  #sumOf(sum: IrInstruction): { readonly base: Value; readonly by: bigint } | undefined {
    const [base, step] = [operand(sum, 0), operand(sum, 1)];
    if (step.kind !== "constant" || base.kind === "constant") return undefined;
    const by = signedValue(step);
    const before = isBinary(base, "add") ? this.#sums.get(base) : undefined;
    const further = before && { base: before.base, by: before.by + by };
    return [further, { base, by }].find(
      (each) => each !== undefined && this.#isExact(each.base, each.by, sum),
    );
  }

  #isExact(base: Value, by: bigint, sum: IrInstruction): boolean {
    const range = this.#rangeOf(base);
    return range !== undefined && range.smin >= 0n && shifted(range, by, sum) !== undefined;
  }

  #visit(instruction: IrInstruction): void {
    const { operation, operands, type } = instruction;
    if (operation.op === "zext" && this.#widen(instruction)) return;
    const [a, b] = operands;
    if (a === undefined || a.type === "void" || a.type === "ptr" || a.kind === "constant") return;
    const range = this.#rangeOf(a);
    if (range === undefined) return;
    if (operation.op === "icmp" && b !== undefined) {
      const { predicate } = operation;
      const decided =
        b.kind === "constant"
          ? decide(range, predicate, b.value, bitWidth[a.type])
          : decideBetween(range, predicate, this.#rangeOf(b) ?? fullRange(b));
      if (decided !== undefined) {
        this.#rewriter.replace(instruction, constant("i1", decided ? 1n : 0n));
        return;
      }
    }
    if (operation.op === "binary" && operation.binary === "and" && b?.kind === "constant") {
      // x & m → x where x <= the run of ones at the low end of m
      const ones = onesOf(trailingOnes(b.value));
      if (range.min <= range.max && range.max <= ones) {
        this.#rewriter.replace(instruction, a);
        return;
      }
    }
    if (isBelowDivisor(instruction, range)) {
      const isRest = isBinary(instruction, "urem");
      this.#rewriter.replace(instruction, isRest ? a : constant(a.type, 0n));
      return;
    }
    if (range.smin < 0n) return;
    switch (operation.op) {
      case "icmp": {
        const isSigned = operation.predicate.startsWith("s");
        if (!isSigned || b?.kind !== "constant" || signedValue(b) < 0n) return;
        const predicate = `u${operation.predicate.slice(1)}` as IntPredicate;
        this.#change(instruction, { op: "icmp", predicate });
        return;
      }
      case "sext":
        if (type !== "void") this.#change(instruction, { op: "zext" });
        return;
      case "binary": {
        const unsigned = unsignedOf[operation.binary];
        const isFine =
          operation.binary === "ashr" || (b?.kind === "constant" && signedValue(b) > 0n);
        if (unsigned !== undefined && isFine) {
          this.#change(instruction, { op: "binary", binary: unsigned });
        }
        return;
      }
      default:
        return;
    }
  }

  #change(instruction: IrInstruction, operation: IrInstruction["operation"]): void {
    const { type, operands } = instruction;
    this.#rewriter.replace(
      instruction,
      this.#rewriter.insertBefore(instruction, type, operation, operands),
    );
  }
}

/** Whether x /u c is 0, and x %u c is x. */
function isBelowDivisor(division: IrInstruction, { min, max }: Range): boolean {
  if (!isBinary(division, "udiv") && !isBinary(division, "urem")) return false;
  const by = operand(division, 1);
  return by.kind === "constant" && min <= max && max < by.value;
}

/** No multiple of 2^k lies below the next one. */
function aligned(range: Range, value: Value): Range {
  const ones = onesOf(trailingOnes(knownOf(value).zeros));
  const { min, smin } = range;
  if (ones === 0n || min <= 0n) return range;
  const up = (bound: bigint): bigint => (bound + ones) & ~ones;
  return { ...range, min: up(min), smin: smin > 0n ? up(smin) : smin };
}

function trailingOnes(value: bigint): number {
  let count = 0;
  while ((value >> BigInt(count)) & 1n) count += 1;
  return count;
}

const unsignedOf: Readonly<Partial<Record<string, "lshr" | "udiv" | "urem">>> = {
  ashr: "lshr",
  sdiv: "udiv",
  srem: "urem",
};

/** The value, and what it is an extension of: they are one number. */
function viewsOf(value: Value): [Value, ValueType][] {
  const views: [Value, ValueType][] = [[value, value.type as ValueType]];
  if (isOp(value, "zext")) {
    const source = operand(value, 0);
    if (source.kind !== "constant" && source.type !== "i1")
      views.push([source, source.type as ValueType]);
  }
  return views;
}
