/**
 * Constants followed through a function: a block counts as reached only where some branch that is not decided leads to
 * it, and a phi takes its inputs from such edges alone. So a variable that only unreachable code would change stays what
 * it was, also around a loop.
 */
import { reversePostOrder } from "../4-lower/cfg.ts";
import type { BinaryOp, Block, Constant, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  sameValue,
  successors,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { commutative, foldInstruction } from "./fold-constants.ts";
import { isOp, operand } from "./values.ts";

/** What a value can be: one constant, or anything. Not noted: nothing that was found so far. */
type Held = Constant | "anything";

export class FollowedConstants {
  readonly #order: readonly Block[];
  readonly #globals: ReadonlyMap<string, Constant>;
  readonly #held = new Map<Value, Held>();
  readonly #reached = new Set<Block>();
  /** Edges that can be taken, by their block's and their target's id. */
  readonly #edges = new Set<string>();
  #changed = false;

  /** @param globals variables that hold one constant, by name */
  constructor(fn: IrFunction, globals: ReadonlyMap<string, Constant>) {
    this.#order = reversePostOrder(fn);
    this.#globals = globals;
    const [first] = this.#order;
    if (first !== undefined) this.#reached.add(first);
    do {
      this.#changed = false;
      for (const block of this.#order) if (this.#reached.has(block)) this.#visitBlock(block);
    } while (this.#changed);
  }

  /** Instructions that always give one constant, where they run at all. */
  *constants(): Generator<[IrInstruction, Constant]> {
    for (const [value, held] of this.#held) {
      if (value.kind === "instruction" && held !== "anything") yield [value, held];
    }
  }

  /** Names that are given something else by code that can run. */
  changedGlobals(): Set<string> {
    const names = new Set<string>();
    for (const block of this.#reached) {
      for (const each of block.instructions) {
        const name = isOp(each, "store") ? this.#nameOf(operand(each, 1)) : undefined;
        const value = name === undefined ? undefined : this.#of(operand(each, 0));
        if (name === undefined || value === undefined) continue;
        const before = this.#globals.get(name) as Constant;
        if (value === "anything" || value.value !== before.value) names.add(name);
      }
    }
    return names;
  }

  #nameOf(pointer: Value): string | undefined {
    if (pointer.kind !== "global") return undefined;
    return this.#globals.has(pointer.symbol) ? pointer.symbol : undefined;
  }

  #of(value: Value): Held | undefined {
    if (value.kind === "constant") return value;
    return value.kind === "instruction" ? this.#held.get(value) : "anything";
  }

  #visitBlock(block: Block): void {
    for (const each of block.instructions) {
      if (each.type === "void" || this.#held.get(each) === "anything") continue;
      const now = this.#compute(each);
      const before = this.#held.get(each);
      if (now === undefined || (before && before !== "anything" && isSame(before, now))) continue;
      this.#held.set(each, before === undefined ? now : "anything");
      this.#changed = true;
    }
    for (const next of this.#nextOf(block)) {
      const edge = `${block.id} ${next.id}`;
      if (this.#edges.has(edge)) continue;
      this.#edges.add(edge);
      this.#reached.add(next);
      this.#changed = true;
    }
  }

  #compute(each: IrInstruction): Held | undefined {
    const { operation, operands } = each;
    if (operation.op === "phi") {
      const taken = operation.incoming.map(({ id }) => this.#edges.has(`${id} ${each.block.id}`));
      return operands.reduce<Held | undefined>(
        (held, value, at) => (taken[at] ? meet(held, this.#of(value)) : held),
        undefined,
      );
    }
    if (operation.op === "load") {
      const name = this.#nameOf(operand(each, 0));
      const value = name === undefined ? undefined : this.#globals.get(name)?.value;
      return value === undefined ? "anything" : constant(each.type as ValueType, value);
    }
    const inputs = operands.map((value) => this.#of(value));
    if (inputs.includes(undefined)) return undefined;
    const values = inputs.map((held, at) =>
      held === "anything" || held === undefined ? operand(each, at) : held,
    );
    return foldInstruction(each, values) ?? absorbed(each, values) ?? "anything";
  }

  #nextOf(block: Block): readonly Block[] {
    const last = terminatorOf(block);
    if (last === undefined) return [];
    const { operation } = last;
    if (operation.op !== "condbr" && operation.op !== "switch") return successors(block);
    const held = this.#of(operand(last, 0));
    if (held === undefined) return [];
    if (held === "anything") return successors(block);
    if (operation.op === "condbr")
      return [held.value === 0n ? operation.otherwise : operation.then];
    const found = operation.cases.find(({ value }) => value === held.value);
    return [found?.target ?? operation.fallback];
  }
}

/** 0 where the operation makes it of a 0 and of anything. */
function absorbed(each: IrInstruction, [a, b]: readonly Value[]): Constant | undefined {
  if (!canKeepZero(each) || each.operation.op !== "binary") return undefined;
  const either = commutative.has(each.operation.binary) ? [a, b] : [a];
  return either.find(
    (value): value is Constant => value?.kind === "constant" && value.value === 0n,
  );
}

/** Whether it gives 0 for a 0, whatever stands on the right (or, where operands may change places, on the left). */
export function canKeepZero({ operation }: IrInstruction): boolean {
  return operation.op === "binary" && keepingZero.has(operation.binary);
}

const keepingZero: ReadonlySet<BinaryOp> = new Set([
  "mul",
  "and",
  "shl",
  "lshr",
  "ashr",
  "udiv",
  "urem",
  "sdiv",
  "srem",
]);

function meet(a: Held | undefined, b: Held | undefined): Held | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isSame(a, b) ? a : "anything";
}

function isSame(a: Held, b: Held): boolean {
  return a === b || (a !== "anything" && b !== "anything" && sameValue(a, b));
}
