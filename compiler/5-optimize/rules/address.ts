/**
 * Address sums. Canonical: variables innermost, one constant outermost, so that the constant goes into
 * the offset of loads and stores and equal `pointer + variable` sums are one value for the verifier.
 */

import { bitWidth, type Value } from "../../4-lower/ir.ts";
import { constant, signedValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { addressRoot } from "../context.ts";
import { knownOf, onesOf } from "../known-bits.ts";
import { constantAddress, isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

export const addressRules: readonly Rule[] = [
  {
    // p + 0 → p
    name: "offset-zero",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }) => (isConstant(offset, 0n) ? p : undefined),
  },
  {
    // p + undef → p
    name: "offset-undefined",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }) => (offset?.kind === "undef" ? p : undefined),
  },
  {
    // (p + c) + d → p + (c + d)
    name: "constant-offsets-meet",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }, tools) => {
      if (!isOp(p, "ptradd") || offset?.kind !== "constant") return undefined;
      const inner = operand(p, 1);
      if (inner.kind !== "constant") return undefined;
      return tools.addOffset(operand(p, 0), constant("i64", inner.value + offset.value));
    },
  },
  {
    // (p + c) + x → (p + x) + c, but not for a CO-RE offset: that goes into the access itself
    name: "constant-offset-outermost",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }, tools) => {
      if (isOp(offset, "core")) return undefined;
      if (!isOp(p, "ptradd") || offset === undefined || offset.kind === "constant")
        return undefined;
      const inner = operand(p, 1);
      if (inner.kind !== "constant") return undefined;
      return tools.addOffset(tools.addOffset(operand(p, 0), offset), inner);
    },
  },
  {
    // p + (x + c) → (p + x) + c   where x + c has no other use (else it may be what was checked)
    name: "constant-out-of-index",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }, tools) => {
      if (p === undefined || !isBinary(offset, "add") || !tools.hasOneUse(offset)) return undefined;
      const added = operand(offset, 1);
      if (added.kind !== "constant" || !isSmall(added.value)) return undefined;
      if (isBelowPacket(p, operand(offset, 0), signedValue(added))) return undefined;
      return tools.addOffset(tools.addOffset(p, operand(offset, 0)), added);
    },
  },
  {
    // p + ((x + c) << k) → (p + (x << k)) + (c << k);  p + ((x + c) * k) → (p + x * k) + c * k   likewise
    name: "constant-out-of-scaled-index",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }, tools) => {
      const scale = scaleOf(offset);
      if (p === undefined || scale === undefined || !isOp(offset, "binary")) return undefined;
      if (!tools.hasOneUse(offset)) return undefined;
      const [sum, by] = [operand(offset, 0), operand(offset, 1)];
      if (!isBinary(sum, "add") || !tools.hasOneUse(sum)) return undefined;
      const added = operand(sum, 1);
      if (added.kind !== "constant" || !isSmall(added.value) || scale > 4096n) return undefined;
      const scaled = tools.binary(offset.operation.binary, operand(sum, 0), by);
      const outer = BigInt.asIntN(64, added.value) * scale;
      if (outer < -farthest || outer > farthest || isBelowPacket(p, operand(sum, 0), outer))
        return undefined;
      return tools.addOffset(tools.addOffset(p, scaled), constant("i64", outer));
    },
  },
  {
    // p + zext((x + c) << k) → (p + zext(x << k)) + (c << k)   where nothing wraps; likewise *, and x + c alone.
    // The verifier keeps constants apart from what varies: ways that move a pointer by different amounts are then
    // more often the same to it.
    name: "constant-out-of-extended-index",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }, tools) => {
      if (p === undefined || !isOp(offset, "zext") || !tools.hasOneUse(offset)) return undefined;
      const index = operand(offset, 0);
      const scale = scaleOf(index);
      const sum = scale !== undefined && isOp(index, "binary") ? operand(index, 0) : index;
      if (!isBinary(sum, "add") || !tools.hasOneUse(sum) || !tools.hasOneUse(index))
        return undefined;
      const [x, added] = [operand(sum, 0), operand(sum, 1)];
      if (added.kind !== "constant" || added.value > 4096n) return undefined;
      const outer = added.value * (scale ?? 1n);
      const most = knownOf(x).max * (scale ?? 1n) + outer;
      if (outer > farthest || most > onesOf(bitWidth[index.type as ValueType])) return undefined;
      const rest = index === sum ? x : rescaled(index, x, tools);
      const inner = tools.addOffset(p, tools.convert("zext", rest, "i64"));
      return tools.addOffset(inner, constant("i64", outer));
    },
  },
  {
    // p + (0 − y) → p − y for a CO-RE offset (container_of): no negation needed
    name: "subtract-core-offset",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }, tools) => {
      if (p === undefined || !isBinary(offset, "sub") || !isConstant(operand(offset, 0), 0n))
        return undefined;
      const amount = operand(offset, 1);
      if (!isOp(amount, "core")) return undefined;
      const difference = tools.binary("sub", tools.convert("ptrtoint", p, "i64"), amount);
      return tools.convert("inttoptr", difference, "ptr");
    },
  },
  {
    // p + (ptrtoint q − ptrtoint p) → q
    name: "pointer-difference",
    on: ["ptradd"],
    rewrite: ({ operands: [p, offset] }) => {
      if (!isBinary(offset, "sub")) return undefined;
      const [q, minus] = [operand(offset, 0), operand(offset, 1)];
      if (!isOp(q, "ptrtoint") || !isOp(minus, "ptrtoint")) return undefined;
      return operand(minus, 0) === p ? operand(q, 0) : undefined;
    },
  },
  {
    // cast(p + x) → cast(p) + x   into an arena, where sums have 32 bits: a constant goes into the access, and
    // one cast does for all that p leads to
    name: "offset-out-of-arena-cast",
    on: ["addr_space_cast"],
    rewrite: ({ operation, operands: [p] }, tools) => {
      const isIntoArena = operation.op === "addr_space_cast" && operation.from === 1;
      if (!isIntoArena || operation.to !== 0 || !isOp(p, "ptradd")) return undefined;
      const offset = operand(p, 1);
      const isPlain = offset.kind === "constant" || (tools.hasOneUse(p) && !isOp(offset, "core"));
      return isPlain
        ? tools.addOffset(tools.emit("ptr", { ...operation }, [operand(p, 0)]), offset)
        : undefined;
    },
  },
  {
    // cast(null) → null   as the program holds it: the kernel leaves 0 what it is
    name: "null-of-arena",
    on: ["addr_space_cast"],
    rewrite: ({ operation, operands: [p] }) => {
      const isHeld = operation.op === "addr_space_cast" && operation.to === 1;
      return isHeld && isConstant(p, 0n) ? p : undefined;
    },
  },
  {
    // ptrtoint(p + c) − ptrtoint(p + d) → c − d
    name: "difference-of-offsets",
    on: ["sub"],
    rewrite: ({ type, operands: [a, b] }) => {
      if (!isOp(a, "ptrtoint") || !isOp(b, "ptrtoint") || type !== "i64") return undefined;
      const [x, y] = [baseOf(operand(a, 0)), baseOf(operand(b, 0))];
      return x.base === y.base ? constant("i64", x.offset - y.offset) : undefined;
    },
  },
];

function baseOf(pointer: Parameters<typeof operand>[0] | ReturnType<typeof operand>) {
  let base: ReturnType<typeof operand> = pointer;
  let offset = 0n;
  if (isOp(base, "ptradd")) {
    const step = operand(base, 1);
    if (step.kind === "constant") {
      offset = step.value;
      base = operand(base, 0);
    }
  }
  return { base, offset };
}

/**
 * Whether `p + x + by` is in front of what may be a packet for the verifier, whatever it knows of x: of a
 * packet pointer and a variable it takes the constant part alone. A counter is a constant for it.
 */
function isBelowPacket(p: Value, x: Value, by: bigint): boolean {
  const { base, offset } = constantAddress(p);
  if (BigInt(offset) + by >= 0n || isCounter(x)) return false;
  const root = addressRoot(base);
  return !isOp(root, "alloca") && !isOp(root, "call") && root.kind !== "global";
}

/** A value that starts at a constant, and from round to round changes by one. */
function isCounter(value: Value): boolean {
  let phi = value;
  while (isOp(phi, "zext") || isOp(phi, "sext") || isOp(phi, "trunc")) phi = operand(phi, 0);
  if (!isOp(phi, "phi")) return false;
  return phi.operands.every(
    (each) =>
      each.kind === "constant" ||
      (isBinary(each, "add") && operand(each, 0) === phi && operand(each, 1).kind === "constant"),
  );
}

/** What an index that is a product or a shift by a constant is scaled by. */
function scaleOf(value: Value | undefined): bigint | undefined {
  if (!isOp(value, "binary")) return undefined;
  const [isProduct, isShift] = [isBinary(value, "mul"), isBinary(value, "shl")];
  const by = isProduct || isShift ? operand(value, 1) : undefined;
  if (by?.kind !== "constant" || (isShift && by.value > 63n)) return undefined;
  return isProduct ? by.value : 1n << by.value;
}

/** The same scale for another index. */
function rescaled(index: Value, x: Value, tools: RuleTools): Value {
  return isOp(index, "binary") ? tools.binary(index.operation.binary, x, operand(index, 1)) : x;
}

/** Constants beyond would cost an addition of their own. */
const farthest = 1n << 20n;

const isSmall = (value: bigint): boolean => {
  const number = BigInt.asIntN(64, value);
  return number >= -4096n && number <= 4096n;
};
