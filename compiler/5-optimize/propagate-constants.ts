/**
 * What a loop carries and would change only in code that cannot run is the constant that it begins with, and what is
 * decided by it goes (follow-constants.ts). The other passes look at one branch and what came before it.
 * Needs nothing. Leaves decided branches behind.
 */
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { phisOf } from "../4-lower/ir-builder.ts";
import { canKeepZero, FollowedConstants } from "./follow-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { isOp } from "./values.ts";

export const propagateConstants: FunctionPass = {
  kind: "function",
  name: "propagate-constants",
  ignoresRemovals: true,
  run(fn) {
    if (!hasCandidate(fn)) return false;
    const rewriter = new Rewriter(fn);
    for (const [instruction, value] of new FollowedConstants(fn, new Map()).constants()) {
      rewriter.replace(instruction, value);
    }
    return rewriter.apply();
  },
};

const mostSteps = 4;

/** A phi that begins with a constant and may come back as it was. */
const hasCandidate = (fn: IrFunction): boolean =>
  fn.blocks.some((block) =>
    phisOf(block).some(
      (phi) =>
        phi.operands.some(({ kind }) => kind === "constant") &&
        phi.operands.some((each) => isChoice(each) && canBe(each, phi, mostSteps)),
    ),
  );

/** What may hand on one of its operands: a choice, or the 0 of a product. */
const isChoice = (value: Value): value is IrInstruction =>
  isOp(value, "phi") || isOp(value, "select") || (isOp(value, "binary") && canKeepZero(value));

function canBe(choice: IrInstruction, wanted: IrInstruction, steps: number): boolean {
  if (choice.operands.includes(wanted)) return true;
  return (
    steps > 0 && choice.operands.some((each) => isChoice(each) && canBe(each, wanted, steps - 1))
  );
}
