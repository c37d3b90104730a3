/**
 * Values that are one of a few constants: phis and selects of constants, and what is computed from them.
 * A switch over one loses the cases that cannot be, a comparison that all of them decide alike is decided.
 * Jump threading finds the same where the test follows at once; here anything may lie between.
 * Leaves unreachable blocks and decided branches behind.
 */
import type { Block, Constant, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, removeIncoming, successors, terminatorOf } from "../4-lower/ir-builder.ts";
import { foldInstruction } from "./fold-constants.ts";
import { type Known, knownOf } from "./known-bits.ts";
import { Rewriter } from "./rewriter.ts";
import { isOp, isPure, operand } from "./values.ts";

/** Constants that are told apart; instructions that are followed from one value. */
const mostConstants = 8;
const mostDepth = 6;

/** Prunes what constants decide. Returns whether anything changed. */
export function decideByConstants(fn: IrFunction): boolean {
  const sets = new ConstantSets();
  const rewriter = new Rewriter(fn);
  let changed = false;
  for (const block of fn.blocks) {
    for (const each of block.instructions) {
      if (!isOp(each, "icmp") || !isChoice(operand(each, 0))) continue;
      const outcomes = sets.of(each);
      const [only, ...others] = outcomes ?? [];
      if (only !== undefined && others.length === 0) rewriter.replace(each, only);
    }
    const last = terminatorOf(block);
    if (isOp(last, "switch")) changed = pruneSwitch(block, last, sets) || changed;
  }
  return rewriter.apply() || changed;
}

/** Whether a value can be one of several constants: anything else is not looked at. */
function isChoice(value: Value): boolean {
  let at = value;
  for (let depth = 0; depth < mostDepth; depth += 1) {
    if (at.kind !== "instruction") return false;
    const { op } = at.operation;
    if (op === "phi" || op === "select") return true;
    if (op !== "zext" && op !== "sext" && op !== "trunc" && op !== "binary") return false;
    at = operand(at, 0);
  }
  return false;
}

const isPossible = (value: bigint, { min, max, zeros }: Known): boolean =>
  value >= min && value <= max && (value & zeros) === 0n;

function pruneSwitch(block: Block, last: IrInstruction, sets: ConstantSets): boolean {
  if (last.operation.op !== "switch") return false;
  const value = operand(last, 0);
  const values = new Set(sets.of(value)?.map((each) => each.value));
  const known = knownOf(value);
  const { cases } = last.operation;
  const kept = cases.filter((each) =>
    values.size > 0 ? values.has(each.value) : isPossible(each.value, known),
  );
  const isComplete = kept.length === values.size && kept.length > 0;
  if (kept.length === cases.length && !isComplete) return false;
  const before = new Set(successors(block));
  if (isComplete) last.operation.fallback = (kept.pop() as (typeof kept)[number]).target;
  last.operation.cases = kept;
  const after = new Set(successors(block));
  for (const target of before) if (!after.has(target)) removeIncoming(target, block);
  return true;
}

class ConstantSets {
  readonly #known = new Map<Value, readonly Constant[] | undefined>();

  /** All that a value can be; undefined if that is not a few constants. */
  of(value: Value, depth = 0): readonly Constant[] | undefined {
    if (value.kind === "constant") return [value];
    if (value.kind !== "instruction" || value.type === "void") return undefined;
    if (value.type === "i1") return this.#ofTruth(value, depth);
    if (this.#known.has(value)) return this.#known.get(value);
    if (depth >= mostDepth) return undefined;
    // A phi of a loop meets itself: what that adds is not known.
    this.#known.set(value, undefined);
    const found = this.#computed(value, depth);
    this.#known.set(value, found);
    return found;
  }

  #ofTruth(value: IrInstruction, depth: number): readonly Constant[] {
    const found =
      isOp(value, "icmp") && depth < mostDepth ? this.#computed(value, depth) : undefined;
    return found ?? [constant("i1", 0n), constant("i1", 1n)];
  }

  #computed(value: IrInstruction, depth: number): readonly Constant[] | undefined {
    const { operation, operands } = value;
    if (operation.op === "phi") return this.#union(operands, depth);
    if (operation.op === "select") return this.#union(operands.slice(1), depth);
    if (!isPure(value) || operands.length === 0 || operands.length > 2) return undefined;
    const sets: (readonly Constant[])[] = [];
    for (const each of operands) {
      const set = this.of(each, depth + 1);
      if (set === undefined) return undefined;
      sets.push(set);
    }
    const [left = [], right] = sets;
    const results = left.flatMap((a) =>
      right === undefined
        ? [foldInstruction(value, [a])]
        : right.map((b) => foldInstruction(value, [a, b])),
    );
    return distinct(results);
  }

  #union(operands: readonly Value[], depth: number): readonly Constant[] | undefined {
    const all: (Constant | undefined)[] = [];
    for (const each of operands) {
      const set = this.of(each, depth + 1);
      if (set === undefined) return undefined;
      all.push(...set);
    }
    return distinct(all);
  }
}

function distinct(values: readonly (Constant | undefined)[]): readonly Constant[] | undefined {
  const byValue = new Map<bigint, Constant>();
  for (const each of values) {
    if (each === undefined) return undefined;
    byValue.set(each.value, each);
    if (byValue.size > mostConstants) return undefined;
  }
  return [...byValue.values()];
}
