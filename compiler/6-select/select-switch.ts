/**
 * Switches as trees of comparisons: neighbouring cases with one target are a range, few ranges are
 * tested one after the other, many are halved by an unsigned comparison.
 */
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { fitsSigned, type SelectContext } from "./context.ts";
import { widthOf } from "./facts.ts";
import type { MachineBlock, MachineRegister, MachineSource, Width } from "./machine.ts";
import { immediateSource, registerSource } from "./machine.ts";

interface Range {
  readonly low: bigint;
  readonly high: bigint;
  readonly target: Block;
}

interface SwitchState {
  readonly from: Block;
  readonly fallback: Block;
  readonly register: MachineRegister;
  readonly width: Width;
}

const linearLimit = 3;

type SwitchOperation = Extract<IrInstruction["operation"], { op: "switch" }>;

export function selectSwitch(
  context: SelectContext,
  from: Block,
  at: IrInstruction,
  operation: SwitchOperation,
): void {
  const value = at.operands[0] as Value;
  if (value.kind === "constant") {
    const hit = operation.cases.find((each) => each.value === value.value);
    const target = context.edge(from, hit?.target ?? operation.fallback);
    context.terminate({ kind: "jump", target });
    return;
  }
  const width = context.aluWidth(value);
  const isNative = widthOf(value) === width;
  const register = isNative ? context.register(value) : context.zeroExtended(value);
  const state = { from, fallback: operation.fallback, register, width };
  const most = (1n << BigInt(widthOf(value))) - 1n;
  tree(context, state, mergeRanges(operation), 0n, most);
}

function mergeRanges({ cases, fallback }: SwitchOperation): Range[] {
  const sorted = cases
    .filter(({ target }) => target !== fallback)
    .sort((a, b) => (a.value < b.value ? -1 : 1));
  const ranges: { low: bigint; high: bigint; target: Block }[] = [];
  for (const { value, target } of sorted) {
    const last = ranges.at(-1);
    if (last?.target === target && last.high + 1n === value) last.high = value;
    else ranges.push({ low: value, high: value, target });
  }
  return ranges;
}

/** Emits tests for the ranges, knowing that low ≤ value ≤ high here. */
function tree(
  context: SelectContext,
  state: SwitchState,
  ranges: readonly Range[],
  low: bigint,
  high: bigint,
): void {
  if (ranges.length <= linearLimit) {
    linear(context, state, ranges, low, high);
    return;
  }
  const middle = ranges.length >> 1;
  const pivot = (ranges[middle] as Range).low;
  const right = context.newBlock();
  const left = context.newBlock();
  branch(context, state, "ge", pivot, right, left);
  context.startBlock(left);
  tree(context, state, ranges.slice(0, middle), low, pivot - 1n);
  context.startBlock(right);
  tree(context, state, ranges.slice(middle), pivot, high);
}

function linear(
  context: SelectContext,
  state: SwitchState,
  ranges: readonly Range[],
  low: bigint,
  high: bigint,
): void {
  let [least, most] = [low, high];
  for (const range of ranges) {
    const next = context.newBlock();
    const target = (): MachineBlock => context.edge(state.from, range.target);
    const covers = range.low <= least && range.high >= most;
    if (covers) {
      context.terminate({ kind: "jump", target: target() });
      return;
    }
    if (range.low === range.high) branch(context, state, "eq", range.low, target(), next);
    else if (range.low <= least) branch(context, state, "le", range.high, target(), next);
    else if (range.high >= most) branch(context, state, "ge", range.low, target(), next);
    else {
      const below = context.newBlock();
      branch(context, state, "ge", range.low, below, next);
      context.startBlock(below);
      branch(context, state, "le", range.high, target(), next);
    }
    if (range.low <= least) least = range.high + 1n;
    if (range.high >= most) most = range.low - 1n;
    context.startBlock(next);
  }
  context.terminate({ kind: "jump", target: context.edge(state.from, state.fallback) });
}

function branch(
  context: SelectContext,
  { register, width }: SwitchState,
  op: "eq" | "le" | "ge",
  value: bigint,
  then: MachineBlock,
  otherwise: MachineBlock,
): void {
  const src = caseSource(context, value, width);
  context.terminate({ kind: "branch", op, width, dst: register, src, then, otherwise });
}

function caseSource(context: SelectContext, value: bigint, width: Width): MachineSource {
  const seen = BigInt.asIntN(width, value);
  return fitsSigned(seen, 32)
    ? immediateSource(Number(seen))
    : registerSource(context.materialize(value));
}
