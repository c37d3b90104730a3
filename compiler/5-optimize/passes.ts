/**
 * The optimiser's pipeline: which passes run, in which order, at which level. A pass's file says what
 * it needs and guarantees. All levels inline always_inline functions, make values of local variables
 * and number them, because the kernel refuses programs otherwise. One file, as it is one list.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrFunction, IrModule } from "../4-lower/ir.ts";
import type { OptimizationLevel } from "../options.ts";
import { boundRemainders } from "./bound-remainders.ts";
import { carryElements } from "./carry-elements.ts";
import { carryMemory } from "./carry-memory.ts";
import { carryProducts } from "./carry-products.ts";
import { checkCalls } from "./check-calls.ts";
import { chooseLoaded } from "./choose-loaded.ts";
import { combine } from "./combine.ts";
import { composeLoads } from "./compose-loads.ts";
import { copyBits } from "./copy-bits.ts";
import { copyTested } from "./copy-tested.ts";
import { countDistances } from "./count-distances.ts";
import { delayValues } from "./delay-values.ts";
import { dropNeedlessTests } from "./drop-needless-tests.ts";
import { dropNullWays } from "./drop-null-ways.ts";
import { dropUnreadBits } from "./drop-unread-bits.ts";
import { expandContextCopies, expandMemory } from "./expand-memory.ts";
import { expectEarlyExits } from "./expect-early-exits.ts";
import { expectExits } from "./expect-exits.ts";
import { fixStackObjects } from "./fix-stack-objects.ts";
import { foldKeptGlobals, foldStaticGlobals } from "./fold-static-globals.ts";
import { formSelects } from "./form-selects.ts";
import { forwardCopies, shortenCopies } from "./forward-copies.ts";
import { forwardLoads } from "./forward-loads.ts";
import { hoistCalls } from "./hoist-calls.ts";
import { hoistInvariants } from "./hoist-invariants.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { joinCounters } from "./join-counters.ts";
import { joinEqualTests } from "./join-equal-tests.ts";
import { joinRangeValues } from "./join-range-values.ts";
import { joinTails } from "./join-tails.ts";
import { loopTailCalls } from "./loop-tail-calls.ts";
import { mergeLoads } from "./merge-loads.ts";
import { mergeStores } from "./merge-stores.ts";
import { movePointers } from "./move-pointers.ts";
import { numberValues } from "./number-values.ts";
import { orderSums } from "./order-sums.ts";
import { pairDivisions } from "./pair-divisions.ts";
import {
  createPassContext,
  type FunctionPass,
  type ModulePass,
  type OptimizeOptions,
  type Pass,
  PassRuns,
} from "./pass.ts";
import { propagateConstants } from "./propagate-constants.ts";
import { propagateRanges } from "./propagate-ranges.ts";
import { rebaseAddresses } from "./rebase-addresses.ts";
import { reloadTested } from "./reload-tested.ts";
import { removeDeadBranches } from "./remove-dead-branches.ts";
import { removeDeadCode } from "./remove-dead-code.ts";
import { removeDeadStores } from "./remove-dead-stores.ts";
import { removeUnusedSymbols } from "./remove-unused-symbols.ts";
import { repeatCompares } from "./repeat-compares.ts";
import { repeatSums } from "./repeat-sums.ts";
import { resolveQueries } from "./resolve-queries.ts";
import { shareObjects } from "./share-objects.ts";
import { shareSums } from "./share-sums.ts";
import { shortenChains } from "./shorten-chains.ts";
import { simplifyCfg } from "./simplify-cfg.ts";
import { sinkCalls } from "./sink-calls.ts";
import { sinkStores } from "./sink-stores.ts";
import { sinkValues } from "./sink-values.ts";
import { fitParameters, specialiseFunctions } from "./specialise-functions.ts";
import { splitAggregates } from "./split-aggregates.ts";
import { splitBounds } from "./split-bounds.ts";
import { splitContextLoads } from "./split-context-loads.ts";
import { splitReturns } from "./split-returns.ts";
import { threadJumps } from "./thread-jumps.ts";
import { trustParameters } from "./trust-parameters.ts";
import { unrollInnerLoops, unrollLoops } from "./unroll-loops.ts";
import { unswitchLoops } from "./unswitch-loops.ts";
import { versionLoops } from "./version-loops.ts";

/** Makes a function small and plain; run before it is judged for inlining and after each stage. */
const simplify: readonly FunctionPass[] = [
  simplifyCfg,
  splitAggregates,
  loopTailCalls,
  combine,
  simplifyCfg,
  copyBits,
  numberValues,
  propagateRanges,
  combine,
  simplifyCfg,
  removeDeadCode,
];

const unrolling: readonly FunctionPass[] = [
  countDistances,
  versionLoops,
  simplifyCfg,
  // Inner loops first: once they are gone, the loops around them are innermost.
  unrollInnerLoops,
  combine,
  ...simplify,
  unrollLoops,
  combine,
  ...simplify,
];

const afterInlining: readonly FunctionPass[] = [
  ...simplify,
  propagateConstants,
  ...simplify,
  dropNullWays,
  removeDeadBranches,
  fixStackObjects,
  boundRemainders,
  ...unrolling,
  unswitchLoops,
  dropNeedlessTests,
  threadJumps,
  fixStackObjects,
  resolveQueries,
  ...simplify,
  // With fewer ways into a block more is known on all of them.
  forwardLoads,
  chooseLoaded,
  threadJumps,
  forwardCopies,
  ...simplify,
  expandMemory,
  splitContextLoads,
  dropUnreadBits,
  ...simplify,
  composeLoads,
  carryMemory,
  carryElements,
  removeDeadStores,
  mergeLoads,
  mergeStores,
  sinkStores,
  splitBounds,
  threadJumps,
  simplifyCfg,
  forwardLoads,
  chooseLoaded,
  joinRangeValues,
  shareObjects,
  removeDeadBranches,
  joinCounters,
  ...simplify,
  pairDivisions,
  hoistInvariants,
  numberValues,
  shareSums,
  shortenChains,
  orderSums,
  movePointers,
  carryProducts,
  sinkValues,
  joinTails,
  // Last, as the other passes count from the base.
  rebaseAddresses,
  splitReturns,
  joinEqualTests,
  formSelects,
  repeatCompares,
  simplifyCfg,
  repeatSums,
  reloadTested,
  copyTested,
  removeDeadCode,
  delayValues,
  expectEarlyExits,
  expectExits,
];

const beforeInlining: readonly FunctionPass[] = [
  shortenCopies,
  ...simplify,
  fixStackObjects,
  hoistCalls,
  sinkCalls,
];

/** Functions are simplified before they are copied, and after something was copied into them. */
const inlining = inlineFunctions(
  (fn, context) => {
    context.runs.touch(fn);
    for (const pass of beforeInlining) context.runs.run(pass, fn, context);
  },
  (fn, context) => {
    for (const pass of unrolling) context.runs.run(pass, fn, context);
  },
);

const full: readonly Pass[] = [
  foldStaticGlobals,
  fitParameters,
  inlining,
  foldKeptGlobals,
  removeUnusedSymbols,
  specialiseFunctions,
  trustParameters,
  ...simplify,
  // What hung on those variables has gone.
  foldKeptGlobals,
  ...afterInlining,
  removeUnusedSymbols,
  checkCalls,
];

/** Every level's passes in order. */
export const pipelines: Readonly<Record<OptimizationLevel, readonly Pass[]>> = {
  "0": [
    foldStaticGlobals,
    inlining,
    removeUnusedSymbols,
    resolveQueries,
    ...simplify,
    fixStackObjects,
    expandContextCopies,
    splitContextLoads,
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
    boundRemainders,
    carryElements,
    carryMemory,
    carryProducts,
    chooseLoaded,
    combine,
    composeLoads,
    copyBits,
    copyTested,
    countDistances,
    delayValues,
    dropNeedlessTests,
    dropNullWays,
    dropUnreadBits,
    expandContextCopies,
    expandMemory,
    expectEarlyExits,
    expectExits,
    fixStackObjects,
    formSelects,
    forwardCopies,
    forwardLoads,
    hoistCalls,
    hoistInvariants,
    joinCounters,
    joinEqualTests,
    joinRangeValues,
    joinTails,
    loopTailCalls,
    mergeLoads,
    mergeStores,
    movePointers,
    numberValues,
    orderSums,
    pairDivisions,
    propagateConstants,
    propagateRanges,
    rebaseAddresses,
    reloadTested,
    removeDeadBranches,
    removeDeadCode,
    removeDeadStores,
    repeatCompares,
    repeatSums,
    resolveQueries,
    shareObjects,
    shareSums,
    shortenChains,
    shortenCopies,
    simplifyCfg,
    sinkCalls,
    sinkStores,
    sinkValues,
    splitAggregates,
    splitBounds,
    splitContextLoads,
    splitReturns,
    threadJumps,
    unrollInnerLoops,
    unrollLoops,
    unswitchLoops,
    versionLoops,
  ].map((pass) => [pass.name, pass]),
);

/** The passes over the whole module by name, for the same. */
export const modulePasses: ReadonlyMap<string, ModulePass> = new Map(
  [
    foldKeptGlobals,
    foldStaticGlobals,
    inlining,
    removeUnusedSymbols,
    fitParameters,
    specialiseFunctions,
    trustParameters,
    checkCalls,
  ].map((pass) => [pass.name, pass]),
);

/** Called after each pass; for tests. */
export type PassObserver = (pass: string, fn: IrFunction | undefined) => void;

/** Optimises a module in place. Problems of the source (see check-calls.ts) are reported. */
export function optimizeModule(
  module: IrModule,
  options: OptimizeOptions,
  diagnostics: Diagnostics,
  observe?: PassObserver,
): void {
  const runs = new PassRuns();
  let context = createPassContext(module, options, diagnostics, runs);
  for (const pass of pipelines[options.level]) {
    if (pass.kind === "module") {
      pass.run(context);
      observe?.(pass.name, undefined);
      context = createPassContext(module, options, diagnostics, runs);
      runs.forgetFacts();
      continue;
    }
    for (const fn of module.functions) {
      runs.run(pass, fn, context);
      observe?.(pass.name, fn);
    }
  }
}
