/**
 * Loop-invariant code motion: arithmetic whose operands do not change in a loop is done once before it.
 * Addresses stay (a sum of pointer and variable must not move above its checks), but for those in memory that
 * is there before the loop, with an index that is known to be small there; and so do comparisons, and all
 * loads but those that each round begins with. BPF arithmetic cannot trap, so that doing it early is harmless.
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
import { type EdgeRanges, edgeRangesOf } from "./edge-ranges.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import { isEquality } from "./fold-constants.ts";
import { isPlainMemory } from "./memory-provenance.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { preheader, soleEntry } from "./preheader.ts";
import { RegisterPressure } from "./register-pressure.ts";
import type { Range } from "./value-ranges.ts";
import { isBinary, isConstantOffset, isOp, operand } from "./values.ts";

export const hoistInvariants: FunctionPass = {
  kind: "function",
  name: "hoist-invariants",
  run(fn, context) {
    const { runs } = context;
    const tree = dominatorTree(fn);
    const loops = findLoops(fn);
    if (loops.length === 0) return false;
    const preds = predecessors(fn);
    const ranges = edgeRangesOf(fn);
    const places = new Map(tree.order.map((block, at) => [block, at]));
    // Moving an instruction changes nothing of who uses it.
    const { uses, alias } = runs.factsOf(fn);
    const standIns = new Map<Block, Block>();
    const pressure = new RegisterPressure(fn);
    const around = { fn, context, tree, preds, places, ranges, uses, alias, standIns, pressure };
    let changed = false;
    // Inner loops first; what leaves one may then leave the next.
    for (const loop of loops.toReversed()) changed = hoistFrom(loop, around) || changed;
    return changed;
  },
};

/** Each hoisted value occupies a register throughout the loop; there are few. */
const mostHoisted = 3;
/** Stores of a loop that are compared with its loads. */
const mostEffects = 64;
/** A division takes longer than fetching its result from the stack. */
const mostDivisions = 8;
/** What the verifier lets be added to a pointer, and how far an index is looked for. */
const largestOffset = 1n << 28n;
const mostSteps = 4;

interface Surroundings {
  readonly fn: IrFunction;
  readonly context: PassContext;
  readonly tree: DominatorTree;
  readonly preds: ReadonlyMap<Block, readonly Block[]>;
  /** Of blocks in the dominator tree's order. */
  readonly places: ReadonlyMap<Block, number>;
  readonly ranges: EdgeRanges;
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  readonly alias: AliasAnalysis;
  /** Blocks that were made in front of loops, and the block before each: in the same loops. */
  readonly standIns: Map<Block, Block>;
  readonly pressure: RegisterPressure;
}

function hoistFrom(
  loop: Loop,
  { fn, context, tree, preds, places, ranges, uses, alias, standIns, pressure }: Surroundings,
): boolean {
  const entry = soleEntry(loop, preds);
  if (entry === undefined) return false;
  const isInvariant = (value: Value): boolean =>
    value.kind !== "instruction" || !loop.blocks.has(standIns.get(value.block) ?? value.block);
  const movable = new Set<IrInstruction>();
  const fixed = fixedLoads(loop, alias, uses);
  const loads = hasRoom(fixed, { loop, uses, pressure }) ? fixed : new Set<IrInstruction>();
  const place = (block: Block): number => places.get(block) ?? 0;
  const edge = { from: standIns.get(entry) ?? entry, to: loop.header, tree, preds };
  const isThere = (base: Value): boolean => isPlainMemory(base, edge, context);
  for (const block of [...loop.blocks].sort((a, b) => place(a) - place(b))) {
    for (const each of block.instructions) {
      const isFixed = each.operands.every(
        (value) => isInvariant(value) || movable.has(value as IrInstruction),
      );
      const rangeOf = (value: Value) => ranges.range(value, entry, loop.header);
      if (!isFixed || !(loads.has(each) || isHoistable(each, rangeOf, isThere))) continue;
      if (isTestedOffset(each, loop, { uses, isBounded: isBounded(each, rangeOf) })) continue;
      movable.add(each);
    }
  }
  const needed = chooseFrom(movable, uses);
  if (needed.size === 0) return false;
  const target = preheader(fn, entry, loop.header);
  if (target !== entry) standIns.set(target, entry);
  const moved = [...movable].filter((each) => needed.has(each));
  for (const block of new Set(moved.map((each) => each.block)))
    block.instructions = block.instructions.filter((each) => !needed.has(each));
  for (const each of moved) each.block = target;
  target.instructions.splice(-1, 0, ...moved);
  pressure.noteChange();
  return true;
}

/**
 * A loaded value that goes to the stack is loaded from there just the same. Where all loads leave the loop,
 * their addresses do so too, and what extends or swaps the values; of many the first few change little.
 */
function hasRoom(
  loads: ReadonlySet<IrInstruction>,
  { loop, uses, pressure }: Pick<Surroundings, "uses" | "pressure"> & { readonly loop: Loop },
): boolean {
  if (loads.size <= mostHoisted) return loads.size > 0;
  const extended = [...loads].flatMap((load) =>
    (uses.get(load) ?? []).map(({ user }) => user).filter((user) => user.operands.length === 1),
  );
  return pressure.fits(loop, mostHoisted, [...loads, ...extended]);
}

/** Divisions, and the first few of what else is worth it, with what they need. */
function chooseFrom(
  movable: ReadonlySet<IrInstruction>,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Set<IrInstruction> {
  const roots = [...movable].filter((each) => isWorthIt(each, movable, uses));
  const dividing = roots.filter((each) => [...withOperands([each], movable)].some(isDivision));
  const dear = new Set(dividing.slice(0, mostDivisions));
  const others = roots.filter((each) => !dear.has(each));
  return withOperands([...dear, ...others.slice(0, Math.max(0, mostHoisted - dear.size))], movable);
}

/** Instructions and what they are computed from, as far as that moves too. */
function withOperands(
  roots: readonly IrInstruction[],
  movable: ReadonlySet<IrInstruction>,
): Set<IrInstruction> {
  const needed = new Set(roots);
  for (const each of needed) {
    for (const value of each.operands) {
      if (value.kind === "instruction" && movable.has(value)) needed.add(value);
    }
  }
  return needed;
}

/** By a constant power of two it is a shift. */
function isDivision({ operation, operands }: IrInstruction): boolean {
  if (operation.op !== "binary" || !divisions.has(operation.binary)) return false;
  const by = operands[1];
  return by?.kind !== "constant" || (by.value & (by.value - 1n)) !== 0n;
}

const divisions: ReadonlySet<string> = new Set(["udiv", "urem", "sdiv", "srem"]);

/** Used in the loop itself, and more than an extension alone, which is mostly free. */
function isWorthIt(
  instruction: IrInstruction,
  movable: ReadonlySet<IrInstruction>,
  uses: ReadonlyMap<Value, readonly Use[]>,
): boolean {
  // Such an offset costs nothing where it is.
  if (isConstantOffset(instruction)) return false;
  if (instruction.operation.op === "zext" && !movable.has(operand(instruction, 0) as IrInstruction))
    return false;
  return (uses.get(instruction) ?? []).some(
    ({ user }) => !movable.has(user) || isConstantOffset(user),
  );
}

/**
 * Loads that each round begins with, of what nothing in the loop writes. Only values that are calculated with: of one
 * that is tested the verifier would keep what each test says from round to round.
 */
function fixedLoads(
  loop: Loop,
  alias: AliasAnalysis,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Set<IrInstruction> {
  const isCandidate = (each: IrInstruction): boolean =>
    isOp(each, "load") && !each.operation.volatile && each.type !== "ptr";
  const candidates = loop.header.instructions.filter(isCandidate);
  if (candidates.length === 0) return new Set();
  const effects = [...loop.blocks].flatMap(({ instructions }) =>
    instructions.filter((each) => memoryEffect(each).kind !== "none" && !isCandidate(each)),
  );
  if (effects.length > mostEffects || effects.some((each) => isOp(each, "call"))) return new Set();
  return new Set(
    candidates.filter((load) => {
      const location = alias.accessOf(load);
      if (location === undefined || isOrdered(memoryEffect(load))) return false;
      return (
        isCalculatedWith(load, loop, uses) &&
        !effects.some((each) => alias.mayWrite(each, location))
      );
    }),
  );
}

/** Whether only what changes from round to round is ever tested of a value and what is computed from it. */
function isCalculatedWith(
  value: IrInstruction,
  loop: Loop,
  uses: ReadonlyMap<Value, readonly Use[]>,
  depth = mostSteps,
): boolean {
  return (uses.get(value) ?? []).every(({ user, index }) => {
    const other = isOp(user, "binary") || asksForOne(user) ? user.operands[1 - index] : undefined;
    if (other?.kind === "instruction" && loop.blocks.has(other.block)) return true;
    if (user.operation.op === "icmp") return false;
    const isSame = other !== undefined || isExtended(user);
    return isSame && depth > 0 && isCalculatedWith(user, loop, uses, depth - 1);
  });
}

/** It says nothing of a value that is unknown, if what that is compared with is unknown too. */
function asksForOne({ operation }: IrInstruction): boolean {
  return operation.op === "icmp" && isEquality(operation.predicate);
}

const isExtended = (user: IrInstruction): boolean =>
  isOp(user, "bswap") || isOp(user, "zext") || isOp(user, "sext");

function isHoistable(
  { operation, type, operands }: IrInstruction,
  rangeOf: (value: Value) => Range | undefined,
  isThere: (base: Value) => boolean,
): boolean {
  if (type === "i1") return false;
  if (operation.op === "ptradd") {
    const [base, offset] = operands;
    // With a load; by itself it is a part of the access.
    if (offset?.kind === "constant") return true;
    if (base === undefined || offset === undefined || !isBounded(offset, rangeOf)) return false;
    return base.kind === "global" || isThere(base);
  }
  return (
    operation.op === "binary" ||
    operation.op === "bswap" ||
    operation.op === "sext" ||
    operation.op === "zext"
  );
}

/**
 * Part of an address whose index the loop tests: computed before the test, it would not have its bounds for the
 * verifier. Where it has others, which need not be those that its memory has, a test for one value is none.
 */
function isTestedOffset(
  each: IrInstruction,
  loop: Loop,
  { uses, isBounded }: Pick<Surroundings, "uses"> & { readonly isBounded: boolean },
): boolean {
  const isTested = (value: Value, step = 1): boolean =>
    (uses.get(value) ?? []).some(
      ({ user }) =>
        (isOp(user, "icmp") && loop.blocks.has(user.block) && !(isBounded && asksForOne(user))) ||
        (step > 0 && isOp(user, "zext") && isTested(user, step - 1)),
    );
  return isOffset(each, uses) && each.operands.some((value) => isTested(value));
}

function isOffset(
  value: IrInstruction,
  uses: ReadonlyMap<Value, readonly Use[]>,
  step = mostSteps,
): boolean {
  return (uses.get(value) ?? []).some(({ user, index }) => {
    if (isOp(user, "ptradd")) return index === 1;
    const isPart = isOp(user, "binary") || isExtended(user);
    return isPart && step > 0 && isOffset(user, uses, step - 1);
  });
}

/** An index, scaled and extended, that the verifier knows to be small when the loop is entered. */
function isBounded(offset: Value, rangeOf: (value: Value) => Range | undefined): boolean {
  let index = offset;
  let scale = 1n;
  for (let step = 0; step < mostSteps; step += 1) {
    const by = isOp(index, "binary") ? operand(index, 1) : undefined;
    if (isBinary(index, "shl") && by?.kind === "constant" && by.value < 32n) scale <<= by.value;
    else if (isBinary(index, "mul") && by?.kind === "constant") scale *= by.value;
    else if (!isOp(index, "zext")) break;
    index = operand(index as IrInstruction, 0);
  }
  const range = rangeOf(index);
  return range !== undefined && range.smin >= 0n && range.max * scale < largestOffset;
}
