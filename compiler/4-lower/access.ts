/** Reading and writing places: scalars, bit-fields, whole objects. */
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { canonical, isSigned } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { bitFieldUnit } from "./bit-field.ts";
import type { FunctionState } from "./function-state.ts";
import type { AccessedType, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { accessedType, integerOf, isMemory, scalarType } from "./lower-types.ts";
import { addressOf, type Place } from "./place.ts";
import { alignAt } from "./pointer-alignment.ts";

/** A memory access that holds a bit-field or a part of it. */
interface BitPiece {
  /** Bytes from the record's start, and the access's size. */
  readonly offset: number;
  readonly size: number;
  /** Where the part lies in the access, from its lowest bit. */
  readonly shift: number;
  readonly width: number;
  /** Where the part lies in the value. */
  readonly at: number;
}

type BitPlace = Place & { readonly bits: NonNullable<Place["bits"]> };

function isBitPlace(place: Place): place is BitPlace {
  return place.bits !== undefined;
}

/** The part of the bit-field that the access at `offset` holds. */
function pieceAt(state: FunctionState, { bits }: BitPlace, offset: number, size: number): BitPiece {
  const start = bits.bitOffset;
  const end = start + (bits.field.bitWidth ?? 0);
  const from = Math.max(start, offset * 8);
  const to = Math.min(end, (offset + size) * 8);
  const width = to - from;
  const little = state.module.endian === "little";
  const shift = little ? from - offset * 8 : (offset + size) * 8 - to;
  return { offset, size, width, shift, at: little ? from - start : end - to };
}

/**
 * The accesses that hold a bit-field: the narrowest aligned one that stays among the bit-fields around
 * it, so that a write disturbs no other member; where there is none, several. A CO-RE chain uses the
 * unit that loaders compute with.
 */
function bitPieces(state: FunctionState, place: BitPlace): BitPiece[] {
  const { bits } = place;
  if (place.core !== undefined) {
    const unit = bitFieldUnit(bits, place.type);
    return [pieceAt(state, place, unit.offset, unit.size)];
  }
  const first = bits.bitOffset >> 3;
  const end = (bits.bitOffset + (bits.field.bitWidth ?? 0) + 7) >> 3;
  for (const size of [1, 2, 4, 8]) {
    const offset = first - (first % size);
    if (end <= offset + size && offset >= bits.runStart && offset + size <= bits.runEnd) {
      return [pieceAt(state, place, offset, size)];
    }
  }
  const pieces: BitPiece[] = [];
  for (let at = first; at < end; at += pieces.at(-1)?.size ?? 1) {
    const size = [8, 4, 2].find((each) => at % each === 0 && at + each <= end) ?? 1;
    pieces.push(pieceAt(state, place, at, size));
  }
  return pieces;
}

function unitPlace(
  state: FunctionState,
  place: Place,
  piece: BitPiece,
): { address: Value; align: number } {
  const base = addressOf(state, place);
  const address = place.core === undefined ? state.offset(base, piece.offset) : base;
  return { address, align: Math.min(piece.size, alignAt(place.align, piece.offset)) };
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

/** The part's bits as the low bits of a value; `signed`: extended by the highest of them. */
function readPiece(
  state: FunctionState,
  place: Place,
  piece: BitPiece,
  bits: 32 | 64,
  signed: boolean,
): Value {
  const { address, align } = unitPlace(state, place, piece);
  const wide = integerOf(bits);
  const operation = { op: "load" as const, align, volatile: place.volatile };
  const loaded = state.emit(integerOf(piece.size * 8), operation, [address]);
  const value = convertInteger(state, loaded, wide, false);
  if (signed) {
    const top = shift(state, "shl", value, bits - piece.width - piece.shift);
    return shift(state, "ashr", top, bits - piece.width);
  }
  const low = shift(state, "lshr", value, piece.shift);
  if (piece.width + piece.shift === piece.size * 8) return low;
  const mask = (1n << BigInt(piece.width)) - 1n;
  return state.emit(wide, { op: "binary", binary: "and" }, [low, constant(wide, mask)]);
}

function readBits(state: FunctionState, place: BitPlace): Value {
  const pieces = bitPieces(state, place);
  const signed = isSigned(place.type);
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) {
    const value = readPiece(state, place, only, only.size === 8 ? 64 : 32, signed);
    return convertInteger(state, value, scalarType(place.type), signed);
  }
  let value: Value = constant("i64", 0);
  for (const piece of pieces) {
    const part = shift(state, "shl", readPiece(state, place, piece, 64, false), piece.at);
    value = state.emit("i64", { op: "binary", binary: "or" }, [value, part]);
  }
  const unused = 64 - (place.bits.field.bitWidth ?? 0);
  if (signed) value = shift(state, "ashr", shift(state, "shl", value, unused), unused);
  return convertInteger(state, value, scalarType(place.type), signed);
}

function writePiece(state: FunctionState, place: Place, piece: BitPiece, value: Value): void {
  const { address, align } = unitPlace(state, place, piece);
  const bits = piece.size * 8;
  const unit = integerOf(bits);
  const field = convertInteger(state, shift(state, "lshr", value, piece.at), unit, false);
  const store = { op: "store" as const, align, volatile: place.volatile };
  if (piece.width === bits) {
    state.emit("void", store, [field, address]);
    return;
  }
  const mask = ((1n << BigInt(piece.width)) - 1n) << BigInt(piece.shift);
  const load = { op: "load" as const, align, volatile: place.volatile };
  const old = state.emit(unit, load, [address]);
  const kept = state.emit(unit, { op: "binary", binary: "and" }, [old, constant(unit, ~mask)]);
  const moved = shift(state, "shl", field, piece.shift);
  const cut = state.emit(unit, { op: "binary", binary: "and" }, [moved, constant(unit, mask)]);
  const merged = state.emit(unit, { op: "binary", binary: "or" }, [kept, cut]);
  state.emit("void", store, [merged, address]);
}

/** The value at a place; of memory types its address. */
export function readPlace(state: FunctionState, place: Place): Value {
  if (isBitPlace(place)) return readBits(state, place);
  const address = addressOf(state, place);
  if (isMemory(place.type) || canonical(place.type).type.kind === "function") return address;
  if (canonical(place.type).type.kind === "void") return constant("i64", 0);
  const { align, volatile } = place;
  const load = { op: "load", align, volatile, ...accessedAs(state, place) } as const;
  return state.emit(scalarType(place.type), load, [address]);
}

/** With which type a scalar is accessed, as far as that tells what it is not. */
function accessedAs(state: FunctionState, place: Place): { accessed?: AccessedType } {
  if (!state.module.strictAliasing || place.isPunned === true || place.volatile) return {};
  const accessed = accessedType(place.type);
  return accessed === undefined ? {} : { accessed };
}

/** Stores a scalar, or copies an object from the address `value`. */
export function writePlace(state: FunctionState, place: Place, value: Value): void {
  if (isBitPlace(place)) {
    for (const piece of bitPieces(state, place)) writePiece(state, place, piece, value);
    return;
  }
  const address = addressOf(state, place);
  if (isMemory(place.type))
    copyObject(state, address, value, place.type, place.align, place.volatile);
  else {
    const { align, volatile } = place;
    const store = { op: "store", align, volatile, ...accessedAs(state, place) } as const;
    state.emit("void", store, [value, address]);
  }
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
