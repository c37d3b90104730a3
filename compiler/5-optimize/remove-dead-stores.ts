/**
 * Dead-store elimination. A store goes if the same bytes are stored again before anything can read
 * them (within a block), or if they lie in a stack object of this function that nothing reads
 * afterwards (across blocks, by liveness of each private object as a whole).
 */
import { predecessors, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction } from "../4-lower/ir.ts";
import { successors } from "../4-lower/ir-builder.ts";
import { AliasAnalysis, type Location, lengthOf, sameBase } from "./alias.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { byteSize, type InstructionOf, instructionsOf, isOp, operand } from "./values.ts";

export const removeDeadStores: FunctionPass = {
  kind: "function",
  name: "remove-dead-stores",
  run(fn) {
    const alias = new AliasAnalysis(fn);
    const rewriter = new Rewriter(fn);
    removeOverwritten(fn, alias, rewriter);
    removeUnread(fn, alias, rewriter);
    return rewriter.apply();
  },
};

/** Stores that are remembered while walking a block backwards. */
const memoryOfStores = 48;

/** What a plain store, fill or copy writes; undefined for everything else and for volatile ones. */
function writtenBy(instruction: IrInstruction, alias: AliasAnalysis): Location | undefined {
  const { operation } = instruction;
  switch (operation.op) {
    case "store":
      if (operation.volatile) return undefined;
      return alias.location(operand(instruction, 1), byteSize[operand(instruction, 0).type]);
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
  for (const block of fn.blocks) {
    let later: Location[] = [];
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
      if (written !== undefined) {
        later.push(written);
        if (later.length > memoryOfStores) later.shift();
      }
    }
  }
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

/** Whole-object liveness: bytes of a private object that no later instruction may read are dead. */
function removeUnread(fn: IrFunction, alias: AliasAnalysis, rewriter: Rewriter): void {
  const objects: InstructionOf<"alloca">[] = [];
  for (const each of instructionsOf(fn)) {
    if (isOp(each, "alloca") && alias.escapeOf(each) !== "all") objects.push(each);
  }
  const order = reversePostOrder(fn);
  const preds = predecessors(fn);
  for (const object of objects.slice(0, 64)) {
    const whole: Location = {
      base: object,
      offset: 0,
      size: undefined,
      region: { kind: "stack", object },
    };
    const readers = new Map<Block, IrInstruction[]>();
    for (const block of order) {
      const list = block.instructions.filter((each) => alias.mayRead(each, whole));
      if (list.length > 0) readers.set(block, list);
    }
    const liveAtStart = liveBlocks(readers, preds);
    for (const block of order) {
      dropAfterLastRead(block, object, readers.get(block) ?? [], liveAtStart, alias, rewriter);
    }
  }
}

/** Blocks from whose start some reader can be reached. */
function liveBlocks(
  readers: ReadonlyMap<Block, readonly IrInstruction[]>,
  preds: ReadonlyMap<Block, readonly Block[]>,
): Set<Block> {
  const live = new Set<Block>();
  const work = [...readers.keys()];
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (live.has(block)) continue;
    live.add(block);
    work.push(...(preds.get(block) ?? []));
  }
  return live;
}

function dropAfterLastRead(
  block: Block,
  object: IrInstruction,
  readers: readonly IrInstruction[],
  liveAtStart: ReadonlySet<Block>,
  alias: AliasAnalysis,
  rewriter: Rewriter,
): void {
  if (successors(block).some((next) => liveAtStart.has(next))) return;
  const last = readers.at(-1);
  for (const each of [...block.instructions].reverse()) {
    if (each === last) return;
    const written = writtenBy(each, alias);
    const region = written?.region;
    if (region?.kind === "stack" && region.object === object) rewriter.erase(each);
  }
}
