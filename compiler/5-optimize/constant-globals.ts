/**
 * Static variables that are only ever given the value that they begin with. Which stores count depends on
 * which code can run, and that again on the variables: all candidates are taken for constants, constants are
 * followed through the functions that store to them, and who is given anything else there drops out, until
 * none does.
 */
import type { Constant, IrFunction } from "../4-lower/ir.ts";
import { FollowedConstants } from "./follow-constants.ts";

/** Rounds until the candidates that are left are given up. */
const mostRounds = 6;

/**
 * The names of `initial` that keep their values.
 * @param initial by name, of variables whose every use loads or stores all of them
 * @param writers the functions that store to one
 */
export function keptConstants(
  initial: ReadonlyMap<string, Constant>,
  writers: readonly IrFunction[],
): Set<string> {
  const kept = new Map(initial);
  for (let round = 0; round < mostRounds && kept.size > 0; round += 1) {
    const changed = writers.flatMap((fn) => [...new FollowedConstants(fn, kept).changedGlobals()]);
    if (changed.length === 0) return new Set(kept.keys());
    for (const name of changed) kept.delete(name);
  }
  return new Set();
}
