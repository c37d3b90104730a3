/**
 * The BTF of a module: maps, functions and variables that the object keeps, their types, and the
 * types that CO-RE accesses start from. Datasec offsets stay 0; the assembler fills them in.
 */
import { unreachable } from "../../common/diagnostics/diagnostic.ts";
import type { Btf, BtfLinkage, BtfSectionEntry, TypeId } from "../../common/object/btf.ts";
import type { CheckedUnit, FunctionSymbol, VariableSymbol } from "../3-check/checked.ts";
import { sizeOf } from "../3-check/layout.ts";
import { asArray, asFunction, asRecord, plain, pointeeOf } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import type { CoreAccess, IrGlobal, IrModule } from "../4-lower/ir.ts";
import { BtfTypeTable } from "./btf-types.ts";

/** Gives out type ids while the module is emitted, and its whole BTF at the end. */
export class ModuleTypes {
  readonly #table = new BtfTypeTable();
  readonly #unit: CheckedUnit;
  readonly #ir: IrModule;
  readonly #functionIds = new Map<string, TypeId>();
  readonly #sections = new Map<string, BtfSectionEntry[]>();

  /** Call it after optimisation: what is in `ir` is what gets described. */
  constructor(unit: CheckedUnit, ir: IrModule) {
    this.#unit = unit;
    this.#ir = ir;
    this.#addVariables(({ section, isExtern }) => section.startsWith(".maps") && !isExtern);
    const emitted = new Set(ir.functions.map((fn) => fn.name));
    for (const symbol of unit.functions) {
      if (emitted.has(symbol.linkName)) this.#addFunction(symbol);
    }
  }

  /** Id of the root type of a CO-RE access. Textual IR has no types; its accesses get void. */
  coreTypeId(access: CoreAccess): TypeId {
    return access.rootType === undefined ? 0 : this.#table.typeId(plain(access.rootType));
  }

  /** Id of the FUNC of a defined function; undefined if the unit does not know it. */
  functionTypeId(symbol: string): TypeId | undefined {
    return this.#functionIds.get(symbol);
  }

  /**
   * The whole BTF; call it last. libbpf refuses an extern that the symbol table lacks, so only
   * `externs` are described; without them those that the IR mentions.
   */
  finish(externs: ReadonlySet<string> = mentionedSymbols(this.#ir)): Btf {
    this.#addExternFunctions(externs);
    this.#addVariables(({ name, section, isExtern }) =>
      isExtern ? externs.has(name) : !section.startsWith(".maps"),
    );
    this.#addEmptyRodata();
    const names = [...this.#sections.keys()].sort();
    for (const name of names) {
      const entries = this.#sections.get(name) ?? [];
      this.#table.add({ kind: "datasec", name, size: 0, entries });
    }
    return { endian: this.#ir.endian, types: this.#table.finish() };
  }

  #addFunction(symbol: FunctionSymbol): void {
    const type = asFunction(symbol.type);
    if (type === undefined) return;
    const names = symbol.body?.params.map((param) => param.name);
    const linkage = symbol.body === undefined ? "extern" : functionLinkage(symbol);
    const id = this.#table.addFunction(symbol.name, type, names, linkage);
    this.#table.addDeclTags(symbol.attributes.declTags, id);
    this.#functionIds.set(symbol.linkName, id);
  }

  #addExternFunctions(externs: ReadonlySet<string>): void {
    for (const symbol of this.#unit.externFunctions) {
      if (!externs.has(symbol.linkName) || this.#functionIds.has(symbol.linkName)) continue;
      this.#addFunction(symbol);
      const id = this.#functionIds.get(symbol.linkName);
      const { section } = symbol.attributes;
      if (id !== undefined && section !== undefined) {
        this.#section(section).push({ type: id, offset: 0, size: 0 });
      }
    }
  }

  #addVariables(wanted: (global: IrGlobal) => boolean): void {
    const symbols = new Map(this.#unit.variables.map((symbol) => [symbol.linkName, symbol]));
    for (const global of this.#ir.globals) {
      const { name, section, isExtern, size: bytes } = global;
      const symbol = symbols.get(name);
      if (symbol === undefined || symbol.anonymous || !wanted(global)) continue;
      if (section.startsWith(".maps")) this.#bringMapTypes(symbol.type);
      const type = this.#table.typeId(symbol.type);
      const linkage = variableLinkage(symbol, isExtern);
      const id = this.#table.add({ kind: "var", name, type, linkage });
      this.#table.addDeclTags(symbol.attributes.declTags, id);
      // An extern outside .ksyms and .kconfig belongs to another object.
      if (section === "" || (isExtern && symbol.attributes.section === undefined)) continue;
      // Not sizeof: an initialiser may lengthen the flexible array at the end. An untyped kernel
      // symbol (void) counts 1.
      const size = isExtern ? sizeOf(symbol.type) || 1 : bytes;
      this.#section(section).push({ type: id, offset: 0, size });
    }
  }

  /** A map's fields point to the types of its keys and values, and to inner maps: all whole. */
  #bringMapTypes(type: QualType): void {
    for (const field of asRecord(type)?.definition?.fields ?? []) {
      const values = asArray(field.type);
      const pointee = pointeeOf(values?.element ?? field.type);
      if (pointee === undefined) continue;
      if (values !== undefined) this.#bringMapTypes(pointee);
      this.#table.typeId(pointee);
    }
  }

  /** Loaders look up the datasec of .rodata even where only nameless constants lie there. */
  #addEmptyRodata(): void {
    const isNameless = this.#ir.globals.some(
      ({ name, section, isExtern }) => section === ".rodata" && !isExtern && name.startsWith(".L"),
    );
    if (isNameless) this.#section(".rodata");
  }

  #section(name: string): BtfSectionEntry[] {
    const entries = this.#sections.get(name) ?? [];
    this.#sections.set(name, entries);
    return entries;
  }
}

function functionLinkage(symbol: FunctionSymbol): BtfLinkage {
  return symbol.linkage === "static" ? "static" : "global";
}

function variableLinkage(symbol: VariableSymbol, isExtern: boolean): BtfLinkage {
  if (isExtern) return "extern";
  switch (symbol.storage) {
    case "global":
    case "extern":
      return "global";
    case "static":
    case "local":
    case "param":
      return "static";
  }
  return unreachable(symbol.storage, "storage");
}

/** Names that instructions or data refer to. */
function mentionedSymbols(ir: IrModule): Set<string> {
  const names = new Set<string>();
  for (const { relocations } of ir.globals) {
    for (const { symbol } of relocations) names.add(symbol);
  }
  for (const fn of ir.functions) {
    for (const block of fn.blocks) {
      for (const { operands, operation } of block.instructions) {
        for (const operand of operands) {
          if (operand.kind === "global") names.add(operand.symbol);
        }
        if (operation.op === "call" && operation.callee.kind === "function") {
          names.add(operation.callee.symbol);
        }
      }
    }
  }
  return names;
}
