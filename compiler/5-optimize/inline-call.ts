/** Replaces one call by the body of its callee. */
import type { Block, DebugLocation, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import {
  appendInstruction,
  constant,
  createBlock,
  createInstruction,
  replaceIncoming,
  successors,
  undefinedValue,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { cloneBlocks, inlineLocation } from "./clone-blocks.ts";

/**
 * Inlines `call`, which stands at index `at` of its block. The call's uses must be replaced by the
 * returned value by the caller, who also puts the new blocks behind the call's block and the stack
 * objects into the entry block.
 */
export function inlineCall(
  fn: IrFunction,
  call: IrInstruction,
  at: number,
  callee: IrFunction,
  made: { readonly blocks: Block[]; readonly allocas: IrInstruction[] },
): Value | undefined {
  if (callee.hasDynamicStack === true) fn.hasDynamicStack = true;
  const block = call.block;
  const rest = createBlock(fn, undefined, true);
  rest.instructions = block.instructions.splice(at + 1);
  for (const each of rest.instructions) each.block = rest;
  for (const next of new Set(successors(rest))) replaceIncoming(next, block, rest);
  block.instructions.pop();

  const values = new Map<Value, Value>();
  for (const [index, parameter] of callee.params.entries()) {
    const given = call.operands[index] ?? undefinedValue(parameter.type);
    values.set(parameter, fitTo(fn, block, given, parameter.type, call.location));
  }
  const cache = new Map<DebugLocation, DebugLocation>();
  const location = (from: DebugLocation | undefined): DebugLocation | undefined => {
    if (from === undefined) return call.location;
    const known = cache.get(from);
    if (known !== undefined) return known;
    const below = inlineLocation(from, call.location);
    cache.set(from, below);
    return below;
  };
  const body = cloneBlocks(fn, callee.blocks, { values, blocks: new Map(), location });
  hoistAllocas(fn, body, made.allocas);
  const entry = body[0] as Block;
  appendInstruction(fn, block, "void", { op: "br", target: entry }, [], call.location);
  const result = joinReturns(fn, call, callee, body, rest);
  for (const each of body) made.blocks.push(each);
  made.blocks.push(rest);
  return result;
}

/** The callee's stack objects become the caller's: they stand in the entry block. */
function hoistAllocas(fn: IrFunction, body: readonly Block[], moved: IrInstruction[]): void {
  const target = fn.blocks[0] as Block;
  for (const block of body) {
    if (!block.instructions.some((each) => each.operation.op === "alloca")) continue;
    block.instructions = block.instructions.filter((each) => {
      if (each.operation.op !== "alloca") return true;
      each.block = target;
      moved.push(each);
      return false;
    });
  }
}

/** Returns become jumps to `rest`; what they return meets in a phi. */
function joinReturns(
  fn: IrFunction,
  call: IrInstruction,
  callee: IrFunction,
  body: readonly Block[],
  rest: Block,
): Value | undefined {
  const incoming: Block[] = [];
  const returned: Value[] = [];
  for (const block of body) {
    const last = block.instructions.at(-1);
    if (last?.operation.op !== "ret") continue;
    const [value] = last.operands;
    block.instructions.pop();
    if (call.type !== "void") {
      const wanted = call.type;
      returned.push(
        value === undefined
          ? undefinedValue(wanted)
          : fitTo(fn, block, value, wanted, last.location),
      );
    }
    incoming.push(block);
    appendInstruction(fn, block, "void", { op: "br", target: rest }, [], last.location);
  }
  if (call.type === "void") return undefined;
  if (incoming.length === 0 || callee.returns === "void") return undefinedValue(call.type);
  if (incoming.length === 1) return returned[0];
  const phi = createInstruction(
    fn,
    rest,
    call.type,
    { op: "phi", incoming },
    returned,
    call.location,
  );
  rest.instructions.unshift(phi);
  return phi;
}

/** A value as another type: registers carry 64 bits, so that widths may differ between caller and callee. */
function fitTo(
  fn: IrFunction,
  block: Block,
  value: Value,
  type: ValueType,
  location: DebugLocation | undefined,
): Value {
  if (value.type === type) return value;
  if (value.kind === "undef") return undefinedValue(type);
  if (value.kind === "constant") return constant(type, value.value);
  const emit = (
    to: ValueType,
    op: "ptrtoint" | "inttoptr" | "zext" | "trunc",
    from: Value,
  ): Value => appendInstruction(fn, block, to, { op }, [from], location);
  let integer: Value = value;
  if (value.type === "ptr") integer = emit("i64", "ptrtoint", value);
  const wanted = type === "ptr" ? "i64" : type;
  const from = bitWidth[integer.type as ValueType];
  if (from !== bitWidth[wanted])
    integer = emit(wanted, from < bitWidth[wanted] ? "zext" : "trunc", integer);
  return type === "ptr" ? emit("ptr", "inttoptr", integer) : integer;
}
