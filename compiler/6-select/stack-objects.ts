/**
 * Which stack objects are reached only by the instructions that visibly use their address. Outside
 * the stretch from the first to the last of these, such an object's bytes may serve another one.
 */
import { pushTo } from "../../common/append.ts";
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";

export interface StackObjects {
  /** Objects whose address goes nowhere else. */
  readonly shareable: ReadonlySet<IrInstruction>;
  /** Objects of which the loader says where a field is: it may lie behind what the compiler knows of them. */
  readonly relocated: ReadonlySet<IrInstruction>;
  /** Objects that an instruction reads, writes or hands to a call. */
  readonly touched: ReadonlyMap<IrInstruction, readonly IrInstruction[]>;
}

export function findStackObjects(
  ir: IrFunction,
  uses: ReadonlyMap<Value, readonly Use[]>,
  defined: ReadonlySet<string>,
): StackObjects {
  const shareable = new Set<IrInstruction>();
  const relocated = new Set<IrInstruction>();
  const touched = new Map<IrInstruction, IrInstruction[]>();
  for (const block of ir.blocks) {
    for (const object of block.instructions) {
      if (object.operation.op !== "alloca") continue;
      if (uses.get(object)?.some(isRelocatedField) === true) relocated.add(object);
      const touchers = followAddress(object, uses, defined);
      if (touchers === undefined) continue;
      shareable.add(object);
      for (const user of touchers) {
        pushTo(touched, user, object);
      }
    }
  }
  return { shareable, relocated, touched };
}

function isRelocatedField({ user, index }: Use): boolean {
  const offset = user.operands[1];
  const isCore = offset?.kind === "instruction" && offset.operation.op === "core";
  return user.operation.op === "ptradd" && index === 0 && isCore;
}

/** Everybody who touches the object; undefined if its address gets away. */
function followAddress(
  object: IrInstruction,
  uses: ReadonlyMap<Value, readonly Use[]>,
  defined: ReadonlySet<string>,
): Set<IrInstruction> | undefined {
  const touchers = new Set<IrInstruction>();
  const seen = new Set<Value>([object]);
  const work: Value[] = [object];
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    for (const use of uses.get(value) ?? []) {
      const kind = useKind(use, defined);
      if (kind === "escapes") return undefined;
      if (kind === "touches") touchers.add(use.user);
      if (kind === "derives" && !seen.has(use.user)) {
        seen.add(use.user);
        work.push(use.user);
      }
    }
  }
  return touchers;
}

function useKind(
  { user, index }: Use,
  defined: ReadonlySet<string>,
): "derives" | "touches" | "escapes" | "nothing" {
  const { operation } = user;
  switch (operation.op) {
    case "ptradd":
      return index === 0 ? "derives" : "escapes";
    case "phi":
    case "select":
      return "derives";
    case "load":
    case "load_acquire":
    case "memcpy":
    case "memmove":
    case "memset":
    case "memcmp":
      return "touches";
    case "store":
    case "store_release":
      return index === 1 ? "touches" : "escapes";
    case "atomicrmw":
    case "cmpxchg":
      return index === 0 ? "touches" : "escapes";
    case "call": {
      // A function of this module might keep the address in what another argument points to.
      const { callee } = operation;
      if (callee.kind === "helper") return "touches";
      return callee.kind === "function" && !defined.has(callee.symbol) ? "touches" : "escapes";
    }
    case "icmp":
      // Equality with null says nothing of the place; with another address it would.
      return user.operands[1 - index]?.kind === "constant" ? "nothing" : "escapes";
    case "lifetime_start":
    case "lifetime_end":
    case "object_size":
      return "nothing";
    default:
      return "escapes";
  }
}
