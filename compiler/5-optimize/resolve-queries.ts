/**
 * Answers what was put off until optimisation knows most: __builtin_constant_p is false now where it is
 * not yet true, __builtin_object_size is unknown. Runs after inlining and constant propagation, and is
 * followed by another clean-up.
 */
import { constant } from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { instructionsOf } from "./values.ts";

export const resolveQueries: FunctionPass = {
  kind: "function",
  name: "resolve-queries",
  run(fn) {
    const rewriter = new Rewriter(fn);
    for (const each of instructionsOf(fn)) {
      if (each.operation.op === "constant_p") rewriter.replace(each, constant("i1", 0n));
      if (each.operation.op === "object_size") {
        // Types 0 and 1 answer −1 for "unknown", 2 and 3 answer 0.
        rewriter.replace(each, constant("i64", each.operation.type < 2 ? -1n : 0n));
      }
    }
    return rewriter.apply();
  },
};
