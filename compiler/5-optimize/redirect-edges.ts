/**
 * Edges that go on to where they lead anyway: past blocks that only jump, and past tests that what comes over
 * the edge decides. What the phis there get over the new edge is kept right.
 * Needs: nothing. Guarantees: all blocks reachable.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Terminator, Value } from "../4-lower/ir.ts";
import { phisOf, redirectSuccessor, sameValue, terminatorOf } from "../4-lower/ir-builder.ts";
import { foldComparison } from "./fold-constants.ts";
import { PhiInputs } from "./phi-inputs.ts";
import { isOp, operand } from "./values.ts";

/**
 * Blocks that only test what their phis bring in: predecessors that bring a constant jump on directly.
 * The block's values must not be used elsewhere, phis of its successors aside.
 */
export function threadConstantPhis(fn: IrFunction): boolean {
  const tests = fn.blocks.filter((block) => block.unroll === undefined && hasTestShape(block));
  if (tests.length === 0) return removeUnreachableBlocks(fn) > 0;
  const edges = new Edges(fn);
  const users = usersOutside(fn);
  let changed = false;
  for (const block of tests) {
    if (users.has(block)) continue;
    const shape = testShape(block, edges.inputs);
    if (shape === undefined) continue;
    for (const pred of edges.predsOf(block)) {
      if (pred === block) continue;
      const target = shape.targetFrom(pred);
      if (target === undefined || target === block) continue;
      if (!edges.canRedirect(pred, block, target)) continue;
      edges.redirect(pred, block, target);
      changed = true;
    }
  }
  edges.inputs.finish();
  return removeUnreachableBlocks(fn) > 0 || changed;
}

/** Blocks that define a value which is used outside, but for phis of their successors. */
function usersOutside(fn: IrFunction): Set<Block> {
  const result = new Set<Block>();
  for (const block of fn.blocks) {
    for (const user of block.instructions) {
      const { operation } = user;
      const { operands } = user;
      for (let at = 0; at < operands.length; at += 1) {
        const value = operands[at] as Value;
        if (value.kind !== "instruction") continue;
        const place = operation.op === "phi" ? operation.incoming[at] : block;
        if (value.block !== place) result.add(value.block);
      }
    }
  }
  return result;
}

interface TestShape {
  /** Where an edge from `pred` ends up, if its phi inputs decide. */
  readonly targetFrom: (pred: Block) => Block | undefined;
}

/** Phis, at most one test, and a branch. */
function hasTestShape({ instructions }: Block): boolean {
  const { length } = instructions;
  const last = instructions[length - 1]?.operation.op;
  if (length < 2 || (last !== "condbr" && last !== "switch")) return false;
  const before = instructions[length - 2]?.operation.op;
  if (before === "phi") return true;
  return before === "icmp" && instructions[length - 3]?.operation.op === "phi";
}

function testShape(block: Block, inputs: PhiInputs): TestShape | undefined {
  const rest = block.instructions.filter((each) => each.operation.op !== "phi");
  const last = rest.at(-1);
  if (rest.length === block.instructions.length || last === undefined || rest.length > 2)
    return undefined;
  const input = (value: Value, pred: Block): Value | undefined => {
    if (!isOp(value, "phi") || value.block !== block) return value;
    return inputs.valueFrom(value, pred);
  };
  const test = rest.length === 2 ? rest[0] : undefined;
  if (test !== undefined && !isOp(test, "icmp")) return undefined;
  const { operation } = last;
  if (operation.op === "switch" && test === undefined) {
    const targetFrom = (pred: Block): Block | undefined => {
      const value = input(operand(last, 0), pred);
      if (value?.kind !== "constant") return undefined;
      return (
        operation.cases.find((each) => each.value === value.value)?.target ?? operation.fallback
      );
    };
    return { targetFrom };
  }
  if (operation.op !== "condbr") return undefined;
  const condition = operand(last, 0);
  if (test !== undefined && condition !== test) return undefined;
  const decide = (pred: Block): Value | undefined => {
    if (test === undefined) return input(condition, pred);
    const [a, b] = [input(operand(test, 0), pred), input(operand(test, 1), pred)];
    if (a?.kind !== "constant" || b?.kind !== "constant") return undefined;
    return foldComparison(test.operation.predicate, a, b);
  };
  const targetFrom = (pred: Block): Block | undefined => {
    const value = decide(pred);
    if (value?.kind !== "constant") return edgeDecides(value, pred, block, operation);
    return value.value === 1n ? operation.then : operation.otherwise;
  };
  return { targetFrom };
}

/** The phi brings in the very condition on which `pred` branched here. */
function edgeDecides(
  value: Value | undefined,
  pred: Block,
  block: Block,
  branch: Extract<Terminator, { op: "condbr" }>,
): Block | undefined {
  const last = terminatorOf(pred);
  if (value === undefined || last?.operation.op !== "condbr" || last.operands[0] !== value)
    return undefined;
  const { then, otherwise } = last.operation;
  if (then === otherwise) return undefined;
  return then === block ? branch.then : branch.otherwise;
}

/** Lists of this length are searched. */
const shortList = 16;

/** Edges on their way to other blocks, with what phis get over them. */
class Edges {
  readonly inputs = new PhiInputs();
  readonly #before: ReadonlyMap<Block, readonly Block[]>;
  /** Of blocks whose edges were moved, and of those that have many. */
  readonly #sets = new Map<Block, Set<Block>>();

  constructor(fn: IrFunction) {
    this.#before = predecessors(fn);
  }

  /** As they are now; edges may be moved meanwhile. */
  predsOf(block: Block): Block[] {
    return [...(this.#sets.get(block) ?? this.#before.get(block) ?? [])];
  }

  #has(pred: Block, block: Block): boolean {
    const before = this.#before.get(block) ?? [];
    if (before.length > shortList || this.#sets.has(block)) return this.#setOf(block).has(pred);
    return before.includes(pred);
  }

  #setOf(block: Block): Set<Block> {
    let set = this.#sets.get(block);
    if (set === undefined) this.#sets.set(block, (set = new Set(this.#before.get(block))));
    return set;
  }

  /** No asm goto; and `target` must not already have another edge from `pred` with other phi inputs. */
  canRedirect(pred: Block, from: Block, target: Block): boolean {
    if (terminatorOf(pred)?.operation.op === "asm_goto") return false;
    const phis = phisOf(target);
    if (phis.some((phi) => this.#isComputedIn(phi, from))) return false;
    if (!this.#has(pred, target)) return true;
    return phis.every((phi) => {
      const direct = this.inputs.valueFrom(phi, pred) as Value;
      return sameValue(direct, this.#valueThrough(phi, from, pred));
    });
  }

  /** pred → from → target becomes pred → target. */
  redirect(pred: Block, from: Block, target: Block): void {
    if (!this.#has(pred, target)) {
      const values = phisOf(target).map((phi) => this.#valueThrough(phi, from, pred));
      this.inputs.add(target, pred, values);
    }
    redirectSuccessor(pred, from, target);
    this.inputs.remove(from, pred);
    this.#setOf(from).delete(pred);
    this.#setOf(target).add(pred);
  }

  /** There is no such edge any more. */
  remove(pred: Block, target: Block): void {
    this.inputs.remove(target, pred);
    this.#setOf(target).delete(pred);
  }

  /** What comes from `block` is computed there, not merely passed on by a phi. */
  #isComputedIn(phi: IrInstruction, block: Block): boolean {
    const value = this.inputs.valueFrom(phi, block);
    return value?.kind === "instruction" && value.block === block && !isOp(value, "phi");
  }

  /** What a phi gets on the way pred → through → phi. */
  #valueThrough(phi: IrInstruction, through: Block, pred: Block): Value {
    const value = this.inputs.valueFrom(phi, through) as Value;
    if (!isOp(value, "phi") || value.block !== through) return value;
    return this.inputs.valueFrom(value, pred) as Value;
  }
}

/** A jump and perhaps phis, nothing else. */
function onlyJumps({ instructions }: Block): boolean {
  const { length } = instructions;
  if (instructions[length - 1]?.operation.op !== "br") return false;
  return length === 1 || instructions[length - 2]?.operation.op === "phi";
}

/** Blocks that only jump on are left out. */
export function skipEmptyBlocks(fn: IrFunction): boolean {
  const empty = fn.blocks.filter((block, at) => at > 0 && onlyJumps(block));
  if (empty.length === 0) return removeUnreachableBlocks(fn) > 0;
  const edges = new Edges(fn);
  const feedsPhiOnly = usersOutside(fn);
  let changed = false;
  for (const block of empty) {
    const last = terminatorOf(block);
    if (last?.operation.op !== "br" || block.unroll !== undefined) continue;
    const { target } = last.operation;
    if (target === block || feedsPhiOnly.has(block)) continue;
    for (const pred of edges.predsOf(block)) {
      if (pred === block || !edges.canRedirect(pred, block, target)) continue;
      edges.redirect(pred, block, target);
      changed = true;
    }
    // Without predecessors its values reach nobody.
    if (edges.predsOf(block).length === 0) edges.remove(block, target);
  }
  edges.inputs.finish();
  return removeUnreachableBlocks(fn) > 0 || changed;
}
