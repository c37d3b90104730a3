/** Reading and writing places: scalars, bit-fields, whole objects. */
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { canonical, isSigned } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { integerOf, isMemory, scalarType } from "./lower-types.ts";
import { addressOf, bitFieldUnit, type Place } from "./place.ts";

/** The memory access that covers a bit-field, and where the field lies in it. */
interface BitAccess {
  readonly offset: number;
  readonly size: number;
  readonly shift: number;
  readonly width: number;
}

/**
 * The narrowest aligned access that holds the whole bit-field and stays in its record. A CO-RE chain
 * uses the unit that loaders compute with.
 */
function bitAccess(state: FunctionState, place: Place): BitAccess | undefined {
  const { bits } = place;
  if (bits === undefined) return undefined;
  const width = bits.field.bitWidth ?? 0;
  const little = state.module.endian === "little";
  const access = (offset: number, size: number): BitAccess => {
    const start = bits.bitOffset - offset * 8;
    return { offset, size, width, shift: little ? start : size * 8 - start - width };
  };
  if (place.core !== undefined) {
    const unit = bitFieldUnit(bits, place.type);
    return access(unit.offset, unit.size);
  }
  const first = bits.bitOffset >> 3;
  const last = (bits.bitOffset + width - 1) >> 3;
  for (const size of [1, 2, 4, 8]) {
    const offset = first - (first % size);
    if (last < offset + size && offset + size <= Math.max(bits.recordSize, last + 1))
      return access(offset, size);
  }
  // Packed fields may straddle every aligned unit: an unaligned one then.
  for (const size of [1, 2, 4, 8]) {
    if (last - first < size) return access(first, size);
  }
  return undefined;
}

function alignAt(align: number, offset: number): number {
  return offset === 0 ? align : Math.min(align, offset & -offset);
}

function unitPlace(
  state: FunctionState,
  place: Place,
  access: BitAccess,
): { address: Value; align: number } {
  const base = addressOf(state, place);
  const address = place.core === undefined ? state.offset(base, access.offset) : base;
  return { address, align: Math.min(access.size, alignAt(place.align, access.offset)) };
}

function shift(
  state: FunctionState,
  op: "shl" | "lshr" | "ashr",
  value: Value,
  amount: number,
): Value {
  if (amount === 0) return value;
  const { type } = value as { type: ValueType };
  return state.emit(type, { op: "binary", binary: op }, [value, constant(type, amount)]);
}

/** Widens or narrows an integer value. */
export function convertInteger(
  state: FunctionState,
  value: Value,
  to: ValueType,
  signed: boolean,
): Value {
  const from = value.type;
  if (from === to || from === "void") return value;
  const bits = (type: string): number => Number(type.slice(1));
  if (value.kind === "constant") {
    const known = signed ? BigInt.asIntN(bits(from), value.value) : value.value;
    return constant(to, known);
  }
  if (bits(to) < bits(from)) return state.emit(to, { op: "trunc" }, [value]);
  return state.emit(to, { op: signed ? "sext" : "zext" }, [value]);
}

function readBits(state: FunctionState, place: Place, access: BitAccess): Value {
  const { address, align } = unitPlace(state, place, access);
  const unit = integerOf(access.size * 8);
  const operation = { op: "load" as const, align, volatile: place.volatile };
  let value: Value = state.emit(unit, operation, [address]);
  const wide = integerOf(Math.max(32, access.size * 8));
  const bits = Math.max(32, access.size * 8);
  value = convertInteger(state, value, wide, false);
  if (isSigned(place.type)) {
    value = shift(state, "shl", value, bits - access.width - access.shift);
    value = shift(state, "ashr", value, bits - access.width);
  } else {
    value = shift(state, "lshr", value, access.shift);
    if (access.width + access.shift < access.size * 8) {
      const mask = (1n << BigInt(access.width)) - 1n;
      value = state.emit(wide, { op: "binary", binary: "and" }, [value, constant(wide, mask)]);
    }
  }
  return convertInteger(state, value, scalarType(place.type), isSigned(place.type));
}

function writeBits(state: FunctionState, place: Place, access: BitAccess, value: Value): void {
  const { address, align } = unitPlace(state, place, access);
  const unit = integerOf(access.size * 8);
  const bits = access.size * 8;
  const field = convertInteger(state, value, unit, false);
  const store = { op: "store" as const, align, volatile: place.volatile };
  if (access.width === bits) {
    state.emit("void", store, [field, address]);
    return;
  }
  const mask = ((1n << BigInt(access.width)) - 1n) << BigInt(access.shift);
  const load = { op: "load" as const, align, volatile: place.volatile };
  const old = state.emit(unit, load, [address]);
  const kept = state.emit(unit, { op: "binary", binary: "and" }, [old, constant(unit, ~mask)]);
  const moved = shift(state, "shl", field, access.shift);
  const cut = state.emit(unit, { op: "binary", binary: "and" }, [moved, constant(unit, mask)]);
  const merged = state.emit(unit, { op: "binary", binary: "or" }, [kept, cut]);
  state.emit("void", store, [merged, address]);
}

/** The value at a place; of memory types its address. */
export function readPlace(state: FunctionState, place: Place): Value {
  const access = bitAccess(state, place);
  if (access !== undefined) return readBits(state, place, access);
  const address = addressOf(state, place);
  if (isMemory(place.type) || canonical(place.type).type.kind === "function") return address;
  if (canonical(place.type).type.kind === "void") return constant("i64", 0);
  return state.emit(
    scalarType(place.type),
    { op: "load", align: place.align, volatile: place.volatile },
    [address],
  );
}

/** Stores a scalar, or copies an object from the address `value`. */
export function writePlace(state: FunctionState, place: Place, value: Value): void {
  const access = bitAccess(state, place);
  if (access !== undefined) {
    writeBits(state, place, access, value);
    return;
  }
  const address = addressOf(state, place);
  if (isMemory(place.type))
    copyObject(state, address, value, place.type, place.align, place.volatile);
  else
    state.emit("void", { op: "store", align: place.align, volatile: place.volatile }, [
      value,
      address,
    ]);
}

/** Copies an object of that type; empty ones need nothing. */
export function copyObject(
  state: FunctionState,
  to: Value,
  from: Value,
  type: QualType,
  dstAlign = Math.max(1, alignOf(type)),
  volatile = false,
): void {
  const size = sizeOf(type);
  if (size === 0) return;
  const srcAlign = Math.max(1, alignOf(type));
  state.emit("void", { op: "memcpy", dstAlign, srcAlign, volatile }, [
    to,
    from,
    constant("i64", size),
  ]);
}

/**
 * What an assignment to a bit-field yields: the value as the field holds it, without reading it
 * again.
 */
export function asStored(state: FunctionState, place: Place, value: Value): Value {
  const width = place.bits?.field.bitWidth;
  const type = value.type;
  if (width === undefined || type === "void" || type === "ptr") return value;
  const bits = Number(type.slice(1));
  if (width >= bits) return value;
  if (!isSigned(place.type)) {
    const mask = (1n << BigInt(width)) - 1n;
    return state.emit(type, { op: "binary", binary: "and" }, [value, constant(type, mask)]);
  }
  return shift(state, "ashr", shift(state, "shl", value, bits - width), bits - width);
}
