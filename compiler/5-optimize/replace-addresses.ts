/** Puts a pointer that moves in the place of equal addresses in a loop (see move-pointers.ts). */
import type { DominatorTree } from "../4-lower/cfg.ts";
import type { Block, Constant, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, signedValue, terminatorOf, type Use } from "../4-lower/ir-builder.ts";
import { counterParts } from "./counter-ranges.ts";
import type { Rewriter } from "./rewriter.ts";
import { isBinary, isConstantOffset, isOp, operand } from "./values.ts";

/** Equal addresses in a loop. */
export interface Group {
  readonly base: Value;
  readonly scale: bigint;
  /** Scaled before it was extended: only where that does not wrap. */
  readonly isNarrow: boolean;
  readonly addresses: IrInstruction[];
}

export interface Change {
  readonly tree: DominatorTree;
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  readonly rewriter: Rewriter;
}

/**
 * pointer = phi [base + start * scale, pointer + step * scale]. A constant start is added by the uses
 * where that costs nothing. What the wrapping sums of an i64 counter are, the pointer's are too.
 */
export function replaceGroup(group: Group, phi: IrInstruction, change: Change): void {
  const parts = counterParts(phi);
  if (parts === undefined) return;
  const { start, entry, next, latch, by } = parts;
  const { base, scale, addresses } = group;
  const { uses, rewriter } = change;
  const { location } = next;
  const offset = start.kind === "constant" ? signedValue(start) * scale : undefined;
  const isFree = addresses.every((each) => (uses.get(each) ?? []).every(isAccess));
  const isAtUses = offset === 0n || (offset !== undefined && isFree);
  const first = isAtUses ? base : startAddress(group, start, entry, change);
  const pointer = rewriter.insertPhi(phi.block, "ptr", [entry, latch], [first, first], location);
  pointer.operands[1] = rewriter.insertAtEnd(
    latch,
    "ptr",
    { op: "ptradd" },
    [pointer, constant("i64", by * scale)],
    location,
  );
  for (const address of addresses) {
    if (!isAtUses || offset === 0n) {
      rewriter.replace(address, pointer);
      continue;
    }
    for (const { user } of uses.get(address) ?? []) {
      if (!isOp(user, "ptradd")) continue;
      const whole = signedValue(operand(user, 1) as Constant) + offset;
      user.operands.splice(0, 2, pointer, constant("i64", whole));
    }
    address.operands.splice(0, 2, pointer, constant("i64", offset));
  }
}

/** An instruction with an offset of its own. */
function isAccess({ user, index }: Use): boolean {
  if (isConstantOffset(user)) return index === 0;
  return isOp(user, "load") || (isOp(user, "store") && index === 1);
}

/** The address for the counter's start, in front of the loop: one that is there, or a new one. */
function startAddress(
  { base, scale }: Group,
  start: Value,
  entry: Block,
  { tree, uses, rewriter }: Change,
): Value {
  const location = terminatorOf(entry)?.location;
  const add = (offset: Value): Value =>
    rewriter.insertAtEnd(entry, "ptr", { op: "ptradd" }, [base, offset], location);
  if (start.kind === "constant") return add(constant("i64", signedValue(start) * scale));
  for (const { user, index } of uses.get(base) ?? []) {
    if (index !== 0 || !isOp(user, "ptradd") || !tree.dominates(user.block, entry)) continue;
    if (isScaled(operand(user, 1), start, scale)) return user;
  }
  const wide =
    start.type === "i64"
      ? start
      : rewriter.insertAtEnd(entry, "i64", { op: "zext" }, [start], location);
  if (scale === 1n) return add(wide);
  const binary = (scale & (scale - 1n)) === 0n ? "shl" : "mul";
  const by = constant("i64", binary === "shl" ? scale.toString(2).length - 1 : scale);
  return add(rewriter.insertAtEnd(entry, "i64", { op: "binary", binary }, [wide, by], location));
}

/** Whether `offset` is `start` extended and times `scale`. */
function isScaled(offset: Value, start: Value, scale: bigint): boolean {
  let [inner, factor] = [offset, 1n];
  if (isBinary(inner, "shl") || isBinary(inner, "mul")) {
    const by = operand(inner, 1);
    if (by.kind !== "constant") return false;
    factor = isBinary(inner, "shl") ? 1n << (by.value & 63n) : by.value;
    inner = operand(inner, 0);
  }
  if (start.type !== "i64" && isOp(inner, "zext")) inner = operand(inner, 0);
  return inner === start && factor === scale;
}
