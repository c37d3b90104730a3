/**
 * Neighbouring stores become one wide store: of constants (fields that are set to zero one by one), or of
 * values that were loaded side by side (copies by hand). Within a block, with nothing between that
 * could tell; only where the memory takes the wide access. The wide store stands where the last one was.
 */
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, type ValueType } from "../4-lower/ir-builder.ts";
import { type Location, sameBase } from "./alias.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { provenAlignment, toleratesUnaligned } from "./memory-provenance.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { alignmentAt } from "./split-aggregates.ts";
import { byteSize, constantAddress, integerOfSize, isBinary, isOp, operand } from "./values.ts";

export const mergeStores: FunctionPass = {
  kind: "function",
  name: "merge-stores",
  run: (fn, context) => new Merging(fn, context).run(),
};

interface Pending {
  readonly store: IrInstruction;
  readonly location: Location & { readonly size: number };
}

/** Stores that may still be joined by later ones. */
const mostPending = 24;
/** Instructions between the first and the last of some loads that become one. */
const longestStretch = 200;

class Merging {
  readonly #fn: IrFunction;
  readonly #context: PassContext;
  readonly #facts: FunctionFacts;
  readonly #rewriter: Rewriter;
  readonly #positions = new Map<IrInstruction, number>();
  #block: Block | undefined;

  constructor(fn: IrFunction, context: PassContext) {
    this.#fn = fn;
    this.#context = context;
    this.#facts = context.runs.factsOf(fn);
    this.#rewriter = new Rewriter(fn);
  }

  run(): boolean {
    for (const block of this.#fn.blocks) {
      this.#block = block;
      let pending: Pending[] = [];
      for (const [at, each] of block.instructions.entries()) {
        this.#positions.set(each, at);
        const effect = memoryEffect(each);
        if (effect.kind === "none") continue;
        const mine = this.#asPending(each);
        if (mine === undefined) {
          const closed = isOrdered(effect)
            ? pending
            : pending.filter(({ location }) => this.#concerns(each, location));
          for (const { location } of closed) this.#close(pending, location.base);
          pending = pending.filter((other) => !closed.includes(other));
          continue;
        }
        const touched = pending.filter(({ location }) =>
          this.#facts.alias.mayAlias(location, mine.location),
        );
        for (const { location } of touched) this.#close(pending, location.base);
        pending = pending.filter((other) => !touched.includes(other));
        pending.push(mine);
        if (pending.length >= mostPending) {
          this.#close(pending, pending[0]?.location.base);
          pending = [];
        }
      }
      for (const base of new Set(pending.map(({ location }) => location.base))) {
        this.#close(pending, base);
      }
    }
    return this.#rewriter.apply();
  }

  #concerns(instruction: IrInstruction, location: Location): boolean {
    return (
      this.#facts.alias.mayRead(instruction, location) ||
      this.#facts.alias.mayWrite(instruction, location)
    );
  }

  #asPending(instruction: IrInstruction): Pending | undefined {
    const { operation } = instruction;
    if (operation.op !== "store" || operation.volatile) return undefined;
    const location = this.#facts.alias.accessOf(instruction);
    if (location?.size === undefined) return undefined;
    const { size } = location;
    return { store: instruction, location: { ...location, size } };
  }

  /** Merges what can be merged of the pending stores to one base. */
  #close(pending: readonly Pending[], base: Value | undefined): void {
    const group = pending
      .filter(
        ({ location, store }) =>
          base !== undefined && sameBase(location.base, base) && !this.#rewriter.isErased(store),
      )
      .sort((a, b) => a.location.offset - b.location.offset);
    for (let at = 0; at < group.length; ) {
      const taken = this.#widestRun(group, at);
      if (taken > 1) this.#merge(group.slice(at, at + taken));
      at += Math.max(taken, 1);
    }
  }

  /** How many stores from `at` on make one wide store. */
  #widestRun(group: readonly Pending[], at: number): number {
    const first = group[at] as Pending;
    let best = 1;
    let end = first.location.offset;
    for (let index = at; index < group.length; index += 1) {
      const { location } = group[index] as Pending;
      if (location.offset !== end) break;
      end += location.size;
      const size = end - first.location.offset;
      if (size > 8) break;
      const run = group.slice(at, index + 1);
      if (run.length > 1 && this.#fits(first, size) && this.#valueOf(run) !== undefined)
        best = run.length;
    }
    return best;
  }

  #fits(first: Pending, size: number): boolean {
    if (integerOfSize[size] === undefined) return false;
    const pointer = operand(first.store, 1);
    const { region } = first.location;
    if (region.kind === "context" || region.kind === "unknown") return false;
    if (toleratesUnaligned(pointer, region, this.#context)) return true;
    const given = first.store.operation.op === "store" ? first.store.operation.align : 1;
    if (provenAlignment(pointer, given, this.#context) >= size) return true;
    // A stack object's alignment is ours to raise.
    const { base, offset } = constantAddress(pointer);
    return isOp(base, "alloca") && alignmentAt(8, offset) >= size;
  }

  /** What the wide store stores: a constant, a value whose parts they are, or loads that become one. */
  #valueOf(run: readonly Pending[]): "constant" | Value | readonly IrInstruction[] | undefined {
    const values = run.map(({ store }) => operand(store, 0));
    if (values.every((each) => each.kind === "constant"))
      return this.#isCheap(run) ? "constant" : undefined;
    return this.#wholeOf(run) ?? this.#adjacentLoads(run, values);
  }

  /** x for trunc(x), trunc(x >> 32), … stored side by side. */
  #wholeOf(run: readonly Pending[]): Value | undefined {
    const start = (run[0] as Pending).location.offset;
    const size = run.reduce((sum, { location }) => sum + location.size, 0);
    let whole: Value | undefined;
    for (const { store, location } of run) {
      const part = operand(store, 0);
      if (!isOp(part, "trunc")) return undefined;
      let source = operand(part, 0);
      let shift = 0;
      const amount = isBinary(source, "lshr") ? operand(source, 1) : undefined;
      if (isBinary(source, "lshr") && amount?.kind === "constant") {
        shift = Number(amount.value);
        source = operand(source, 0);
      }
      const before = location.offset - start;
      const place =
        this.#context.module.endian === "little" ? before : size - before - location.size;
      if (shift !== 8 * place || byteSize[source.type] !== size) return undefined;
      if (whole !== undefined && whole !== source) return undefined;
      whole = source;
    }
    return whole;
  }

  /** A wide constant that is no immediate costs two slots: no gain over two stores. */
  #isCheap(run: readonly Pending[]): boolean {
    const value = this.#wideConstant(run);
    const size = run.reduce((sum, { location }) => sum + location.size, 0);
    const signed = BigInt.asIntN(size * 8, value);
    return (signed >= -0x80000000n && signed <= 0x7fffffffn) || run.length > 3;
  }

  #wideConstant(run: readonly Pending[]): bigint {
    const start = (run[0] as Pending).location.offset;
    const size = run.reduce((sum, { location }) => sum + location.size, 0);
    let result = 0n;
    for (const { store, location } of run) {
      const value = operand(store, 0);
      const before = location.offset - start;
      const place =
        this.#context.module.endian === "little" ? before : size - before - location.size;
      if (value.kind === "constant") result |= value.value << BigInt(8 * place);
    }
    return result;
  }

  #adjacentLoads(run: readonly Pending[], values: readonly Value[]): IrInstruction[] | undefined {
    const loads: IrInstruction[] = [];
    let next: Location | undefined;
    for (const [at, value] of values.entries()) {
      if (!isOp(value, "load") || value.operation.volatile || value.block !== this.#block)
        return undefined;
      if ((this.#facts.uses.get(value) ?? []).length !== 1) return undefined;
      const location = this.#facts.alias.accessOf(value);
      if (location?.size === undefined || location.size !== run[at]?.location.size)
        return undefined;
      if (
        next !== undefined &&
        (!sameBase(location.base, next.base) || location.offset !== next.offset)
      ) {
        return undefined;
      }
      next = { ...location, offset: location.offset + location.size };
      loads.push(value);
    }
    const size = run.reduce((sum, { location }) => sum + location.size, 0);
    const [first] = loads;
    if (first === undefined || !this.#loadFits(first, size)) return undefined;
    return this.#canLoadOnce(loads, run) ? loads : undefined;
  }

  #loadFits(load: IrInstruction, size: number): boolean {
    const pointer = operand(load, 0);
    const region = this.#facts.alias.regionOf(pointer);
    if (region.kind === "context" || region.kind === "unknown") return false;
    if (toleratesUnaligned(pointer, region, this.#context)) return true;
    const given = load.operation.op === "load" ? load.operation.align : 1;
    return provenAlignment(pointer, given, this.#context) >= size;
  }

  /** All loads can happen where the last of them is: nothing in between writes to what they read. */
  #canLoadOnce(loads: readonly IrInstruction[], run: readonly Pending[]): boolean {
    const at = (each: IrInstruction): number => this.#positions.get(each) ?? 0;
    const from = Math.min(...loads.map(at));
    const to = Math.max(...loads.map(at));
    if (to - from > longestStretch) return false;
    const block = this.#block as Block;
    const stores = new Set(run.map(({ store }) => store));
    for (const each of block.instructions.slice(from, to + 1)) {
      if (stores.has(each) || memoryEffect(each).kind !== "none") {
        for (const load of loads) {
          const location = this.#facts.alias.accessOf(load);
          if (location === undefined || this.#facts.alias.mayWrite(each, location)) return false;
        }
      }
    }
    const lastStore = Math.max(...run.map(({ store }) => at(store)));
    return to < lastStore;
  }

  #merge(run: readonly Pending[]): void {
    const at = (each: IrInstruction): number => this.#positions.get(each) ?? 0;
    const last = run.reduce((a, b) => (at(a.store) > at(b.store) ? a : b)).store;
    const first = run[0] as Pending;
    const size = run.reduce((sum, { location }) => sum + location.size, 0);
    const type = integerOfSize[size] as ValueType;
    const pointer = operand(first.store, 1);
    const value = this.#valueOf(run);
    if (value === undefined) return;
    this.#raise(pointer, size);
    let wide: Value;
    if (value === "constant") wide = constant(type, this.#wideConstant(run));
    else wide = "kind" in value ? value : this.#wideLoad(value, type);
    const given = first.store.operation.op === "store" ? first.store.operation.align : 1;
    const align = provenAlignment(pointer, given, this.#context);
    const store = { op: "store", align, volatile: false } as const;
    this.#rewriter.insertBefore(last, "void", { ...store }, [wide, this.#addressAt(pointer, last)]);
    for (const each of run) this.#rewriter.erase(each.store);
  }

  /** The address for use at `user`; it may have been computed only after the first store's place. */
  #addressAt(pointer: Value, user: IrInstruction): Value {
    const { base, offset } = constantAddress(pointer);
    if (offset === 0) return base;
    return this.#rewriter.insertBefore(user, "ptr", { op: "ptradd" }, [
      base,
      constant("i64", offset),
    ]);
  }

  #wideLoad(loads: readonly IrInstruction[], type: ValueType): Value {
    const at = (each: IrInstruction): number => this.#positions.get(each) ?? 0;
    const first = loads[0] as IrInstruction;
    const last = loads.reduce((a, b) => (at(a) > at(b) ? a : b));
    const pointer = operand(first, 0);
    const given = first.operation.op === "load" ? first.operation.align : 1;
    const align = provenAlignment(pointer, given, this.#context);
    const address = this.#addressAt(pointer, last);
    for (const each of loads) this.#rewriter.erase(each);
    return this.#rewriter.insertBefore(last, type, { op: "load", align, volatile: false }, [
      address,
    ]);
  }

  #raise(pointer: Value, size: number): void {
    const { base } = constantAddress(pointer);
    if (isOp(base, "alloca"))
      base.operation.align = Math.max(base.operation.align, Math.min(8, size));
  }
}
