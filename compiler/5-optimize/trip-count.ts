/** How often a loop runs, found by computing its exit condition with constants. */
import type { DominatorTree, Loop } from "../4-lower/cfg.ts";
import type { Block, Constant, IrGlobal, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  phisOf,
  sameValue,
  signedValue,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { foldInstruction } from "./fold-constants.ts";
import type { PassContext } from "./pass.ts";
import { constantAt, constantGlobal } from "./rules/memory.ts";
import { isPure, operand } from "./values.ts";

/** The exit that ends the loop, and how many times its test lets the loop go on. */
export interface TripCount {
  /** Full passes through the loop's back edge. */
  readonly count: number;
  readonly exiting: Block;
}

/** Iterations that are tried. */
const limit = 4096;

/** Where a pointer points to in data that nothing writes, as the text of a string is. */
interface Place {
  readonly kind: "place";
  readonly global: IrGlobal;
  readonly offset: bigint;
}

type Known = Constant | Place;

export function tripCount(
  loop: Loop,
  tree: DominatorTree,
  context: PassContext,
): TripCount | undefined {
  const [latch, ...others] = loop.latches;
  if (latch === undefined || others.length > 0) return undefined;
  let best: TripCount | undefined;
  for (const block of loop.blocks) {
    const stay = stayingSide(block, loop);
    // The test must be made in every iteration.
    if (stay === undefined || !tree.dominates(block, latch)) continue;
    const count = countIterations(loop, latch, block, stay, context);
    if (count !== undefined && (best === undefined || count < best.count)) {
      best = { count, exiting: block };
    }
  }
  return best;
}

/** Value of the condition with which an exiting block stays in the loop. */
function stayingSide(block: Block, loop: Loop): bigint | undefined {
  const operation = terminatorOf(block)?.operation;
  if (operation?.op !== "condbr") return undefined;
  const [then, otherwise] = [loop.blocks.has(operation.then), loop.blocks.has(operation.otherwise)];
  if (then === otherwise) return undefined;
  return then ? 1n : 0n;
}

function countIterations(
  loop: Loop,
  latch: Block,
  exiting: Block,
  stay: bigint,
  context: PassContext,
): number | undefined {
  const phis = phisOf(loop.header);
  let state = new Map<Value, Known>();
  for (const phi of phis) {
    const initial = soleInitial(phi, latch);
    const known = initial && evaluate(initial, { state, memo: new Map(), context }, 0);
    if (known !== undefined) state.set(phi, known);
  }
  if (state.size === 0) return undefined;
  const condition = operand(terminatorOf(exiting) as IrInstruction, 0);
  for (let count = 0; count <= limit; count += 1) {
    const round: Round = { state, memo: new Map(), context };
    const known = evaluate(condition, round, 0);
    if (known?.kind !== "constant") return undefined;
    if (known.value !== stay) return count;
    const next = new Map<Value, Known>();
    for (const phi of state.keys()) {
      const value = inputFrom(phi as IrInstruction, latch);
      const result = value && evaluate(value, round, 0);
      if (result !== undefined) next.set(phi, result);
    }
    if (next.size === 0) return undefined;
    state = next;
  }
  return undefined;
}

/** What all ways into the loop bring. */
function soleInitial(phi: IrInstruction, latch: Block): Value | undefined {
  const { operation } = phi;
  if (operation.op !== "phi") return undefined;
  const [first, ...others] = phi.operands.filter((_, at) => operation.incoming[at] !== latch);
  if (first === undefined || others.some((each) => !sameValue(each, first))) return undefined;
  return first;
}

function inputFrom(phi: IrInstruction, block: Block): Value | undefined {
  if (phi.operation.op !== "phi") return undefined;
  return phi.operands[phi.operation.incoming.indexOf(block)];
}

/** What is known in one iteration. */
interface Round {
  /** Of the loop's phis. */
  readonly state: ReadonlyMap<Value, Known>;
  readonly memo: Map<Value, Known | undefined>;
  readonly context: PassContext;
}

function evaluate(value: Value, round: Round, depth: number): Known | undefined {
  if (value.kind === "constant") return value;
  // Any number is right for what was never set; memory that was never stored is 0 too.
  if (value.kind === "undef") return value.type === "ptr" ? undefined : constant(value.type, 0n);
  if (value.kind === "global") {
    const global = constantGlobal(round.context, value.symbol);
    return global && { kind: "place", global, offset: 0n };
  }
  const { state, memo } = round;
  const known = state.get(value) ?? memo.get(value);
  if (known !== undefined) return known;
  if (memo.has(value) || value.kind !== "instruction" || depth > 12) return undefined;
  const result = compute(value, round, depth);
  memo.set(value, result);
  return result;
}

function compute(at: IrInstruction, round: Round, depth: number): Known | undefined {
  const { operation } = at;
  if (!isPure(at) && (operation.op !== "load" || operation.volatile)) return undefined;
  const operands: Known[] = [];
  for (const each of at.operands) {
    const result = evaluate(each, round, depth + 1);
    if (result === undefined) return undefined;
    operands.push(result);
  }
  const [first, second] = operands;
  if (first?.kind === "place") {
    if (operation.op === "load") return contentsOf(first, at.type as ValueType, round.context);
    if (operation.op !== "ptradd" || second?.kind !== "constant") return undefined;
    return { ...first, offset: first.offset + signedValue(second) };
  }
  const constants = operands.filter((each) => each.kind === "constant");
  return constants.length < operands.length ? undefined : foldInstruction(at, constants);
}

function contentsOf(place: Place, type: ValueType, context: PassContext): Constant | undefined {
  const { endian } = context.module;
  const value = constantAt(place.global, Number(place.offset), type, endian);
  return value?.kind === "constant" ? value : undefined;
}
