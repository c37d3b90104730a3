/** What becomes of a loaded value that a loop is to carry in a register. */
import type { Loop } from "../4-lower/cfg.ts";
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";

/** What is looked at of who uses a value. */
const mostUsers = 64;

const arithmetic: ReadonlySet<string> = new Set([
  "binary",
  "zext",
  "sext",
  "trunc",
  "bswap",
  "phi",
]);

/**
 * Whether the values and what is computed from them end in arithmetic and stores, as far as the loop goes.
 * `otherUse` says of any other use whether it is an end too, or makes a value that is to be followed.
 */
export function endInArithmetic(
  values: readonly IrInstruction[],
  loop: Loop,
  uses: ReadonlyMap<Value, readonly Use[]>,
  otherUse: (use: Use) => "end" | "follow" | undefined = () => undefined,
): boolean {
  const seen = new Set<IrInstruction>(values);
  for (const each of seen) {
    if (seen.size > mostUsers) return false;
    for (const use of uses.get(each) ?? []) {
      const { user, index } = use;
      if (!loop.blocks.has(user.block) || (user.operation.op === "store" && index === 0)) continue;
      const isArithmetic = arithmetic.has(user.operation.op) && user.type !== "i1";
      const what = isArithmetic ? "follow" : otherUse(use);
      if (what === undefined) return false;
      if (what === "follow") seen.add(user);
    }
  }
  return true;
}
