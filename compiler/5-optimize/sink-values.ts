/**
 * Sinking: a value that only one side of a branch needs is computed there. Shortens live ranges and
 * leaves work undone on the other path. Loads sink only where nothing writes on the way. Never into a
 * loop, never upwards: checks stay in front of what they guard.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import type { AliasAnalysis } from "./alias.ts";
import { blockOfUse } from "./demote-values.ts";
import { memoryEffect } from "./effects.ts";
import { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { isOp, isPure } from "./values.ts";

export const sinkValues: FunctionPass = {
  kind: "function",
  name: "sink-values",
  run(fn, { runs }) {
    let changed = false;
    // What a sunk value was computed from follows it at once in its own block, else in the next round.
    for (let round = 0; round < 4; round += 1) {
      const facts = round === 0 ? runs.factsOf(fn) : new FunctionFacts(fn);
      if (!new Sinking(fn, facts).run()) break;
      changed = true;
    }
    return changed;
  },
};

/** Blocks between a load and its new place. */
const longestWay = 6;
/** Values with more uses, or uses further apart in the dominator tree, stay: searching is not free. */
const mostUses = 8;
const mostSteps = 64;
/** Values that follow each other into a block. */
const longestChain = 3;
/** Instructions on that way that are looked at, per block. */
const mostWrites = 64;

class Sinking {
  readonly #fn: IrFunction;
  readonly #uses: Map<Value, Use[]>;
  readonly #tree: DominatorTree;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #loopOf = new Map<Block, Loop>();
  readonly #alias: AliasAnalysis;
  readonly #rewriter: Rewriter;
  /** Where what is sunk in this run goes to, users before what they are computed from. */
  readonly #targets = new Map<IrInstruction, Block>();

  constructor(fn: IrFunction, facts: FunctionFacts) {
    this.#fn = fn;
    this.#uses = facts.uses;
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    this.#alias = facts.alias;
    this.#rewriter = new Rewriter(fn);
    // Inner loops come later, so that a block ends up with its innermost one.
    for (const loop of findLoops(fn)) {
      for (const block of loop.blocks) this.#loopOf.set(block, loop);
    }
  }

  run(): boolean {
    for (const block of this.#fn.blocks) {
      const wroteAfter: IrInstruction[] = [];
      for (const each of [...block.instructions].reverse()) {
        const effect = memoryEffect(each);
        const isLoad = isOp(each, "load") && !each.operation.volatile;
        if (isLoad || (isPure(each) && each.operation.op !== "asm_output")) {
          const target = this.#targetOf(each);
          if (target !== undefined && (!isLoad || this.#isClear(each, target, wroteAfter))) {
            this.#targets.set(each, target);
          }
        }
        if (effect.kind !== "none" && effect.kind !== "load") wroteAfter.push(each);
      }
    }
    for (const [each, target] of [...this.#targets].reverse()) {
      this.#rewriter.moveToStart(each, target);
    }
    return this.#rewriter.apply();
  }

  #placeOf(use: Use): Block {
    const isPhi = use.user.operation.op === "phi";
    return (isPhi ? undefined : this.#targets.get(use.user)) ?? blockOfUse(use);
  }

  /** The block where all uses are dominated, if that is not where the value is. */
  #targetOf(value: IrInstruction): Block | undefined {
    const uses = this.#uses.get(value) ?? [];
    if (uses.length > mostUses) return undefined;
    let target: Block | undefined;
    for (const use of uses) {
      const place = this.#placeOf(use);
      if (place === value.block) return undefined;
      target = target === undefined ? place : this.#commonDominator(target, place);
      if (target === undefined) return undefined;
    }
    if (target === undefined) return undefined;
    // A loop repeats what is sunk into it, and a value that a phi carries must exist at the edge.
    while (target !== value.block && this.#loopOf.get(target) !== this.#loopOf.get(value.block)) {
      const up = this.#tree.parent.get(target);
      if (up === undefined) return undefined;
      target = up;
    }
    if (target === value.block || !this.#tree.dominates(value.block, target)) return undefined;
    return this.#keepsPressure(value, target) ? target : undefined;
  }

  #commonDominator(a: Block, b: Block): Block | undefined {
    let block: Block | undefined = a;
    for (let steps = 0; block !== undefined && steps < mostSteps; steps += 1) {
      if (this.#tree.dominates(block, b)) return block;
      block = this.#tree.parent.get(block);
    }
    return undefined;
  }

  /**
   * No operand has to live longer for it, or just one and no call is on the way: across calls the
   * operand would need a register that survives them in the value's stead.
   */
  #keepsPressure(value: IrInstruction, target: Block): boolean {
    const longer = value.operands.filter((each) => {
      if (each.kind !== "instruction" && each.kind !== "parameter") return false;
      return !this.#livesAt(each, target, value);
    });
    if (longer.length === 0) return true;
    if (longer.length > 1) return false;
    const [pred, ...others] = this.#preds.get(target) ?? [];
    if (pred !== value.block || others.length > 0) return false;
    const { instructions } = value.block;
    const rest = instructions.slice(instructions.indexOf(value) + 1);
    return rest.length <= mostWrites && !rest.some((each) => each.operation.op === "call");
  }

  /** Whether the operand of a value that goes to `target` is there anyway, or can go with it. */
  #livesAt(operand: Value, target: Block, value: IrInstruction, depth = 0): boolean {
    const uses = this.#uses.get(operand) ?? [];
    const isRead = (use: Use): boolean =>
      use.user !== value && this.#tree.dominates(target, this.#placeOf(use));
    if (uses.some(isRead) || this.#livesInLoop(operand, target)) return true;
    // A value of its own, in a loop: computed from what lives there, it follows in the next round.
    const follows = operand.kind === "instruction" && operand.block === value.block;
    if (!follows || depth >= longestChain || uses.length > 1 || !isPure(operand)) return false;
    return operand.operands.every(
      (each) =>
        (each.kind !== "instruction" && each.kind !== "parameter") ||
        this.#livesInLoop(each, target) ||
        this.#livesAt(each, target, operand, depth + 1),
    );
  }

  /** What the loop around the block reads in every round, or at a round's end, is there in all of the loop. */
  #livesInLoop(operand: Value, target: Block): boolean {
    const loop = this.#loopOf.get(target);
    if (loop === undefined) return false;
    if (operand.kind !== "instruction" || !loop.blocks.has(operand.block)) return true;
    const [latch, ...others] = loop.latches;
    if (latch === undefined || others.length > 0) return false;
    return (this.#uses.get(operand) ?? []).some((use) => this.#placeOf(use) === latch);
  }

  /** Nothing from the load to its new place may write to what it reads. */
  #isClear(load: IrInstruction, target: Block, wroteAfter: readonly IrInstruction[]): boolean {
    const location = this.#alias.accessOf(load);
    if (location === undefined) return false;
    const writes = (each: IrInstruction): boolean => this.#alias.mayWrite(each, location);
    if (wroteAfter.length > mostWrites || wroteAfter.some(writes)) return false;
    let block = target;
    for (let steps = 0; steps < longestWay; steps += 1) {
      const [pred, ...others] = this.#preds.get(block) ?? [];
      if (pred === undefined || others.length > 0) return false;
      if (pred === load.block) return true;
      if (pred.instructions.length > mostWrites || pred.instructions.some(writes)) return false;
      block = pred;
    }
    return false;
  }
}
