/**
 * `c >= '0' && c <= '9'` that is kept as a number: c - '0' <= 9, without a branch. Where it is tested, so is
 * that difference, in each place anew (repeat-compares.ts).
 * Needs: reachable blocks, branches not made selects yet. Leaves jumps to jumps behind.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import {
  constant,
  createInstruction,
  makeJump,
  phisOf,
  removeIncoming,
  sameValue,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { invertedPredicate } from "./fold-constants.ts";
import { type Test, testOf } from "./join-range-tests.ts";
import type { FunctionPass } from "./pass.ts";
import { isConstant, larger, operand, smaller } from "./values.ts";

export const joinRangeValues: FunctionPass = {
  kind: "function",
  name: "join-range-values",
  run(fn) {
    const preds = predecessors(fn);
    let changed = false;
    for (const block of fn.blocks) {
      const first = testOf(block);
      if (first === undefined) continue;
      for (const next of [first.then, first.otherwise]) {
        if ((preds.get(next) ?? []).length !== 1) continue;
        const join = next === first.then ? first.otherwise : first.then;
        const found = findRange(block, next, join, first, preds);
        if (found === undefined) continue;
        fill(next, found, (type, operation, operands) =>
          createInstruction(fn, next, type, operation, operands, found.phi.location),
        );
        const last = terminatorOf(block) as IrInstruction;
        makeJump(last, next);
        removeIncoming(join, block);
        removeIncoming(join, found.arm);
        changed = true;
        break;
      }
    }
    if (changed) removeUnreachableBlocks(fn);
    return changed;
  },
};

/** Bounds as signed numbers, both inclusive. */
interface Interval {
  readonly least: bigint;
  readonly most: bigint;
}

interface RangeValue {
  readonly phi: IrInstruction;
  /** The empty block. */
  readonly arm: Block;
  readonly value: Value;
  readonly interval: Interval;
  /** What the phi is inside of the interval: 1, or else 0. */
  readonly isInside: boolean;
}

/**
 * Both tests, if the second block makes nothing but the second and leads to the join either way, once directly, once
 * through an empty block; of the join's phis one takes 0 or 1, the others take the same from all.
 */
function findRange(
  block: Block,
  next: Block,
  join: Block,
  first: Test,
  preds: ReadonlyMap<Block, readonly Block[]>,
): RangeValue | undefined {
  const second = testOf(next);
  if (second === undefined || next.instructions.length !== 2) return undefined;
  if (second.condition.block !== next || !sameValue(first.value, second.value)) return undefined;
  const arm = second.then === join ? second.otherwise : second.then;
  if ((second.then !== join && second.otherwise !== join) || !isEmptyArm(arm, join, preds))
    return undefined;
  const phis = phisOf(join);
  const inputs = phis.map((phi) => [block, next, arm].map((pred) => inputFrom(phi, pred)));
  const differs = inputs.map(([a, ...others]) =>
    others.some((each) => a !== undefined && !sameValue(a, each)),
  );
  const at = differs.indexOf(true);
  const phi = phis[at];
  if (phi === undefined || differs.lastIndexOf(true) !== at) return undefined;
  const [outside, direct, through] = (inputs[at] ?? []).map(bitOf);
  if (outside === undefined || direct === undefined || through === undefined) return undefined;
  if (direct === through) return undefined;
  const leadsInside = outside === direct ? arm : join;
  const interval = meet(
    first,
    next === first.then,
    second,
    leadsInside === second.then,
    bitWidth[first.value.type as ValueType],
  );
  return interval && { phi, arm, value: first.value, interval, isInside: outside === 0 };
}

function isEmptyArm(arm: Block, join: Block, preds: ReadonlyMap<Block, readonly Block[]>): boolean {
  const last = terminatorOf(arm);
  const isEmpty = arm.instructions.length === 1 && (preds.get(arm) ?? []).length === 1;
  return isEmpty && last?.operation.op === "br" && last.operation.target === join;
}

function inputFrom(phi: IrInstruction, pred: Block): Value {
  return operand(phi, phi.operation.op === "phi" ? phi.operation.incoming.indexOf(pred) : 0);
}

function bitOf(value: Value): 0 | 1 | undefined {
  if (isConstant(value, 0n)) return 0;
  return isConstant(value, 1n) ? 1 : undefined;
}

/** Numbers for which both tests come out as said. */
function meet(
  first: Test,
  holdsFirst: boolean,
  second: Test,
  holdsSecond: boolean,
  bits: number,
): Interval | undefined {
  const of = ({ predicate, bound }: Test, holds: boolean): Interval | undefined =>
    intervalOf(holds ? predicate : invertedPredicate[predicate], bound, bits);
  const [a, b] = [of(first, holdsFirst), of(second, holdsSecond)];
  if (a === undefined || b === undefined) return undefined;
  const [least, most] = [larger(a.least, b.least), smaller(a.most, b.most)];
  return least > most ? undefined : { least, most };
}

/** Numbers for which a comparison with a constant holds, if none lies between them for which it does not. */
function intervalOf(predicate: IntPredicate, bound: bigint, bits: number): Interval | undefined {
  const half = 1n << BigInt(bits - 1);
  const isNatural = bound >= 0n;
  switch (predicate) {
    case "sgt":
      return { least: bound + 1n, most: half - 1n };
    case "sge":
      return { least: bound, most: half - 1n };
    case "slt":
      return { least: -half, most: bound - 1n };
    case "sle":
      return { least: -half, most: bound };
    case "ult":
      return isNatural ? { least: 0n, most: bound - 1n } : undefined;
    case "ule":
      return isNatural ? { least: 0n, most: bound } : undefined;
    case "ugt":
    case "uge":
    case "eq":
    case "ne":
      return undefined;
  }
}

type Make = (
  type: IrInstruction["type"],
  operation: IrInstruction["operation"],
  operands: readonly Value[],
) => IrInstruction;

/** The difference, its comparison and what the phi takes of it stand in the second block alone. */
function fill(next: Block, { phi, value, interval, isInside }: RangeValue, make: Make): void {
  const last = terminatorOf(next) as IrInstruction;
  makeJump(last, phi.block);
  const type = value.type as ValueType;
  const { least, most } = interval;
  const list: IrInstruction[] = [];
  const add = (made: IrInstruction): IrInstruction => {
    list.push(made);
    return made;
  };
  const distance =
    least === 0n
      ? value
      : add(make(type, { op: "binary", binary: "add" }, [value, constant(type, -least)]));
  const predicate = isInside ? "ule" : "ugt";
  const test = add(make("i1", { op: "icmp", predicate }, [distance, constant(type, most - least)]));
  const result = phi.type === "i1" ? test : add(make(phi.type, { op: "zext" }, [test]));
  next.instructions = [...list, last];
  const at = phi.operation.op === "phi" ? phi.operation.incoming.indexOf(next) : 0;
  phi.operands[at] = result;
}
