/**
 * The optimiser's pipeline: which passes run, in which order, at which level. A pass's file says what
 * it needs and guarantees. All levels inline always_inline functions, make values of local variables
 * and number them, because the kernel refuses programs otherwise.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrFunction, IrModule } from "../4-lower/ir.ts";
import type { OptimizationLevel } from "../options.ts";
import { checkCalls } from "./check-calls.ts";
import { combine } from "./combine.ts";
import { expandMemory } from "./expand-memory.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { mergeLoads } from "./merge-loads.ts";
import { mergeStores } from "./merge-stores.ts";
import { numberValues } from "./number-values.ts";
import {
  createPassContext,
  type FunctionPass,
  type OptimizeOptions,
  type Pass,
  type PassContext,
} from "./pass.ts";
import { propagateRanges } from "./propagate-ranges.ts";
import { removeDeadCode } from "./remove-dead-code.ts";
import { removeDeadStores } from "./remove-dead-stores.ts";
import { removeUnusedSymbols } from "./remove-unused-symbols.ts";
import { resolveQueries } from "./resolve-queries.ts";
import { simplifyCfg } from "./simplify-cfg.ts";
import { sinkValues } from "./sink-values.ts";
import { splitAggregates } from "./split-aggregates.ts";
import { threadJumps } from "./thread-jumps.ts";
import { unrollLoops } from "./unroll-loops.ts";

/** Makes a function small and plain; run before it is judged for inlining and after each stage. */
const simplify: readonly FunctionPass[] = [
  simplifyCfg,
  splitAggregates,
  combine,
  simplifyCfg,
  numberValues,
  propagateRanges,
  combine,
  simplifyCfg,
  removeDeadCode,
];

const afterInlining: readonly FunctionPass[] = [
  ...simplify,
  // Inner loops first: once they are gone, the loops around them are innermost.
  unrollLoops,
  combine,
  ...simplify,
  unrollLoops,
  combine,
  ...simplify,
  threadJumps,
  resolveQueries,
  ...simplify,
  expandMemory,
  ...simplify,
  removeDeadStores,
  mergeLoads,
  mergeStores,
  threadJumps,
  ...simplify,
  sinkValues,
  removeDeadCode,
];

const inlining = inlineFunctions(simplifyFunction);

const full: readonly Pass[] = [
  inlining,
  removeUnusedSymbols,
  ...afterInlining,
  removeUnusedSymbols,
  checkCalls,
];

/** Every level's passes in order. */
export const pipelines: Readonly<Record<OptimizationLevel, readonly Pass[]>> = {
  "0": [
    inlining,
    removeUnusedSymbols,
    resolveQueries,
    ...simplify,
    removeUnusedSymbols,
    checkCalls,
  ],
  "1": full,
  s: full,
  "2": full,
  "3": full,
};

/** Every function pass by name, for tests of one alone. */
export const functionPasses: ReadonlyMap<string, FunctionPass> = new Map(
  [
    combine,
    expandMemory,
    mergeLoads,
    mergeStores,
    numberValues,
    propagateRanges,
    removeDeadCode,
    removeDeadStores,
    resolveQueries,
    simplifyCfg,
    sinkValues,
    splitAggregates,
    threadJumps,
    unrollLoops,
  ].map((pass) => [pass.name, pass]),
);

/** Called after each pass; for tests, and for `--print=ir-after-all`. */
export type PassObserver = (pass: string, fn: IrFunction | undefined) => void;

/**
 * Remembers in which state of a function a pass ran last, so that it is not run again on the same: the
 * clean-up passes stand in the list many times, and mostly have nothing to do.
 */
class PassRuns {
  readonly #states = new Map<IrFunction, number>();
  readonly #ranAt = new Map<IrFunction, Map<FunctionPass, number>>();

  run(pass: FunctionPass, fn: IrFunction, context: PassContext): void {
    if (fn.blocks.length === 0) return;
    let state = this.#states.get(fn) ?? 0;
    let ranAt = this.#ranAt.get(fn);
    if (ranAt === undefined) this.#ranAt.set(fn, (ranAt = new Map()));
    if (ranAt.get(pass) === state) return;
    if (pass.run(fn, context)) state += 1;
    this.#states.set(fn, state);
    ranAt.set(pass, state);
  }

  /** Something else than a pass of this run changed the function. */
  touch(fn: IrFunction): void {
    this.#states.set(fn, (this.#states.get(fn) ?? 0) + 1);
  }
}

/** Optimises a module in place. Problems of the source (see check-calls.ts) are reported. */
export function optimizeModule(
  module: IrModule,
  options: OptimizeOptions,
  diagnostics: Diagnostics,
  observe?: PassObserver,
): void {
  let context = createPassContext(module, options, diagnostics);
  const runs = new PassRuns();
  for (const pass of pipelines[options.level]) {
    if (pass.kind === "module") {
      if (pass.run(context)) for (const fn of module.functions) runs.touch(fn);
      observe?.(pass.name, undefined);
      context = createPassContext(module, options, diagnostics);
      continue;
    }
    for (const fn of module.functions) {
      runs.run(pass, fn, context);
      observe?.(pass.name, fn);
    }
  }
}

/** The clean-up of a function during inlining, which changes it between two calls. */
function simplifyFunction(fn: IrFunction, context: PassContext): void {
  const runs = new PassRuns();
  for (const pass of simplify) runs.run(pass, fn, context);
}
