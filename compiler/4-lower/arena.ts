/**
 * Objects in an arena (address space 1). Programs hold such pointers as the user space sees them; to
 * load and store, the kernel wants them cast to its own addresses. The cast is made where a pointer
 * is dereferenced, and undone where an address is taken.
 */
import { addressSpaceOf, asArray, isPointer, pointeeOf } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";

/** The object, or the elements of an array, are in an arena. */
export function isInArena(type: QualType): boolean {
  if (addressSpaceOf(type) === 1) return true;
  const array = asArray(type);
  return array !== undefined && isInArena(array.element);
}

/** The address to access an object of the type that a pointer leads to. */
export function accessAddress(state: FunctionState, pointer: Value, type: QualType): Value {
  if (!isInArena(type)) return pointer;
  return state.emit("ptr", { op: "addr_space_cast", from: 1, to: 0 }, [pointer]);
}

/** The same for a pointer of some type. */
export function accessPointer(state: FunctionState, pointer: Value, type: QualType): Value {
  const pointee = isPointer(type) ? pointeeOf(type) : undefined;
  return pointee === undefined ? pointer : accessAddress(state, pointer, pointee);
}

/** The pointer that the program holds, from the address of an object of the type. */
export function heldPointer(state: FunctionState, address: Value, type: QualType): Value {
  if (!isInArena(type)) return address;
  const made = address.kind === "instruction" ? address : undefined;
  const [first, second] = made?.operands ?? [];
  if (made?.operation.op === "addr_space_cast" && first !== undefined) return first;
  const base = first?.kind === "instruction" ? first : undefined;
  const [origin] = base?.operation.op === "addr_space_cast" ? base.operands : [];
  if (made?.operation.op === "ptradd" && origin !== undefined && second !== undefined)
    return state.emit("ptr", { op: "ptradd" }, [origin, second]);
  return state.emit("ptr", { op: "addr_space_cast", from: 0, to: 1 }, [address]);
}
