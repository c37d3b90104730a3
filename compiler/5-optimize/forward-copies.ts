/**
 * Copies of memory that need not be made. A stack object that is nothing but a copy of another one, as the
 * value of a statement expression is, becomes that other one where neither is changed in a way that the
 * other would show. A copy of what was just filled is a fill, a copy of a copy reads the original.
 * Needs: split-aggregates before, so that only what must lie in memory is left; expand-memory after.
 */
import { type DominatorTree, dominatorTree } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Operation, Value } from "../4-lower/ir.ts";
import { computeUses, constant, successors, type Use } from "../4-lower/ir-builder.ts";
import { AliasAnalysis, type Location, lengthOf, sameBase } from "./alias.ts";
import { memoryEffect } from "./effects.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { alignmentAt } from "./split-aggregates.ts";
import { constantAddress, type InstructionOf, instructionsOf, isOp, operand } from "./values.ts";

export const forwardCopies: FunctionPass = {
  kind: "function",
  name: "forward-copies",
  run(fn) {
    if (![...instructionsOf(fn)].some(isCopy)) return false;
    const forwarded = new Forwarding(fn).run();
    return mergeCopiedObjects(fn) || forwarded;
  },
};

/**
 * The first half alone, for code as it was written: the value of a statement expression goes through two copies,
 * and an object in between that split-aggregates takes apart would hide that the last is one of the first.
 */
export const shortenCopies: FunctionPass = {
  kind: "function",
  name: "shorten-copies",
  run(fn) {
    let copies = 0;
    for (const each of instructionsOf(fn)) if (isCopy(each)) copies += 1;
    return copies > 1 && new Forwarding(fn).run();
  },
};

type Copy = IrInstruction & { operation: Extract<Operation, { readonly srcAlign: number }> };

/** A copy of constant length between places that do not overlap. */
function isCopy(each: IrInstruction): each is Copy {
  const { operation } = each;
  return operation.op === "memcpy" && !operation.volatile && lengthOf(each) !== undefined;
}

/** Writers that are looked at before a copy. */
const longestSearch = 64;

/** Copies of what the same block filled or copied. */
class Forwarding {
  readonly #fn: IrFunction;
  readonly #alias: AliasAnalysis;
  readonly #rewriter: Rewriter;

  constructor(fn: IrFunction) {
    this.#fn = fn;
    this.#alias = new AliasAnalysis(fn);
    this.#rewriter = new Rewriter(fn);
  }

  run(): boolean {
    for (const block of this.#fn.blocks) {
      const writers: IrInstruction[] = [];
      for (const each of block.instructions) {
        if (isCopy(each)) this.#forward(each, writers);
        const { kind } = memoryEffect(each);
        if (kind !== "none" && kind !== "load") writers.push(each);
      }
    }
    return this.#rewriter.apply();
  }

  #forward(copy: Copy, writers: readonly IrInstruction[]): void {
    const length = lengthOf(copy) ?? 0;
    const source = this.#alias.location(operand(copy, 1), length);
    if (source.region.kind !== "stack") return;
    const from = Math.max(0, writers.length - longestSearch);
    for (let at = writers.length - 1; at >= from; at -= 1) {
      const writer = writers[at] as IrInstruction;
      if (!this.#alias.mayWrite(writer, source)) continue;
      const covered = this.#covers(writer, source);
      if (covered === undefined) return;
      if (isOp(writer, "memset")) this.#fill(copy, operand(writer, 1));
      else if (isCopy(writer)) this.#readOriginal(copy, writer, covered, writers.slice(at + 1));
      return;
    }
  }

  /** Where in the writer's range `location` starts, if the writer wrote all of it. */
  #covers(writer: IrInstruction, location: Location): number | undefined {
    if (!isOp(writer, "memset") && !isCopy(writer)) return undefined;
    const length = lengthOf(writer);
    if (length === undefined || (isOp(writer, "memset") && writer.operation.volatile))
      return undefined;
    const target = constantAddress(operand(writer, 0));
    const start = location.offset - target.offset;
    const fits = start >= 0 && start + (location.size ?? 0) <= length;
    return sameBase(target.base, location.base) && fits ? start : undefined;
  }

  #fill(copy: Copy, byte: Value): void {
    const { dstAlign } = copy.operation;
    const operands = [operand(copy, 0), byte, operand(copy, 2)];
    this.#rewriter.insertBefore(
      copy,
      "void",
      { op: "memset", dstAlign, volatile: false },
      operands,
    );
    this.#rewriter.erase(copy);
  }

  #readOriginal(copy: Copy, first: Copy, start: number, between: readonly IrInstruction[]): void {
    const pointer = operand(first, 1);
    const { base, offset } = constantAddress(pointer);
    const original: Location = {
      base,
      offset: offset + start,
      size: lengthOf(copy),
      region: this.#alias.regionOf(pointer),
    };
    // Of other memory only the stack's verdict is certain to be the same later on.
    if (original.region.kind !== "stack" && original.region.kind !== "global") return;
    if (between.some((each) => this.#alias.mayWrite(each, original))) return;
    const target = this.#alias.location(operand(copy, 0), lengthOf(copy));
    if (this.#alias.mayAlias(target, original)) return;
    const { dstAlign } = copy.operation;
    const address =
      start === 0
        ? pointer
        : this.#rewriter.insertBefore(copy, "ptr", { op: "ptradd" }, [
            pointer,
            constant("i64", start),
          ]);
    const srcAlign = alignmentAt(first.operation.srcAlign, start);
    const operation = { op: "memcpy", dstAlign, srcAlign, volatile: false } as const;
    const operands = [operand(copy, 0), address, operand(copy, 2)];
    this.#rewriter.insertBefore(copy, "void", { ...operation }, operands);
    this.#rewriter.erase(copy);
  }
}

/** Instructions that are looked at behind a copy, in each of the states that {@link Walk} tells apart. */
const longestWalk = 4000;

/** Objects that are copies of others: one after the other, as each changes what the next one sees. */
function mergeCopiedObjects(fn: IrFunction): boolean {
  let changed = false;
  for (let round = 0; round < 16; round += 1) {
    const alias = new AliasAnalysis(fn);
    const uses = computeUses(fn);
    const tree = dominatorTree(fn);
    const pair = findPair(fn, { alias, uses, tree });
    if (pair === undefined) break;
    merge(fn, pair);
    changed = true;
  }
  return changed;
}

interface Pair {
  readonly copy: Copy;
  readonly target: InstructionOf<"alloca">;
  readonly source: InstructionOf<"alloca">;
}

interface Analyses {
  readonly alias: AliasAnalysis;
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  readonly tree: DominatorTree;
}

function findPair(fn: IrFunction, analyses: Analyses): Pair | undefined {
  for (const copy of instructionsOf(fn)) {
    if (!isCopy(copy)) continue;
    const [target, source] = [operand(copy, 0), operand(copy, 1)];
    if (!isOp(target, "alloca") || !isOp(source, "alloca") || target === source) continue;
    const length = lengthOf(copy);
    if (target.operation.size !== length || source.operation.size !== length) continue;
    const pair = { copy, target, source };
    if (isMergeable(pair, analyses)) return pair;
  }
  return undefined;
}

function isMergeable({ copy, target, source }: Pair, { alias, uses, tree }: Analyses): boolean {
  // The target may: all that learns its address is behind the copy, and it is the copy's way on that counts.
  if (alias.escapeOf(source) === "all") return false;
  const users = usersOf(target, uses);
  if (users === undefined || usersOf(source, uses) === undefined) return false;
  for (const each of users) {
    if (each === copy || isMark(each)) continue;
    if (each.block === copy.block) {
      const { instructions } = copy.block;
      if (instructions.indexOf(each) < instructions.indexOf(copy)) return false;
    } else if (!tree.dominates(copy.block, each.block)) return false;
  }
  return isUndisturbed(copy, wholeOf(target), wholeOf(source), alias);
}

const isMark = (each: IrInstruction): boolean =>
  isOp(each, "lifetime_start") || isOp(each, "lifetime_end");

function wholeOf(object: InstructionOf<"alloca">): Location {
  const { size } = object.operation;
  return { base: object, offset: 0, size, region: { kind: "stack", object } };
}

/** All that uses the object's address or a sum with it; undefined if phis or the like carry it on. */
function usersOf(
  object: IrInstruction,
  uses: ReadonlyMap<Value, readonly Use[]>,
): IrInstruction[] | undefined {
  const users: IrInstruction[] = [];
  const work = [object];
  for (let pointer = work.pop(); pointer !== undefined; pointer = work.pop()) {
    for (const { user } of uses.get(pointer) ?? []) {
      const { op } = user.operation;
      if (op === "phi" || op === "select" || op === "ptrtoint") return undefined;
      if (op === "ptradd") work.push(user);
      else users.push(user);
    }
  }
  return users;
}

/**
 * Follows all ways on from the copy. Once one object has been written, the other must not be looked at
 * any more: with one object for both it would show the new contents.
 */
function isUndisturbed(
  copy: Copy,
  target: Location,
  source: Location,
  alias: AliasAnalysis,
): boolean {
  const seen = new Map<Block, Set<number>>();
  const work: { block: Block; from: number; state: number }[] = [
    { block: copy.block, from: copy.block.instructions.indexOf(copy) + 1, state: 0 },
  ];
  let budget = longestWalk;
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    let { state } = item;
    for (const each of item.block.instructions.slice(item.from)) {
      if (memoryEffect(each).kind === "none") continue;
      budget -= 1;
      if (budget < 0) return false;
      if (each === copy) {
        if (state & targetWritten) return false;
        state = 0;
        continue;
      }
      const usesTarget = alias.mayRead(each, target);
      const usesSource = alias.mayRead(each, source);
      if (usesTarget && state & sourceWritten) return false;
      if (usesSource && state & targetWritten) return false;
      if (alias.mayWrite(each, target)) state |= targetWritten;
      if (alias.mayWrite(each, source)) state |= sourceWritten;
      // Parts of both would be mixed up.
      if (state === (targetWritten | sourceWritten)) return false;
    }
    for (const next of successors(item.block)) {
      let states = seen.get(next);
      if (states === undefined) seen.set(next, (states = new Set()));
      if (states.has(state)) continue;
      states.add(state);
      work.push({ block: next, from: 0, state });
    }
  }
  return true;
}

const targetWritten = 1;
const sourceWritten = 2;

function merge(fn: IrFunction, { copy, target, source }: Pair): void {
  const rewriter = new Rewriter(fn);
  const { operation } = source;
  operation.align = Math.max(operation.align, target.operation.align);
  // One lives where the other did not: without marks, everywhere.
  for (const each of instructionsOf(fn)) {
    const [object] = each.operands;
    if (isMark(each) && (object === target || object === source)) rewriter.erase(each);
  }
  rewriter.erase(copy);
  rewriter.replace(target, source);
  rewriter.apply();
}
