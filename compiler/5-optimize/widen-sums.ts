/**
 * zext(x + c) → zext(x) + c in addresses and products, where the sum cannot wrap: then the constant goes into the
 * offset of the access, or joins another one, and accesses around x share one address.
 *
 * Needs: the caller knows from x's own range that x + c does not wrap.
 * Keeps: a sum that is compared stays, as the verifier may know its bounds from that comparison only.
 */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import { isBinary, isOp, operand } from "./values.ts";

type Uses = ReadonlyMap<Value, readonly Use[]>;

/** Whether the extension of a sum pays and may be split. */
export function isWidenable(extension: IrInstruction, uses: Uses): boolean {
  const sum = operand(extension, 0);
  if (!isBinary(sum, "add") || !isIndex(extension, uses)) return false;
  const others = (uses.get(sum) ?? []).filter(({ user }) => user !== extension);
  if (others.length === 0) return true;
  if (others.some(({ user }) => isOp(user, "icmp"))) return false;
  // The sum stays in its register: only an address that starts from x anyway is a gain.
  const base = operand(sum, 0);
  return (uses.get(base) ?? []).some(({ user }) => isOp(user, "zext") && isIndex(user, uses));
}

/** Addresses that one extension is split for. */
const mostAddresses = 8;

/** An operand that is the extension, or that scaled by a constant. */
export interface IndexUse extends Use {
  readonly scaled: IrInstruction | undefined;
}

/**
 * Where addresses count with the extension, perhaps scaled; undefined where there are other uses. One product alone may
 * be for something else.
 */
export function indexUses(extension: IrInstruction, uses: Uses): IndexUse[] | undefined {
  if (extension.type !== "i64") return undefined;
  const direct = uses.get(extension) ?? [];
  const found: IndexUse[] = [];
  for (const use of direct) {
    const { user } = use;
    if (isOp(user, "ptradd")) {
      found.push({ ...use, scaled: undefined });
      continue;
    }
    const isProduct = isBinary(user, "mul");
    if (!(isProduct || isBinary(user, "shl")) || operand(user, 1).kind !== "constant")
      return undefined;
    const addresses = uses.get(user) ?? [];
    if (isProduct && direct.length === 1 && addresses.length === 1)
      return [{ ...use, scaled: undefined }];
    if (!addresses.every((each) => isOp(each.user, "ptradd"))) return undefined;
    for (const each of addresses) found.push({ ...each, scaled: user });
  }
  return found.length <= mostAddresses ? found : undefined;
}

function isIndex(extension: IrInstruction, uses: Uses): boolean {
  return (indexUses(extension, uses)?.length ?? 0) > 0;
}
