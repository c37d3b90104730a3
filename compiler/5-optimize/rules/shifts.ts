/** Shifts and byte swaps. */
import { bitWidth, type Value } from "../../4-lower/ir.ts";
import { constant, sameValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { isNonNegative, knownOf, onesOf } from "../known-bits.ts";
import { isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule } from "./rule.ts";

export const shiftRules: readonly Rule[] = [
  {
    // x ∘ 0 → x;  0 ∘ x → 0   for shifts
    name: "shift-zero",
    on: ["shl", "lshr", "ashr"],
    rewrite: ({ operands: [a, b] }) => (isConstant(b, 0n) || isConstant(a, 0n) ? a : undefined),
  },
  {
    // x >> c → 0 where x has no bits from c on;  (x ^ d) >> c → d >> c
    name: "shifted-out",
    on: ["lshr"],
    rewrite: ({ type, operands: [a, b] }) => {
      if (a === undefined || b?.kind !== "constant") return undefined;
      if (b.value >= BigInt(bitWidth[type as ValueType])) return undefined;
      const gone = onesOf(Number(b.value));
      if (knownOf(a).max <= gone) return constant(type as ValueType, 0n);
      if (!isBinary(a, "xor") || knownOf(operand(a, 0)).max > gone) return undefined;
      const d = operand(a, 1);
      return d.kind === "constant" ? constant(type as ValueType, d.value >> b.value) : undefined;
    },
  },
  {
    // (x << c) << d → x << (c + d), and the same for >>, where nobody else has x << c: it may be checked
    name: "shifts-meet",
    on: ["shl", "lshr"],
    rewrite: ({ operation, type, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || b?.kind !== "constant") return undefined;
      if (!isBinary(a, operation.binary) || !tools.hasOneUse(a)) return undefined;
      const inner = operand(a, 1);
      if (inner.kind !== "constant") return undefined;
      const sum = inner.value + b.value;
      const bits = BigInt(bitWidth[type as ValueType]);
      if (b.value >= bits || inner.value >= bits) return undefined;
      if (sum >= bits) return constant(type as ValueType, 0n);
      return tools.binary(operation.binary, operand(a, 0), constant(type as ValueType, sum));
    },
  },
  {
    // (x << c) >> c → x where the upper c bits of x are zero
    name: "shift-left-and-back",
    on: ["lshr"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (b?.kind !== "constant" || !isBinary(a, "shl") || !sameValue(operand(a, 1), b))
        return undefined;
      const bits = bitWidth[type as ValueType];
      if (b.value >= BigInt(bits)) return undefined;
      const source = operand(a, 0);
      const kept = onesOf(bits - Number(b.value));
      if ((knownOf(source).zeros | kept) === onesOf(bits)) return source;
      // (x << c) >> c → x & (2^(w−c) − 1); the mask must be an immediate (31 bits), or 32 ones.
      const isCheap = kept <= 0x7fffffffn || bits === 32;
      return isCheap ? tools.binary("and", source, constant(type as ValueType, kept)) : undefined;
    },
  },
  {
    // (x >> c) << c → x & ~(2^c − 1)
    name: "shift-right-and-back",
    on: ["shl"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (b?.kind !== "constant" || !isBinary(a, "lshr") || !sameValue(operand(a, 1), b))
        return undefined;
      if (b.value >= 31n) return undefined;
      const mask = constant(type as ValueType, ~onesOf(Number(b.value)));
      return tools.binary("and", operand(a, 0), mask);
    },
  },
  {
    // (x & m) >> c → (x >> c) & (m >> c);  (x >> c) << d → (x << (d − c)) & …: masks go outermost
    name: "mask-after-shift",
    on: ["lshr"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (b?.kind !== "constant" || !isBinary(a, "and") || !tools.hasOneUse(a)) return undefined;
      const mask = operand(a, 1);
      if (mask.kind !== "constant" || b.value >= BigInt(bitWidth[type as ValueType]))
        return undefined;
      const shifted = tools.binary("lshr", operand(a, 0), b);
      return tools.binary("and", shifted, constant(type as ValueType, mask.value >> b.value));
    },
  },
  {
    // arithmetic shift of what is never negative → logical shift
    name: "arithmetic-shift-nonnegative",
    on: ["ashr"],
    rewrite: ({ operands: [a, b] }, tools) =>
      a && b && isNonNegative(a) ? tools.binary("lshr", a, b) : undefined,
  },
  {
    // (x << c) >>s c → sext(trunc x) where a type has that width
    name: "sign-extend-by-shifts",
    on: ["ashr"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (b?.kind !== "constant" || !isBinary(a, "shl") || !sameValue(operand(a, 1), b))
        return undefined;
      const width = bitWidth[type as ValueType] - Number(b.value);
      const narrow = ({ 8: "i8", 16: "i16", 32: "i32" } as const)[width];
      if (narrow === undefined || narrow === type) return undefined;
      return tools.convert("sext", tools.resize(operand(a, 0), narrow), type as ValueType);
    },
  },
  {
    // (x + y) >> k → x >> k   where the low k bits of x are zero and y has no others: nothing is carried
    name: "shift-out-addend",
    on: ["ashr", "lshr"],
    rewrite: ({ operation, operands: [a, b] }, tools) => {
      if (operation.op !== "binary" || b?.kind !== "constant" || !isBinary(a, "add"))
        return undefined;
      if (b.value >= BigInt(bitWidth[b.type as ValueType])) return undefined;
      const cut = onesOf(Number(b.value));
      const [x, y] = [operand(a, 0), operand(a, 1)];
      const drops = (kept: Value, added: Value): boolean =>
        (knownOf(kept).zeros & cut) === cut && knownOf(added).max <= cut;
      const kept = drops(x, y) ? x : drops(y, x) ? y : undefined;
      return kept && tools.binary(operation.binary, kept, b);
    },
  },
  {
    // bswap(bswap x) → x;  bswap(undef) → 0
    name: "swap-twice",
    on: ["bswap"],
    rewrite: ({ type, operands: [a] }) => {
      if (a?.kind === "undef") return constant(type as ValueType, 0n);
      return isOp(a, "bswap") ? operand(a, 0) : undefined;
    },
  },
  {
    // lshr(bswap x, high) → zext(bswap(trunc x)) where the upper 16 or 32 bits are left
    name: "upper-of-swapped",
    on: ["lshr"],
    rewrite: ({ type, operands: [a, b] }, tools) => {
      if (!isOp(a, "bswap") || b?.kind !== "constant") return undefined;
      const left = bitWidth[type as ValueType] - Number(b.value);
      const narrow = left === 16 ? "i16" : left === 32 ? "i32" : undefined;
      if (narrow === undefined || b.value === 0n) return undefined;
      const low = tools.convert("trunc", operand(a, 0), narrow);
      return tools.convert("zext", tools.convert("bswap", low, narrow), type as ValueType);
    },
  },
];
