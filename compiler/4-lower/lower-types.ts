/** C types as the IR sees them: scalars have an IR type, everything else is memory. */
import { sizeOf } from "../3-check/layout.ts";
import { asRecord, canonical, isVoid, plain, scalarBits } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import type { AccessedType, IntegerIrType, IrType } from "./ir.ts";
import type { ValueType } from "./ir-builder.ts";

const integerTypes: Readonly<Record<number, IntegerIrType>> = {
  1: "i1",
  8: "i8",
  16: "i16",
  32: "i32",
  64: "i64",
};

/** The integer type of that many bits (1, 8, 16, 32, 64). */
export function integerOf(bits: number): IntegerIrType {
  return integerTypes[bits] ?? "i64";
}

/** Records, arrays, 128-bit integers and va_list: handled by their address. */
export function isMemory(type: QualType): boolean {
  const { type: bare } = canonical(type);
  switch (bare.kind) {
    case "struct":
    case "union":
    case "array":
    case "va_list":
      return true;
    case "int":
      return bare.rank === "int128";
    default:
      return false;
  }
}

/** The IR type of a scalar's value; `_Bool` is i8. */
export function scalarType(type: QualType): ValueType {
  const { type: bare } = canonical(type);
  switch (bare.kind) {
    case "bool":
      return "i8";
    case "int":
    case "enum":
      return integerOf(scalarBits(type));
    case "float":
      return bare.size === 4 ? "i32" : "i64";
    default:
      return "ptr";
  }
}

/** Whether what is accessed as this type may be of any: attribute may_alias, on a name of it or itself. */
export function aliasesAny(type: QualType): boolean {
  let at = type;
  while (at.mayAlias !== true && at.type.kind === "typedef") at = at.type.type;
  return at.mayAlias === true || asRecord(at)?.mayAlias === true;
}

/** By what type aliasing knows a scalar: an enum is its integer type, and signs do not count. */
export function accessedType(type: QualType): AccessedType | undefined {
  if (aliasesAny(type)) return undefined;
  const { type: bare } = canonical(type);
  switch (bare.kind) {
    case "int":
      return bare.rank === "char" || bare.rank === "int128" ? undefined : bare.rank;
    case "enum":
      // One that is only declared may be of any size.
      return bare.definition && accessedType(plain(bare.definition.underlying));
    case "bool":
    case "pointer":
      return bare.kind;
    case "float":
      return bare.name;
    default:
      return undefined;
  }
}

/** The IR type of a function's result; records are returned through a hidden pointer. */
export function resultType(type: QualType): IrType {
  if (isVoid(type) || isMemory(type)) return "void";
  const scalar = scalarType(type);
  // Narrow results are extended by the callee.
  return scalar === "i8" || scalar === "i16" ? "i32" : scalar;
}

/** How an argument of memory type is passed: its parts in registers (up to 16 bytes), or by address. */
export function recordPieces(type: QualType): number | "address" {
  const size = sizeOf(type);
  return size > 16 || asRecord(type) === undefined ? "address" : Math.ceil(size / 8);
}
