/**
 * What a loop stores to an element in one round and loads in a later one is carried in a register:
 * `row[j] = …` that the next round reads as `row[j - 1]`, `f[i] = f[i - 1] + f[i - 2]`. A load that waits for
 * the store just before it is what such a loop takes its time for. What the first rounds read is loaded before
 * the loop.
 *
 * Only where the verifier is no worse off: what is loaded is part of no address, and is compared only with what
 * changes from round to round, since the verifier, which knows nothing of loaded values, would know what
 * each test said of a carried one. Nothing else in the loop may write to the object, and the element of the
 * first round has a place that is known. Needs: reachable blocks, addresses by index.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  innermostLoops,
  type Loop,
  loopExits,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, createInstruction, replaceAllUses, type Use } from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, sameBase } from "./alias.ts";
import { endInArithmetic } from "./carried-values.ts";
import { counterParts, counterRange } from "./counter-ranges.ts";
import { edgeRangesOf } from "./edge-ranges.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { preheader, soleEntry } from "./preheader.ts";
import { fitsRegisters } from "./register-pressure.ts";
import {
  byteSize,
  constantAddress,
  countInstructions,
  isOp,
  operand,
  pointerOf,
} from "./values.ts";

export const carryElements: FunctionPass = {
  kind: "function",
  name: "carry-elements",
  run(fn, context) {
    if (findLoops(fn).length === 0 || countInstructions(fn) > mostInstructions) return false;
    let changed = false;
    for (let round = 0; round < mostCarried; round += 1) {
      const facts = round === 0 ? context.runs.factsOf(fn) : new FunctionFacts(fn);
      if (!carryOne(fn, facts, context)) break;
      changed = true;
    }
    return changed;
  },
};

const mostInstructions = 4000;
/** Elements that are carried in one function, and rounds for which each is. */
const mostCarried = 4;
const mostRounds = 3;
/** Accesses in a loop that are compared, and steps in which an index is followed. */
const mostEffects = 32;
const mostSteps = 6;

/** The element at `root + scale * counter + offset`. */
interface Element {
  readonly root: Value;
  readonly counter: IrInstruction;
  readonly scale: bigint;
  readonly offset: bigint;
}

interface Carried {
  readonly loop: Loop;
  readonly entry: Block;
  readonly load: IrInstruction;
  readonly stored: Value;
  readonly rounds: number;
  readonly root: Value;
  /** Of what the first round reads. */
  readonly first: bigint;
  /** From one round's element to the next one's. */
  readonly stride: bigint;
}

function carryOne(fn: IrFunction, facts: FunctionFacts, context: PassContext): boolean {
  const tree = dominatorTree(fn);
  const loops = findLoops(fn);
  const preds = predecessors(fn);
  for (const loop of innermostLoops(loops)) {
    if (loop.latches.length !== 1) continue;
    const accesses = accessesOf(loop);
    if (accesses === undefined) continue;
    const entry = soleEntry(loop, preds);
    if (entry === undefined) continue;
    const elements = elementsOf(fn, loop, accesses);
    const carried = findCarried({ loop, entry, accesses, elements, tree, facts, context });
    if (carried === undefined || !fitsRegisters(fn, loop, carried.rounds - 1)) continue;
    carry(fn, carried);
    return true;
  }
  return false;
}

/** Loads and stores of a loop that does nothing else with memory, and stores something. */
function accessesOf(loop: Loop): IrInstruction[] | undefined {
  const effects: IrInstruction[] = [];
  for (const block of loop.blocks) {
    for (const each of block.instructions) {
      const effect = memoryEffect(each);
      if (effect.kind === "none") continue;
      if (isOrdered(effect) || (effect.kind !== "load" && effect.kind !== "store"))
        return undefined;
      effects.push(each);
    }
  }
  const isMixed = effects.some((each) => isOp(each, "load")) && effects.some(isStore);
  return isMixed && effects.length <= mostEffects ? effects : undefined;
}

const isStore = (each: IrInstruction): boolean => isOp(each, "store");

function elementsOf(
  fn: IrFunction,
  loop: Loop,
  accesses: readonly IrInstruction[],
): Map<IrInstruction, Element> {
  const ranges = edgeRangesOf(fn);
  const startRange = (start: Value, entry: Block) => ranges.range(start, entry, loop.header);
  const around = { tree: dominatorTree(fn), preds: predecessors(fn), startRange };
  const spans = (counter: IrInstruction): readonly [bigint, bigint] | undefined => {
    const range = counterRange(counter, loop, around);
    return range && [range.smin, range.smax];
  };
  const found = new Map<IrInstruction, Element>();
  for (const each of accesses) {
    const element = elementAt(pointerOf(each), loop, spans);
    if (element !== undefined) found.set(each, element);
  }
  return found;
}

type IndexStep = (index: bigint) => bigint;

/** Follows an address to the counter of the loop from which it comes by steps that do not wrap. */
function elementAt(
  pointer: Value,
  loop: Loop,
  spanOf: (counter: IrInstruction) => readonly [bigint, bigint] | undefined,
): Element | undefined {
  const outer = constantAddress(pointer);
  if (!isOp(outer.base, "ptradd")) return undefined;
  const { base: root, offset } = constantAddress(operand(outer.base, 0));
  if (root.kind === "instruction" && loop.blocks.has(root.block)) return undefined;
  const steps: IndexStep[] = [];
  let index = operand(outer.base, 1);
  while (!isOp(index, "phi")) {
    if (index.kind !== "instruction" || steps.length >= mostSteps) return undefined;
    const step = indexStep(index);
    if (step === undefined) return undefined;
    steps.unshift(step);
    index = operand(index, 0);
  }
  const span = index.block === loop.header ? spanOf(index) : undefined;
  if (span === undefined) return undefined;
  let [least, most] = span;
  let [zero, one] = [0n, 1n];
  for (const step of steps) {
    [least, most, zero, one] = [step(least), step(most), step(zero), step(one)];
    if (least < 0n || most >= largestIndex) return undefined;
  }
  const start = BigInt(outer.offset + offset);
  return { root, counter: index, scale: one - zero, offset: zero + start };
}

/** Within 31 bits nothing wraps, and both extensions are the number itself. */
const largestIndex = 1n << 31n;

function indexStep(index: IrInstruction): IndexStep | undefined {
  const { operation } = index;
  if (operation.op === "zext" || operation.op === "sext") return (x) => x;
  const by = index.operands[1];
  if (operation.op !== "binary" || by?.kind !== "constant") return undefined;
  const bits = by.type === "i64" ? 64 : 32;
  const amount = BigInt.asIntN(bits, by.value);
  if (operation.binary === "add") return (x) => x + amount;
  if (operation.binary === "mul" && amount > 0n) return (x) => x * amount;
  return operation.binary === "shl" && amount < 16n ? (x) => x << amount : undefined;
}

interface Around {
  readonly loop: Loop;
  readonly entry: Block;
  readonly accesses: readonly IrInstruction[];
  readonly elements: ReadonlyMap<IrInstruction, Element>;
  readonly tree: DominatorTree;
  readonly facts: FunctionFacts;
  readonly context: PassContext;
}

function findCarried(around: Around): Carried | undefined {
  const { loop, elements, tree, entry } = around;
  const latch = loop.latches[0] as Block;
  for (const [store, to] of elements) {
    if (!isOp(store, "store") || store.operation.volatile) continue;
    if (!tree.dominates(store.block, latch) || !isOnlyWriter(store, to, around)) continue;
    const parts = counterParts(to.counter);
    if (parts?.start.kind !== "constant" || parts.entry !== entry) continue;
    const stride = parts.by * to.scale;
    const stored = operand(store, 0);
    const size = BigInt(byteSize[stored.type]);
    if (stored.type === "ptr" || stored.type === "i1" || absolute(stride) < size) continue;
    for (const [load, from] of elements) {
      if (!isOp(load, "load") || load.operation.volatile || load.type !== stored.type) continue;
      if (!sameBase(from.root, to.root)) continue;
      if (from.counter !== to.counter || from.scale !== to.scale) continue;
      const distance = to.offset - from.offset;
      const rounds = Number(distance / stride);
      if (distance % stride !== 0n || rounds < 1 || rounds > mostRounds) continue;
      const first = from.offset + from.scale * BigInt.asIntN(64, parts.start.value);
      const carried = { loop, entry, load, stored, rounds, root: from.root, first, stride };
      if (isThere(carried, around) && isOnlyCompared(load, loop, around.facts.uses)) return carried;
    }
  }
  return undefined;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

function isOnlyWriter(store: IrInstruction, { root }: Element, around: Around): boolean {
  const { alias }: { alias: AliasAnalysis } = around.facts;
  const location = alias.accessOf(store);
  if (location === undefined || location.isCast === true) return false;
  const whole: Location = { base: root, offset: 0, size: undefined, region: alias.regionOf(root) };
  return around.accesses.every((each) => each === store || !alias.mayWrite(each, whole));
}

/** Whether all that is read before the loop is there to be read. */
function isThere(
  { load, rounds, root, first, stride, loop }: Carried,
  { context, tree }: Around,
): boolean {
  const object =
    root.kind === "global" ? context.globals.get(root.symbol) : isOp(root, "alloca") && root;
  const size = BigInt(byteSize[load.type]);
  const isInside = (limit: number): boolean => {
    const last = first + stride * BigInt(rounds - 1);
    const [low, high] = first < last ? [first, last] : [last, first];
    return low >= 0n && high + size <= BigInt(limit);
  };
  if (object && "isExtern" in object) return !object.isExtern && isInside(object.size);
  // Each round reads it, the first one too: then it may be read before the loop.
  const exits = loopExits(loop);
  const isAlwaysRead =
    load.block === loop.header ||
    (tree.dominates(load.block, loop.latches[0] as Block) &&
      exits.every(([from]) => from === loop.latches[0]));
  if (!isAlwaysRead || rounds > 1) return false;
  if (!object) return first >= 0n;
  return isInside(object.operation.size);
}

/** Whether the value and what is computed from it ends in arithmetic, stores, and tests of what changes. */
function isOnlyCompared(
  load: IrInstruction,
  loop: Loop,
  uses: ReadonlyMap<Value, readonly Use[]>,
): boolean {
  return endInArithmetic([load], loop, uses, ({ user, index }) => {
    if (isOp(user, "select")) return "follow";
    const other = isOp(user, "icmp") ? operand(user, 1 - index) : undefined;
    return other?.kind === "instruction" && loop.blocks.has(other.block) ? "end" : undefined;
  });
}

/** One phi for each round of distance: what was stored last, what was before, and so on. */
function carry(fn: IrFunction, carried: Carried): void {
  const { loop, entry, load, stored, rounds, root, first, stride } = carried;
  const { header } = loop;
  const latch = loop.latches[0] as Block;
  const front = preheader(fn, entry, header);
  const { type, location } = load;
  let last = stored;
  for (let round = 1; round <= rounds; round += 1) {
    const offset = first + stride * BigInt(rounds - round);
    const address =
      offset === 0n
        ? root
        : createInstruction(
            fn,
            front,
            "ptr",
            { op: "ptradd" },
            [root, constant("i64", offset)],
            location,
          );
    const early = createInstruction(fn, front, type, { ...load.operation }, [address], location);
    const before = address.kind === "instruction" && address !== root ? [address, early] : [early];
    front.instructions.splice(-1, 0, ...before);
    const phi = createInstruction(
      fn,
      header,
      type,
      { op: "phi", incoming: [front, latch] },
      [early, last],
      location,
    );
    header.instructions.unshift(phi);
    last = phi;
  }
  replaceAllUses(fn, load, last);
  load.block.instructions = load.block.instructions.filter((each) => each !== load);
}
