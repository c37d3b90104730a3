/**
 * What a copy of a function would cost at one call, in fifths of an instruction. The scale and the
 * thresholds are those of clang, because programs are written for what clang inlines: a function that it
 * keeps apart is verified on its own, one that it copies is verified with what is known at the call.
 * Constant arguments are followed through the body, so that branches which they decide cost nothing.
 */
import { reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, Constant, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { successors } from "../4-lower/ir-builder.ts";
import { foldInstruction } from "./fold-constants.ts";
import { isOp, isPure, operand } from "./values.ts";

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
  const known = new Map<Value, Constant>();
  for (const parameter of callee.params) {
    const value = call.operands[parameter.index];
    if (value?.kind === "constant") known.set(parameter, value);
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

function costOf(each: IrInstruction, known: Map<Value, Constant>): number {
  const { operation } = each;
  if (operation.op === "call") return costOfCall(each);
  if (isPure(each)) {
    const result = foldInstruction(
      each,
      each.operands.map((value) => known.get(value) ?? value),
    );
    if (result !== undefined) {
      known.set(each, result);
      return 0;
    }
  }
  if (free.has(operation.op)) return 0;
  if (isOp(each, "ptradd") && operand(each, 1).kind === "constant") return 0;
  if (operation.op === "switch") return instruction * 2 * operation.cases.length;
  return operation.op === "condbr" && known.has(operand(each, 0)) ? 0 : instruction;
}

/** Where the block can go with what is known. */
function nextOf(block: Block, known: ReadonlyMap<Value, Constant>): readonly Block[] {
  const last = block.instructions.at(-1);
  const [value] = last?.operands ?? [];
  const constant = value && (value.kind === "constant" ? value : known.get(value));
  if (last === undefined || constant === undefined) return successors(block);
  const { operation } = last;
  if (operation.op === "condbr") {
    return [constant.value === 1n ? operation.then : operation.otherwise];
  }
  if (operation.op !== "switch") return successors(block);
  const hit = operation.cases.find((each) => each.value === constant.value);
  return [hit?.target ?? operation.fallback];
}
