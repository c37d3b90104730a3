/**
 * What is a program's context and what was loaded from it. Packet pointers are recognised by that:
 * no type says so in the IR.
 */
import type { IrFunction, Value } from "../4-lower/ir.ts";
import { constantAddress, isOp, operand } from "./values.ts";

/** Entry points have a section of their own; the verifier gives them the context in the first parameter. */
export function isProgram(fn: IrFunction): boolean {
  return fn.section !== ".text" && fn.section !== "" && fn.binding !== "local";
}

/** The context pointer itself. */
export function isContextPointer(value: Value, fn: IrFunction): boolean {
  return value.kind === "parameter" && value.index === 0 && value.type === "ptr" && isProgram(fn);
}

/** A pointer that was loaded from the context: its field's offset, and the width of the field. */
export interface ContextField {
  readonly offset: number;
  readonly bits: 32 | 64;
}

/** `data`, `data_end` and the like: u32 fields cast to a pointer, or 64-bit pointer fields. */
export function contextField(pointer: Value, fn: IrFunction): ContextField | undefined {
  let source = pointer;
  if (isOp(source, "inttoptr")) source = operand(source, 0);
  if (isOp(source, "zext")) source = operand(source, 0);
  if (!isOp(source, "load")) return undefined;
  const { base, offset } = constantAddress(operand(source, 0));
  if (!isContextPointer(base, fn)) return undefined;
  return { offset, bits: source.type === "i32" ? 32 : 64 };
}

/** The pointer that a chain of additions started from, constant or not. */
export function addressRoot(pointer: Value): Value {
  let root = pointer;
  while (isOp(root, "ptradd")) root = operand(root, 0);
  return root;
}

/** Where a packet starts and ends: fields of one context, the start directly before the end. */
export function isStartAndEnd(start: Value, end: Value, fn: IrFunction): boolean {
  const first = contextField(start, fn);
  const second = contextField(end, fn);
  if (first === undefined || second === undefined || first.bits !== second.bits) return false;
  return second.offset === first.offset + first.bits / 8;
}
