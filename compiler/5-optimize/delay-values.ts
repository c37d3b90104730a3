/**
 * Where a block has more values alive than there are registers, what is loaded or computed long before its
 * only use moves down to it: fields that are read in one order and written in another need not all be in
 * registers at once. Only what costs no other value a longer life moves.
 * Needs: run late, as other passes look for loads and stores side by side.
 * Guarantees: nothing leaves its block; loads pass no write that may meet them.
 */
import { pushTo } from "../../common/append.ts";
import { type DominatorTree, dominatorTree } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import type { AliasAnalysis } from "./alias.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import type { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass } from "./pass.ts";
import { acrossCalls, holderOf, registers } from "./register-pressure.ts";
import { isConstantOffset, isOp, isPure } from "./values.ts";

/** Shorter blocks need no look, and longer ones are looked at in part: instructions. */
const shortest = 20;
const longest = 4096;
/** Writes that a load is compared with on its way. */
const mostWrites = 64;

export const delayValues: FunctionPass = {
  kind: "function",
  name: "delay-values",
  run(fn, { runs }) {
    let changed = false;
    for (const block of fn.blocks) {
      const { length } = block.instructions;
      if (length < shortest || length > longest) continue;
      const facts = runs.factsOf(fn);
      const crowded = crowdedIn(block, facts);
      if (crowded === undefined) continue;
      changed = new Delay(block, facts, dominatorTree(fn), crowded).run() || changed;
    }
    return changed;
  },
};

const needsRegister = (value: Value): boolean => holderOf(value) === value;

/**
 * For each place in the block how many places up to there have too many values alive, of those that the
 * block makes or uses; undefined if none has.
 */
function crowdedIn(block: Block, { uses }: FunctionFacts): readonly number[] | undefined {
  const { instructions } = block;
  const lives = livesIn(block, uses);
  const starts = new Array<number>(instructions.length + 1).fill(0);
  for (const [from, to] of lives) {
    starts[from] = (starts[from] ?? 0) + 1;
    starts[to] = (starts[to] ?? 0) - 1;
  }
  let alive = 0;
  let count = 0;
  const counts = instructions.map((each, at) => {
    alive += starts[at] ?? 0;
    if (alive > (isOp(each, "call") ? acrossCalls : registers)) count += 1;
    return count;
  });
  return count === 0 ? undefined : counts;
}

/** From behind where each value is made (or the start) to its last use, or the end. */
function livesIn(
  block: Block,
  uses: FunctionFacts["uses"],
): readonly (readonly [from: number, to: number])[] {
  const { instructions } = block;
  const first = new Map<Value, number>();
  const last = new Map<Value, number>();
  instructions.forEach((each, at) => {
    if (needsRegister(each)) {
      first.set(each, at + 1);
      const isKept = (uses.get(each) ?? []).some(
        ({ user }) => user.block !== block || isOp(user, "phi"),
      );
      if (isKept) last.set(each, instructions.length);
    }
    if (isOp(each, "phi")) return;
    for (const given of each.operands) {
      const value = holderOf(given);
      if (value === undefined) continue;
      if (!first.has(value)) first.set(value, 0);
      if ((last.get(value) ?? 0) < at) last.set(value, at);
    }
  });
  return [...last].flatMap(([value, to]) => {
    const from = first.get(value) ?? 0;
    return from < to ? [[from, to] as const] : [];
  });
}

class Delay {
  readonly #block: Block;
  readonly #uses: FunctionFacts["uses"];
  readonly #alias: AliasAnalysis;
  readonly #tree: DominatorTree;
  readonly #crowded: readonly number[];
  /** Where each instruction ends up: its own place, or that of the one it moves to. */
  readonly #places = new Map<Value, number>();
  /** What moves in front of each user, last first. */
  readonly #moved = new Map<IrInstruction, IrInstruction[]>();
  /** Places of what writes to memory, from the end. */
  readonly #writes: number[] = [];

  constructor(block: Block, facts: FunctionFacts, tree: DominatorTree, crowded: readonly number[]) {
    this.#block = block;
    this.#uses = facts.uses;
    this.#alias = facts.alias;
    this.#tree = tree;
    this.#crowded = crowded;
  }

  run(): boolean {
    const { instructions } = this.#block;
    const movers = new Set<IrInstruction>();
    for (let at = instructions.length - 1; at >= 0; at -= 1) {
      const each = instructions[at] as IrInstruction;
      this.#places.set(each, at);
      const user = this.#userOf(each, at);
      if (user !== undefined) {
        this.#places.set(each, this.#places.get(user) ?? at);
        pushTo(this.#moved, user, each);
        movers.add(each);
      }
      const { kind } = memoryEffect(each);
      if (kind !== "none" && kind !== "load") this.#writes.push(at);
    }
    if (movers.size === 0) return false;
    const ordered: IrInstruction[] = [];
    for (const each of instructions) if (!movers.has(each)) this.#emit(each, ordered);
    this.#block.instructions = ordered;
    return true;
  }

  #emit(each: IrInstruction, ordered: IrInstruction[]): void {
    for (const before of (this.#moved.get(each) ?? []).reverse()) this.#emit(before, ordered);
    ordered.push(each);
  }

  /** The only user, if the instruction may and should move to it. */
  #userOf(each: IrInstruction, at: number): IrInstruction | undefined {
    const isLoad = isOp(each, "load") && !isOrdered(memoryEffect(each));
    if (!isLoad && !(isPure(each) && needsRegister(each) && !isOp(each, "asm_output"))) return;
    const [use, ...more] = this.#uses.get(each) ?? [];
    if (use === undefined || more.length > 0 || isOp(use.user, "phi")) return;
    const place = this.#places.get(use.user);
    if (use.user.block !== this.#block || place === undefined || place <= at + 1) return;
    if (this.#crowded[place - 1] === this.#crowded[at]) return;
    if (!each.operands.every((value) => this.#livesUntil(value, each, place))) return;
    return isLoad && !this.#isClear(each, place) ? undefined : use.user;
  }

  /** The operand is there at the new place anyway. */
  #livesUntil(given: Value, user: IrInstruction, place: number): boolean {
    const value = holderOf(given);
    return value === undefined || this.#isWanted(value, user, place, value);
  }

  /** Whether `root` is used from that place on as `value`, which is it or an offset from it. */
  #isWanted(value: Value, but: IrInstruction, place: number, root: Value): boolean {
    const isOwn = root.kind === "instruction" && root.block === this.#block;
    return (this.#uses.get(value) ?? []).some(({ user }) => {
      if (user === but) return false;
      if (isConstantOffset(user)) return this.#isWanted(user, but, place, root);
      const { block } = user;
      if (block !== this.#block) return isOwn || this.#tree.dominates(this.#block, block);
      return (isOwn && isOp(user, "phi")) || (this.#places.get(user) ?? -1) >= place;
    });
  }

  /** Nothing between the two places may write to what the load reads. */
  #isClear(load: IrInstruction, place: number): boolean {
    const location = this.#alias.accessOf(load);
    if (location === undefined) return false;
    let seen = 0;
    for (let last = this.#writes.length - 1; last >= 0; last -= 1) {
      const write = this.#writes[last] as number;
      if (write >= place) return true;
      seen += 1;
      const instruction = this.#block.instructions[write] as IrInstruction;
      if (seen > mostWrites || this.#alias.mayWrite(instruction, location)) return false;
    }
    return true;
  }
}
