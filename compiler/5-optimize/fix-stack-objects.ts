/**
 * Makes an `alloca` of a `dynamic_alloca` whose size has become a constant: BPF has no other stack
 * objects. One in a loop makes a new object each time, and stays unless each dies with its block.
 * Needs: nothing. Guarantees: an object that is made is in the entry block; what stays is an error of
 * the source, which selection reports.
 */
import type { Block, IrFunction, IrInstruction } from "../4-lower/ir.ts";
import { signedValue, successors } from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";

/** Larger ones are left to the message about dynamic objects: no stack holds them. */
const largestSize = 1n << 31n;

export const fixStackObjects: FunctionPass = {
  kind: "function",
  name: "fix-stack-objects",
  run(fn) {
    if (fn.hasDynamicStack !== true) return false;
    const entry = fn.blocks[0] as Block;
    const made: IrInstruction[] = [];
    for (const block of fn.blocks) {
      const isFixed = (each: IrInstruction): boolean => fix(each, block);
      if (!block.instructions.some((each) => each.operation.op === "dynamic_alloca")) continue;
      const fixed = block.instructions.filter(isFixed);
      const gone = new Set(fixed);
      block.instructions = block.instructions.filter((each) => !gone.has(each));
      made.push(...fixed);
    }
    for (const each of made) each.block = entry;
    entry.instructions.unshift(...made);
    fn.hasDynamicStack = hasDynamic(fn);
    return made.length > 0;
  },
};

function hasDynamic(fn: IrFunction): boolean {
  return fn.blocks.some(({ instructions }) =>
    instructions.some((each) => each.operation.op === "dynamic_alloca"),
  );
}

/** Changes the instruction into an `alloca` where that means the same. */
function fix(each: IrInstruction, block: Block): boolean {
  const { operation } = each;
  if (operation.op !== "dynamic_alloca") return false;
  // Made once in a call of this function: so it dies with it, whatever loop the call is copied into.
  if (!operation.scoped) operation.scoped = !isInLoop(block);
  const [length] = each.operands;
  if (length?.kind !== "constant" || !operation.scoped) return false;
  const size = signedValue(length);
  if (size < 0n || size > largestSize) return false;
  const { align } = operation;
  each.operation = { op: "alloca", size: Number(size), align, name: each.name ?? "" };
  each.operands = [];
  return true;
}

function isInLoop(block: Block): boolean {
  const seen = new Set<Block>();
  const open = successors(block);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === block) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...successors(next));
  }
  return false;
}
