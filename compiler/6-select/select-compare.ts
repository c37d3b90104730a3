/**
 * Conditions: comparisons fused into branches. A null check stays a
 * 64-bit comparison with 0 of the pointer's own register, which is the only form the kernel's
 * verifier learns from.
 */
import type { JumpOp } from "../../common/isa/instruction.ts";
import type { Block, IntPredicate, IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import { swappedPredicate } from "../5-optimize/fold-constants.ts";
import { fitsSigned, type SelectContext } from "./context.ts";
import { widthOf } from "./facts.ts";
import type { MachineBlock, MachineRegister, MachineSource, Width } from "./machine.ts";
import { immediateSource, registerSource } from "./machine.ts";

/** A branch test; taken if it holds. */
export interface MachineTest {
  readonly op: JumpOp;
  readonly width: Width;
  readonly dst: MachineRegister;
  readonly src: MachineSource;
  readonly isPointer?: boolean;
}

/** Instructions between a mask and what it is made of. */
const mostDepth = 4;

const jumpOps: Readonly<Record<IntPredicate, JumpOp>> = {
  eq: "eq",
  ne: "ne",
  ult: "lt",
  ule: "le",
  ugt: "gt",
  uge: "ge",
  slt: "slt",
  sle: "sle",
  sgt: "sgt",
  sge: "sge",
};

export type Icmp = IrInstruction & { operation: { op: "icmp"; predicate: IntPredicate } };

export function isIcmp(value: Value): value is Icmp {
  return value.kind === "instruction" && value.operation.op === "icmp";
}

/** Makes the registers that the comparison needs and says how to branch on it. */
export function compareTest(context: SelectContext, icmp: Icmp): MachineTest {
  let [a, b] = icmp.operands as [Value, Value];
  let predicate = icmp.operation.predicate;
  if (a.kind === "constant" && b.kind !== "constant") {
    [a, b] = [b, a];
    predicate = swappedPredicate[predicate];
  }
  const bitTest = maskTest(context, a, b, predicate);
  if (bitTest !== undefined) return bitTest;
  if (predicate === "eq" || predicate === "ne") {
    [a, b] = withoutSignExtension(context, a, b);
    const bound = shiftedAgainstZero(context, a, b);
    if (bound !== undefined) {
      [a, b] = bound;
      predicate = predicate === "eq" ? "ule" : "ugt";
    }
  }
  const isSigned = predicate.startsWith("s");
  const width = context.aluWidth(a);
  const op = jumpOps[predicate];
  const isNative = widthOf(a) === width;
  const extend = (value: Value): MachineRegister => {
    if (isNative) return context.register(value);
    return isSigned ? context.signExtended(value, width) : context.zeroExtended(value);
  };
  const dst = extend(a);
  const src = compareSource(b, isSigned, width) ?? registerSource(extend(b));
  return { op, width, dst, src, ...(a.type === "ptr" && { isPointer: true }) };
}

/** Equality of sign-extended values is that of the values, where these are clean in their registers. */
function withoutSignExtension(context: SelectContext, a: Value, b: Value): [Value, Value] {
  const inner = extendedOperand(a);
  if (inner === undefined || context.facts.width(inner) > widthOf(inner)) return [a, b];
  if (context.signedLoads.has(inner)) return [a, b];
  const bits = widthOf(inner);
  if (b.kind === "constant") {
    const isKept = BigInt.asIntN(widthOf(b), b.value) === BigInt.asIntN(bits, b.value);
    const value = BigInt.asUintN(bits, b.value);
    return isKept ? [inner, { kind: "constant", type: inner.type as "i8", value }] : [a, b];
  }
  const other = extendedOperand(b);
  if (other === undefined || other.type !== inner.type) return [a, b];
  if (context.facts.width(other) > bits || context.signedLoads.has(other)) return [a, b];
  return [inner, other];
}

/** (x >> n) == 0 is x <= 2^n - 1: one instruction less, and the verifier learns about x itself. */
function shiftedAgainstZero(
  context: SelectContext,
  a: Value,
  b: Value,
): [Value, Value] | undefined {
  if (b.kind !== "constant" || b.value !== 0n || a.kind !== "instruction") return undefined;
  if (context.useCount(a) !== 1) return undefined;
  if (a.operation.op !== "binary" || a.operation.binary !== "lshr") return undefined;
  const [value, amount] = a.operands as [Value, Value];
  if (amount.kind !== "constant" || amount.value === 0n || amount.value > 31n) return undefined;
  if (amount.value >= BigInt(widthOf(value))) return undefined;
  const most = (1n << amount.value) - 1n;
  return [value, { kind: "constant", type: value.type as "i64", value: most }];
}

function extendedOperand(value: Value): Value | undefined {
  return value.kind === "instruction" && value.operation.op === "sext"
    ? value.operands[0]
    : undefined;
}

/** The right side as an immediate, read as the left side was extended. */
function compareSource(b: Value, isSigned: boolean, width: Width): MachineSource | undefined {
  if (b.kind !== "constant") return undefined;
  const bits = widthOf(b);
  const extended = isSigned ? BigInt.asIntN(bits, b.value) : b.value;
  const seen = width === 32 ? BigInt.asIntN(32, extended) : BigInt.asIntN(64, extended);
  return fitsSigned(seen, 32) ? immediateSource(Number(seen)) : undefined;
}

/** (x & mask) ==/!= 0 is one instruction, if nobody else wants the masked value. */
function maskTest(
  context: SelectContext,
  a: Value,
  b: Value,
  predicate: IntPredicate,
): MachineTest | undefined {
  if (predicate !== "ne" || b.kind !== "constant" || b.value !== 0n) return undefined;
  return bitsOf(context, a);
}

/** For a value that is only compared with zero: the test "some bit is set". */
function bitsOf(context: SelectContext, a: Value): MachineTest | undefined {
  if (a.kind !== "instruction" || a.operation.op !== "binary" || a.operation.binary !== "and") {
    return undefined;
  }
  if (context.useCount(a) !== 1) return undefined;
  const [value, mask] = a.operands as [Value, Value];
  if (isCarried(context, value)) return undefined;
  const width = context.aluWidth(a);
  if (mask.kind === "constant" && context.has32 && mask.value < 1n << 32n && value.type !== "ptr") {
    // The low half decides; a mask of all its bits is a plain comparison.
    const dst = context.register(value);
    if (mask.value === 0xffffffffn) return { op: "ne", width: 32, dst, src: immediateSource(0) };
    return {
      op: "set",
      width: 32,
      dst,
      src: immediateSource(Number(BigInt.asIntN(32, mask.value))),
    };
  }
  if (mask.kind === "constant") {
    const seen = width === 32 ? BigInt.asIntN(32, mask.value) : BigInt.asIntN(64, mask.value);
    const isPositive = widthOf(a) === width || seen >= 0n;
    if (!isPositive || !fitsSigned(seen, 32)) return undefined;
    return { op: "set", width, dst: context.register(value), src: immediateSource(Number(seen)) };
  }
  if (widthOf(a) !== width || isTestedInTurn(context, value, mask)) return undefined;
  if (isTestedInTurn(context, mask, value)) return undefined;
  const dst = context.register(value);
  return { op: "set", width, dst, src: registerSource(context.register(mask)) };
}

/**
 * What a loop carries: of that the verifier would learn the bits that were tested, and would follow each way on with
 * them. Of the masked value it learns nothing that outlives the test.
 */
function isCarried(context: SelectContext, value: Value): boolean {
  if (value.kind !== "instruction" || value.operation.op !== "phi") return false;
  const { block } = value;
  return value.operation.incoming.some((from) => context.dominates(block, from));
}

/** Whether a loop makes the mask anew for one value: the verifier would learn all bits of that, round by round. */
function isTestedInTurn(context: SelectContext, value: Value, mask: Value, depth = 0): boolean {
  if (mask.kind !== "instruction" || depth === mostDepth) return false;
  if (isCarried(context, mask))
    return value.kind !== "instruction" || !context.dominates(mask.block, value.block);
  const { op } = mask.operation;
  if (op !== "binary" && op !== "zext" && op !== "trunc") return false;
  return mask.operands.some((each) => isTestedInTurn(context, value, each, depth + 1));
}

/** Where a condition leads. The functions note the edge from the block that then ends. */
export interface BranchTargets {
  readonly then: () => MachineBlock;
  readonly otherwise: () => MachineBlock;
  readonly likely?: boolean;
}

/** Ends the current block by a branch on the condition; && and || become chains of branches. */
export function branchOn(context: SelectContext, condition: Value, targets: BranchTargets): void {
  const { then, otherwise } = targets;
  if (condition.kind === "constant") {
    const target = condition.value === 0n ? otherwise() : then();
    context.terminate({ kind: "jump", target });
    return;
  }
  const inner = invertedOperand(condition);
  if (inner !== undefined) {
    const likely = targets.likely === undefined ? {} : { likely: !targets.likely };
    branchOn(context, inner, { then: otherwise, otherwise: then, ...likely });
    return;
  }
  const logic = logicOperands(context, condition);
  if (logic !== undefined) {
    const next = context.newBlock();
    const toNext = (): MachineBlock => next;
    if (logic.op === "and") branchOn(context, logic.a, { then: toNext, otherwise });
    else branchOn(context, logic.a, { then, otherwise: toNext });
    context.startBlock(next);
    context.conditional += 1;
    branchOn(context, logic.b, targets);
    context.conditional -= 1;
    return;
  }
  const zero = zeroMaskTest(context, condition);
  const test = zero ?? testOf(context, condition);
  const swap = zero !== undefined;
  context.terminate({
    kind: "branch",
    ...test,
    then: swap ? otherwise() : then(),
    otherwise: swap ? then() : otherwise(),
    ...(targets.likely !== undefined && { likely: swap ? !targets.likely : targets.likely }),
  });
}

/** (x & mask) == 0: the test of the opposite. */
function zeroMaskTest(context: SelectContext, condition: Value): MachineTest | undefined {
  if (!isIcmp(condition) || condition.operation.predicate !== "eq") return undefined;
  const [a, b] = condition.operands as [Value, Value];
  if (b.kind !== "constant" || b.value !== 0n) return undefined;
  return bitsOf(context, a);
}

function testOf(context: SelectContext, condition: Value): MachineTest {
  if (isBitTest(condition) && !context.isDefined(condition)) {
    const dst = context.register(condition.operands[0] as Value);
    return { op: "set", width: context.has32 ? 32 : 64, dst, src: immediateSource(1) };
  }
  if (isIcmp(condition) && !context.isDefined(condition)) return compareTest(context, condition);
  const width = context.has32 ? 32 : 64;
  return { op: "ne", width, dst: context.register(condition), src: immediateSource(0) };
}

/** A truncation to one bit. */
function isBitTest(value: Value): value is IrInstruction {
  return value.kind === "instruction" && value.operation.op === "trunc" && value.type === "i1";
}

/** x for `xor i1 x, true`. */
function invertedOperand(value: Value): Value | undefined {
  if (value.kind !== "instruction" || value.operation.op !== "binary") return undefined;
  if (value.operation.binary !== "xor" || value.type !== "i1") return undefined;
  const [a, b] = value.operands as [Value, Value];
  return b.kind === "constant" && b.value === 1n ? a : undefined;
}

interface Logic {
  readonly op: "and" | "or";
  readonly a: Value;
  readonly b: Value;
}

/** a & b, a | b, or the short-circuit forms `select a, b, false` and `select a, true, b`. */
function logicOf(value: Value): Logic | undefined {
  if (value.kind !== "instruction" || value.type !== "i1") return undefined;
  const [a, b, c] = value.operands as [Value, Value, Value];
  if (value.operation.op === "binary") {
    const op = value.operation.binary;
    return op === "and" || op === "or" ? { op, a, b } : undefined;
  }
  if (value.operation.op !== "select") return undefined;
  if (c.kind === "constant" && c.value === 0n) return { op: "and", a, b };
  return b.kind === "constant" && b.value === 1n ? { op: "or", a, b: c } : undefined;
}

function logicOperands(context: SelectContext, value: Value): Logic | undefined {
  return context.folded.has(value) ? logicOf(value) : undefined;
}

/** Conditions that every user branches on, so that nobody needs them as 0 or 1. */
export function foldedConditions(
  order: readonly Block[],
  uses: ReadonlyMap<Value, readonly Use[]>,
): Set<Value> {
  const folded = new Set<Value>();
  const isBranchedOn = (use: Use): boolean => isCondition(use) || folded.has(use.user);
  // Users come before operands this way.
  for (const block of [...order].reverse()) {
    for (const at of [...block.instructions].reverse()) {
      const list = uses.get(at) ?? [];
      const isLogic = logicOf(at) !== undefined && list.length === 1;
      const canFold = isIcmp(at) || isBitTest(at) || invertedOperand(at) !== undefined || isLogic;
      if (canFold && list.every(isBranchedOn)) folded.add(at);
    }
  }
  return folded;
}

/** A branch or a select goes by it. */
export function isCondition({ user, index }: Use): boolean {
  const { op } = user.operation;
  return op === "condbr" || (op === "select" && index === 0);
}
