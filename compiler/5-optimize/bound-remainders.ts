/**
 * A remainder by a constant that is part of an address and that nothing compared before is masked to the bits it can
 * have: the verifier knows nothing of a remainder, and takes no offset without bounds.
 * Guarantees: no value changes; behind a comparison, which may give bounds, nothing is added.
 */
import { type DominatorTree, dominatorTree } from "../4-lower/cfg.ts";
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, type Use, type ValueType } from "../4-lower/ir-builder.ts";
import { isEquality } from "./fold-constants.ts";
import { maskAround } from "./known-bits.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { type InstructionOf, isBinary, isOp, operand } from "./values.ts";

export const boundRemainders: FunctionPass = {
  kind: "function",
  name: "bound-remainders",
  run(fn, { runs }) {
    const remainders = remaindersOf(fn);
    if (remainders.length === 0) return false;
    const { uses } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    let tree: DominatorTree | undefined;
    for (const each of remainders) {
      const offsets = (uses.get(each) ?? []).filter((use) => isOffset(use, uses));
      if (offsets.length === 0) continue;
      const tests = comparisonsOf(each, uses);
      if (tests.length > 0) tree ??= dominatorTree(fn);
      // One behind it says nothing of a sum that was made before.
      const isCompared = ({ user }: Use): boolean =>
        tests.some(({ block }) => block !== user.block && tree?.dominates(block, user.block));
      mask(
        each,
        offsets.filter((use) => !isCompared(use)),
        rewriter,
      );
    }
    return rewriter.apply();
  },
};

/** Steps from a remainder to the address that it is part of. */
const mostSteps = 4;
/** The verifier takes no larger offset into a packet. */
const largest = 0xffffn;

function remaindersOf({ blocks }: IrFunction): InstructionOf<"binary">[] {
  const found: InstructionOf<"binary">[] = [];
  for (const { instructions } of blocks) {
    for (const each of instructions) {
      if (!isBinary(each, "urem")) continue;
      const by = operand(each, 1);
      if (by.kind === "constant" && by.value > 1n && by.value <= largest) found.push(each);
    }
  }
  return found;
}

type Uses = ReadonlyMap<Value, readonly Use[]>;

function isOffset({ user, index }: Use, uses: Uses, step = mostSteps): boolean {
  if (isOp(user, "ptradd")) return index === 1;
  const isPart = isOp(user, "zext") || isOp(user, "sext") || isScaled(user);
  return isPart && step > 0 && (uses.get(user) ?? []).some((use) => isOffset(use, uses, step - 1));
}

function isScaled(user: IrInstruction): boolean {
  const isStep = isBinary(user, "shl") || isBinary(user, "mul") || isBinary(user, "add");
  return isStep && operand(user, 1).kind === "constant";
}

/** What gives it bounds or asks for its size, in any width. */
function comparisonsOf(value: Value, uses: Uses, step = mostSteps): IrInstruction[] {
  return (uses.get(value) ?? []).flatMap(({ user }) => {
    if (isBinary(user, "and") || (isOp(user, "icmp") && !isEquality(user.operation.predicate)))
      return [user];
    const isSame = isOp(user, "zext") || isOp(user, "sext") || isOp(user, "trunc");
    return isSame && step > 0 ? comparisonsOf(user, uses, step - 1) : [];
  });
}

/** Each part has a mask of its own; equal values join later. */
function mask(remainder: InstructionOf<"binary">, parts: readonly Use[], rewriter: Rewriter): void {
  const type = remainder.type as ValueType;
  const by = operand(remainder, 1);
  if (by.kind !== "constant" || parts.length === 0) return;
  const bits = constant(type, maskAround(by.value - 1n));
  for (const { user, index } of parts) {
    const operation = { op: "binary", binary: "and" } as const;
    user.operands[index] = rewriter.insertBefore(user, type, operation, [remainder, bits]);
  }
  rewriter.touch();
}
