/** Byte swaps that are written with shifts and masks: BPF has an instruction for them. */
import { bitWidth, type Value } from "../../4-lower/ir.ts";
import type { ValueType } from "../../4-lower/ir-builder.ts";
import { knownOf } from "../known-bits.ts";
import { isBinary, isOp, operand } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

export const byteSwapRules: readonly Rule[] = [
  {
    // (x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >> 24) → bswap x,  and so for 16 and 64 bits
    name: "byte-swap",
    on: ["or", "and", "trunc"],
    rewrite: (each, tools) => {
      const or = isOp(each, "binary") && each.operation.binary === "or" ? each : each.operands[0];
      if (!isBinary(or, "or") || !or.operands.some(isShifted)) return undefined;
      const source: Source = { value: undefined };
      const bytes = bytesOf(each, source, 0);
      return bytes && source.value && swapped(bytes, source.value, each.type as ValueType, tools);
    },
  },
];

interface Source {
  value: Value | undefined;
}

/** By byte of a value, the lowest first: which byte of the source it is; none where it is zero. */
type Bytes = readonly (number | "zero")[];

const deepest = 10;

function isShifted(value: Value): boolean {
  const shift = isBinary(value, "and") ? operand(value, 0) : value;
  return isBinary(shift, "shl") || isBinary(shift, "lshr");
}

function bytesOf(value: Value, source: Source, depth: number): Bytes | undefined {
  if (value.type === "ptr" || value.type === "void" || depth > deepest) return undefined;
  const width = bitWidth[value.type] / 8;
  if (value.kind !== "instruction") return leafBytes(value, source, width);
  const inner = (at: number): Bytes | undefined => bytesOf(operand(value, at), source, depth + 1);
  if (isOp(value, "zext") || isOp(value, "trunc")) return cutTo(inner(0), width);
  if (!isOp(value, "binary")) return leafBytes(value, source, width);
  const by = operand(value, 1);
  switch (value.operation.binary) {
    case "or":
      return joined(inner(0), inner(1));
    case "and":
      return by.kind === "constant" ? masked(inner(0), by.value) : leafBytes(value, source, width);
    case "shl":
    case "lshr": {
      if (by.kind !== "constant" || by.value % 8n !== 0n) return undefined;
      const from = inner(0);
      const step = Number(by.value / 8n) * (value.operation.binary === "shl" ? -1 : 1);
      return from?.map((_, at) => from[at + step] ?? "zero");
    }
    default:
      return leafBytes(value, source, width);
  }
}

function leafBytes(value: Value, source: Source, width: number): Bytes | undefined {
  source.value ??= value;
  if (source.value !== value || width < 1) return undefined;
  const { zeros } = knownOf(value);
  return Array.from({ length: width }, (_, at) =>
    ((zeros >> BigInt(8 * at)) & 0xffn) === 0xffn ? "zero" : at,
  );
}

function cutTo(bytes: Bytes | undefined, width: number): Bytes | undefined {
  return bytes && Array.from({ length: width }, (_, at) => bytes[at] ?? "zero");
}

function masked(bytes: Bytes | undefined, mask: bigint): Bytes | undefined {
  const masks = bytes?.map((_, at) => (mask >> BigInt(8 * at)) & 0xffn);
  const isWhole = masks?.every(
    (each, at) => each === 0n || each === 0xffn || bytes?.[at] === "zero",
  );
  return isWhole ? bytes?.map((each, at) => (masks?.[at] === 0n ? "zero" : each)) : undefined;
}

function joined(a: Bytes | undefined, b: Bytes | undefined): Bytes | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.some((each, at) => each !== "zero" && b[at] !== "zero")) return undefined;
  return a.map((each, at) => (each === "zero" ? (b[at] as number | "zero") : each));
}

/** The instruction that makes these bytes of the source, if there is one. */
function swapped(
  bytes: Bytes,
  source: Value,
  type: ValueType,
  tools: RuleTools,
): Value | undefined {
  const count = bytes.filter((each) => each !== "zero").length;
  const narrow = ({ 2: "i16", 4: "i32", 8: "i64" } as const)[count];
  if (narrow === undefined) return undefined;
  const isSwap = bytes.every((each, at) => each === (at < count ? count - 1 - at : "zero"));
  if (!isSwap || bitWidth[source.type as ValueType] < bitWidth[narrow]) return undefined;
  return tools.resize(tools.convert("bswap", tools.resize(source, narrow), narrow), type);
}
