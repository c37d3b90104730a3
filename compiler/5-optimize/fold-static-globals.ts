/**
 * Static variables that nothing writes are constants: their loads become the initial value. Old
 * headers declare helpers as `static void *(*bpf_x)(…) = (void *) N;`, without const.
 * Needs nothing. Guarantees that calls through such variables name their helper.
 */
import type { IrFunction, IrGlobal, IrInstruction, IrModule, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { constant, globalAddress, replaceAllUses } from "../4-lower/ir-builder.ts";
import type { ModulePass } from "./pass.ts";

/** Sections whose contents belong to the program alone; others may be set by the user. */
const privateSections = new Set([".data", ".bss"]);

type Loads = { readonly fn: IrFunction; readonly load: IrInstruction }[];

function isWholeLoad(user: IrInstruction, global: IrGlobal): boolean {
  const { operation, type } = user;
  if (operation.op !== "load" || operation.volatile || type === "void") return false;
  return bitWidth[type] === global.size * 8;
}

/** Loads of each candidate; candidates with any other use are dropped. */
function plainLoads(module: IrModule): Map<string, Loads> {
  const candidates = new Map<string, IrGlobal>();
  for (const global of module.globals) {
    const isPrivate = global.binding === "local" && privateSections.has(global.section);
    if (isPrivate && !global.isExtern && global.size <= 8) candidates.set(global.name, global);
  }
  for (const { relocations } of module.globals) {
    for (const { symbol } of relocations) candidates.delete(symbol);
  }
  const loads = new Map<string, Loads>();
  for (const fn of module.functions) {
    for (const block of fn.blocks) {
      for (const user of block.instructions) collectUses(fn, user, candidates, loads);
    }
  }
  return new Map([...loads].filter(([name]) => candidates.has(name)));
}

function collectUses(
  fn: IrFunction,
  user: IrInstruction,
  candidates: Map<string, IrGlobal>,
  loads: Map<string, Loads>,
): void {
  for (const operand of user.operands) {
    if (operand.kind !== "global") continue;
    const global = candidates.get(operand.symbol);
    if (global === undefined) continue;
    if (!isWholeLoad(user, global)) {
      candidates.delete(operand.symbol);
      continue;
    }
    const list = loads.get(operand.symbol) ?? [];
    list.push({ fn, load: user });
    loads.set(operand.symbol, list);
  }
}

function initialValue(global: IrGlobal, load: IrInstruction, little: boolean): Value | undefined {
  if (load.type === "void") return undefined;
  const [relocation, ...others] = global.relocations;
  if (relocation !== undefined) {
    const isAddress = others.length === 0 && relocation.offset === 0 && relocation.addend === 0;
    return isAddress ? globalAddress(relocation.symbol) : undefined;
  }
  const bytes = [...(global.data ?? new Uint8Array(global.size))];
  if (little) bytes.reverse();
  return constant(
    load.type,
    bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
  );
}

/** `call indirect` of a constant is a helper call, of a function's address a direct one. */
function nameCallees(fn: IrFunction): void {
  for (const block of fn.blocks) {
    for (const { operation, operands } of block.instructions) {
      if (operation.op !== "call" || operation.callee.kind !== "indirect") continue;
      const [callee] = operands;
      if (callee?.kind === "constant")
        operation.callee = { kind: "helper", id: Number(BigInt.asIntN(32, callee.value)) };
      else if (callee?.kind === "global") {
        operation.callee = { kind: "function", symbol: callee.symbol };
      } else continue;
      operands.shift();
    }
  }
}

export const foldStaticGlobals: ModulePass = {
  kind: "module",
  name: "fold-static-globals",
  run({ module, globals }) {
    const changed = new Set<IrFunction>();
    for (const [name, loads] of plainLoads(module)) {
      const global = globals.get(name);
      for (const { fn, load } of loads) {
        const value = global && initialValue(global, load, module.endian === "little");
        if (value === undefined) continue;
        replaceAllUses(fn, load, value);
        changed.add(fn);
      }
    }
    for (const fn of changed) nameCallees(fn);
    return changed.size > 0;
  },
};
