/** And, or, xor, and tests of single bits. */
import { bitWidth, type Constant, type Value } from "../../4-lower/ir.ts";
import { constant, sameValue, signedValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { isEquality } from "../fold-constants.ts";
import { isFromDivision, knownOf, onesOf } from "../known-bits.ts";
import { type InstructionOf, isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

export const bitRules: readonly Rule[] = [
  {
    // x & 0 → 0;  x & −1 → x;  x & x → x;  x & m → x where m keeps all bits that can be set, → 0 where it keeps none
    name: "and-identity",
    on: ["and"],
    rewrite: ({ operands: [a, b] }) => {
      if (a === undefined || b === undefined || a.type === "void") return undefined;
      if (isConstant(b, 0n)) return b;
      if (sameValue(a, b)) return a;
      if (b.kind !== "constant") return undefined;
      const ones = onesOf(bitWidth[a.type]);
      if (b.value === ones) return a;
      const { zeros } = knownOf(a);
      if ((zeros & b.value) === b.value) return constant(a.type as ValueType, 0n);
      return (zeros | b.value) === ones && !isFromDivision(a) ? a : undefined;
    },
  },
  {
    // (0 − x) & 1 → x & 1; the kernel goes two ways where a mask of all bits or none is masked
    name: "lowest-bit-of-negated",
    on: ["and"],
    rewrite: ({ operands: [a, b] }, tools) => {
      if (b === undefined || !isConstant(b, 1n) || !isBinary(a, "sub")) return undefined;
      return isConstant(operand(a, 0), 0n) ? tools.binary("and", operand(a, 1), b) : undefined;
    },
  },
  {
    // (x ^ c) & m → x ^ (c & m) where x has no bits but those of m, if that is an immediate
    name: "mask-of-inverted",
    on: ["and"],
    rewrite: ({ operands: [a, b], type }, tools) => {
      if (!isBinary(a, "xor") || b?.kind !== "constant") return undefined;
      const [x, c] = [operand(a, 0), operand(a, 1)];
      const bits = bitWidth[type as ValueType];
      if (c.kind !== "constant" || (bits === 64 && b.value > 0x7fffffffn)) return undefined;
      if ((knownOf(x).zeros | b.value) !== onesOf(bits)) return undefined;
      return tools.binary("xor", x, constant(type as ValueType, c.value & b.value));
    },
  },
  {
    // sext(x) & m → zext(x) & m where m keeps none of the copies of the sign
    name: "and-of-sign-extension",
    on: ["and"],
    rewrite: ({ operands: [a, b], type }, tools) => {
      if (!isOp(a, "sext") || b?.kind !== "constant") return undefined;
      const source = operand(a, 0);
      if (source.type !== "i8" && source.type !== "i16" && source.type !== "i32") return undefined;
      if (b.value > onesOf(bitWidth[source.type])) return undefined;
      return tools.binary("and", tools.convert("zext", source, type as ValueType), b);
    },
  },
  {
    // x | 0 → x;  x | x → x;  x ^ 0 → x;  x ^ x → 0;  x | −1 → −1
    name: "or-xor-identity",
    on: ["or", "xor"],
    rewrite: ({ operation, operands: [a, b] }) => {
      if (operation.op !== "binary" || a === undefined || b === undefined) return undefined;
      if (isConstant(b, 0n)) return a;
      if (sameValue(a, b)) return operation.binary === "or" ? a : constant(a.type as ValueType, 0n);
      const isOnes = b.kind === "constant" && signedValue(b) === -1n && b.type !== "i1";
      return isOnes && operation.binary === "or" ? b : undefined;
    },
  },
  {
    // (x ^ y) ^ y → x, whoever else reads x ^ y
    name: "xor-twice",
    on: ["xor"],
    rewrite: ({ operands: [a, b] }) =>
      a !== undefined && b !== undefined ? (without(a, b) ?? without(b, a)) : undefined,
  },
  {
    // (x & m) ^ m → ~x & m;  (x >> c) ^ ones → ~x >> c: one ~x for both halves of x
    name: "inverted-part",
    on: ["xor"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (b?.kind !== "constant" || !(isBinary(a, "and") || isBinary(a, "lshr"))) return undefined;
      const by = operand(a, 1);
      if (by.kind !== "constant" || !tools.hasOneUse(a)) return undefined;
      const ones = onesOf(bitWidth[type as ValueType]);
      const kept = isBinary(a, "and") ? by.value : ones >> by.value;
      if (b.value !== kept || b.value === ones) return undefined;
      const inverted = tools.binary("xor", operand(a, 0), constant(type as ValueType, ones));
      return tools.binary(a.operation.binary, inverted, by);
    },
  },
  {
    // (x ∘ y) ∘ y → x ∘ y;  (x & y) | y → y;  (x | y) & y → y   for ∘ in &, |
    name: "absorbed",
    on: ["and", "or"],
    rewrite: ({ operation, operands: [a, b] }) => {
      if (operation.op !== "binary" || a === undefined || b === undefined) return undefined;
      for (const [outer, inner] of [[b, a] as const, [a, b] as const]) {
        if (!isBinary(inner, "and") && !isBinary(inner, "or")) continue;
        if (!inner.operands.some((each) => sameValue(each, outer))) continue;
        return isBinary(inner, operation.binary) ? inner : outer;
      }
      return undefined;
    },
  },
  {
    // (x & m) | (x & n) → x & (m | n)
    name: "masks-of-one-value",
    on: ["or"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (!isBinary(a, "and") || !isBinary(b, "and")) return undefined;
      const m = operand(a, 1);
      const n = operand(b, 1);
      if (m.kind !== "constant" || n.kind !== "constant") return undefined;
      if (!sameValue(operand(a, 0), operand(b, 0))) return undefined;
      return tools.binary("and", operand(a, 0), constant(type as ValueType, m.value | n.value));
    },
  },
  {
    // (y | (x & m) ∘ s) | (x & n) ∘ s → y | (x & (m | n)) ∘ s   for ∘ in <<, >>, and without shift
    name: "masks-meet",
    on: ["or"],
    rewrite: ({ operands: [a, b] }, tools) => {
      const added = maskedOf(b, tools);
      if (added === undefined || a === undefined) return undefined;
      if (!isBinary(a, "or") || !tools.hasOneUse(a)) {
        const other = added.shift && maskedOf(a, tools);
        return other && joinMasked(other, added, tools);
      }
      for (const at of [1, 0]) {
        const other = maskedOf(operand(a, at), tools);
        const joined = other && joinMasked(other, added, tools);
        if (joined !== undefined) return tools.binary("or", operand(a, 1 - at), joined);
      }
      return undefined;
    },
  },
  {
    // (x | c) & m → x & m where c & m = 0;  (x | c) & m → c where m ⊆ c
    name: "mask-of-or",
    on: ["and"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (b?.kind !== "constant" || !isBinary(a, "or")) return undefined;
      const left = operand(a, 0);
      const right = operand(a, 1);
      if (left.type === "void" || left.type === "ptr") return undefined;
      const kept = b.value;
      if ((knownOf(right).zeros & kept) === kept) return tools.binary("and", left, b);
      if ((knownOf(left).zeros & kept) === kept) return tools.binary("and", right, b);
      if (right.kind !== "constant" || (right.value & kept) !== kept) return undefined;
      return constant(type as ValueType, kept);
    },
  },
  {
    // x & (1 << n) == 0 → (x >> n) & 1 == 0. Of a loop's n the kernel knows the bit in each round, and what it learns
    // of x round by round keeps the rounds' states apart.
    name: "single-bit",
    on: ["icmp"],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "icmp" || !isEquality(operation.predicate)) return undefined;
      if (a === undefined || b === undefined || !isConstant(b, 0n)) return undefined;
      if (!isBinary(a, "and") || !tools.hasOneUse(a)) return undefined;
      const [x, y] = [operand(a, 0), operand(a, 1)];
      const [bit, value] = isVariableBit(x) ? [x, y] : [y, x];
      if (!isVariableBit(bit) || !tools.hasOneUse(bit) || value.kind === "constant")
        return undefined;
      const shifted = tools.binary("lshr", value, operand(bit, 1));
      const lowest = tools.binary("and", shifted, constant(a.type as ValueType, 1n));
      return tools.compare(operation.predicate, lowest, b);
    },
  },
];

/** 1 << n, n unknown. */
function isVariableBit(value: Value): value is InstructionOf<"binary"> {
  if (!isBinary(value, "shl") || !isConstant(operand(value, 0), 1n)) return false;
  return bitWidth[value.type as ValueType] >= 32 && operand(value, 1).kind !== "constant";
}

/** x & m, perhaps shifted, that nothing else uses. */
interface Masked {
  readonly source: Value;
  readonly mask: Constant;
  readonly shift?: { readonly binary: "shl" | "lshr"; readonly by: Constant };
}

function maskedOf(value: Value | undefined, tools: RuleTools): Masked | undefined {
  if (value === undefined || !tools.hasOneUse(value)) return undefined;
  if (isBinary(value, "and")) {
    const mask = operand(value, 1);
    return mask.kind === "constant" ? { source: operand(value, 0), mask } : undefined;
  }
  if (!isBinary(value, "shl") && !isBinary(value, "lshr")) return undefined;
  const by = operand(value, 1);
  const inner = isBinary(operand(value, 0), "and") ? maskedOf(operand(value, 0), tools) : undefined;
  if (inner === undefined || by.kind !== "constant") return undefined;
  const { binary } = value.operation;
  return { ...inner, shift: { binary: binary === "shl" ? "shl" : "lshr", by } };
}

function joinMasked(a: Masked, b: Masked, tools: RuleTools): Value | undefined {
  const isAlike =
    sameValue(a.source, b.source) &&
    a.shift?.binary === b.shift?.binary &&
    a.shift?.by.value === b.shift?.by.value;
  if (!isAlike) return undefined;
  const mask = constant(a.mask.type, a.mask.value | b.mask.value);
  const masked = tools.binary("and", a.source, mask);
  return a.shift === undefined ? masked : tools.binary(a.shift.binary, masked, a.shift.by);
}

/** x, of x ^ y and y. */
function without(both: Value, one: Value): Value | undefined {
  if (!isBinary(both, "xor")) return undefined;
  const [x, y] = [operand(both, 0), operand(both, 1)];
  return sameValue(y, one) ? x : sameValue(x, one) ? y : undefined;
}
