/**
 * A comparison of a number with a constant that several branches ask for is made in front of each: it is part of the
 * branch there, where its result would take a register and three instructions.
 * Last of the passes: number-values would join them again.
 */
import type { Value } from "../4-lower/ir.ts";
import { terminatorOf, type Use } from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { type InstructionOf, isOp, operand } from "./values.ts";

export const repeatCompares: FunctionPass = {
  kind: "function",
  name: "repeat-compares",
  run(fn, { runs }) {
    const tested = new Map<Value, number>();
    for (const block of fn.blocks) {
      const last = terminatorOf(block);
      if (!isOp(last, "condbr")) continue;
      const condition = operand(last, 0);
      tested.set(condition, (tested.get(condition) ?? 0) + 1);
    }
    const often = [...tested.keys()].filter((each) => (tested.get(each) ?? 0) > 1);
    if (often.length === 0) return false;
    const { uses } = runs.factsOf(fn);
    const shared = often
      .filter((each) => isOp(each, "icmp"))
      .filter((each) => isShared(each, uses));
    if (shared.length === 0) return false;
    const rewriter = new Rewriter(fn);
    for (const compare of shared) {
      for (const { user, index } of uses.get(compare) ?? []) {
        const { type, operation, operands } = compare;
        user.operands[index] = rewriter.insertBefore(user, type, operation, operands);
      }
      rewriter.erase(compare);
    }
    return rewriter.apply();
  },
};

const mostBranches = 8;

function isShared(
  compare: InstructionOf<"icmp">,
  uses: ReadonlyMap<Value, readonly Use[]>,
): boolean {
  const readers = uses.get(compare) ?? [];
  if (readers.length < 2 || readers.length > mostBranches) return false;
  if (operand(compare, 1).kind !== "constant" || operand(compare, 0).type === "ptr") return false;
  return readers.every(({ user }) => isOp(user, "condbr"));
}
