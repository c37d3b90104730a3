/**
 * What dominating branches say about values: after `i < 0` failed, i is not negative, so that its sign
 * extension is a zero extension, its signed tests are unsigned ones, and tests that are decided go.
 * Facts are taken from comparisons of a value with a constant only, on that very value: what the
 * verifier learns from the same branch. Also joins `x < 0 || x > c` into one unsigned test.
 */
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
  constant,
  phisOf,
  removeIncoming,
  sameValue,
  signedValue,
  successors,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { invertedPredicate } from "./fold-constants.ts";
import { knownOf, onesOf } from "./known-bits.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { foldBranches } from "./simplify-cfg.ts";
import { isBinary, isOp, operand } from "./values.ts";

export const propagateRanges: FunctionPass = {
  kind: "function",
  name: "propagate-ranges",
  run(fn) {
    const joined = joinRangeTests(fn);
    return new Propagation(fn).run() || joined;
  },
};

/** Inclusive bounds, in both readings. */
interface Range {
  readonly min: bigint;
  readonly max: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
}

function fullRange(value: Value): Range {
  if (value.kind === "constant") {
    const signed = signedValue(value);
    return { min: value.value, max: value.value, smin: signed, smax: signed };
  }
  const bits = bitWidth[value.type as ValueType];
  const half = 1n << BigInt(bits - 1);
  const { min, max } = knownOf(value);
  if (max < half) return { min, max, smin: min, smax: max };
  return { min, max, smin: -half, smax: half - 1n };
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The range if `predicate` holds between the value and a constant. */
function refine(range: Range, predicate: IntPredicate, value: bigint, bits: number): Range {
  const signed = BigInt.asIntN(bits, value);
  let { min, max, smin, smax } = range;
  switch (predicate) {
    case "eq":
      [min, max, smin, smax] = [value, value, signed, signed];
      break;
    case "ne":
      if (value === min) min += 1n;
      if (value === max) max -= 1n;
      if (signed === smin) smin += 1n;
      if (signed === smax) smax -= 1n;
      break;
    case "ult":
      max = smaller(max, value - 1n);
      break;
    case "ule":
      max = smaller(max, value);
      break;
    case "ugt":
      min = larger(min, value + 1n);
      break;
    case "uge":
      min = larger(min, value);
      break;
    case "slt":
      smax = smaller(smax, signed - 1n);
      break;
    case "sle":
      smax = smaller(smax, signed);
      break;
    case "sgt":
      smin = larger(smin, signed + 1n);
      break;
    case "sge":
      smin = larger(smin, signed);
      break;
  }
  return agree({ min, max, smin, smax }, bits);
}

/** Each reading learns from the other where the sign is known. */
function agree(range: Range, bits: number): Range {
  let { min, max, smin, smax } = range;
  const half = 1n << BigInt(bits - 1);
  if (max < half) {
    smin = larger(smin, min);
    smax = smaller(smax, max);
  }
  if (smin >= 0n) {
    min = larger(min, smin);
    max = smaller(max, smax);
  }
  return { min, max, smin, smax };
}

/** Whether the comparison holds for all (true), none (false) or some values of the range. */
function decide(
  range: Range,
  predicate: IntPredicate,
  value: bigint,
  bits: number,
): boolean | undefined {
  // Contradictory facts: the code is never reached, and nothing is to be concluded.
  if (range.min > range.max || range.smin > range.smax) return undefined;
  const isEmpty = (r: Range): boolean => r.min > r.max || r.smin > r.smax;
  if (isEmpty(refine(range, predicate, value, bits))) return false;
  return isEmpty(refine(range, invertedPredicate[predicate], value, bits)) ? true : undefined;
}

class Propagation {
  readonly #fn: IrFunction;
  readonly #tree: DominatorTree;
  readonly #preds: Map<Block, Block[]>;
  readonly #loops: ReadonlyMap<Block, Loop>;
  readonly #rewriter: Rewriter;
  readonly #facts = new Map<Value, Range>();
  /** What comes into each phi, per edge that was visited. */
  readonly #inputs = new Map<IrInstruction, Range[]>();

  constructor(fn: IrFunction) {
    this.#fn = fn;
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    this.#loops = new Map(findLoops(fn, this.#tree).map((loop) => [loop.header, loop]));
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
      const range = refine(
        this.#rangeOf(target) ?? fullRange(target),
        holds,
        bound,
        bitWidth[type],
      );
      this.#set(target, range, undo);
    }
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
        const value = operand(phi, phi.operation.incoming.indexOf(block));
        let range = this.#rangeOf(value) ?? fullRange(value);
        const fact = last?.operation.op === "condbr" ? factOnEdge(last, next) : undefined;
        if (fact?.value === value) {
          range = refine(range, fact.holds, fact.bound, bitWidth[value.type as ValueType]);
        }
        const list = this.#inputs.get(phi);
        if (list === undefined) this.#inputs.set(phi, [range]);
        else list.push(range);
      }
    }
  }

  /** Once all edges are known, loops aside, so is the phi. */
  #visitPhi(phi: IrInstruction, undo: (() => void)[]): void {
    const counted = counterRange(phi, this.#loops.get(phi.block));
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

  #rangeOf(value: Value, depth = 0): Range | undefined {
    const known = this.#facts.get(value);
    if (known !== undefined) return known;
    if (value.kind === "constant") return fullRange(value);
    if (depth >= 4) return undefined;
    // zext keeps the number, and makes it non-negative.
    if (isOp(value, "zext")) {
      const inner = this.#rangeOf(operand(value, 0), depth + 1);
      return inner && { min: inner.min, max: inner.max, smin: inner.min, smax: inner.max };
    }
    if (!isBinary(value, "add")) return undefined;
    const step = operand(value, 1);
    const range =
      step.kind === "constant" ? this.#rangeOf(operand(value, 0), depth + 1) : undefined;
    return range && step.kind === "constant" ? shifted(range, signedValue(step), value) : undefined;
  }

  #visit(instruction: IrInstruction): void {
    const { operation, operands, type } = instruction;
    const [a, b] = operands;
    if (a === undefined || a.type === "void" || a.type === "ptr" || a.kind === "constant") return;
    const range = this.#rangeOf(a);
    if (range === undefined) return;
    if (operation.op === "icmp" && b?.kind === "constant") {
      const decided = decide(range, operation.predicate, b.value, bitWidth[a.type]);
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

/** The range of `x + step` if that cannot wrap in the signed reading; negative results are no unsigned ones. */
function shifted(range: Range, step: bigint, value: Value): Range | undefined {
  const half = 1n << BigInt(bitWidth[value.type as ValueType] - 1);
  const [smin, smax] = [range.smin + step, range.smax + step];
  if (smin < 0n || smax >= half || range.smin > range.smax) return undefined;
  return { min: smin, max: smax, smin, smax };
}

/**
 * A counter: it starts at a constant, a positive step is added each time, and the loop goes on only below
 * a bound. Then it lies between, and never wraps.
 */
function counterRange(phi: IrInstruction, loop: Loop | undefined): Range | undefined {
  if (loop === undefined) return undefined;
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
  const bound = upperBound(latch, phi.block, next) ?? upperBoundOf(phi, by, loop);
  const half = 1n << BigInt(bitWidth[phi.type] - 1);
  const last = larger(bound ?? half, first);
  if (last + by >= half) return undefined;
  return { min: first, max: last, smin: first, smax: last };
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

function trailingOnes(value: bigint): number {
  let count = 0;
  while ((value >> BigInt(count)) & 1n) count += 1;
  return count;
}

interface Fact {
  readonly value: Value;
  readonly holds: IntPredicate;
  readonly bound: bigint;
}

/** What a branch says on its edge to `target`, if it compares an integer with a constant. */
function factOnEdge(branch: IrInstruction, target: Block): Fact | undefined {
  if (branch.operation.op !== "condbr") return undefined;
  const { then, otherwise } = branch.operation;
  const condition = operand(branch, 0);
  if (then === otherwise || !isOp(condition, "icmp")) return undefined;
  const [value, bound] = [operand(condition, 0), operand(condition, 1)];
  if (bound.kind !== "constant" || value.kind === "constant") return undefined;
  if (value.type === "ptr" || value.type === "i1") return undefined;
  const { predicate } = condition.operation;
  return {
    value,
    holds: then === target ? predicate : invertedPredicate[predicate],
    bound: bound.value,
  };
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

/** if (x <s 0) goto T; if (x >s c) goto T  →  if (x >u c) goto T, for c >= 0. */
function joinRangeTests(fn: IrFunction): boolean {
  const preds = predecessors(fn);
  let changed = false;
  for (const block of fn.blocks) {
    const first = testOf(block);
    if (first === undefined) continue;
    for (const [next, out, holds] of [
      [first.otherwise, first.then, first.predicate],
      [first.then, first.otherwise, invertedPredicate[first.predicate]],
    ] as const) {
      const second = (preds.get(next) ?? []).length === 1 ? testOf(next) : undefined;
      if (second === undefined || next.instructions.length !== 2) continue;
      if (second.condition.block !== next || !sameValue(first.value, second.value)) continue;
      const leaves = second.then === out ? second.predicate : invertedPredicate[second.predicate];
      const stays = second.then === out ? second.otherwise : second.then;
      if ((second.then !== out && second.otherwise !== out) || stays === out) continue;
      const bound = joinedBound(holds, first.bound, leaves, second.bound);
      if (bound === undefined || !sameInputs(out, block, next)) continue;
      second.condition.operation = { op: "icmp", predicate: "ugt" };
      second.condition.operands = [second.value, constant(second.value.type as ValueType, bound)];
      const last = terminatorOf(next) as IrInstruction;
      last.operation = { op: "condbr", then: out, otherwise: stays };
      const up = terminatorOf(block) as IrInstruction;
      up.operation = { op: "br", target: next };
      up.operands = [];
      removeIncoming(out, block);
      changed = true;
      break;
    }
  }
  if (changed) foldBranches(fn);
  return changed;
}

interface Test {
  readonly condition: IrInstruction;
  readonly predicate: IntPredicate;
  readonly value: Value;
  readonly bound: bigint;
  readonly then: Block;
  readonly otherwise: Block;
}

function testOf(block: Block): Test | undefined {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr") return undefined;
  const condition = operand(last, 0);
  if (!isOp(condition, "icmp")) return undefined;
  const [value, bound] = [operand(condition, 0), operand(condition, 1)];
  if (bound.kind !== "constant" || value.kind === "constant" || bound.type === "ptr")
    return undefined;
  const { then, otherwise } = last.operation;
  if (then === otherwise) return undefined;
  return {
    condition,
    predicate: condition.operation.predicate,
    value,
    bound: signedValue(bound),
    then,
    otherwise,
  };
}

/** c, if the two ways out are "negative" and "greater than c" in either order. */
function joinedBound(p: IntPredicate, a: bigint, q: IntPredicate, b: bigint): bigint | undefined {
  const isNegative = (r: IntPredicate, c: bigint): boolean =>
    (r === "slt" && c === 0n) || (r === "sle" && c === -1n);
  const above = (r: IntPredicate, c: bigint): bigint | undefined =>
    r === "sgt" && c >= 0n ? c : r === "sge" && c > 0n ? c - 1n : undefined;
  if (isNegative(p, a)) return above(q, b) ?? (q === "ugt" && b >= 0n ? b : undefined);
  return isNegative(q, b) ? above(p, a) : undefined;
}

/** Phis of `target` take the same from both. */
function sameInputs(target: Block, a: Block, b: Block): boolean {
  return phisOf(target).every((phi) => {
    if (phi.operation.op !== "phi") return true;
    const { incoming } = phi.operation;
    return sameValue(operand(phi, incoming.indexOf(a)), operand(phi, incoming.indexOf(b)));
  });
}
