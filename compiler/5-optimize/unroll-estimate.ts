/**
 * What a loop costs in one round, and what of that folds away, stands once or merges when each round is a copy
 * of its own: the counter, what is computed from it, addresses by index, and what is the same in each round.
 */
import type { DominatorTree, Loop } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { phisOf, signedValue } from "../4-lower/ir-builder.ts";
import type { AliasAnalysis } from "./alias.ts";
import { isCounted } from "./clone-blocks.ts";
import { addressRoot } from "./context.ts";
import { memoryEffect } from "./effects.ts";
import { holdsConstants } from "./kept-arrays.ts";
import type { PassContext } from "./pass.ts";
import { constantGlobal } from "./rules/memory.ts";
import { byteSize, constantAddress, isOp, isPure, operand } from "./values.ts";

/** Where a loop is. */
export interface Surroundings {
  readonly fn: IrFunction;
  readonly tree: DominatorTree;
  readonly alias: AliasAnalysis;
}

export interface Estimate {
  /** Instructions of one iteration. */
  readonly cost: number;
  /** How many of them fold once the counter is a constant. */
  readonly saved: number;
  /** How many give the same in all iterations, so that the copies share them. */
  readonly once: number;
  readonly stores: number;
  /** Bytes that the only store sets to a constant, behind those of the iteration before; or 0. */
  readonly filled: number;
  /** Objects on the stack whose elements it takes by counters. */
  readonly arrays: readonly IrInstruction[];
  /** Accesses whose addresses become offsets. */
  readonly hasPlaces: boolean;
  /** Branches within the loop on what does not change in it. */
  readonly hasFixedTests: boolean;
}

export function estimate(loop: Loop, around: Surroundings, context: PassContext): Estimate {
  const { tree, alias } = around;
  const invariant = invariantValues(loop, tree);
  const { folding, folds } = foldingValues(loop, around, context);
  const isFixed = (value: Value): boolean =>
    value.kind !== "instruction" || !loop.blocks.has(value.block) || invariant.has(value);
  let cost = 0;
  let saved = 0;
  let once = 0;
  let stores = 0;
  let filled = 0;
  const arrays = new Set<IrInstruction>();
  let hasPlaces = false;
  let hasFixedTests = false;
  for (const block of loop.blocks) {
    for (const each of block.instructions) {
      // A call wants each argument in its register.
      if (isCounted(each)) cost += isOp(each, "call") ? 1 + each.operands.length : 1;
      if (isOp(each, "store")) {
        stores += 1;
        filled = stores === 1 ? filledBytes(each, loop) : 0;
      }
      const [condition] = each.operands;
      if (isOp(each, "condbr") && condition !== undefined && isFixed(condition))
        hasFixedTests = true;
      if (folding.has(each) && !isOp(each, "phi")) saved += 1;
      else if (isOp(each, "condbr") && each.operands.every(folds)) saved += 1;
      else if (isOp(each, "ptradd")) {
        const [base, offset] = each.operands as [Value, Value];
        if (!folds(offset)) {
          if (invariant.has(each)) once += 1;
          continue;
        }
        // The address becomes the offset of the access.
        saved += 1;
        hasPlaces = true;
        const object = constantAddress(base).base;
        if (isOp(object, "alloca") && alias.escapeOf(object) === "none") arrays.add(object);
      } else if (invariant.has(each) && isCounted(each)) once += 1;
    }
  }
  return { cost, saved, once, stores, filled, arrays: [...arrays], hasPlaces, hasFixedTests };
}

/** Bytes of a constant that is stored at places one behind the other, from iteration to iteration. */
function filledBytes({ operation, operands }: IrInstruction, loop: Loop): number {
  const [value, pointer] = operands as [Value, Value];
  if (operation.op !== "store" || operation.volatile || value.kind !== "constant") return 0;
  const size = byteSize[value.type];
  return pointerStride(pointer, loop) === BigInt(size) ? size : 0;
}

/** The same of an address: a fixed one and an offset that moves, or one that moves itself. */
function pointerStride(pointer: Value, loop: Loop): bigint | undefined {
  if (isOp(pointer, "phi") && loop.header.instructions.includes(pointer)) {
    const { operation, operands } = pointer;
    const next = operands[operation.incoming.indexOf(loop.latches[0] as Block)];
    if (!isOp(next, "ptradd") || next.operands[0] !== pointer) return undefined;
    const step = operand(next, 1);
    return step.kind === "constant" ? signedValue(step) : undefined;
  }
  if (!isOp(pointer, "ptradd")) return undefined;
  const base = operand(pointer, 0);
  const isInside = base.kind === "instruction" && loop.blocks.has(base.block);
  return isInside ? undefined : strideOf(operand(pointer, 1), loop);
}

/** What each iteration adds to a value; undefined where that is not plain. */
function strideOf(value: Value, loop: Loop): bigint | undefined {
  if (value.kind !== "instruction") return undefined;
  const { operation } = value;
  const [a, b] = value.operands;
  if (a === undefined) return undefined;
  if (operation.op === "zext" || operation.op === "sext") return strideOf(a, loop);
  if (operation.op === "phi") {
    const next = value.operands[operation.incoming.indexOf(loop.latches[0] as Block)];
    if (!loop.header.instructions.includes(value) || !isOp(next, "binary")) return undefined;
    const [from, step] = next.operands;
    const isAdd = next.operation.op === "binary" && next.operation.binary === "add";
    return isAdd && from === value && step?.kind === "constant" ? signedValue(step) : undefined;
  }
  if (operation.op !== "binary" || b?.kind !== "constant") return undefined;
  const inner = strideOf(a, loop);
  if (inner === undefined) return undefined;
  if (operation.binary === "add") return inner;
  if (operation.binary === "shl") return b.value < 64n ? inner << b.value : undefined;
  return operation.binary === "mul" ? inner * signedValue(b) : undefined;
}

/** What is the same in each round: pure values of others from outside, and loads where nothing is written. */
function invariantValues(loop: Loop, tree: DominatorTree): Set<Value> {
  const blocks = tree.order.filter((block) => loop.blocks.has(block));
  const isReadOnly = blocks.every((block) =>
    block.instructions.every((each) => {
      const effect = memoryEffect(each);
      return effect.kind === "none" || (effect.kind === "load" && !effect.ordered);
    }),
  );
  const invariant = new Set<Value>();
  const isFixed = (value: Value): boolean =>
    value.kind !== "instruction" || !loop.blocks.has(value.block) || invariant.has(value);
  for (const block of blocks) {
    for (const each of block.instructions) {
      const isSame = isPure(each) || (isReadOnly && isOp(each, "load"));
      if (isSame && each.operands.every(isFixed)) invariant.add(each);
    }
  }
  return invariant;
}

interface Folding {
  readonly folding: ReadonlySet<Value>;
  readonly folds: (value: Value) => boolean;
}

/** What is a constant in each copy: counters, and what is computed from them and constants. */
function foldingValues(loop: Loop, around: Surroundings, context: PassContext): Folding {
  const latch = loop.latches[0] as Block;
  const blocks = around.tree.order.filter((block) => loop.blocks.has(block));
  const all = blocks.flatMap((block) => block.instructions);
  const loads = all.filter(({ operation }) => operation.op === "load" && !operation.volatile);
  const objects = new Set(loads.map((each) => addressRoot(operand(each, 0))));
  const tables = [...objects].filter(
    (each) => isOp(each, "alloca") && holdsConstants(each, loop, around),
  );
  const isConstant = (value: Value): boolean =>
    value.kind === "constant" ||
    (value.kind === "global" && constantGlobal(context, value.symbol) !== undefined) ||
    tables.includes(value);
  const readings = new Set(loads.filter((each) => isConstant(addressRoot(operand(each, 0)))));
  const pure = all.filter((each) => isPure(each) || readings.has(each));
  let counters = phisOf(loop.header).filter((phi) => phi.operands.some(isConstant));
  for (;;) {
    const folding = new Set<Value>(counters);
    const folds = (value: Value): boolean => isConstant(value) || folding.has(value);
    for (const each of pure) {
      // What CO-RE fills in is known to the loader only.
      if (each.operation.op !== "core" && each.operands.every(folds)) folding.add(each);
    }
    const kept = counters.filter(({ operation, operands }) => {
      const next = operation.op === "phi" ? operands[operation.incoming.indexOf(latch)] : undefined;
      return next !== undefined && folds(next);
    });
    if (kept.length === counters.length) return { folding, folds };
    counters = kept;
  }
}
