/**
 * Dead-store elimination. A store goes if the same bytes are stored again before anything can read
 * them (on all ways, without going around a loop), or if they lie in a stack object of this function and nothing may read them
 * afterwards (across blocks, by liveness of the ranges that are stored).
 */
import { reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction } from "../4-lower/ir.ts";
import { successors } from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, lengthOf, sameBase } from "./alias.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { countInstructions, type InstructionOf, instructionsOf, isOp, operand } from "./values.ts";

export const removeDeadStores: FunctionPass = {
  kind: "function",
  name: "remove-dead-stores",
  onlyRemoves: true,
  run(fn, { runs }) {
    const { alias } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    removeOverwritten(fn, alias, rewriter);
    removeUnread(fn, alias, rewriter);
    return rewriter.apply();
  },
};

/** Stores that are remembered while walking a block backwards. */
const memoryOfStores = 96;
/** Those of them that are remembered in the blocks before. */
const carriedStores = 12;

/** What a plain store, fill or copy writes; undefined for everything else and for volatile ones. */
function writtenBy(instruction: IrInstruction, alias: AliasAnalysis): Location | undefined {
  const { operation } = instruction;
  switch (operation.op) {
    case "store":
      return operation.volatile ? undefined : alias.accessOf(instruction);
    case "memset":
    case "memcpy":
    case "memmove": {
      const length = lengthOf(instruction);
      if (operation.volatile || length === undefined) return undefined;
      return alias.location(operand(instruction, 0), length);
    }
    default:
      return undefined;
  }
}

function removeOverwritten(fn: IrFunction, alias: AliasAnalysis, rewriter: Rewriter): void {
  /** Places that are written from the start of a block on before anything can read them. */
  const starts = new Map<Block, readonly Location[]>();
  for (const block of reversePostOrder(fn).toReversed()) {
    let later = writtenOnAllWays(block, starts);
    for (const each of [...block.instructions].reverse()) {
      const effect = memoryEffect(each);
      if (effect.kind === "none") continue;
      const written = writtenBy(each, alias);
      if (written !== undefined && isCovered(written, later)) {
        rewriter.erase(each);
        continue;
      }
      if (isOrdered(effect)) later = later.filter((location) => isUntouched(each, location, alias));
      else later = later.filter((location) => !alias.mayRead(each, location));
      // A copy onto itself, or to an overlapping place, reads what it writes.
      if (written !== undefined && !alias.mayRead(each, written)) {
        later.push(written);
        if (later.length > memoryOfStores) later.shift();
      }
    }
    if (later.length > 0) starts.set(block, later.slice(-carriedStores));
  }
}

/** What all successors write; nothing is known of loops that begin anew. */
function writtenOnAllWays(
  block: Block,
  starts: ReadonlyMap<Block, readonly Location[]>,
): Location[] {
  const [first, ...others] = successors(block);
  let later = (first && starts.get(first)) ?? [];
  for (const next of others) {
    const there = starts.get(next) ?? [];
    later = later.filter((location) => there.some((each) => isSame(each, location)));
  }
  return [...later];
}

function isSame(a: Location, b: Location): boolean {
  return a === b || (a.offset === b.offset && a.size === b.size && sameBase(a.base, b.base));
}

/** A barrier or volatile access: only what no one else can see may be carried over it. */
function isUntouched(
  instruction: IrInstruction,
  location: Location,
  alias: AliasAnalysis,
): boolean {
  return location.region.kind === "stack" && !alias.mayRead(instruction, location);
}

/** All bytes are written again by `later` together. */
function isCovered(inner: Location, later: readonly Location[]): boolean {
  if (inner.size === undefined) return false;
  const end = inner.offset + inner.size;
  const same = later.filter((each) => sameBase(each.base, inner.base) && each.size !== undefined);
  let reached = inner.offset;
  for (const each of same.sort((a, b) => a.offset - b.offset)) {
    if (each.offset > reached) break;
    reached = Math.max(reached, each.offset + (each.size ?? 0));
    if (reached >= end) return true;
  }
  return false;
}

/** Pieces of one object that are followed; an object of more keeps its stores. */
const mostPieces = 96;
const mostObjects = 64;
/** Instructions that are looked at in all, so that time stays linear in long functions. */
const mostWork = 400_000;

/**
 * Liveness of ranges: what was stored into a private object is dead if on every way all of it is stored
 * again, or the object ends, before anything may read it.
 */
function removeUnread(fn: IrFunction, alias: AliasAnalysis, rewriter: Rewriter): void {
  const objects = instructionsOf(fn).filter((each) => isOp(each, "alloca"));
  const order = reversePostOrder(fn);
  const isPrivate = (each: IrInstruction): boolean => alias.escapeOf(each) !== "all";
  const affordable = Math.min(mostObjects, Math.ceil(mostWork / countInstructions(fn)));
  const chosen = objects.filter(isPrivate).slice(0, affordable);
  if (chosen.length === 0) return;
  const effects = new Map<Block, readonly Effect[]>();
  for (const block of order) {
    const list: Effect[] = [];
    for (const instruction of block.instructions) {
      if (memoryEffect(instruction).kind === "none") continue;
      list.push({ instruction, written: writtenBy(instruction, alias) });
    }
    if (list.length > 0) effects.set(block, list);
  }
  for (const object of chosen) {
    new RangeLiveness(object, { order, effects }, alias, rewriter).run();
  }
}

/** A range of the object; what is stored at an index that varies may be any part of all of it. */
type Range = Location & { readonly size: number; readonly varies: boolean };

/** A set of pieces, into which the ends of all ranges cut the object: bit n stands for the n-th. */
type PieceSet = bigint;

/** An instruction that concerns the object: the pieces that it may read, and those that it overwrites. */
interface Touch {
  readonly instruction: IrInstruction;
  readonly reads: PieceSet;
  readonly kills: PieceSet;
  /** Its own pieces, if it is a store that may go. */
  readonly own: PieceSet;
}

/** An instruction that does something to memory, and what it writes, as writtenBy says. */
interface Effect {
  readonly instruction: IrInstruction;
  readonly written: Location | undefined;
}

interface Code {
  readonly order: readonly Block[];
  readonly effects: ReadonlyMap<Block, readonly Effect[]>;
}

class RangeLiveness {
  readonly #object: InstructionOf<"alloca">;
  readonly #code: Code;
  readonly #alias: AliasAnalysis;
  readonly #rewriter: Rewriter;
  readonly #whole: Location;
  readonly #pieces: Location[] = [];
  readonly #touches = new Map<Block, Touch[]>();

  constructor(
    object: InstructionOf<"alloca">,
    code: Code,
    alias: AliasAnalysis,
    rewriter: Rewriter,
  ) {
    this.#object = object;
    const region = { kind: "stack", object } as const;
    this.#whole = { base: object, offset: 0, size: undefined, region };
    this.#code = code;
    this.#alias = alias;
    this.#rewriter = rewriter;
  }

  run(): void {
    this.#cut();
    if (this.#pieces.length === 0 || this.#pieces.length > mostPieces) return;
    for (const [block, effects] of this.#code.effects) {
      const list = effects.flatMap((each) => this.#touchOf(each) ?? []);
      if (list.length > 0) this.#touches.set(block, list.reverse());
    }
    const live = this.#solve();
    for (const [block, list] of this.#touches) {
      let after = liveAfter(block, live);
      for (const { instruction, reads, kills, own } of list) {
        if (own !== 0n && (after & own) === 0n) this.#rewriter.erase(instruction);
        else after = (after & ~kills) | reads;
      }
    }
  }

  /** The range that an instruction writes of this object. */
  #writtenRange({ instruction, written }: Effect): Range | undefined {
    if (written?.size === undefined || this.#rewriter.isErased(instruction)) return undefined;
    const { base, region, size } = written;
    if (base === this.#object) return { ...written, size, varies: false };
    if (region.kind !== "stack" || region.object !== this.#object) return undefined;
    const whole = this.#object.operation.size;
    return { base: this.#object, offset: 0, size: whole, region, varies: true };
  }

  #cut(): void {
    const cuts = new Set<number>();
    for (const effects of this.#code.effects.values()) {
      for (const each of effects) {
        const range = this.#writtenRange(each);
        if (range !== undefined) cuts.add(range.offset).add(range.offset + range.size);
      }
    }
    const sorted = [...cuts].sort((x, y) => x - y);
    const { region } = this.#whole;
    for (const [at, end] of sorted.slice(1).entries()) {
      const offset = sorted[at] as number;
      this.#pieces.push({ base: this.#object, offset, size: end - offset, region });
    }
  }

  #maskOf(test: (piece: Location) => boolean): PieceSet {
    let mask = 0n;
    for (const [at, piece] of this.#pieces.entries()) if (test(piece)) mask |= 1n << BigInt(at);
    return mask;
  }

  #touchOf(effect: Effect): Touch | undefined {
    const { instruction } = effect;
    if (this.#rewriter.isErased(instruction)) return undefined;
    const reads = this.#alias.mayRead(instruction, this.#whole)
      ? this.#maskOf((piece) => this.#alias.mayRead(instruction, piece))
      : 0n;
    const written = this.#writtenRange(effect);
    if (written === undefined) {
      return reads === 0n ? undefined : { instruction, reads, kills: 0n, own: 0n };
    }
    const end = written.offset + written.size;
    const own = this.#maskOf(({ offset }) => written.offset <= offset && offset < end);
    return { instruction, reads, kills: written.varies ? 0n : own, own };
  }

  /** Pieces that may be read from each block's start on. */
  #solve(): Map<Block, PieceSet> {
    const live = new Map<Block, PieceSet>();
    for (let changed = true; changed; ) {
      changed = false;
      for (let at = this.#code.order.length - 1; at >= 0; at -= 1) {
        const block = this.#code.order[at] as Block;
        let mask = liveAfter(block, live);
        for (const { reads, kills } of this.#touches.get(block) ?? [])
          mask = (mask & ~kills) | reads;
        if (mask === (live.get(block) ?? 0n)) continue;
        live.set(block, mask);
        changed = true;
      }
    }
    return live;
  }
}

function liveAfter(block: Block, live: ReadonlyMap<Block, PieceSet>): PieceSet {
  return successors(block).reduce((mask, next) => mask | (live.get(next) ?? 0n), 0n);
}
