/** Division and remainder. BPF: x / 0 = 0, x % 0 = x; below v4 there is no signed division. */
import { bitWidth } from "../../4-lower/ir.ts";
import { constant, signedValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { isNonNegative, knownOf } from "../known-bits.ts";
import { exponentOf } from "./arithmetic.ts";
import type { Rule } from "./rule.ts";

export const divisionRules: readonly Rule[] = [
  {
    // x / 1 → x;  x % 1 → 0;  0 / x → 0;  0 % x → 0;  x / 0 → 0;  x % 0 → x
    name: "divide-identity",
    on: ["udiv", "sdiv", "urem", "srem"],
    rewrite: ({ operation, type, operands: [a, b] }) => {
      if (operation.op !== "binary" || a === undefined || b === undefined) return undefined;
      const isDivision = operation.binary === "udiv" || operation.binary === "sdiv";
      const zero = constant(type as ValueType, 0n);
      if (a.kind === "constant" && a.value === 0n) return zero;
      if (b.kind !== "constant") return undefined;
      if (b.value === 1n) return isDivision ? a : zero;
      if (b.value === 0n) return isDivision ? zero : a;
      return undefined;
    },
  },
  {
    // x /u 2^k → x >> k;  x %u 2^k → x & (2^k − 1)
    name: "divide-by-power",
    on: ["udiv", "urem"],
    rewrite: ({ operation, type, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || a === undefined || b?.kind !== "constant") return undefined;
      const shift = exponentOf(b.value);
      if (shift === undefined) return undefined;
      if (operation.binary === "udiv")
        return tools.binary("lshr", a, constant(type as ValueType, shift));
      return tools.binary("and", a, constant(type as ValueType, b.value - 1n));
    },
  },
  {
    // x /u d → 0, x %u d → x   where x < d is known
    name: "divide-smaller",
    on: ["udiv", "urem"],
    rewrite: ({ operation, type, operands: [a, b] }) => {
      if (operation.op !== "binary" || a === undefined || b === undefined) return undefined;
      if (knownOf(a).max >= knownOf(b).min) return undefined;
      return operation.binary === "urem" ? a : constant(type as ValueType, 0n);
    },
  },
  {
    // x %u c → x == c ? 0 : x where x <= c is known, and x < c ? x : x − c where x < 2c is: of these the
    // verifier knows the bounds
    name: "remainder-of-small",
    on: ["urem"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (a === undefined || b?.kind !== "constant") return undefined;
      const { max } = knownOf(a);
      if (max < b.value || max >= 2n * b.value || b.value >= 1n << 31n) return undefined;
      const isGreatest = max === b.value;
      const rest = isGreatest
        ? constant(type as ValueType, 0n)
        : tools.binary("add", a, constant(type as ValueType, -b.value));
      const test = tools.compare(isGreatest ? "eq" : "ult", a, b);
      return tools.emit(type, { op: "select" }, isGreatest ? [test, rest, a] : [test, a, rest]);
    },
  },
  {
    // x / y → zext(trunc x / trunc y)   where both have 32 bits: half the time; from v3 on no more code
    name: "divide-narrow",
    on: ["udiv", "urem"],
    rewrite: ({ operation, type, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || a === undefined || b === undefined) return undefined;
      const { cpu } = tools.context.options.target;
      if (type !== "i64" || cpu === "v1" || cpu === "v2") return undefined;
      if (knownOf(a).max >= 1n << 32n || knownOf(b).max >= 1n << 32n) return undefined;
      const [x, y] = [tools.resize(a, "i32"), tools.resize(b, "i32")];
      return tools.convert("zext", tools.binary(operation.binary, x, y), "i64");
    },
  },
  {
    // x /s d → x /u d   where neither is negative
    name: "divide-nonnegative",
    on: ["sdiv", "srem"],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || a === undefined || b === undefined) return undefined;
      if (!isNonNegative(a) || !isNonNegative(b)) return undefined;
      return tools.binary(operation.binary === "sdiv" ? "udiv" : "urem", a, b);
    },
  },
  {
    // x /s −1 → 0 − x;  x %s −1 → 0
    name: "divide-by-minus-one",
    on: ["sdiv", "srem"],
    rewrite: ({ operation, type, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || a === undefined || b?.kind !== "constant") return undefined;
      if (signedValue(b) !== -1n) return undefined;
      const zero = constant(type as ValueType, 0n);
      return operation.binary === "sdiv" ? tools.binary("sub", zero, a) : zero;
    },
  },
  {
    // x /s 2^k → x >>s k;  x %s 2^k → 0   where the low k bits of x are zero: nothing is to be rounded
    name: "signed-divide-exact",
    on: ["sdiv", "srem"],
    rewrite: ({ operation, type, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || a === undefined || b?.kind !== "constant") return undefined;
      const shift = exponentOf(b.value);
      if (shift === undefined || shift >= BigInt(bitWidth[type as ValueType]) - 1n)
        return undefined;
      const rest = b.value - 1n;
      if ((knownOf(a).zeros & rest) !== rest) return undefined;
      if (operation.binary === "srem") return constant(type as ValueType, 0n);
      return tools.binary("ashr", a, amount(type as ValueType, shift));
    },
  },
  {
    // x /s 2^k → (x + ((x >>s w−1) >>u (w−k))) >>s k: negative values round towards zero
    name: "signed-divide-by-power",
    on: ["sdiv"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (a === undefined || b?.kind !== "constant" || signedValue(b) <= 0n) return undefined;
      const shift = exponentOf(b.value);
      if (shift === undefined || shift === 0n) return undefined;
      return tools.binary(
        "ashr",
        roundingSum(a, shift, type as ValueType, tools),
        amount(type, shift),
      );
    },
  },
  {
    // x %s 2^k → x − ((x + bias) & ~(2^k − 1)), bias as in division
    name: "signed-remainder-by-power",
    on: ["srem"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (a === undefined || b?.kind !== "constant" || signedValue(b) <= 0n) return undefined;
      const shift = exponentOf(b.value);
      if (shift === undefined || shift === 0n) return undefined;
      const sum = roundingSum(a, shift, type as ValueType, tools);
      const multiple = tools.binary("and", sum, constant(type as ValueType, -b.value));
      return tools.binary("sub", a, multiple);
    },
  },
];

const amount = (type: string, value: bigint) => constant(type as ValueType, value);

function roundingSum(
  value: Parameters<typeof knownOf>[0],
  shift: bigint,
  type: ValueType,
  tools: Parameters<Rule["rewrite"]>[1],
) {
  const bits = BigInt(bitWidth[type]);
  const sign = shift === 1n ? value : tools.binary("ashr", value, amount(type, bits - 1n));
  const bias = tools.binary("lshr", sign, amount(type, bits - shift));
  return tools.binary("add", value, bias);
}
