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

/** Used by one address alone, perhaps scaled, or by one product. */
function isIndex(extension: IrInstruction, uses: Uses): boolean {
  if (extension.type !== "i64") return false;
  const [only, ...more] = uses.get(extension) ?? [];
  if (only === undefined || more.length > 0) return false;
  if (isOp(only.user, "ptradd")) return true;
  const scaled = only.user;
  if (isBinary(scaled, "mul") && operand(scaled, 1).kind === "constant") return true;
  if (!isBinary(scaled, "shl") || operand(scaled, 1).kind !== "constant") return false;
  const [address, ...rest] = uses.get(scaled) ?? [];
  return address !== undefined && rest.length === 0 && isOp(address.user, "ptradd");
}
