/** Initialisers of static objects → bytes and relocations. Everything must be constant. */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  CheckedExpression,
  CheckedInitializer,
  StaticData,
  StaticRelocation,
} from "./checked.ts";
import { evaluateConstant } from "./constant-evaluator.ts";
import { type Context, report } from "./context.ts";
import { sizeOf } from "./layout.ts";
import { asRecord, isError } from "./type-tools.ts";
import type { QualType, RecordField } from "./types.ts";

/** A static object that is being filled. */
class Image {
  bytes: Uint8Array;
  readonly relocations = new Map<number, StaticRelocation>();
  readonly #big: boolean;

  constructor(size: number, big: boolean) {
    this.bytes = new Uint8Array(size);
    this.#big = big;
  }

  /** Flexible array members reach past the object's size. */
  grow(size: number): void {
    if (size <= this.bytes.length) return;
    const larger = new Uint8Array(size);
    larger.set(this.bytes);
    this.bytes = larger;
  }

  copy(offset: number, bytes: Uint8Array): void {
    this.grow(offset + bytes.length);
    this.forget(offset, bytes.length);
    this.bytes.set(bytes, offset);
  }

  forget(offset: number, size: number): void {
    for (const at of this.relocations.keys()) {
      if (at < offset + size && at + 8 > offset) this.relocations.delete(at);
    }
  }

  integer(offset: number, size: number, value: bigint): void {
    this.grow(offset + size);
    this.forget(offset, size);
    for (let i = 0; i < size; i += 1) {
      const byte = Number((value >> BigInt(8 * i)) & 0xffn);
      this.bytes[this.#big ? offset + size - 1 - i : offset + i] = byte;
    }
  }

  /** A bit-field: counted from the low bit on little-endian, from the high bit on big-endian. */
  bits(offset: number, field: RecordField, value: bigint): void {
    const width = field.bitWidth ?? 0;
    this.grow(offset + Math.ceil((field.bitOffset + width) / 8));
    for (let i = 0; i < width; i += 1) {
      const place = field.bitOffset + (this.#big ? width - 1 - i : i);
      const mask = this.#big ? 0x80 >> (place & 7) : 1 << (place & 7);
      const at = offset + (place >> 3);
      const old = this.bytes[at] ?? 0;
      this.bytes[at] = ((value >> BigInt(i)) & 1n) === 1n ? old | mask : old & ~mask;
    }
  }
}

/** The initialiser of a compound literal that an object is copied from. */
function literalBehind(value: CheckedExpression): CheckedInitializer | undefined {
  if (value.kind === "compound_literal") return value.initializer;
  return value.kind === "cast" && (value.cast === "lvalue_to_rvalue" || value.cast === "noop")
    ? literalBehind(value.operand)
    : undefined;
}

function fillValue(
  context: Context,
  image: Image,
  offset: number,
  type: QualType,
  field: RecordField | undefined,
  value: CheckedExpression,
): void {
  if (isError(value.type)) return;
  if (asRecord(type) !== undefined) {
    const literal = literalBehind(value);
    if (literal === undefined) report(context, "notConstantInitializer", value.span);
    else fill(context, image, offset, type, literal);
    return;
  }
  const constant = evaluateConstant(value, { constants: context.constants, decideConstantP: true });
  const size = sizeOf(type);
  if (
    constant === undefined ||
    (constant.kind === "address" && (size !== 8 || field !== undefined))
  ) {
    report(context, "notConstantInitializer", value.span);
  } else if (constant.kind === "address") {
    image.integer(offset, size, 0n);
    const { symbol } = constant;
    image.relocations.set(offset, { offset, symbol, addend: Number(constant.offset) });
  } else if (field !== undefined) image.bits(offset, field, constant.value);
  else image.integer(offset, size, constant.value);
}

function fill(
  context: Context,
  image: Image,
  offset: number,
  type: QualType,
  initializer: CheckedInitializer,
): void {
  if (initializer.kind === "string") {
    image.copy(offset, initializer.bytes);
    return;
  }
  if (initializer.kind === "expression") {
    fillValue(context, image, offset, type, undefined, initializer.value);
    return;
  }
  for (const { offset: inner, type: part, field, value } of initializer.elements) {
    if (value.kind === "bytes") image.copy(offset + inner, value.bytes);
    else fillValue(context, image, offset + inner, part, field, value);
  }
}

/** Bytes of one object that are not all zero: an object file cannot hold much more. */
const MAX_DATA = 1 << 28;

/** The bytes of a static object; undefined where all are zero. Reports what is not constant. */
export function staticData(
  context: Context,
  type: QualType,
  initializer: CheckedInitializer,
  place: Span,
): StaticData | undefined {
  const size = sizeOf(type);
  if (size > MAX_DATA) {
    report(context, "dataTooLarge", place, [String(size)]);
    return undefined;
  }
  const image = new Image(size, context.options.endian === "big");
  fill(context, image, 0, type, initializer);
  const relocations = [...image.relocations.values()].sort((a, b) => a.offset - b.offset);
  const isZero = relocations.length === 0 && image.bytes.every((byte) => byte === 0);
  if (isZero && image.bytes.length === size) return undefined;
  return { bytes: image.bytes, relocations };
}
