/**
 * Static variables that nothing writes are constants: their loads become the initial value. Old
 * headers declare helpers as `static void *(*bpf_x)(…) = (void *) N;`, without const.
 * Needs nothing. Guarantees that calls through such variables name their helper.
 */
import type {
  Constant,
  IrFunction,
  IrGlobal,
  IrInstruction,
  IrModule,
  IrType,
  Value,
} from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { constant, globalAddress, replaceAllUses, type ValueType } from "../4-lower/ir-builder.ts";
import { keptConstants } from "./constant-globals.ts";
import { addressRoot } from "./context.ts";
import type { ModulePass, PassContext } from "./pass.ts";
import { instructionsOf, integerOfSize, isPlainAccess } from "./values.ts";

/** Sections whose contents belong to the program alone; others may be set by the user. */
const privateSections = new Set([".data", ".bss"]);

interface Access {
  readonly fn: IrFunction;
  readonly at: IrInstruction;
}

/** What is done with a variable: all of it loaded or stored. */
interface Accesses {
  readonly loads: Access[];
  readonly stores: Access[];
}

function isWholeAccess(each: IrInstruction, type: IrType, global: IrGlobal): boolean {
  return isPlainAccess(each) && type !== "void" && bitWidth[type] === global.size * 8;
}

/** Accesses of each candidate; candidates with any other use are dropped. */
function plainAccesses(module: IrModule): Map<string, Accesses> {
  const candidates = new Map<string, IrGlobal>();
  for (const global of module.globals) {
    if (isPrivate(global) && global.size <= 8) candidates.set(global.name, global);
  }
  const found = new Map<string, Accesses>();
  if (candidates.size === 0) return found;
  for (const name of namedElsewhere(module)) candidates.delete(name);
  for (const fn of module.functions) {
    for (const block of fn.blocks) {
      for (const user of block.instructions) collectUses(fn, user, candidates, found);
    }
  }
  return new Map([...found].filter(([name]) => candidates.has(name)));
}

const isPrivate = ({ binding, section, isExtern }: IrGlobal): boolean =>
  binding === "local" && privateSections.has(section) && !isExtern;

/** Names that initial data or assembly text refers to. */
function namedElsewhere({ globals, fileAsm }: IrModule): string[] {
  const names = globals.flatMap(({ relocations }) => relocations.map(({ symbol }) => symbol));
  const words = fileAsm.flatMap((text) => [...text.matchAll(/[A-Za-z_.$][\w.$]*/g)]);
  return [...names, ...words.map(([word]) => word)];
}

function collectUses(
  fn: IrFunction,
  user: IrInstruction,
  candidates: Map<string, IrGlobal>,
  found: Map<string, Accesses>,
): void {
  for (const [index, operand] of user.operands.entries()) {
    if (operand.kind !== "global") continue;
    const global = candidates.get(operand.symbol);
    if (global === undefined) continue;
    const isStore = user.operation.op === "store";
    const type = isStore ? (user.operands[0] as Value).type : user.type;
    if (!isWholeAccess(user, type, global) || (isStore && index === 0)) {
      candidates.delete(operand.symbol);
      continue;
    }
    const accesses = found.get(operand.symbol) ?? { loads: [], stores: [] };
    (isStore ? accesses.stores : accesses.loads).push({ fn, at: user });
    found.set(operand.symbol, accesses);
  }
}

function initialValue(global: IrGlobal, type: ValueType, little: boolean): Value | undefined {
  const [relocation, ...others] = global.relocations;
  if (relocation !== undefined) {
    const isAddress = others.length === 0 && relocation.offset === 0 && relocation.addend === 0;
    return isAddress ? globalAddress(relocation.symbol) : undefined;
  }
  const bytes = [...(global.data ?? new Uint8Array(global.size))];
  if (little) bytes.reverse();
  return constant(
    type,
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

/** Loads become the initial value. */
function foldLoads({ module, globals }: PassContext, name: string, loads: Access[]): void {
  const global = globals.get(name);
  for (const { fn, at } of loads) {
    if (global === undefined || at.type === "void") return;
    const value = initialValue(global, at.type, module.endian === "little");
    if (value !== undefined) replaceAllUses(fn, at, value);
  }
}

export const foldStaticGlobals: ModulePass = {
  kind: "module",
  name: "fold-static-globals",
  run(context) {
    const changed = new Set<IrFunction>();
    for (const [name, { loads, stores }] of plainAccesses(context.module)) {
      if (stores.length > 0) continue;
      foldLoads(context, name, loads);
      for (const { fn } of loads) changed.add(fn);
    }
    for (const fn of changed) nameCallees(fn);
    return changed.size > 0;
  },
};

/** The same for variables that code which can run gives no other value, and for arrays that nothing writes. */
export const foldKeptGlobals: ModulePass = {
  kind: "module",
  name: "fold-kept-globals",
  run(context) {
    const { module, globals, runs } = context;
    const candidates = plainAccesses(module);
    const initial = new Map<string, Constant>();
    const writers = new Set<IrFunction>();
    for (const [name, { loads, stores }] of candidates) {
      const global = globals.get(name);
      const type = global && integerOfSize[global.size];
      const value = type && initialValue(global, type, module.endian === "little");
      if (value?.kind !== "constant" || loads.length === 0) continue;
      initial.set(name, value);
      for (const { fn } of stores) writers.add(fn);
    }
    const kept = initial.size === 0 ? [] : keptConstants(initial, [...writers]);
    const changed = new Set<IrFunction>();
    for (const name of kept) {
      const { loads = [], stores = [] } = candidates.get(name) ?? {};
      foldLoads(context, name, loads);
      for (const { at } of stores)
        at.block.instructions.splice(at.block.instructions.indexOf(at), 1);
      for (const { fn } of [...loads, ...stores]) changed.add(fn);
    }
    for (const fn of changed) runs.touch(fn);
    return markUnwritten(context) || changed.size > 0;
  },
};

/** Larger variables of which parts are loaded and to which nothing else is done are constants from here on. */
function markUnwritten({ module, runs }: PassContext): boolean {
  const read = new Set(module.globals.filter(isPrivate).map(({ name }) => name));
  if (read.size === 0) return false;
  for (const name of namedElsewhere(module)) read.delete(name);
  const readers = new Map<IrFunction, Set<string>>();
  for (const fn of module.functions) {
    const symbols = new Set<string>();
    readers.set(fn, symbols);
    for (const { operation, operands } of instructionsOf(fn)) {
      for (const [index, value] of operands.entries()) {
        const root = addressRoot(value);
        if (root.kind !== "global" || !read.has(root.symbol)) continue;
        symbols.add(root.symbol);
        const isRead = operation.op === "load" && !operation.volatile;
        if (!isRead && !(operation.op === "ptradd" && index === 0)) read.delete(root.symbol);
      }
    }
  }
  module.globals = module.globals.map((each) =>
    read.has(each.name) ? { ...each, constant: true, section: ".rodata" } : each,
  );
  for (const [fn, symbols] of readers)
    if ([...symbols].some((each) => read.has(each))) runs.touch(fn);
  return read.size > 0;
}
