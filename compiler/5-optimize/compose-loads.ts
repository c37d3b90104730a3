/**
 * In loops, a load of bytes of which some were stored by a narrower store shortly before: a processor lets it wait until
 * those stores have left its queue, a dozen cycles. So such a load takes the parts from where the stores have them:
 * (whole & ~mask) | part << k, if the whole was stored or loaded before them, else rest << j | part << k, where the rest
 * is loaded. And a load of which only the low end is read loads no more than that. Bit-fields that share a word are
 * read and written so. In packets and on the stack, where nobody else writes, a narrow store behind a load of the whole
 * becomes one of the whole, as the next round will load that again.
 *
 * Needs: number-values before. Guarantees: the code grows by two or three instructions for each part, in loops only.
 */
import { findLoops } from "../4-lower/cfg.ts";
import { type Block, bitWidth, type IrInstruction, type Value } from "../4-lower/ir.ts";
import { constant, type Use, type ValueType } from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, sameBase } from "./alias.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import { onesOf } from "./known-bits.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { alignmentAt } from "./split-aggregates.ts";
import { byteSize, type InstructionOf, isOp, isPlainAccess, operand } from "./values.ts";

export const composeLoads: FunctionPass = {
  kind: "function",
  name: "compose-loads",
  run(fn, { runs, module }) {
    if (module.endian !== "little" || !fn.blocks.some(mayCompose)) return false;
    const inLoops = new Set(findLoops(fn).flatMap(({ blocks }) => [...blocks]));
    if (inLoops.size === 0) return false;
    const { alias, uses } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    for (const block of inLoops) {
      if (!mayCompose(block)) continue;
      composeIn(block, alias, uses, rewriter);
      widenStores(block, alias, rewriter);
    }
    return rewriter.apply();
  },
};

/** Instructions that are looked at for one load, and parts that it is made of. */
const longestSearch = 80;
const mostParts = 2;

/** A narrow store and a wider load. */
function mayCompose({ instructions }: Block): boolean {
  let [narrowest, widest] = [8, 0];
  for (const each of instructions) {
    if (isOp(each, "store")) narrowest = Math.min(narrowest, byteSize[operand(each, 0).type]);
    else if (isOp(each, "load")) widest = Math.max(widest, byteSize[each.type]);
  }
  return widest > narrowest;
}

interface Part {
  /** Bytes from the start of the load. */
  readonly at: number;
  readonly value: Value;
}

interface Pieces {
  /** As it was before the parts were stored, if that is known. */
  readonly whole: Value | undefined;
  /** Later stores first. */
  readonly parts: readonly Part[];
}

function composeIn(
  block: Block,
  alias: AliasAnalysis,
  uses: ReadonlyMap<Value, readonly Use[]>,
  rewriter: Rewriter,
): void {
  block.instructions.forEach((load, at) => {
    if (!isOp(load, "load") || load.operation.volatile || load.type === "ptr") return;
    const location = alias.accessOf(load);
    if (location?.size === undefined || location.region.kind === "context" || location.isCast)
      return;
    if (isOrdered(memoryEffect(load))) return;
    const pieces = piecesOf(block, at, location, load.type as ValueType, alias);
    if (pieces === undefined) return;
    const narrow = lowEndOf(load, uses);
    if (narrow !== undefined && !isStoredApart(pieces, byteSize[narrow])) {
      const operation = { op: "load", align: load.operation.align, volatile: false } as const;
      const low = rewriter.insertBefore(load, narrow, operation, [operand(load, 0)]);
      for (const { user } of uses.get(load) ?? []) {
        if (user.type === narrow) rewriter.replace(user, low);
        else user.operands[0] = low;
      }
      rewriter.erase(load);
      return;
    }
    const value = composed({ load, before: load }, pieces, rewriter);
    if (value !== undefined) rewriter.replace(load, value);
  });
}

/** What is behind the load at `end`, where it takes more than one store. */
function piecesOf(
  { instructions }: Block,
  end: number,
  location: Location,
  type: ValueType,
  alias: AliasAnalysis,
): Pieces | undefined {
  const parts: Part[] = [];
  const size = location.size ?? 0;
  for (let at = end - 1; at >= 0 && at > end - longestSearch; at -= 1) {
    const each = instructions[at] as IrInstruction;
    if (memoryEffect(each).kind === "none") continue;
    const there = isOp(each, "load") || isOp(each, "store") ? alias.accessOf(each) : undefined;
    if (there?.size !== undefined && sameBase(there.base, location.base) && !there.isCast) {
      const value = isOp(each, "load") ? each : operand(each, 0);
      const delta = there.offset - location.offset;
      if (delta === 0 && value.type === type && isPlainAccess(each))
        return parts.length > 0 ? { whole: value, parts } : undefined;
      const isInside = delta >= 0 && delta + there.size <= size && there.size < size;
      if (isOp(each, "store") && isInside && isPlainAccess(each) && value.type !== "ptr") {
        parts.push({ at: delta, value });
        if (parts.length > mostParts) return undefined;
        continue;
      }
    }
    if (alias.mayWrite(each, location)) break;
  }
  return parts.length > 0 ? { whole: undefined, parts } : undefined;
}

/** The widest type that the users cut the load to. */
function lowEndOf(
  load: IrInstruction,
  uses: ReadonlyMap<Value, readonly Use[]>,
): ValueType | undefined {
  let widest: ValueType | undefined;
  for (const { user } of uses.get(load) ?? []) {
    if (!isOp(user, "trunc") || user.type === "i1") return undefined;
    const type = user.type as ValueType;
    if (widest === undefined || bitWidth[type] > bitWidth[widest]) widest = type;
  }
  return widest;
}

/** Whether a load of the first `size` bytes still meets a narrower store. */
function isStoredApart({ parts }: Pieces, size: number): boolean {
  return parts.some(({ at, value }) => at < size && (at > 0 || byteSize[value.type] < size));
}

/** Stores of parts of what the block loaded as a whole. */
function widenStores({ instructions }: Block, alias: AliasAnalysis, rewriter: Rewriter): void {
  instructions.forEach((store, at) => {
    if (!isOp(store, "store") || store.operation.volatile || rewriter.isErased(store)) return;
    const value = operand(store, 0);
    const location = alias.accessOf(store);
    const region = location?.region.kind;
    if (location === undefined || (region !== "packet" && region !== "stack")) return;
    if (location.size === undefined || value.type === "ptr" || location.isCast) return;
    const whole = wholeBefore(instructions, at, location, alias);
    if (whole === undefined || rewriter.isErased(whole)) return;
    const there = alias.accessOf(whole);
    if (there === undefined) return;
    const pieces = { whole, parts: [{ at: location.offset - there.offset, value }] };
    const composition = composed({ load: whole, before: store }, pieces, rewriter);
    if (composition === undefined) return;
    const operation = { op: "store", align: whole.operation.align, volatile: false } as const;
    rewriter.insertBefore(store, "void", operation, [composition, operand(whole, 0)]);
    rewriter.erase(store);
  });
}

/** The load of more than the location that is nearest, if nothing else is stored to any of it in the block. */
function wholeBefore(
  instructions: readonly IrInstruction[],
  end: number,
  location: Location,
  alias: AliasAnalysis,
): InstructionOf<"load"> | undefined {
  const first = Math.max(0, end - longestSearch);
  const last = Math.min(instructions.length, end + longestSearch);
  const size = location.size ?? 0;
  const covers = (each: IrInstruction): each is InstructionOf<"load"> => {
    if (!isOp(each, "load") || each.operation.volatile || each.type === "ptr") return false;
    const there = alias.accessOf(each);
    if (there?.size === undefined || there.size <= size || there.isCast) return false;
    const delta = location.offset - there.offset;
    return sameBase(there.base, location.base) && delta >= 0 && delta + size <= there.size;
  };
  const whole = instructions.slice(first, end).findLast(covers);
  const there = whole && alias.accessOf(whole);
  if (whole === undefined || there === undefined) return undefined;
  for (let at = instructions.indexOf(whole) + 1; at < last; at += 1) {
    const each = instructions[at] as IrInstruction;
    if (at === end || memoryEffect(each).kind === "none") continue;
    if (!isOp(each, "load") && alias.mayWrite(each, there)) return undefined;
  }
  return whole;
}

/** The bytes that no part covers, if one load can bring them. */
function restOf(size: number, parts: readonly Part[]): { at: number; type: ValueType } | undefined {
  const isFree = Array.from({ length: size }, (_, byte) =>
    parts.every(({ at, value }) => byte < at || byte >= at + byteSize[value.type]),
  );
  const at = isFree.indexOf(true);
  const length = isFree.lastIndexOf(true) + 1 - at;
  const type = ({ 1: "i8", 2: "i16", 4: "i32" } as const)[length];
  const isOne = at >= 0 && isFree.slice(at, at + length).every((each) => each);
  return isOne && type !== undefined && at % length === 0 ? { at, type } : undefined;
}

/** The value of a load from its pieces, computed in front of an instruction. */
function composed(
  { load, before }: { readonly load: InstructionOf<"load">; readonly before: IrInstruction },
  { whole, parts }: Pieces,
  rewriter: Rewriter,
): Value | undefined {
  const type = load.type as ValueType;
  const make = (binary: "and" | "or" | "shl", a: Value, b: Value): Value =>
    rewriter.insertBefore(before, type, { op: "binary", binary }, [a, b]);
  const placed = (value: Value, at: number): Value => {
    const wide = rewriter.insertBefore(before, type, { op: "zext" }, [value]);
    return at === 0 ? wide : make("shl", wide, constant(type, BigInt(8 * at)));
  };
  const rest = whole === undefined ? restOf(byteSize[type], parts) : undefined;
  if (whole === undefined && rest === undefined) return undefined;
  let value = whole;
  if (rest !== undefined) {
    const offset = constant("i64", BigInt(rest.at));
    const address = rewriter.insertBefore(before, "ptr", { op: "ptradd" }, [
      operand(load, 0),
      offset,
    ]);
    const align = alignmentAt(load.operation.align, rest.at);
    const operation = { op: "load", align, volatile: false } as const;
    value = placed(rewriter.insertBefore(before, rest.type, operation, [address]), rest.at);
  }
  let covered = rest === undefined ? onesOf(bitWidth[type]) : 0n;
  return parts.toReversed().reduce((sum, part) => {
    const mask = onesOf(8 * byteSize[part.value.type]) << BigInt(8 * part.at);
    const kept = (covered & mask) === 0n ? sum : make("and", sum, constant(type, ~mask));
    covered |= mask;
    return make("or", kept, placed(part.value, part.at));
  }, value as Value);
}
