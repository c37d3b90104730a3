/**
 * Phase 8: the IR module → symbolic assembly. Runs selection and allocation function by function,
 * then lays out code and data sections with the names, flags and symbols that clang gives them.
 */
import type {
  AsmCoreRelocation,
  AsmFunctionInfo,
  AsmItem,
  AsmModule,
  AsmSection,
  AsmSymbol,
} from "../../assembler/asm-module.ts";
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { CoreAccess, IrFunction, IrModule } from "../4-lower/ir.ts";
import type { MachineFunction } from "../6-select/machine.ts";
import { selectFunction } from "../6-select/select.ts";
import { allocateFunction } from "../7-allocate/allocate.ts";
import type { TargetOptions } from "../options.ts";
import type { ModuleTypes } from "./btf.ts";
import { checkStack } from "./check-stack.ts";
import { emitDataSections } from "./emit-data.ts";
import { emitFunction } from "./emit-function.ts";
import { addFileAssembly } from "./file-asm.ts";
import { type FunctionStats, functionStats } from "./stats.ts";

/** Machine code of every function, in order; allocation errors are reported. */
export function generateMachineCode(
  ir: IrModule,
  options: TargetOptions,
  diagnostics: Diagnostics,
): MachineFunction[] {
  const defined = new Set(ir.functions.map(({ name }) => name));
  const elsewhere = ir.externFunctions.filter(({ section }) => section !== ".ksyms");
  const compiled = new Set([...defined, ...elsewhere.map(({ name }) => name)]);
  const environment = { module: ir, defined, compiled, options, diagnostics };
  return ir.functions.map((each) => {
    const fn = selectFunction(each, environment);
    if (!diagnostics.hasErrors) allocateFunction(fn, options, diagnostics);
    return fn;
  });
}

/**
 * Everything that an object needs. Without `types` (-g0) it has no BTF. After errors the module is
 * empty. Into `stats` go the costs of every function.
 */
export function emitModule(
  ir: IrModule,
  types: ModuleTypes | undefined,
  options: TargetOptions,
  diagnostics: Diagnostics,
  stats?: FunctionStats[],
): AsmModule {
  const code = generateMachineCode(ir, options, diagnostics);
  if (diagnostics.hasErrors) {
    return { endian: options.endian, sections: [], symbols: [], functions: [] };
  }
  if (options.stackLimit === undefined) checkStack(ir, code, diagnostics);
  const core =
    types === undefined
      ? undefined
      : (access: CoreAccess): AsmCoreRelocation => ({
          type: types.coreTypeId(access),
          access: access.access,
          kind: access.relocation,
        });
  const texts = new Map<string, AsmItem[]>([[".text", []]]);
  ir.functions.forEach((fn, index) => {
    const machine = code[index];
    if (machine === undefined) return;
    const items = textSection(texts, fn.section);
    items.push({ kind: "align", align: 8 }, { kind: "label", name: fn.name });
    const { endian } = ir;
    const environment = { index, hasV4: options.cpu === "v4", endian, diagnostics, core };
    const own = emitFunction(machine, environment);
    for (const item of own) items.push(item);
    stats?.push(functionStats(machine, fn.section, own));
  });
  const sections: AsmSection[] = [...texts].map(([name, items]) => codeSection(name, items));
  const functions = functionInfo(ir.functions, types);
  const externs = externSymbols(ir, sections);
  const symbols = [...functionSymbols(ir), ...dataSymbols(ir), ...externs];
  const module: AsmModule = {
    endian: options.endian,
    sections: [...sections, ...emitDataSections(ir)],
    symbols,
    functions,
    ...(types !== undefined && { btf: types.finish(new Set(externs.map(({ name }) => name))) }),
  };
  return addFileAssembly(module, ir.fileAsm, diagnostics);
}

function textSection(texts: Map<string, AsmItem[]>, name: string): AsmItem[] {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const items: AsmItem[] = [];
  texts.set(name, items);
  return items;
}

/** SHF_ALLOC | SHF_EXECINSTR. An empty .text has clang's alignment of 4. */
function codeSection(name: string, items: readonly AsmItem[]): AsmSection {
  const align = items.length === 0 ? 4 : 8;
  return { name, kind: "progbits", flags: 6, entrySize: 0, align, items };
}

function functionInfo(
  functions: readonly IrFunction[],
  types: ModuleTypes | undefined,
): AsmFunctionInfo[] {
  return functions.flatMap(({ name }) => {
    const type = types?.functionTypeId(name);
    return type === undefined ? [] : [{ symbol: name, type }];
  });
}

function functionSymbols(ir: IrModule): AsmSymbol[] {
  return ir.functions.map(
    ({ name, binding, visibility }): AsmSymbol => ({
      name,
      binding,
      visibility,
      type: "func",
      defined: true,
    }),
  );
}

/** Anonymous objects keep internal labels, as clang's `.L` names do. */
function dataSymbols(ir: IrModule): AsmSymbol[] {
  return ir.globals
    .filter(({ name, isExtern }) => !isExtern && !name.startsWith(".L"))
    .map(
      ({ name, binding, visibility, size }): AsmSymbol => ({
        name,
        binding,
        visibility,
        type: "object",
        size,
        defined: true,
      }),
    );
}

/** Externs that code or data mention. */
function externSymbols(ir: IrModule, sections: readonly AsmSection[]): AsmSymbol[] {
  const mentioned = new Set<string>();
  for (const { items } of sections) {
    for (const item of items) {
      if (item.kind === "instruction" && item.target !== undefined) {
        mentioned.add(item.target.symbol);
      }
    }
  }
  for (const { relocations } of ir.globals) {
    for (const { symbol } of relocations) mentioned.add(symbol);
  }
  const externs = [
    ...ir.externFunctions,
    ...ir.globals
      .filter(({ isExtern }) => isExtern)
      .map(({ name, binding, visibility }) => ({ name, weak: binding === "weak", visibility })),
  ];
  return externs
    .filter(({ name }) => mentioned.has(name))
    .map(
      ({ name, weak, visibility }): AsmSymbol => ({
        name,
        binding: weak ? "weak" : "global",
        visibility,
        type: "notype",
        defined: false,
      }),
    );
}
