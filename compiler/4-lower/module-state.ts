/** What all functions of a unit share while they are lowered. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Span } from "../../common/diagnostics/source.ts";
import type { CoreRelocationKind } from "../../common/object/btf.ts";
import type { Endian } from "../../common/object/object-file.ts";
import type {
  CheckedExpression,
  CheckedUnit,
  FunctionSymbol,
  VariableSymbol,
} from "../3-check/checked.ts";
import { printType } from "../3-check/print-type.ts";
import { canonical, isSigned, plain } from "../3-check/type-tools.ts";
import type { CType, QualType } from "../3-check/types.ts";
import { debugLocation } from "./function-state.ts";
import type { Callee, CoreAccess, DebugLocation, IrModule, Value } from "./ir.ts";
import { constant, globalAddress } from "./ir-builder.ts";
import { isMemory, scalarType } from "./lower-types.ts";

export interface LowerOptions {
  /** Load-acquire and store-release exist (v4). */
  readonly hasOrderedAccess: boolean;
  /** CO-RE relocations by attribute need BTF. */
  readonly hasDebugInfo: boolean;
  /** Accesses of different types are to different memory. */
  readonly strictAliasing: boolean;
  /** What local variables hold that are not initialised, if anything. */
  readonly autoInit: number | undefined;
  readonly mapPath: (path: string) => string;
}

export class ModuleState {
  readonly module: IrModule;
  readonly diagnostics: Diagnostics;
  readonly hasOrderedAccess: boolean;
  readonly hasDebugInfo: boolean;
  readonly strictAliasing: boolean;
  readonly autoInit: number | undefined;
  readonly #mapPath: (path: string) => string;
  readonly #functions: ReadonlyMap<string, FunctionSymbol>;
  readonly #locations = new WeakMap<Span, DebugLocation>();
  #constants = 0;

  constructor(
    module: IrModule,
    unit: CheckedUnit,
    options: LowerOptions,
    diagnostics: Diagnostics,
  ) {
    this.module = module;
    this.diagnostics = diagnostics;
    this.hasOrderedAccess = options.hasOrderedAccess;
    this.hasDebugInfo = options.hasDebugInfo;
    this.strictAliasing = options.strictAliasing;
    this.autoInit = options.autoInit;
    this.#mapPath = options.mapPath;
    const all = [...unit.functions, ...unit.externFunctions];
    this.#functions = new Map(all.map((fn) => [fn.linkName, fn]));
  }

  get endian(): Endian {
    return this.module.endian;
  }

  locationOf(span: Span, scope: string): DebugLocation {
    const known = this.#locations.get(span);
    if (known?.scope === scope) return known;
    const made = debugLocation(span, scope, this.#mapPath);
    this.#locations.set(span, made);
    return made;
  }

  coreAccess(relocation: CoreRelocationKind, rootType: CType, access: string): CoreAccess {
    return { relocation, rootType, rootName: printType(plain(rootType)), access };
  }

  isSigned(type: QualType): boolean {
    return isSigned(type);
  }

  isNoreturn(callee: Callee): boolean {
    return callee.kind === "function" && this.#functions.get(callee.symbol)?.noreturn === true;
  }

  useFunction(symbol: FunctionSymbol): void {
    if (symbol.errorMessage !== undefined) {
      this.module.errorFunctions.set(symbol.linkName, symbol.errorMessage);
    }
  }

  /** A function of the C library, which BPF has not: a call that survives is an error. */
  useLibraryFunction(name: string): void {
    if (this.#functions.has(name) || this.module.errorFunctions.has(name)) return;
    this.module.errorFunctions.set(name, `there is no library function '${name}' for BPF`);
    const facts = { weak: false, visibility: "default", section: undefined } as const;
    this.module.externFunctions.push({ name, ...facts });
  }

  /** A routine for floating-point arithmetic, which BPF has not either. */
  useFloatRoutine(name: string): void {
    if (this.module.errorFunctions.has(name)) return;
    this.module.errorFunctions.set(name, "");
    if (this.#functions.has(name)) return;
    const facts = { weak: false, visibility: "default", section: undefined } as const;
    this.module.externFunctions.push({ name, ...facts });
  }

  /** The address of read-only bytes. */
  constantBytes(bytes: Uint8Array): Value {
    const name = `.L__const.${this.#constants}`;
    this.#constants += 1;
    this.module.globals.push({
      name,
      section: ".rodata",
      binding: "local",
      visibility: "default",
      align: 1,
      size: bytes.length,
      data: bytes,
      relocations: [],
      constant: true,
      isExtern: false,
    });
    return globalAddress(name);
  }

  /** The value of a constant variable that nothing can change: `const` and not volatile. */
  constantOf(expr: CheckedExpression): Value | undefined {
    if (expr.kind !== "variable") return undefined;
    const { symbol, type } = expr;
    const { const: isConst, volatile } = canonical(symbol.type);
    const fixed = isConst && !volatile && symbol.defined && !symbol.attributes.weak;
    const isStatic = symbol.storage === "static" || symbol.storage === "global";
    if (!fixed || !isStatic || isMemory(type) || symbol.attributes.section !== undefined)
      return undefined;
    return this.#readConstant(symbol, type);
  }

  #readConstant(symbol: VariableSymbol, type: QualType): Value | undefined {
    const { data } = symbol;
    const irType = scalarType(type);
    if (data === undefined) return constant(irType, 0);
    const [relocation] = data.relocations;
    if (relocation !== undefined) {
      return relocation.addend === 0 ? globalAddress(relocation.symbol.linkName) : undefined;
    }
    const bytes = this.endian === "little" ? [...data.bytes].reverse() : [...data.bytes];
    return constant(
      irType,
      bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
    );
  }
}
