/** Addition, subtraction, multiplication: identities and constants that meet. */

import { constant, sameValue, signedValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { commutative, foldBinary } from "../fold-constants.ts";
import { isBinary, isConstant, operand } from "../values.ts";
import type { Rule } from "./rule.ts";

export const arithmeticRules: readonly Rule[] = [
  {
    // c ∘ x → x ∘ c
    name: "constant-right",
    on: [...commutative],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || a?.kind !== "constant" || b === undefined) return undefined;
      return b.kind === "constant" ? undefined : tools.binary(operation.binary, b, a);
    },
  },
  {
    // undef ∘ x → 0 (any value will do, and the verifier must be able to read it)
    name: "undefined-operand",
    on: [
      "add",
      "sub",
      "mul",
      "and",
      "or",
      "xor",
      "shl",
      "lshr",
      "ashr",
      "udiv",
      "sdiv",
      "urem",
      "srem",
    ],
    rewrite: ({ type, operands }) =>
      operands.some((each) => each.kind === "undef") ? constant(type as ValueType, 0n) : undefined,
  },
  {
    // x + 0 → x;  x − 0 → x
    name: "add-zero",
    on: ["add", "sub"],
    rewrite: ({ operands: [a, b] }) => (isConstant(b, 0n) ? a : undefined),
  },
  {
    // x − c → x + (−c)
    name: "subtract-constant",
    on: ["sub"],
    rewrite: ({ type, operands: [a, b] }, tools) =>
      b?.kind === "constant" && a !== undefined
        ? tools.binary("add", a, constant(type as ValueType, -b.value))
        : undefined,
  },
  {
    // x − x → 0
    name: "subtract-itself",
    on: ["sub"],
    rewrite: ({ type, operands: [a, b] }) =>
      a && b && sameValue(a, b) ? constant(type as ValueType, 0n) : undefined,
  },
  {
    // (x + y) − y → x;  (x + y) − x → y
    name: "subtract-added",
    on: ["sub"],
    rewrite: ({ operands: [a, b] }) => {
      if (!isBinary(a, "add") || b === undefined) return undefined;
      if (sameValue(operand(a, 1), b)) return operand(a, 0);
      return sameValue(operand(a, 0), b) ? operand(a, 1) : undefined;
    },
  },
  {
    // (x − y) + y → x
    name: "add-subtracted",
    on: ["add"],
    rewrite: ({ operands: [a, b] }) => {
      if (a === undefined || b === undefined) return undefined;
      if (isBinary(a, "sub") && sameValue(operand(a, 1), b)) return operand(a, 0);
      return isBinary(b, "sub") && sameValue(operand(b, 1), a) ? operand(b, 0) : undefined;
    },
  },
  {
    // x + (0 − y) → x − y
    name: "add-negated",
    on: ["add"],
    rewrite: ({ operands: [a, b] }, tools) =>
      a !== undefined && isBinary(b, "sub") && isConstant(operand(b, 0), 0n)
        ? tools.binary("sub", a, operand(b, 1))
        : undefined,
  },
  {
    // (x ∘ c) ∘ d → x ∘ (c ∘ d)   for ∘ in +, *, &, |, ^
    name: "constants-meet",
    on: [...commutative],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || b?.kind !== "constant") return undefined;
      const { binary } = operation;
      if (!isBinary(a, binary) || !tools.hasOneUse(a)) return undefined;
      const inner = operand(a, 1);
      if (inner.kind !== "constant") return undefined;
      return tools.binary(binary, operand(a, 0), foldBinary(binary, inner, b));
    },
  },
  {
    // y ∘ (x ∘ c) → (y ∘ x) ∘ c   for ∘ in +, ^: where x is used again, it need not be copied
    name: "constant-outermost",
    on: ["add", "xor"],
    rewrite: ({ operation, operands }, tools) => {
      if (operation.op !== "binary") return undefined;
      const { binary } = operation;
      for (const at of [1, 0]) {
        const [inner, other] = [operands[at], operands[1 - at]];
        if (inner === undefined || other === undefined || other.kind === "constant") continue;
        if (!isBinary(inner, binary) || !tools.hasOneUse(inner)) continue;
        const c = operand(inner, 1);
        if (c.kind !== "constant" || c.value === 0n) continue;
        const x = operand(inner, 0);
        const [left, right] = at === 1 ? [other, x] : [x, other];
        return tools.binary(binary, tools.binary(binary, left, right), c);
      }
      return undefined;
    },
  },
  {
    // x * 0 → 0;  x * 1 → x;  x * 2^k → x << k
    name: "multiply-constant",
    on: ["mul"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (a === undefined || b?.kind !== "constant") return undefined;
      if (b.value === 0n) return b;
      if (b.value === 1n) return a;
      const shift = exponentOf(b.value);
      return shift === undefined
        ? undefined
        : tools.binary("shl", a, constant(type as ValueType, shift));
    },
  },
  {
    // (x + c) * k + d → x * k + (c * k + d)
    name: "constant-out-of-product",
    on: ["add"],
    rewrite: ({ type, operands: [product, d] }, tools) => {
      if (d?.kind !== "constant" || !isBinary(product, "mul") || !tools.hasOneUse(product)) {
        return undefined;
      }
      const [sum, k] = [operand(product, 0), operand(product, 1)];
      if (k.kind !== "constant" || !isBinary(sum, "add") || !tools.hasOneUse(sum)) return undefined;
      const c = operand(sum, 1);
      if (c.kind !== "constant") return undefined;
      const outer = constant(type as ValueType, c.value * k.value + d.value);
      return tools.binary("add", tools.binary("mul", operand(sum, 0), k), outer);
    },
  },
  {
    // x * −1 → 0 − x
    name: "multiply-minus-one",
    on: ["mul"],
    rewrite: ({ type, operands: [a, b] }, tools) =>
      a !== undefined && b?.kind === "constant" && signedValue(b) === -1n
        ? tools.binary("sub", constant(type as ValueType, 0n), a)
        : undefined,
  },
];

/** k if `value` is 2^k. */
export function exponentOf(value: bigint): bigint | undefined {
  if (value <= 0n || (value & (value - 1n)) !== 0n) return undefined;
  return BigInt(value.toString(2).length - 1);
}
