/**
 * Counters of a loop that start alike and grow alike are one: an index beside the number of the round, the head
 * of a queue that starts empty. Numbering values does not see it, as each depends on itself.
 * Needs: reachable blocks. Guarantees: the graph stays as it is.
 */
import { findLoops } from "../4-lower/cfg.ts";
import type { IrInstruction } from "../4-lower/ir.ts";
import { phisOf, sameValue } from "../4-lower/ir-builder.ts";
import { type CounterParts, counterParts } from "./counter-ranges.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

export const joinCounters: FunctionPass = {
  kind: "function",
  name: "join-counters",
  run(fn) {
    const rewriter = new Rewriter(fn);
    for (const { header } of findLoops(fn)) {
      const known: { readonly phi: IrInstruction; readonly parts: CounterParts }[] = [];
      for (const phi of phisOf(header)) {
        const parts = counterParts(phi);
        if (parts === undefined) continue;
        const same = known.find(
          (each) => each.phi.type === phi.type && growAlike(each.parts, parts),
        );
        if (same === undefined) known.push({ phi, parts });
        // What is added to the second one is what is added to the first, and numbered as such.
        else rewriter.replace(phi, same.phi);
      }
    }
    return rewriter.apply();
  },
};

function growAlike(a: CounterParts, b: CounterParts): boolean {
  return a.by === b.by && a.entry === b.entry && a.latch === b.latch && sameValue(a.start, b.start);
}
