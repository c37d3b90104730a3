/**
 * Bounds checks of packets as the verifier understands them. It learns from `p + constant <= end` only;
 * `end - p < n`, `p > end - n` and `p == end` teach it nothing, and arithmetic on the end is refused.
 */
import type { IntPredicate, IrFunction, Value } from "../../4-lower/ir.ts";
import { constant, signedValue } from "../../4-lower/ir-builder.ts";
import { addressRoot, contextField, isStartAndEnd } from "../context.ts";
import { constantAddress, isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

/** `end − start + added`, perhaps cut to 32 bits. */
interface Difference {
  readonly end: Value;
  readonly start: Value;
  readonly added: bigint;
  /** Start and end of the packet itself: the difference is never negative and below 2^31. */
  readonly isWhole: boolean;
}

export const packetRules: readonly Rule[] = [
  {
    // end − p <s n → p + n >u end;  end − p >s n → p + (n + 1) <=u end
    // Unsigned likewise where p is the packet's start, as start <= end.
    name: "packet-length-check",
    on: ["icmp"],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "icmp" || a === undefined || b?.kind !== "constant") return undefined;
      const difference = packetDifference(a, tools.fn);
      if (difference === undefined) return undefined;
      const isUnsigned = operation.predicate.startsWith("u");
      if (isUnsigned && (!difference.isWhole || difference.added !== 0n)) return undefined;
      const bound = isUnsigned ? b.value : signedValue(b);
      return lengthCheck(operation.predicate, difference, bound, tools);
    },
  },
  {
    // p ∘ end − n → p + n ∘ end
    name: "packet-end-minus",
    on: ["icmp"],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "icmp" || a?.type !== "ptr" || b === undefined) return undefined;
      const right = endMinus(b, tools);
      if (right !== undefined && isPacketPointer(a, tools.fn)) {
        return tools.compare(operation.predicate, tools.addOffset(a, right.amount), right.end);
      }
      const left = endMinus(a, tools);
      if (left === undefined || !isPacketPointer(b, tools.fn)) return undefined;
      return tools.compare(operation.predicate, left.end, tools.addOffset(b, left.amount));
    },
  },
  {
    // start == end → start >=u end;  start != end → start <u end   as start <= end
    name: "packet-empty",
    on: ["icmp"],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "icmp" || a === undefined || b === undefined) return undefined;
      const { predicate } = operation;
      if (predicate !== "eq" && predicate !== "ne") return undefined;
      if (isStartAndEnd(a, b, tools.fn))
        return tools.compare(predicate === "eq" ? "uge" : "ult", a, b);
      if (!isStartAndEnd(b, a, tools.fn)) return undefined;
      return tools.compare(predicate === "eq" ? "uge" : "ult", b, a);
    },
  },
];

function packetDifference(value: Value, fn: IrFunction): Difference | undefined {
  let inner = isOp(value, "trunc") && value.type === "i32" ? operand(value, 0) : value;
  let added = 0n;
  if (isBinary(inner, "add")) {
    const step = operand(inner, 1);
    if (step.kind !== "constant") return undefined;
    added = signedValue(step);
    inner = operand(inner, 0);
    if (isOp(inner, "trunc") && inner.type === "i32") inner = operand(inner, 0);
  }
  if (!isBinary(inner, "sub")) return undefined;
  const [left, right] = [operand(inner, 0), operand(inner, 1)].map(withoutCast) as [Value, Value];
  const end = constantAddress(left);
  if (!isStartAndEnd(addressRoot(right), end.base, fn)) return undefined;
  const isWhole = right === addressRoot(right) && end.offset === 0;
  return { end: end.base, start: right, added: added + BigInt(end.offset), isWhole };
}

const withoutCast = (value: Value): Value => (isOp(value, "ptrtoint") ? operand(value, 0) : value);

/** The integer that was loaded from the context as the pointer that it is. */
function asPointer(value: Value, tools: RuleTools): Value {
  return value.type === "ptr" ? value : tools.convert("inttoptr", value, "ptr");
}

const smallest = -0xffffn;
const largest = 0xffffn;

function lengthCheck(
  predicate: IntPredicate,
  { end, start, added }: Difference,
  bound: bigint,
  tools: RuleTools,
): Value | undefined {
  const length = bound - added;
  if (length < smallest || length > largest) return undefined;
  if (predicate === "eq" || predicate === "ne") return undefined;
  const first = asPointer(start, tools);
  const last = asPointer(end, tools);
  const plus = (extra: bigint): Value => tools.addOffset(first, constant("i64", length + extra));
  switch (predicate) {
    case "slt":
    case "ult":
      return tools.compare("ugt", plus(0n), last);
    case "sle":
    case "ule":
      return tools.compare("ugt", plus(1n), last);
    case "sgt":
    case "ugt":
      return tools.compare("ule", plus(1n), last);
    case "sge":
    case "uge":
      return tools.compare("ule", plus(0n), last);
  }
}

/** `end − n` with the packet's end: the end and n. */
function endMinus(value: Value, tools: RuleTools): { end: Value; amount: Value } | undefined {
  if (isOp(value, "ptradd")) {
    const [end, step] = [operand(value, 0), operand(value, 1)];
    if (contextField(end, tools.fn) === undefined) return undefined;
    if (step.kind === "constant") {
      const amount = signedValue(step);
      return amount < 0n ? { end, amount: constant("i64", -amount) } : undefined;
    }
    if (isBinary(step, "sub") && isConstant(operand(step, 0), 0n)) {
      return { end, amount: operand(step, 1) };
    }
    return undefined;
  }
  if (!isOp(value, "inttoptr")) return undefined;
  const difference = operand(value, 0);
  if (!isBinary(difference, "sub")) return undefined;
  const end = withoutCast(operand(difference, 0));
  if (contextField(end, tools.fn) === undefined) return undefined;
  return { end: asPointer(end, tools), amount: operand(difference, 1) };
}

function isPacketPointer(pointer: Value, fn: IrFunction): boolean {
  return contextField(addressRoot(pointer), fn) !== undefined;
}
