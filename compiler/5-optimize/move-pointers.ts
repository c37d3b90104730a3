/**
 * Strength reduction of addresses: where a loop counts i and goes to `base + i * scale`, a pointer that
 * moves by step * scale each round takes the place of copying, scaling and adding the counter.
 *
 * The verifier knows of such a pointer no more than where it started and what was added to it, and
 * nothing that the tests of i say. So this is done only where it knows i as one number in each round:
 * i starts at a constant, or from counters of outer loops that do, in loops that it follows round by
 * round; then the pointer's offset is one number as well. And only for pointers to the stack, global data,
 * the packet and memory from helpers whose null check is behind it; never for kernel objects.
 * Needs: reachable blocks; runs late, as other passes know indices better than moving pointers. Guarantees:
 * i does not wrap where its extension was replaced; no loop needs more registers at once than there are.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { computeUses, phisOf, successors, terminatorOf, type Use } from "../4-lower/ir-builder.ts";
import { contextField } from "./context.ts";
import { type AroundLoop, counterParts, counterRange, isFollowed } from "./counter-ranges.ts";
import { blockOfUse } from "./demote-values.ts";
import { edgeRangesOf } from "./edge-ranges.ts";
import { isPlainMemory } from "./memory-provenance.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { preheader } from "./preheader.ts";
import { fitsRegisters } from "./register-pressure.ts";
import { type Change, type Group, replaceGroup } from "./replace-addresses.ts";
import { Rewriter } from "./rewriter.ts";
import { constantAddress, countInstructions, isBinary, isOp, operand } from "./values.ts";

export const movePointers: FunctionPass = {
  kind: "function",
  name: "move-pointers",
  run(fn, context) {
    // Registers are counted over the whole function.
    if (countInstructions(fn) > mostInstructions) return false;
    let tree = dominatorTree(fn);
    let loops = findLoops(fn);
    if (loops.length === 0) return false;
    if (makeEntries(loops, { fn, context, tree, loops })) {
      tree = dominatorTree(fn);
      loops = findLoops(fn);
    }
    let changed = false;
    // Inner loops first: where their pointers start is an address in the loop around them.
    for (const loop of loops.toReversed()) {
      for (const phi of phisOf(loop.header)) {
        changed = moveAlong(phi, loop, { fn, context, tree, loops }) || changed;
      }
    }
    return changed;
  },
};

const mostInstructions = 4000;
/** Pointers that one loop moves, and how deep values are looked into. */
const mostGroups = 2;
const mostDepth = 4;
/** What a pointer moves by at most; the verifier limits offsets to 2^29. */
const longestStep = 1n << 20n;

interface Surroundings {
  readonly fn: IrFunction;
  readonly context: PassContext;
  readonly tree: DominatorTree;
  readonly loops: readonly Loop[];
}

/** Gives loops whose addresses can be moved a block of their own in front. Returns whether it made any. */
function makeEntries(loops: readonly Loop[], around: Surroundings): boolean {
  let made = false;
  for (const loop of loops) {
    for (const phi of phisOf(loop.header)) {
      const entry = counterParts(phi)?.entry;
      if (entry === undefined || terminatorOf(entry)?.operation.op !== "condbr") continue;
      if (candidatesOf(phi, loop, around).length === 0) continue;
      preheader(around.fn, entry, loop.header);
      made = true;
    }
  }
  return made;
}

function moveAlong(phi: IrInstruction, loop: Loop, around: Surroundings): boolean {
  const { fn, context, tree } = around;
  const entry = counterParts(phi)?.entry;
  if (entry === undefined || terminatorOf(entry)?.operation.op !== "br") return false;
  const uses = computeUses(fn);
  const rewriter = new Rewriter(fn);
  let count = 0;
  let extra = 0;
  for (const group of candidatesOf(phi, loop, around)) {
    if (count >= mostGroups) break;
    if (!isWorthIt(group, phi, context, uses)) continue;
    const isTaken = isOnlyFor(group, loop, entry, { tree, uses });
    const more = extra + (isTaken ? 0 : 1);
    // A pointer that takes the place of its base needs no room; objects have addresses without a register.
    const isInPlace = isTaken && group.base.kind === "instruction" && !isOp(group.base, "alloca");
    if (!isInPlace && !fitsRegisters(fn, loop, more, group.addresses)) continue;
    replaceGroup(group, phi, { tree, uses, rewriter });
    count += 1;
    extra = more;
  }
  return rewriter.apply();
}

/** Whether nobody wants the base any more once the loop is entered, but for the addresses. */
function isOnlyFor(
  { base, addresses }: Group,
  loop: Loop,
  entry: Block,
  { tree, uses }: Pick<Change, "tree" | "uses">,
): boolean {
  const isMadeAgain =
    loop.parent === undefined ||
    (base.kind === "instruction" && loop.parent.blocks.has(base.block));
  return (uses.get(base) ?? []).every(
    (use) =>
      addresses.includes(use.user) || (isMadeAgain && tree.dominates(blockOfUse(use), entry)),
  );
}

/** The addresses that a counter makes and that a pointer could stand for, if it can for any. */
function candidatesOf(phi: IrInstruction, loop: Loop, around: Surroundings): Group[] {
  const { fn, context, tree, loops } = around;
  const parts = counterParts(phi);
  if (parts === undefined || !isFollowed(loop) || loop.latches.length !== 1) return [];
  if (!loop.blocks.has(parts.latch) || loop.blocks.has(parts.entry)) return [];
  if (!isExact(parts.start, loop, loops, mostDepth)) return [];
  const found = groupsOf(phi, loop, computeUses(fn));
  if (found.length === 0) return [];
  const preds = predecessors(fn);
  const ranges = edgeRangesOf(fn);
  const startRange: AroundLoop["startRange"] = (start, entry) =>
    ranges.range(start, entry, loop.header);
  let groups = found;
  if (phi.type !== "i64") {
    const range = counterRange(phi, loop, { tree, preds, startRange });
    if (range === undefined || range.smin < 0n) return [];
    // The step behind the last round may be computed, too.
    const last = range.smax + (parts.by > 0n ? parts.by : 0n);
    groups = found.filter(({ isNarrow, scale }) => !isNarrow || last * scale < 1n << 31n);
  }
  const edge = { from: parts.entry, to: loop.header, tree, preds };
  return groups.filter(({ base, scale, addresses }) => {
    const step = parts.by * scale;
    if (step > longestStep || step < -longestStep) return false;
    if (!isPacket(base, fn) && !isPlainMemory(base, edge, context)) return false;
    return isInEachRound(new Set(addresses.map(({ block }) => block)), loop, parts.latch, tree);
  });
}

/** Whether every way through the loop comes to one of the blocks. */
function isInEachRound(
  blocks: ReadonlySet<Block>,
  loop: Loop,
  latch: Block,
  tree: DominatorTree,
): boolean {
  if ([...blocks].some((block) => tree.dominates(block, latch))) return true;
  if (blocks.size < 2) return false;
  const seen = new Set([loop.header]);
  for (const block of seen) {
    if (block === latch) return false;
    for (const next of successors(block))
      if (loop.blocks.has(next) && !blocks.has(next)) seen.add(next);
  }
  return true;
}

/** The start of the packet and what is counted from it in constants. */
function isPacket(base: Value, fn: IrFunction): boolean {
  const { base: start } = constantAddress(base);
  return isOp(start, "inttoptr") && contextField(start, fn)?.bits === 32;
}

/** Whether the verifier knows the value as one number whenever it comes to the loop. */
function isExact(value: Value, inside: Loop, loops: readonly Loop[], depth: number): boolean {
  if (value.kind === "constant") return true;
  if (value.kind !== "instruction" || depth === 0) return false;
  if (value.operation.op !== "phi") {
    const isArithmetic = isOp(value, "binary") || isOp(value, "zext") || isOp(value, "sext");
    return isArithmetic && value.operands.every((each) => isExact(each, inside, loops, depth - 1));
  }
  const loop = loops.find(({ header }) => header === value.block);
  const parts = counterParts(value);
  if (loop === undefined || parts === undefined || !loop.blocks.has(inside.header)) return false;
  return isFollowed(loop) && isExact(parts.start, loop, loops, depth - 1);
}

interface Scaled {
  readonly value: IrInstruction;
  readonly scale: bigint;
  readonly isNarrow: boolean;
}

/** The counter as it is added to pointers: extended and scaled, or the other way round. */
function scalesOf(
  phi: IrInstruction,
  loop: Loop,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Scaled[] {
  const usersOf = (value: Value): readonly Use[] =>
    (uses.get(value) ?? []).filter(({ user }) => loop.blocks.has(user.block));
  const extensionsOf = ({ value, ...rest }: Scaled): Scaled[] =>
    usersOf(value)
      .filter(({ user }) => (isOp(user, "zext") || isOp(user, "sext")) && user.type === "i64")
      .map(({ user }) => ({ ...rest, value: user }));
  const multiplesOf = ({ value, isNarrow }: Scaled): Scaled[] =>
    usersOf(value).flatMap(({ user, index }) => {
      const by = index === 0 ? operand(user, 1) : undefined;
      if (by?.kind !== "constant") return [];
      if (isBinary(user, "shl") && by.value < 16n)
        return [{ value: user, scale: 1n << by.value, isNarrow }];
      const isProduct = isBinary(user, "mul") && by.value < 65536n;
      return isProduct ? [{ value: user, scale: by.value, isNarrow }] : [];
    });
  const counter: Scaled = { value: phi, scale: 1n, isNarrow: false };
  if (phi.type === "i64") return [counter, ...multiplesOf(counter)];
  const extended = extensionsOf(counter);
  const narrow = phi.type === "i32" ? multiplesOf({ ...counter, isNarrow: true }) : [];
  return [...extended, ...extended.flatMap(multiplesOf), ...narrow.flatMap(extensionsOf)];
}

function groupsOf(
  phi: IrInstruction,
  loop: Loop,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Group[] {
  const groups: Group[] = [];
  for (const { value, scale, isNarrow } of scalesOf(phi, loop, uses)) {
    for (const { user, index } of uses.get(value) ?? []) {
      if (!isOp(user, "ptradd") || index !== 1 || !loop.blocks.has(user.block)) continue;
      const base = operand(user, 0);
      if (base.kind === "instruction" && loop.blocks.has(base.block)) continue;
      const isSame = (each: Group): boolean =>
        each.scale === scale &&
        each.isNarrow === isNarrow &&
        (each.base === base || isSameGlobal(each.base, base));
      const group = groups.find(isSame);
      if (group === undefined) groups.push({ base, scale, isNarrow, addresses: [user] });
      else group.addresses.push(user);
    }
  }
  return groups;
}

function isSameGlobal(a: Value, b: Value): boolean {
  return a.kind === "global" && b.kind === "global" && a.symbol === b.symbol;
}

/** Instructions that go from the loop against those that come, and what starts the pointer in front of it. */
function isWorthIt(
  { base, scale, addresses }: Group,
  phi: IrInstruction,
  context: PassContext,
  uses: ReadonlyMap<Value, readonly Use[]>,
): boolean {
  const start = counterParts(phi)?.start;
  const perAddress = base.kind === "global" ? 3 : 2;
  const isScaledAlone = addresses.some(({ operands }) =>
    (uses.get(operands[1] as Value) ?? []).every(({ user }) => addresses.includes(user)),
  );
  const gone = perAddress * addresses.length + (scale !== 1n && isScaledAlone ? 1 : 0);
  const toStart = start?.kind === "constant" ? 1 : scale === 1n ? 2 : 3;
  const growth = 1 + toStart - gone;
  return growth <= (context.options.level === "s" ? 0 : 1);
}
