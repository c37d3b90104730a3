/**
 * What a copy of a function would cost at one call, in fifths of an instruction. The scale and the
 * thresholds are those of clang, because programs are written for what clang inlines: a function that it
 * keeps apart is verified on its own, one that it copies is verified with what is known at the call.
 * Constant arguments are followed through the body, so that branches which they decide cost nothing.
 */
import { reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, Constant, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, successors } from "../4-lower/ir-builder.ts";
import { foldInstruction } from "./fold-constants.ts";
import { isConstantOffset, isOp, isPure, operand } from "./values.ts";

const instruction = 5;
/** A call spills, moves arguments and result, and comes back. */
const callPenalty = 25;

const free: ReadonlySet<string> = new Set([
  "phi",
  "alloca",
  "br",
  "ret",
  "unreachable",
  "ptrtoint",
  "inttoptr",
  "zext",
  "trunc",
  "lifetime_start",
  "lifetime_end",
  "constant_p",
]);

/** Cost of the copied body less that of the call which it replaces. */
export function inlineCost(callee: IrFunction, call: IrInstruction): number {
  const known: Known = new Map();
  for (const parameter of callee.params) {
    const value = call.operands[parameter.index];
    if (value?.kind === "constant" || value?.kind === "global") known.set(parameter, value);
  }
  const reached = new Set<Block>(callee.blocks.slice(0, 1));
  let cost = -costOfCall(call);
  for (const block of reversePostOrder(callee)) {
    if (!reached.has(block)) continue;
    for (const each of block.instructions) cost += costOf(each, known);
    for (const next of nextOf(block, known)) reached.add(next);
  }
  return cost;
}

/** A body without branches is worth more: it brings no control flow along. */
export function isStraight(callee: IrFunction): boolean {
  return callee.blocks.length === 1;
}

function costOfCall(call: IrInstruction): number {
  return instruction * (1 + call.operands.length) + callPenalty;
}

/** What values are at this call: constants, and addresses of symbols. */
type Known = Map<Value, Constant | GlobalAddress>;
type GlobalAddress = Extract<Value, { readonly kind: "global" }>;

function costOf(each: IrInstruction, known: Known): number {
  const { operation } = each;
  if (operation.op === "call") return costOfCall(each);
  if (isPure(each)) {
    const operands = each.operands.map((value) => known.get(value) ?? value);
    const result = foldInstruction(each, operands) ?? compareSymbols(each, operands);
    if (result !== undefined) {
      known.set(each, result);
      return 0;
    }
  }
  if (free.has(operation.op)) return 0;
  if (isConstantOffset(each)) return 0;
  if (operation.op === "switch") return instruction * 2 * operation.cases.length;
  return operation.op === "condbr" && known.has(operand(each, 0)) ? 0 : instruction;
}

/** Two symbols are one address only if they are one symbol. */
function compareSymbols(each: IrInstruction, operands: readonly Value[]): Constant | undefined {
  const [a, b] = operands;
  if (!isOp(each, "icmp") || a?.kind !== "global" || b?.kind !== "global") return undefined;
  const { predicate } = each.operation;
  if (predicate !== "eq" && predicate !== "ne") return undefined;
  return constant("i1", (a.symbol === b.symbol) === (predicate === "eq") ? 1n : 0n);
}

/** Where the block can go with what is known. */
function nextOf(block: Block, known: ReadonlyMap<Value, Value>): readonly Block[] {
  const last = block.instructions.at(-1);
  const [value] = last?.operands ?? [];
  const decided = value && (known.get(value) ?? value);
  if (last === undefined || decided?.kind !== "constant") return successors(block);
  const { operation } = last;
  if (operation.op === "condbr") {
    return [decided.value === 1n ? operation.then : operation.otherwise];
  }
  if (operation.op !== "switch") return successors(block);
  const hit = operation.cases.find((each) => each.value === decided.value);
  return [hit?.target ?? operation.fallback];
}
