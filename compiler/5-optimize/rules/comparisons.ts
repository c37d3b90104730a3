/**
 * Comparisons. Canonical: constant on the right, zero tests as eq/ne, no arithmetic in front of eq/ne. One table, as
 * all are tried on each comparison, and in this order.
 */
import { bitWidth, type IntPredicate, type Value } from "../../4-lower/ir.ts";
import { constant, sameValue, signedValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { addressRoot } from "../context.ts";
import { contextValueAt } from "../context-sizes.ts";
import {
  foldComparison,
  holdsForEqual,
  isEquality,
  swapBytesOf,
  swappedPredicate,
} from "../fold-constants.ts";
import { isFromDivision, isNonNegative, knownOf, onesOf } from "../known-bits.ts";
import { decideBetween, fullRange } from "../value-ranges.ts";
import { byteSize, constantAddress, isBinary, isConstant, isOp, operand } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

type Compare = (predicate: IntPredicate, a: Value, b: Value, tools: RuleTools) => Value | undefined;

const rule = (name: string, compare: Compare): Rule => ({
  name,
  on: ["icmp"],
  rewrite: (instruction, tools) => {
    const [a, b] = instruction.operands;
    if (instruction.operation.op !== "icmp" || a === undefined || b === undefined) return undefined;
    return compare(instruction.operation.predicate, a, b, tools);
  },
});

const truth = (value: boolean): Value => constant("i1", value ? 1n : 0n);

export const comparisonRules: readonly Rule[] = [
  // c < x → x > c
  rule("constant-right", (predicate, a, b, tools) =>
    a.kind === "constant" && b.kind !== "constant"
      ? tools.compare(swappedPredicate[predicate], b, a)
      : undefined,
  ),
  // undef < x → false
  rule("undefined", (_, a, b) =>
    a.kind === "undef" || b.kind === "undef" ? truth(false) : undefined,
  ),
  // x < x → false;  x <= x → true
  rule("same", (predicate, a, b) =>
    sameValue(a, b) ? truth(holdsForEqual(predicate)) : undefined,
  ),
  // Addresses of objects, of their members behind the first and in packets are not null, and no two objects begin at
  // one place;  p + c == p + d → c == d
  rule("addresses", (predicate, a, b, tools) => {
    if (a.type !== "ptr" || !isEquality(predicate)) return undefined;
    if (isConstant(b, 0n) && (isObjectAddress(a, tools) || isInPacket(a, tools)))
      return truth(predicate === "ne");
    const x = constantAddress(a);
    if (isConstant(b, 0n) && x.offset > 0 && x.base.kind !== "constant" && x.base.kind !== "global")
      return truth(predicate === "ne");
    const y = constantAddress(b);
    if (!sameValue(x.base, y.base)) {
      const areStarts = x.offset === 0 && y.offset === 0;
      const areObjects = areStarts && isObjectAddress(a, tools) && isObjectAddress(b, tools);
      return areObjects ? truth(predicate === "ne") : undefined;
    }
    return truth((x.offset === y.offset) === (predicate === "eq"));
  }),
  // x <u 1 → x == 0;  x >=u 1 → x != 0;  x >u 0 → x != 0;  x <=u 0 → x == 0
  rule("zero-test", (predicate, a, b, tools) => {
    if (b.kind !== "constant") return undefined;
    const zero = constant(b.type, 0n);
    if (b.value === 1n && predicate === "ult") return tools.compare("eq", a, zero);
    if (b.value === 1n && predicate === "uge") return tools.compare("ne", a, zero);
    if (b.value === 0n && predicate === "ugt") return tools.compare("ne", a, zero);
    if (b.value === 0n && predicate === "ule") return tools.compare("eq", a, zero);
    return undefined;
  }),
  // x /u d == 0 → x <u d;  x /u d <u c → x <u d · c;  x /u d >u c → x >=u d · (c + 1)
  // Whether it is zero is asked so also where the quotient is wanted: the verifier follows comparisons, and no
  // division. Any other bound is then the quotient's: what counts to it or is indexed by it needs one that is known.
  rule("quotient", (predicate, a, b, tools) => {
    if (!isBinary(a, "udiv") || b.kind !== "constant") return undefined;
    const divisor = operand(a, 1);
    const isZeroTest = isEquality(predicate) && b.value === 0n;
    if (divisor.kind !== "constant" || divisor.value === 0n) return undefined;
    if (!isZeroTest && !tools.hasOneUse(a)) return undefined;
    if (!isZeroTest && !["ult", "uge", "ule", "ugt"].includes(predicate)) return undefined;
    const isNext = isZeroTest || predicate === "ule" || predicate === "ugt";
    const limit = divisor.value * (isNext ? b.value + 1n : b.value);
    // What does not fit an immediate costs more than the test of the quotient.
    if (limit >= 1n << 31n || limit >= 1n << BigInt(bitWidth[b.type])) return undefined;
    const isBelow = predicate === "eq" || predicate === "ult" || predicate === "ule";
    return tools.compare(isBelow ? "ult" : "uge", operand(a, 0), constant(b.type, limit));
  }),
  // x <=u c → x <u c + 1 and the like: strict forms, so that equal tests are one value
  rule("strict", (predicate, a, b, tools) => {
    if (b.kind !== "constant" || b.type === "ptr") return undefined;
    const top = onesOf(bitWidth[b.type]);
    // The new constant must still be an immediate.
    if (b.type === "i64" && (signedValue(b) >= 0x7fffffffn || signedValue(b) <= -0x80000000n))
      return undefined;
    if (predicate === "ule" && b.value !== top)
      return tools.compare("ult", a, constant(b.type, b.value + 1n));
    if (predicate === "uge" && b.value !== 0n)
      return tools.compare("ugt", a, constant(b.type, b.value - 1n));
    if (predicate === "sle" && signedValue(b) !== top >> 1n) {
      return tools.compare("slt", a, constant(b.type, b.value + 1n));
    }
    if (predicate === "sge" && signedValue(b) !== -(top >> 1n) - 1n) {
      return tools.compare("sgt", a, constant(b.type, b.value - 1n));
    }
    return undefined;
  }),
  // A comparison that the operand's range decides, if the verifier finds that range too
  rule("range", (predicate, a, b, tools) => {
    if (a.type === "ptr" || a.type === "void" || a.type === "i1") return undefined;
    if (b.kind !== "constant") return undefined;
    const known = knownOf(a);
    const low = constant(a.type, known.min);
    const high = constant(a.type, known.max);
    const isUnsigned = predicate.startsWith("u");
    if (isUnsigned || (!isEquality(predicate) && isNonNegative(a))) {
      // That it is not negative needs no test: all others of it are unsigned ones.
      const isSign = b.value === 0n && predicate.endsWith("lt");
      if (isFromDivision(a) && !isSign && !isUsedOnlyHere(a, tools)) return undefined;
      const first = foldComparison(predicate, low, b).value;
      return first === foldComparison(predicate, high, b).value ? truth(first === 1n) : undefined;
    }
    if (!isEquality(predicate)) return undefined;
    const isImpossible =
      b.value < known.min || b.value > known.max || (b.value & known.zeros) !== 0n;
    return isImpossible ? truth(predicate === "ne") : undefined;
  }),
  // x < y where all that x can be is below all that y can be, or above
  rule("ranges-apart", (predicate, a, b, tools) => {
    if (a.type === "ptr" || a.type === "i1" || a.kind === "constant" || b.kind === "constant")
      return undefined;
    const decided = decideBetween(fullRange(a), predicate, fullRange(b));
    const isWanted = (value: Value): boolean =>
      isFromDivision(value) && !isUsedOnlyHere(value, tools);
    return decided === undefined || isWanted(a) || isWanted(b) ? undefined : truth(decided);
  }),
  // Signed → unsigned where neither side is negative
  rule("unsigned", (predicate, a, b, tools) => {
    if (!predicate.startsWith("s") || a.type === "ptr") return undefined;
    if (!isNonNegative(a) || !isNonNegative(b)) return undefined;
    return tools.compare(`u${predicate.slice(1)}` as IntPredicate, a, b);
  }),
  // zext(b) == 0 → !b;  zext(b) == 1 → b;  b == true → b   for truth values
  rule("truth", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant") return undefined;
    const source = isOp(a, "zext") ? operand(a, 0) : a;
    if (source.type !== "i1") return undefined;
    if (b.value > 1n) return truth(predicate === "ne");
    return (b.value === 1n) === (predicate === "eq") ? source : tools.not(source);
  }),
  // ext(x) ∘ ext(y) → x ∘ y;  ext(x) ∘ c → x ∘ trunc(c)   where nothing is lost and no address uses ext(x)
  rule("extended", narrowComparison),
  // sext(x) == c → zext(x) == c without the sign bits; false where c is no sign extension
  rule("sign-extended-equality", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant" || !isOp(a, "sext")) return undefined;
    const source = operand(a, 0);
    const narrow = source.type as ValueType;
    if (narrow !== "i8" && narrow !== "i16") return undefined;
    const cut = constant(narrow, b.value);
    if (signedValue(cut) !== signedValue(b)) return truth(predicate === "ne");
    const wide = tools.convert("zext", source, "i32");
    return tools.compare(predicate, wide, constant("i32", cut.value));
  }),
  // sext(x) + c <u d → zext(x) + c <u d, and >u, where the range holds no negative number: a loaded byte is
  // extended by zeros for nothing
  rule("sign-extended-range", (predicate, a, b, tools) => {
    if ((predicate !== "ult" && predicate !== "ugt") || b.kind !== "constant") return undefined;
    if (!isBinary(a, "add")) return undefined;
    const [extended, added] = [operand(a, 0), operand(a, 1)];
    if (!isOp(extended, "sext") || extended.type !== "i32" || added.kind !== "constant")
      return undefined;
    const source = operand(extended, 0);
    if (source.type !== "i8" && source.type !== "i16") return undefined;
    const isFree = isOp(source, "load") || (tools.hasOneUse(a) && tools.hasOneUse(extended));
    const first = -signedValue(added);
    const end = first + (predicate === "ult" ? b.value : b.value + 1n);
    if (!isFree || first < 0n || end > 1n << BigInt(bitWidth[source.type] - 1)) return undefined;
    const wide = tools.convert("zext", source, "i32");
    return tools.compare(predicate, tools.binary("add", wide, added), b);
  }),
  // trunc(x) ∘ c → x ∘ c where the cut bits are known to be zero
  rule("truncated", (predicate, a, b, tools) => {
    if (!isOp(a, "trunc") || predicate.startsWith("s")) return undefined;
    const source = operand(a, 0);
    const mask = onesOf(bitWidth[a.type as ValueType]);
    const to = source.type as ValueType;
    if (knownOf(source).max > mask) return undefined;
    // The verifier does not know that they are zero: whoever else reads trunc x would miss what this says of x.
    if (isFromDivision(source) && !tools.hasOneUse(a)) return undefined;
    if (b.kind === "constant") return tools.compare(predicate, source, constant(to, b.value));
    if (!isOp(b, "trunc") || operand(b, 0).type !== to || knownOf(operand(b, 0)).max > mask)
      return undefined;
    return tools.compare(predicate, source, operand(b, 0));
  }),
  // ptrtoint p == 0 → p == null;  ptrtoint p ∘ ptrtoint q → p ∘ q
  rule("pointer-as-integer", (predicate, a, b, tools) => {
    if (!isOp(a, "ptrtoint")) return undefined;
    if (isConstant(b, 0n) && isEquality(predicate)) {
      return tools.compare(predicate, operand(a, 0), constant("ptr", 0n));
    }
    return isOp(b, "ptrtoint") ? tools.compare(predicate, operand(a, 0), operand(b, 0)) : undefined;
  }),
  // x + c == d → x == d − c;  x ^ c == d → x == d ^ c;  x − y == 0 → x == y;  x ^ y == 0 → x == y
  // Not of a counter and its next value: both would need a register. Not with 0 where the sum is used besides: the
  // verifier is to learn of the sum, which may be an index, that one less is none below 0.
  rule("equality-of-sum", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant" || !isOp(a, "binary")) return undefined;
    const [x, y] = [operand(a, 0), operand(a, 1)];
    const { binary } = a.operation;
    if (isOp(x, "phi") && x.operands.includes(a)) return undefined;
    const isSum = binary === "add" || (binary === "sub" && !isOp(x, "ptrtoint"));
    if (isSum && b.value === 0n && !tools.hasOneUse(a)) return undefined;
    if (y.kind === "constant" && binary === "add") {
      return tools.compare(predicate, x, constant(b.type, b.value - y.value));
    }
    if (y.kind === "constant" && binary === "xor") {
      return tools.compare(predicate, x, constant(b.type, b.value ^ y.value));
    }
    const isDifference = binary === "sub" || binary === "xor";
    return isDifference && b.value === 0n && b.type !== "i1"
      ? tools.compare(predicate, x, y)
      : undefined;
  }),
  // ~x < c → ~c < x, signed or not
  rule("complement", (predicate, a, b, tools) => {
    if (isEquality(predicate) || b.kind !== "constant" || !isBinary(a, "xor")) return undefined;
    const [x, ones] = [operand(a, 0), operand(a, 1)];
    if (ones.kind !== "constant" || signedValue(ones) !== -1n || !tools.hasOneUse(a))
      return undefined;
    const bound = onesOf(bitWidth[b.type]) ^ b.value;
    return tools.compare(swappedPredicate[predicate], x, constant(b.type, bound));
  }),
  // x * c == d → x == d / c, or false where c does not divide d   if the product does not wrap
  rule("equality-of-product", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant" || !isBinary(a, "mul")) return undefined;
    const [x, factor] = [operand(a, 0), operand(a, 1)];
    if (factor.kind !== "constant" || factor.value === 0n) return undefined;
    const isExact = knownOf(x).max * factor.value <= onesOf(bitWidth[b.type]);
    if (!isExact) return undefined;
    if (b.value % factor.value !== 0n) return truth(predicate === "ne");
    if (!tools.hasOneUse(a)) return undefined;
    return tools.compare(predicate, x, constant(b.type, b.value / factor.value));
  }),
  // bswap x == c → x == bswap c;  bswap x == bswap y → x == y
  // Not with 0 where bswap x is used besides: it may be a size, and the verifier is to learn that it is none of 0.
  rule("swapped", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || !isOp(a, "bswap")) return undefined;
    if (b.kind === "constant") {
      if (b.value === 0n && !tools.hasOneUse(a)) return undefined;
      // What is cut off must then be masked: no gain while the swapped value is used besides.
      if (isOp(operand(a, 0), "trunc") && !tools.hasOneUse(a)) return undefined;
      return tools.compare(predicate, operand(a, 0), swapBytesOf(b));
    }
    return isOp(b, "bswap") ? tools.compare(predicate, operand(a, 0), operand(b, 0)) : undefined;
  }),
  // zext(bswap x) == c → zext x == bswap c
  rule("swapped-extended", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant" || !isOp(a, "zext")) return undefined;
    const swapped = operand(a, 0);
    if (!isOp(swapped, "bswap")) return undefined;
    const isFree = tools.hasOneUse(a) && tools.hasOneUse(swapped);
    if ((b.value === 0n || isOp(operand(swapped, 0), "trunc")) && !isFree) return undefined;
    const narrow = swapped.type as ValueType;
    if (b.value > onesOf(bitWidth[narrow])) return truth(predicate === "ne");
    const wide = a.type as ValueType;
    const source = tools.convert("zext", operand(swapped, 0), wide);
    const bound = swapBytesOf(constant(narrow, b.value)).value;
    return tools.compare(predicate, source, constant(wide, bound));
  }),
  // (bswap x) & m == c → x & bswap m == bswap c
  rule("swapped-mask", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant" || !isBinary(a, "and")) return undefined;
    const [swapped, mask] = [operand(a, 0), operand(a, 1)];
    if (!isOp(swapped, "bswap") || mask.kind !== "constant" || !tools.hasOneUse(a))
      return undefined;
    const masked = tools.binary("and", operand(swapped, 0), swapBytesOf(mask));
    return tools.compare(predicate, masked, swapBytesOf(b));
  }),
  // zext(bswap x) & m == c → zext x & … : the extension moves out of the way first
  rule("swapped-extended-mask", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || b.kind !== "constant" || !isBinary(a, "and")) return undefined;
    const [wide, mask] = [operand(a, 0), operand(a, 1)];
    if (!isOp(wide, "zext") || mask.kind !== "constant" || !tools.hasOneUse(a)) return undefined;
    const swapped = operand(wide, 0);
    if (!isOp(swapped, "bswap")) return undefined;
    const narrow = swapped.type as ValueType;
    if (b.value > onesOf(bitWidth[narrow])) return truth(predicate === "ne");
    const source = tools.convert("zext", operand(swapped, 0), wide.type as ValueType);
    const bits = (value: bigint) =>
      constant(wide.type as ValueType, swapBytesOf(constant(narrow, value)).value);
    return tools.compare(predicate, tools.binary("and", source, bits(mask.value)), bits(b.value));
  }),
  // (x >> c) & m == d → x & (m << c) == d << c;  x >> c == d → x & … where the mask is an immediate
  rule("shifted-mask", (predicate, a, b, tools) => {
    if (
      !isEquality(predicate) ||
      b.kind !== "constant" ||
      !isBinary(a, "and") ||
      !tools.hasOneUse(a)
    ) {
      return undefined;
    }
    const [shifted, mask] = [operand(a, 0), operand(a, 1)];
    if (!isBinary(shifted, "lshr") || mask.kind !== "constant" || !tools.hasOneUse(shifted))
      return undefined;
    const amount = operand(shifted, 1);
    if (amount.kind !== "constant" || amount.value > 31n) return undefined;
    const [m, d] = [mask.value << amount.value, b.value << amount.value];
    if (m > 0x7fffffffn || d > 0x7fffffffn) return undefined;
    const masked = tools.binary("and", operand(shifted, 0), constant(b.type, m));
    return tools.compare(predicate, masked, constant(b.type, d));
  }),
  // x >> c == 0 → x <u 2^c;  x >> c != 0 → x >u 2^c − 1: the verifier learns about x itself
  // Not where x >> c is used besides: it would learn nothing about that.
  rule("shifted-zero-test", (predicate, a, b, tools) => {
    if (!isEquality(predicate) || !isConstant(b, 0n) || !isBinary(a, "lshr")) return undefined;
    if (!tools.hasOneUse(a)) return undefined;
    const amount = operand(a, 1);
    const width = bitWidth[a.type as ValueType];
    if (amount.kind !== "constant" || amount.value >= BigInt(width) || amount.value > 31n)
      return undefined;
    const top = constant(a.type as ValueType, onesOf(Number(amount.value)));
    const isZero = predicate === "eq";
    if (a.type === "i64" && amount.value === 31n && isZero) return undefined;
    return isZero
      ? tools.compare("ult", operand(a, 0), constant(top.type, top.value + 1n))
      : tools.compare("ugt", operand(a, 0), top);
  }),
  // x >> c <u d → x <u d << c;  x >> c >u d → x >u (d << c) + 2^c − 1
  rule("shifted-bound", (predicate, a, b, tools) => {
    if (b.kind !== "constant" || !isBinary(a, "lshr") || !tools.hasOneUse(a)) return undefined;
    const amount = operand(a, 1);
    if (amount.kind !== "constant" || amount.value >= BigInt(bitWidth[a.type as ValueType]))
      return undefined;
    const bound = b.value << amount.value;
    const top = bound + onesOf(Number(amount.value));
    if (top > 0x7fffffffn) return undefined;
    const x = operand(a, 0);
    if (predicate === "ult") return tools.compare("ult", x, constant(b.type, bound));
    return predicate === "ugt" ? tools.compare("ugt", x, constant(b.type, top)) : undefined;
  }),
  // (c ? k : l) == k → c or !c for constants that differ
  rule("select-of-constants", (predicate, a, b, tools) => {
    if (!isOp(a, "select") || b.kind !== "constant") return undefined;
    const [x, y] = [operand(a, 1), operand(a, 2)];
    if (x.kind !== "constant" || y.kind !== "constant") return undefined;
    const first = foldComparison(predicate, x, b).value;
    if (first === foldComparison(predicate, y, b).value) return truth(first === 1n);
    return first === 1n ? operand(a, 0) : tools.not(operand(a, 0));
  }),
];

/** Never null: a stack object, a global that is defined here. */
function isObjectAddress(pointer: Value, tools: RuleTools): boolean {
  const { base } = constantAddress(pointer);
  if (isOp(base, "alloca")) return true;
  if (base.kind !== "global") return false;
  const global = tools.context.globals.get(base.symbol);
  if (global !== undefined) return !global.isExtern && global.binding !== "weak";
  const fn = tools.context.functions.get(base.symbol);
  return fn !== undefined && fn.binding !== "weak";
}

/** In a packet: the context has no null pointers to those. */
function isInPacket(pointer: Value, { fn }: RuleTools): boolean {
  let root = addressRoot(pointer);
  if (isOp(root, "inttoptr")) root = operand(root, 0);
  if (isOp(root, "zext")) root = operand(root, 0);
  if (!isOp(root, "load") || root.type === "void") return false;
  return contextValueAt(operand(root, 0), byteSize[root.type], fn) === "pkt";
}

function narrowComparison(
  predicate: IntPredicate,
  a: Value,
  b: Value,
  tools: RuleTools,
): Value | undefined {
  const isSigned = isOp(a, "sext");
  if (a.kind !== "instruction" || !(isSigned || isOp(a, "zext"))) return undefined;
  const source = operand(a, 0);
  if (source.type !== "i32" || !tools.hasOneUse(a)) return undefined;
  // After a zero extension signed and unsigned order agree, and it is the unsigned one below.
  const below = isSigned ? predicate : (predicate.replace(/^s/, "u") as IntPredicate);
  if (b.kind === "constant") {
    const fits = isSigned ? inSigned32(signedValue(b)) : b.value <= onesOf(32);
    return fits ? tools.compare(below, source, constant("i32", b.value)) : undefined;
  }
  if (!isOp(b, isSigned ? "sext" : "zext") || !tools.hasOneUse(b)) return undefined;
  const other = operand(b, 0);
  return other.type === "i32" ? tools.compare(below, source, other) : undefined;
}

/**
 * What nothing else reads: nobody wants to know its bounds. Of what it was computed from the verifier learns nothing by
 * a test of the result, but of a copy and of what a constant was added to.
 */
function isUsedOnlyHere(value: Value, tools: RuleTools): boolean {
  let at = value;
  while (tools.hasOneUse(at) && (isOp(at, "zext") || isOp(at, "trunc") || isBinary(at, "add"))) {
    at = operand(at, 0);
  }
  return tools.hasOneUse(at) && isOp(at, "binary");
}

const inSigned32 = (value: bigint): boolean => value >= -0x80000000n && value <= 0x7fffffffn;
