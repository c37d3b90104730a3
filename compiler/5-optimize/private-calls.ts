/** The calls of functions that nobody else can call: what may be fitted to their callers. */
import { pushTo } from "../../common/append.ts";
import type { IrFunction, IrModule } from "../4-lower/ir.ts";
import type { Call } from "./find-noalias.ts";
import { instructionsOf } from "./values.ts";

/** All calls of each function that nobody else can call. */
export function callsOfPrivate(module: IrModule): Map<IrFunction, Call[]> {
  const result = new Map<IrFunction, Call[]>();
  if (module.fileAsm.length > 0) return result;
  const named = new Set<string>();
  for (const { relocations } of module.globals)
    for (const each of relocations) named.add(each.symbol);
  const calls = new Map<string, Call[]>();
  for (const caller of module.functions) {
    for (const each of instructionsOf(caller)) {
      for (const value of each.operands) if (value.kind === "global") named.add(value.symbol);
      const { operation } = each;
      if (operation.op !== "call" || operation.callee.kind !== "function") continue;
      const { symbol } = operation.callee;
      pushTo(calls, symbol, { caller, call: each });
    }
  }
  for (const fn of module.functions) {
    const list = calls.get(fn.name);
    if (list !== undefined && isPrivate(fn) && !named.has(fn.name)) result.set(fn, list);
  }
  return result;
}

function isPrivate(fn: IrFunction): boolean {
  return fn.binding === "local" && fn.section === ".text" && !fn.naked && fn.blocks.length > 0;
}
