/**
 * Tail-call elimination: a function that returns what it gets from calling itself starts over instead.
 * Real programs write always_inline functions that way (hash finalisers whose length is constant), and
 * neither inlining nor the kernel's 8 frames can follow recursion. Functions with stack objects whose
 * address is passed on keep their calls.
 * Needs: runs before the function is judged for inlining. Guarantees: parameters become phis of a new
 * block behind the entry.
 */
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  makeJump,
  phisOf,
  removeIncoming,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import { AliasAnalysis } from "./alias.ts";
import type { FunctionPass } from "./pass.ts";
import { instructionsOf, isOp, operand } from "./values.ts";

export const loopTailCalls: FunctionPass = {
  kind: "function",
  name: "loop-tail-calls",
  run(fn) {
    const calls = fn.blocks.flatMap((block) => tailCallOf(fn, block) ?? []);
    if (calls.length === 0 || hasEscapingObjects(fn)) return false;
    makeLoop(fn, calls);
    return true;
  },
};

/** The call of itself that ends a block, all but the return of its result. */
function tailCallOf(fn: IrFunction, block: Block): IrInstruction | undefined {
  const last = terminatorOf(block);
  const call = block.instructions.at(-2);
  if (call?.operation.op !== "call" || last === undefined) return undefined;
  const { callee } = call.operation;
  if (callee.kind !== "function" || callee.symbol !== fn.name) return undefined;
  const fits = fn.params.every((param, at) => call.operands[at]?.type === param.type);
  if (!fits || call.operands.length !== fn.params.length) return undefined;
  const returned = returnedBy(last, block);
  if (returned === undefined) return undefined;
  return returned === call || (returned === "void" && call.type === "void") ? call : undefined;
}

/** What the function returns if it leaves through this terminator at once. */
function returnedBy(last: IrInstruction, block: Block): Value | "void" | undefined {
  if (last.operation.op === "ret") return last.operands[0] ?? "void";
  if (last.operation.op !== "br") return undefined;
  const { target } = last.operation;
  const end = terminatorOf(target);
  const rest = target.instructions.filter((each) => each !== end && !isOp(each, "phi"));
  if (end?.operation.op !== "ret" || rest.length > 0) return undefined;
  const [value] = end.operands;
  if (value === undefined) return "void";
  if (!isOp(value, "phi") || value.block !== target) return value;
  return operand(value, value.operation.incoming.indexOf(block));
}

function hasEscapingObjects(fn: IrFunction): boolean {
  const alias = new AliasAnalysis(fn);
  return [...instructionsOf(fn)].some(
    (each) => isOp(each, "alloca") && alias.escapeOf(each) === "all",
  );
}

function makeLoop(fn: IrFunction, calls: readonly IrInstruction[]): void {
  const entry = fn.blocks[0] as Block;
  const start = createBlock(fn, undefined, true);
  const isObject = (each: IrInstruction): boolean => each.operation.op === "alloca";
  start.instructions = entry.instructions.filter(isObject);
  entry.instructions = entry.instructions.filter((each) => !isObject(each));
  for (const each of start.instructions) each.block = start;
  start.instructions.push(createInstruction(fn, start, "void", { op: "br", target: entry }, []));
  fn.blocks.unshift(start);
  const sources = calls.map((call) => call.block);
  const phis = fn.params.map((param, at) => {
    const values = [param, ...calls.map((call) => operand(call, at))];
    const operation = { op: "phi", incoming: [start, ...sources] } as const;
    const phi = createInstruction(
      fn,
      entry,
      param.type,
      { ...operation, incoming: [...operation.incoming] },
      values,
    );
    phi.name = param.name;
    return phi;
  });
  for (const each of instructionsOf(fn)) {
    for (const [at, value] of each.operands.entries()) {
      if (value.kind === "parameter") each.operands[at] = phis[value.index] as IrInstruction;
    }
  }
  for (const phi of phis) {
    for (const [at, value] of phi.operands.entries()) {
      if (at > 0 && value.kind === "parameter")
        phi.operands[at] = phis[value.index] as IrInstruction;
    }
  }
  entry.instructions.unshift(...phis);
  for (const call of calls) restart(call, entry);
}

/** The call and what follows it become a jump. */
function restart(call: IrInstruction, entry: Block): void {
  const { block } = call;
  const last = terminatorOf(block) as IrInstruction;
  if (last.operation.op === "br" && phisOf(last.operation.target).length > 0) {
    removeIncoming(last.operation.target, block);
  }
  makeJump(last, entry);
  block.instructions.splice(-2, 1);
}
