/** How often a loop runs, found by computing its exit condition with constants. */
import type { DominatorTree, Loop } from "../4-lower/cfg.ts";
import type { Block, Constant, IrInstruction, Value } from "../4-lower/ir.ts";
import { phisOf, terminatorOf } from "../4-lower/ir-builder.ts";
import { foldInstruction } from "./fold-constants.ts";
import { isPure, operand } from "./values.ts";

/** The exit that ends the loop, and how many times its test lets the loop go on. */
export interface TripCount {
  /** Full passes through the loop's back edge. */
  readonly count: number;
  readonly exiting: Block;
}

/** Iterations that are tried. */
const limit = 4096;

export function tripCount(loop: Loop, tree: DominatorTree): TripCount | undefined {
  const [latch, ...others] = loop.latches;
  if (latch === undefined || others.length > 0) return undefined;
  let best: TripCount | undefined;
  for (const block of loop.blocks) {
    const stay = stayingSide(block, loop);
    // The test must be made in every iteration.
    if (stay === undefined || !tree.dominates(block, latch)) continue;
    const count = countIterations(loop, latch, block, stay);
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
): number | undefined {
  const phis = phisOf(loop.header);
  let state = new Map<Value, Constant>();
  for (const phi of phis) {
    const initial = soleInitial(phi, latch);
    if (initial?.kind === "constant") state.set(phi, initial);
  }
  if (state.size === 0) return undefined;
  const condition = operand(terminatorOf(exiting) as IrInstruction, 0);
  for (let count = 0; count <= limit; count += 1) {
    const memo = new Map<Value, Constant | undefined>();
    const known = evaluate(condition, state, memo, 0);
    if (known === undefined) return undefined;
    if (known.value !== stay) return count;
    const next = new Map<Value, Constant>();
    for (const phi of state.keys()) {
      const value = inputFrom(phi as IrInstruction, latch);
      const result = value && evaluate(value, state, memo, 0);
      if (result !== undefined) next.set(phi, result);
    }
    if (next.size === 0) return undefined;
    state = next;
  }
  return undefined;
}

function soleInitial(phi: IrInstruction, latch: Block): Value | undefined {
  if (phi.operation.op !== "phi" || phi.operands.length !== 2) return undefined;
  return phi.operands[phi.operation.incoming[0] === latch ? 1 : 0];
}

function inputFrom(phi: IrInstruction, block: Block): Value | undefined {
  if (phi.operation.op !== "phi") return undefined;
  return phi.operands[phi.operation.incoming.indexOf(block)];
}

function evaluate(
  value: Value,
  state: ReadonlyMap<Value, Constant>,
  memo: Map<Value, Constant | undefined>,
  depth: number,
): Constant | undefined {
  if (value.kind === "constant") return value;
  const known = state.get(value) ?? memo.get(value);
  if (known !== undefined) return known;
  if (memo.has(value) || value.kind !== "instruction" || depth > 12 || !isPure(value))
    return undefined;
  const operands: Constant[] = [];
  for (const each of value.operands) {
    const result = evaluate(each, state, memo, depth + 1);
    if (result === undefined) {
      memo.set(value, undefined);
      return undefined;
    }
    operands.push(result);
  }
  const result = foldInstruction(value, operands);
  memo.set(value, result);
  return result;
}
