/** Whether others than this function can reach a stack object, by the uses of its address. */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import { helperEffects } from "./effects.ts";
import { isOp } from "./values.ts";

/** How far the address of a stack object gets. */
export type Escape =
  /** Loads and stores of this function only. */
  | "none"
  /** Helpers get it as an argument; they do not keep it. */
  | "helpers"
  /** Other functions, memory or assembly may know it. */
  | "all";

/** What may be the address of an object. */
export const isFollowed = (value: Value): boolean =>
  value.type === "ptr" || isOp(value, "ptrtoint");

export function escapeOf(object: IrInstruction, uses: ReadonlyMap<Value, readonly Use[]>): Escape {
  let result: Escape = "none";
  const work: IrInstruction[] = [object];
  const seen = new Set<IrInstruction>(work);
  for (let pointer = work.pop(); pointer !== undefined; pointer = work.pop()) {
    for (const { user, index } of uses.get(pointer) ?? []) {
      const reach = escapeThrough(user, index);
      if (reach === "all") return "all";
      if (reach === "helpers") result = "helpers";
      if (reach === "derived" && !seen.has(user)) {
        seen.add(user);
        work.push(user);
      }
    }
  }
  return result;
}

/** Operations that use an address and keep nothing of it. */
export const addressUses: ReadonlySet<IrInstruction["operation"]["op"]> = new Set([
  "load",
  "memset",
  "memcpy",
  "memmove",
  "memcmp",
  "icmp",
  "lifetime_start",
  "lifetime_end",
]);

function escapeThrough(user: IrInstruction, index: number): Escape | "derived" {
  const { operation } = user;
  if (addressUses.has(operation.op)) return "none";
  switch (operation.op) {
    case "object_size":
    case "constant_p":
      return "none";
    case "store":
      return index === 1 ? "none" : "all";
    case "atomicrmw":
    case "cmpxchg":
      return index === 0 ? "helpers" : "all";
    case "ptradd":
      return "derived";
    case "phi":
    case "select":
      // Whose uses are known; an address as a number may go anywhere.
      return isFollowed(user) ? "derived" : "all";
    case "ptrtoint":
      // Often the address as a helper's scalar argument (probe_read): follow it one step.
      return "derived";
    case "call": {
      if (operation.callee.kind !== "helper") return "all";
      const effects = helperEffects(operation.callee.id);
      return effects === undefined || effects.clobbersAll ? "all" : "helpers";
    }
    default:
      return "all";
  }
}
