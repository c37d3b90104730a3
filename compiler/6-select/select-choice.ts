/** Comparisons as numbers, and selects: small diamonds, or the bit itself where that tells the verifier less. */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import type { SelectContext } from "./context.ts";
import { widthOf } from "./facts.ts";
import type { MachineBlock, MachineRegister } from "./machine.ts";
import { registerSource } from "./machine.ts";
import { branchOn, type Icmp, isCondition, isIcmp } from "./select-compare.ts";

/** A comparison as 0 or 1 in a register. */
export function selectCompareValue(context: SelectContext, at: IrInstruction): void {
  const bit = bitAsValue(context, at) ?? signAsValue(context, at);
  const dst = bit ?? context.newRegister();
  if (bit === undefined) {
    context.moveConstant(dst, 1n);
    diamond(context, at, (): void => context.moveConstant(dst, 0n));
  }
  context.define(at, dst);
}

/**
 * `(x & bit) != 0` where nobody branches on it: the bit itself, moved down. The verifier follows each side of a
 * branch to the end of the program, and learns of bits what no check depends on.
 */
function bitAsValue(context: SelectContext, at: IrInstruction): MachineRegister | undefined {
  if (!isIcmp(at)) return undefined;
  const { predicate } = at.operation;
  const [masked, zero] = at.operands as [Value, Value];
  if (predicate !== "eq" && predicate !== "ne") return undefined;
  if (zero.kind !== "constant" || zero.value !== 0n || masked.kind !== "instruction")
    return undefined;
  if (masked.operation.op !== "binary" || masked.operation.binary !== "and") return undefined;
  const [value, mask] = masked.operands as [Value, Value];
  if (mask.kind !== "constant" || mask.value === 0n) return undefined;
  if ((mask.value & (mask.value - 1n)) !== 0n) return undefined;
  if (context.useCount(masked) !== 1) return undefined;
  const shift = mask.value.toString(2).length - 1;
  const width = context.has32 && shift < 32 ? 32 : 64;
  const dst = context.copy(context.register(value));
  if (predicate === "eq") context.alu("xor", width, dst, -1);
  if (shift > 0) context.alu("rsh", width, dst, shift);
  if (shift < width - 1) context.alu("and", width, dst, 1);
  return dst;
}

/** `x < 0` and `x > -1` where nobody branches on them: the sign, moved down. A branch on it would tell of x. */
function signAsValue(context: SelectContext, at: IrInstruction): MachineRegister | undefined {
  if (!isIcmp(at) || context.uses.get(at)?.some(isCondition)) return undefined;
  const { predicate } = at.operation;
  const [value, bound] = at.operands as [Value, Value];
  if (bound.kind !== "constant" || value.type === "ptr") return undefined;
  const limit = BigInt.asIntN(widthOf(value), bound.value);
  const isNegative = predicate === "slt" && limit === 0n;
  if (!isNegative && !(predicate === "sgt" && limit === -1n)) return undefined;
  const width = context.aluWidth(value);
  if (widthOf(value) !== width) return undefined;
  const dst = context.copy(context.register(value));
  if (!isNegative) context.alu("xor", width, dst, -1);
  context.alu("rsh", width, dst, width - 1);
  return dst;
}

/** Runs `onFalse` in a block of its own if the condition does not hold. */
function diamond(context: SelectContext, condition: Value, onFalse: () => void): void {
  const skipped = context.newBlock();
  const join = context.newBlock();
  branchOn(context, condition, { then: () => join, otherwise: () => skipped });
  context.startBlock(skipped);
  onFalse();
  context.terminate({ kind: "jump", target: join });
  context.startBlock(join);
}

/** dst = one side; if the condition says so, dst = the other. */
export function selectSelect(context: SelectContext, at: IrInstruction): void {
  const [condition, a, b] = at.operands as [Value, Value, Value];
  const zeroExtended = context.facts.demanded(at);
  const dst = context.newRegister();
  // Registers first, outside the diamond: a constant is moved where it is needed.
  const startsWithOther = a.kind === "constant" && b.kind !== "constant";
  const [first, second] = startsWithOther ? [b, a] : [a, b];
  const prepared = second.kind === "constant" ? undefined : prepare(context, second, zeroExtended);
  const late = (): void => {
    if (prepared === undefined) context.moveValue(dst, second, zeroExtended);
    else context.move(dst, prepared);
  };
  const test = isIcmp(condition) && !context.isDefined(condition) ? condition : undefined;
  context.moveValue(dst, first, zeroExtended);
  const skipped = context.newBlock();
  const join = context.newBlock();
  const targets = startsWithOther
    ? { then: () => skipped, otherwise: () => join }
    : { then: () => join, otherwise: () => skipped };
  const before = context.block;
  branchOn(context, condition, targets);
  if (test !== undefined) shareCompared(context, before, test, first, dst);
  context.startBlock(skipped);
  late();
  context.terminate({ kind: "jump", target: join });
  context.startBlock(join);
  context.define(at, dst);
}

function prepare(context: SelectContext, value: Value, zeroExtended: boolean): MachineRegister {
  return zeroExtended ? context.zeroExtended(value) : context.register(value);
}

/** min(x, y) and its like: compare the copy, so that x itself may end before it. */
function shareCompared(
  context: SelectContext,
  block: MachineBlock,
  test: Icmp,
  first: Value,
  dst: MachineRegister,
): void {
  const end = block.terminator;
  if (end.kind !== "branch" || first.kind === "constant" || !context.isDefined(first)) return;
  const [a, b] = test.operands as [Value, Value];
  if (a !== first && b !== first) return;
  const register = context.register(first);
  if (end.dst === register) end.dst = dst;
  if (end.src.kind === "register" && end.src.register === register) end.src = registerSource(dst);
}
