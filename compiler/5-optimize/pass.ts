/** What a pass is, and what it may ask of the module around the function it changes. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrFunction, IrGlobal, IrModule } from "../4-lower/ir.ts";
import type { OptimizationLevel, TargetOptions } from "../options.ts";
import { FunctionFacts } from "./function-facts.ts";

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
  readonly runs: PassRuns;
  /** By name; kept right by the passes that add or remove globals and functions. */
  readonly globals: ReadonlyMap<string, IrGlobal>;
  readonly functions: ReadonlyMap<string, IrFunction>;
}

/** A step over one function. Returns whether anything changed. */
export interface FunctionPass {
  readonly kind: "function";
  readonly name: string;
  /** All that it does is to leave out what nobody reads. */
  readonly onlyRemoves?: true;
  /** What such passes leave out gives it no more to do. */
  readonly ignoresRemovals?: true;
  readonly run: (fn: IrFunction, context: PassContext) => boolean;
}

/** A step over the whole module. */
export interface ModulePass {
  readonly kind: "module";
  readonly name: string;
  readonly run: (context: PassContext) => boolean;
}

export type Pass = FunctionPass | ModulePass;

/**
 * Remembers in which state of a function a pass ran last, so that it is not run again on the same: the
 * clean-up passes stand in the list many times, and mostly have nothing to do.
 */
export class PassRuns {
  readonly #states = new Map<IrFunction, number>();
  /** The state after the last change that was more than a removal. */
  readonly #changedAt = new Map<IrFunction, number>();
  readonly #ranAt = new Map<IrFunction, Map<FunctionPass, number>>();
  /** Of functions in the state that they are in. */
  readonly #facts = new Map<IrFunction, FunctionFacts>();
  #running: IrFunction | undefined;

  run(pass: FunctionPass, fn: IrFunction, context: PassContext): void {
    if (fn.blocks.length === 0) return;
    let state = this.#states.get(fn) ?? 0;
    let ranAt = this.#ranAt.get(fn);
    if (ranAt === undefined) this.#ranAt.set(fn, (ranAt = new Map()));
    const known = ranAt.get(pass) ?? -1;
    const wanted = pass.ignoresRemovals === true ? (this.#changedAt.get(fn) ?? 0) : state;
    if (known >= wanted) return;
    this.#running = fn;
    if (pass.run(fn, context)) {
      state += 1;
      if (pass.onlyRemoves !== true) this.#changedAt.set(fn, state);
      this.#facts.delete(fn);
    }
    this.#running = undefined;
    this.#states.set(fn, state);
    ranAt.set(pass, state);
  }

  /** What is known of the function at the start of a pass over it. */
  factsOf(fn: IrFunction): FunctionFacts {
    const known = this.#running === fn ? this.#facts.get(fn) : undefined;
    if (known !== undefined) return known;
    const made = new FunctionFacts(fn);
    // Outside of `run` nobody would say when the function changes.
    if (this.#running === fn) this.#facts.set(fn, made);
    return made;
  }

  /** Something else than a pass changed the function. */
  touch(fn: IrFunction): void {
    const state = (this.#states.get(fn) ?? 0) + 1;
    this.#states.set(fn, state);
    this.#changedAt.set(fn, state);
    this.#facts.delete(fn);
  }

  /** A pass over the module ran, which may have changed any function. */
  forgetFacts(): void {
    this.#facts.clear();
  }
}

/** Names the globals and functions of a module as they are now. */
export function createPassContext(
  module: IrModule,
  options: OptimizeOptions,
  diagnostics: Diagnostics,
  runs: PassRuns = new PassRuns(),
): PassContext {
  return {
    runs,
    module,
    options,
    diagnostics,
    globals: new Map(module.globals.map((global) => [global.name, global])),
    functions: new Map(module.functions.map((fn) => [fn.name, fn])),
  };
}
