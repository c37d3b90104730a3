/** Truth values and selects. A select costs a branch, so as few as possible. */
import { bitWidth } from "../../4-lower/ir.ts";
import { constant, sameValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { type InstructionOf, isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule } from "./rule.ts";

export const logicRules: readonly Rule[] = [
  {
    // !(a < b) → a >= b;  !!x → x
    name: "not",
    on: ["xor"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (type !== "i1" || a === undefined || !isConstant(b, 1n)) return undefined;
      const isNot =
        isOp(a, "binary") && a.operation.binary === "xor" && isConstant(operand(a, 1), 1n);
      if (isNot) return operand(a, 0);
      return isOp(a, "icmp") ? tools.not(a) : undefined;
    },
  },
  {
    // c ? x : x → x;  true ? x : y → x;  c ? undef : x → x
    name: "select-identity",
    on: ["select"],
    rewrite: ({ operands: [c, x, y] }) => {
      if (x === undefined || y === undefined) return undefined;
      if (sameValue(x, y)) return x;
      if (c?.kind === "constant") return c.value === 1n ? x : y;
      if (c?.kind === "undef") return y;
      if (x.kind === "undef") return y;
      return y.kind === "undef" ? x : undefined;
    },
  },
  {
    // !c ? x : y → c ? y : x
    name: "select-not",
    on: ["select"],
    rewrite: ({ type, operands: [c, x, y] }, tools) => {
      if (!isOp(c, "binary") || c.operation.binary !== "xor" || !isConstant(operand(c, 1), 1n))
        return undefined;
      return tools.emit(type, { op: "select" }, [operand(c, 0), y, x] as never);
    },
  },
  {
    // c ? 1 : 0 → zext c;  c ? 0 : 1 → zext !c   (i1: c and !c)
    name: "select-truth",
    on: ["select"],
    rewrite: ({ type, operands: [c, x, y] }, tools) => {
      if (c === undefined || type === "ptr") return undefined;
      const isPlain = isConstant(x, 1n) && isConstant(y, 0n);
      const isInverse = isConstant(x, 0n) && isConstant(y, 1n);
      if (!isPlain && !isInverse) return undefined;
      const truth = isPlain ? c : tools.not(c);
      return type === "i1" ? truth : tools.convert("zext", truth, type as ValueType);
    },
  },
  {
    // zext c << k → c ? 1 << k : 0;  zext c * k → c ? k : 0   not of a single bit, which is no branch
    name: "scaled-truth",
    on: ["shl", "mul"],
    rewrite: ({ operation, type, operands: [a, by] }, tools) => {
      if (!isOp(a, "zext") || by?.kind !== "constant" || !tools.hasOneUse(a)) return undefined;
      const truth = operand(a, 0);
      if (truth.type !== "i1" || !isOp(truth, "icmp") || isBitTest(truth)) return undefined;
      const isShift = operation.op === "binary" && operation.binary === "shl";
      const kind = type as ValueType;
      if (isShift && by.value >= BigInt(bitWidth[kind])) return undefined;
      const scaled = constant(kind, isShift ? 1n << by.value : by.value);
      return tools.emit(type, { op: "select" }, [truth, scaled, constant(kind, 0n)]);
    },
  },
  {
    // i1: c ? true : b → c | b;  c ? b : false → c & b
    name: "select-logic",
    on: ["select"],
    rewrite: ({ type, operands: [c, x, y] }, tools) => {
      if (type !== "i1" || c === undefined || x === undefined || y === undefined) return undefined;
      if (isConstant(x, 1n)) return tools.binary("or", c, y);
      if (isConstant(y, 0n)) return tools.binary("and", c, x);
      if (isConstant(x, 0n)) return tools.binary("and", tools.not(c), y);
      return isConstant(y, 1n) ? tools.binary("or", tools.not(c), x) : undefined;
    },
  },
];

/** Whether one bit or the sign decides: selection takes that out of the number without a branch. */
function isBitTest(test: InstructionOf<"icmp">): boolean {
  const { predicate } = test.operation;
  if (predicate === "slt" || predicate === "sgt") return true;
  return isBinary(operand(test, 0), "and") && isConstant(operand(test, 1), 0n);
}
