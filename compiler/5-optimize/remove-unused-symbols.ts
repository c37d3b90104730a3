/**
 * Drops static functions and variables that nothing refers to any more, and declarations of externs
 * that are not used (an undefined symbol would ask the loader for something nobody needs). Programs,
 * global functions, maps and everything in a section of its own stay.
 */
import type { IrFunction, IrGlobal, IrModule } from "../4-lower/ir.ts";
import type { ModulePass } from "./pass.ts";
import { instructionsOf } from "./values.ts";

export const removeUnusedSymbols: ModulePass = {
  kind: "module",
  name: "remove-unused-symbols",
  run: ({ module }) => removeUnused(module),
};

const defaultDataSections = [".data", ".bss", ".rodata"];

function isRootFunction(fn: IrFunction): boolean {
  return fn.binding !== "local" || (fn.section !== ".text" && fn.section !== "");
}

function isRootGlobal({ binding, section, isExtern }: IrGlobal): boolean {
  if (isExtern) return false;
  if (binding !== "local") return true;
  return !defaultDataSections.includes(section) && !section.startsWith(".rodata.");
}

function removeUnused(module: IrModule): boolean {
  const functions = new Map(module.functions.map((fn) => [fn.name, fn]));
  const globals = new Map(module.globals.map((global) => [global.name, global]));
  const live = new Set<string>();
  const work: string[] = [];
  const mark = (symbol: string): void => {
    if (live.has(symbol)) return;
    live.add(symbol);
    work.push(symbol);
  };
  for (const fn of module.functions) if (isRootFunction(fn)) mark(fn.name);
  for (const global of module.globals) if (isRootGlobal(global)) mark(global.name);
  for (const text of module.fileAsm) {
    for (const [name] of text.matchAll(/[A-Za-z_.$][\w.$]*/g)) mark(name);
  }
  for (let symbol = work.pop(); symbol !== undefined; symbol = work.pop()) {
    const fn = functions.get(symbol);
    if (fn !== undefined) for (const each of symbolsIn(fn)) mark(each);
    for (const relocation of globals.get(symbol)?.relocations ?? []) mark(relocation.symbol);
  }
  const before = module.functions.length + module.globals.length + module.externFunctions.length;
  module.functions = module.functions.filter(({ name }) => live.has(name));
  module.globals = module.globals.filter(({ name }) => live.has(name));
  module.externFunctions = module.externFunctions.filter(({ name }) => live.has(name));
  return before > module.functions.length + module.globals.length + module.externFunctions.length;
}

/** Every symbol that a function's code names; words of assembly text count. */
function* symbolsIn(fn: IrFunction): Generator<string> {
  for (const { operation, operands } of instructionsOf(fn)) {
    for (const value of operands) if (value.kind === "global") yield value.symbol;
    if (operation.op === "call" && operation.callee.kind === "function")
      yield operation.callee.symbol;
    if (operation.op === "asm" || operation.op === "asm_goto") {
      for (const [name] of operation.template.matchAll(/[A-Za-z_.$][\w.$]*/g)) yield name;
    }
  }
}
