/** What a pass is, and what it may ask of the module around the function it changes. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrFunction, IrGlobal, IrModule } from "../4-lower/ir.ts";
import type { OptimizationLevel, TargetOptions } from "../options.ts";

/** The options of a run; plain data. */
export interface OptimizeOptions {
  readonly level: OptimizationLevel;
  readonly target: TargetOptions;
}

/** What all passes of a run share. */
export interface PassContext {
  readonly module: IrModule;
  readonly options: OptimizeOptions;
  readonly diagnostics: Diagnostics;
  /** By name; kept right by the passes that add or remove globals and functions. */
  readonly globals: ReadonlyMap<string, IrGlobal>;
  readonly functions: ReadonlyMap<string, IrFunction>;
}

/** A step over one function. Returns whether anything changed. */
export interface FunctionPass {
  readonly kind: "function";
  readonly name: string;
  readonly run: (fn: IrFunction, context: PassContext) => boolean;
}

/** A step over the whole module. */
export interface ModulePass {
  readonly kind: "module";
  readonly name: string;
  readonly run: (context: PassContext) => boolean;
}

export type Pass = FunctionPass | ModulePass;

/** Names the globals and functions of a module as they are now. */
export function createPassContext(
  module: IrModule,
  options: OptimizeOptions,
  diagnostics: Diagnostics,
): PassContext {
  return {
    module,
    options,
    diagnostics,
    globals: new Map(module.globals.map((global) => [global.name, global])),
    functions: new Map(module.functions.map((fn) => [fn.name, fn])),
  };
}
