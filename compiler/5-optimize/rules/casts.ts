/** Extensions, truncations, pointer casts. Canonical: as few as possible, arithmetic in i32 or i64. */
import { type BinaryOp, bitWidth, type Value } from "../../4-lower/ir.ts";
import { constant, nullPointer, type ValueType } from "../../4-lower/ir-builder.ts";
import { isFromDivision, isNonNegative, knownOf, onesOf } from "../known-bits.ts";
import { isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule } from "./rule.ts";

/** The low bits of the result depend on the low bits of the operands only. */
const lowBitsOnly: ReadonlySet<BinaryOp> = new Set(["add", "sub", "mul", "and", "or", "xor"]);

const widthOf = (value: { type: string }): number => bitWidth[value.type as ValueType];

export const castRules: readonly Rule[] = [
  {
    // ext(undef) → 0, as reading it must be possible
    name: "cast-of-undefined",
    on: ["zext", "sext", "trunc", "ptrtoint", "inttoptr"],
    rewrite: ({ type, operands: [a] }) =>
      a?.kind === "undef" ? constant(type as ValueType, 0n) : undefined,
  },
  {
    // zext(zext x) → zext x;  sext(zext x) → zext x;  sext(sext x) → sext x
    // The last where nobody else has the inner one: a check of that says nothing about x.
    name: "extension-of-extension",
    on: ["zext", "sext"],
    rewrite: ({ operation, type, operands: [a] }, tools) => {
      if (isOp(a, "zext")) return tools.convert("zext", operand(a, 0), type as ValueType);
      if (operation.op === "sext" && isOp(a, "sext") && tools.hasOneUse(a)) {
        return tools.convert("sext", operand(a, 0), type as ValueType);
      }
      return undefined;
    },
  },
  {
    // sext(sext x >>s k) → sext x >>s k   in the wider type, with one extension
    name: "sign-extend-shifted",
    on: ["sext"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (!isBinary(a, "ashr") || !tools.hasOneUse(a)) return undefined;
      const source = operand(a, 0);
      const amount = operand(a, 1);
      if (!isOp(source, "sext") || amount.kind !== "constant") return undefined;
      if (amount.value >= BigInt(widthOf(a))) return undefined;
      const wide = tools.convert("sext", operand(source, 0), type as ValueType);
      return tools.binary("ashr", wide, constant(type as ValueType, amount.value));
    },
  },
  {
    // sext(trunc p) → p or sext p   where the caller has sign-extended p from no more than that
    name: "sign-extend-parameter",
    on: ["sext"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (!isOp(a, "trunc")) return undefined;
      const source = operand(a, 0);
      if (source.kind !== "parameter" || source.trusted !== true) return undefined;
      const { extendedFrom } = source;
      if (extendedFrom === undefined || extendedFrom[0] === "u") return undefined;
      if (Number(extendedFrom.slice(1)) > widthOf(a) || widthOf({ type }) < widthOf(source))
        return undefined;
      return type === source.type ? source : tools.convert("sext", source, type as ValueType);
    },
  },
  {
    // sext x → zext x where x is never negative
    name: "sign-extend-nonnegative",
    on: ["sext"],
    rewrite: ({ type, operands: [a] }, tools) =>
      a && a.type !== "i1" && isNonNegative(a)
        ? tools.convert("zext", a, type as ValueType)
        : undefined,
  },
  {
    // trunc(trunc x) → trunc x;  trunc(ext x) → x, ext x or trunc x
    name: "truncate-cast",
    on: ["trunc"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (isOp(a, "trunc")) return tools.convert("trunc", operand(a, 0), type as ValueType);
      const isZext = isOp(a, "zext");
      if (a?.kind !== "instruction" || !(isZext || isOp(a, "sext"))) return undefined;
      const source = operand(a, 0);
      if (widthOf(source) >= widthOf({ type })) return tools.resize(source, type as ValueType);
      return tools.convert(isZext ? "zext" : "sext", source, type as ValueType);
    },
  },
  {
    // zext(trunc x) → x & mask, or x where its upper bits are zero; into i64 from i32 it stays: w = w
    // The mask where nobody else reads trunc x: selection clears that once, and who checks it and who uses it
    // in another width, or after a join, have one register. Masked in the width that x has: two that are made of one x
    // are then one value.
    name: "zero-extend-truncated",
    on: ["zext"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (!isOp(a, "trunc")) return undefined;
      const source = operand(a, 0);
      const mask = onesOf(widthOf(a));
      // What the verifier does not know to be that small is used as it is only where nobody else reads trunc x.
      const isShort = knownOf(source).max <= mask;
      if (isShort && !(isFromDivision(source) && !tools.isReadOnce(a)))
        return tools.resize(source, type as ValueType);
      if (widthOf(a) === 32 || !tools.isReadOnce(a)) return undefined;
      const width = type === "i32" ? (source.type as ValueType) : (type as ValueType);
      const masked = tools.binary("and", tools.resize(source, width), constant(width, mask));
      return tools.resize(masked, type as ValueType);
    },
  },
  {
    // trunc(a ∘ b) → trunc a ∘ trunc b   to i32, where that makes an extension vanish or a constant small
    name: "narrow-arithmetic",
    on: ["trunc"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (type !== "i32" || !isOp(a, "binary") || !tools.hasOneUse(a)) return undefined;
      const { binary } = a.operation;
      const x = operand(a, 0);
      const y = operand(a, 1);
      const isShift = binary === "shl" && y.kind === "constant" && y.value < 32n;
      if (!lowBitsOnly.has(binary) && !isShift) return undefined;
      return tools.binary(binary, tools.resize(x, "i32"), tools.resize(y, "i32"));
    },
  },
  {
    // trunc(x >> c) → trunc(x) >> c   to i32, where the bits that come in are zero
    name: "narrow-shift",
    on: ["trunc"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (type !== "i32" || !isBinary(a, "lshr") || !tools.hasOneUse(a)) return undefined;
      const source = operand(a, 0);
      const amount = operand(a, 1);
      if (amount.kind !== "constant" || amount.value >= 32n) return undefined;
      if (knownOf(source).max > onesOf(32)) return undefined;
      return tools.binary("lshr", tools.resize(source, "i32"), constant("i32", amount.value));
    },
  },
  {
    // trunc(x & m) → trunc x   to i8 or i16, where m keeps all its bits
    name: "truncate-masked",
    on: ["trunc"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (!isBinary(a, "and")) return undefined;
      const mask = operand(a, 1);
      const kept = onesOf(widthOf({ type }));
      if (mask.kind !== "constant" || (mask.value & kept) !== kept) return undefined;
      return tools.resize(operand(a, 0), type as ValueType);
    },
  },
  {
    // trunc(sext x ∘ y) → trunc(zext x ∘ y) for ∘ in +, −, *, &, |, ^, <<: the sign bits are cut off again
    name: "truncate-without-sign",
    on: ["trunc"],
    rewrite: ({ type, operands: [a] }, tools) => {
      if (!isOp(a, "binary") || !tools.hasOneUse(a) || type === "i32") return undefined;
      const { binary } = a.operation;
      if (!lowBitsOnly.has(binary) && binary !== "shl") return undefined;
      const isSigned = (value: Value): boolean =>
        isOp(value, "sext") && widthOf(operand(value, 0)) >= widthOf({ type });
      const [x, y] = [operand(a, 0), operand(a, 1)];
      if (!isSigned(x) && !(isSigned(y) && binary !== "shl")) return undefined;
      const plain = (value: Value): Value =>
        isOp(value, "sext") && isSigned(value)
          ? tools.convert("zext", operand(value, 0), value.type as ValueType)
          : value;
      const sum = tools.binary(binary, plain(x), binary === "shl" ? y : plain(y));
      return tools.convert("trunc", sum, type as ValueType);
    },
  },
  {
    // zext(c ? x : y) of constants → c ? zext x : zext y
    name: "extend-select",
    on: ["zext", "sext", "trunc"],
    rewrite: ({ operation, type, operands: [a] }, tools) => {
      if (operation.op !== "zext" && operation.op !== "sext" && operation.op !== "trunc")
        return undefined;
      if (!isOp(a, "select") || !tools.hasOneUse(a)) return undefined;
      const x = operand(a, 1);
      const y = operand(a, 2);
      if (x.kind !== "constant" && y.kind !== "constant") return undefined;
      const to = type as ValueType;
      const arms = [tools.convert(operation.op, x, to), tools.convert(operation.op, y, to)];
      return tools.emit(type, { op: "select" }, [operand(a, 0), ...arms]);
    },
  },
  {
    // ptrtoint(inttoptr x) → x;  inttoptr(ptrtoint p) → p
    name: "pointer-round-trip",
    on: ["ptrtoint", "inttoptr"],
    rewrite: ({ operation, operands: [a] }) => {
      const opposite = operation.op === "ptrtoint" ? "inttoptr" : "ptrtoint";
      return isOp(a, opposite) ? operand(a, 0) : undefined;
    },
  },
  {
    // inttoptr(ptrtoint p + x) → p + x: the verifier follows the pointer either way, addresses fold
    name: "integer-sum-is-address",
    on: ["inttoptr"],
    rewrite: ({ operands: [a] }, tools) => {
      if (!isBinary(a, "add")) return undefined;
      const x = operand(a, 0);
      const y = operand(a, 1);
      if (isOp(x, "ptrtoint")) return tools.addOffset(operand(x, 0), y);
      return isOp(y, "ptrtoint") ? tools.addOffset(operand(y, 0), x) : undefined;
    },
  },
  {
    // inttoptr(0) → null
    name: "zero-is-null",
    on: ["inttoptr"],
    rewrite: ({ operands: [a] }) => (isConstant(a, 0n) ? nullPointer : undefined),
  },
];
