/**
 * Sizes, alignments and the places of fields, as clang lays records out for BPF (the System V
 * x86-64 rules, Itanium flavour; bit-fields of any integer type, packed, aligned, #pragma pack).
 * Offsets inside a record are counted in bits, alignments in bytes.
 */
import { integerSize } from "./type-tools.ts";
import type { QualType, RecordDefinition, RecordField } from "./types.ts";

/** Size in bytes; 0 for void, functions and what is incomplete. */
export function sizeOf(type: QualType): number {
  const found = type.type;
  switch (found.kind) {
    case "bool":
      return 1;
    case "int":
      return integerSize(found);
    case "float":
      return found.size;
    case "pointer":
    case "va_list":
      return 8;
    case "array":
      return (found.length ?? 0) * sizeOf(found.element);
    case "struct":
    case "union":
      return found.definition?.size ?? 0;
    case "enum":
      return found.definition === undefined ? 4 : integerSize(found.definition.underlying);
    case "typedef":
      return sizeOf(found.type);
    case "void":
    case "function":
      return 0;
  }
}

/** Alignment in bytes. */
export function alignOf(type: QualType): number {
  const found = type.type;
  switch (found.kind) {
    case "typedef":
      return found.align ?? alignOf(found.type);
    case "array":
      return alignOf(found.element);
    case "struct":
    case "union":
      return found.definition?.align ?? 1;
    case "void":
      return 1;
    case "function":
      return 4;
    case "bool":
    case "int":
    case "float":
    case "pointer":
    case "va_list":
    case "enum":
      return sizeOf(type);
  }
}

/** A field before it has its place. */
export interface FieldPlan {
  readonly name: string | undefined;
  readonly type: QualType;
  readonly bitWidth: number | undefined;
  readonly packed: boolean;
  /** Alignment attribute of the field itself, in bytes. */
  readonly align: number | undefined;
  readonly declTags?: readonly string[];
}

export interface RecordPlan {
  readonly union: boolean;
  readonly fields: readonly FieldPlan[];
  readonly packed: boolean;
  /** Alignment attribute of the record, in bytes. */
  readonly align: number | undefined;
  /** `#pragma pack`, in bytes. */
  readonly pack: number | undefined;
}

/** The smallest multiple of `unit` that is not below `value`. */
export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** What grows while fields are placed; all in bits. */
interface LayoutState {
  dataSize: number;
  /** Bits of the last byte that a bit-field left free. */
  unfilled: number;
  align: number;
}

function placeField(plan: RecordPlan, field: FieldPlan, state: LayoutState): number {
  let align = plan.packed || field.packed ? 1 : alignOf(field.type);
  align = Math.max(align, field.align ?? 1);
  if (plan.pack !== undefined) align = Math.min(align, plan.pack);
  const offset = plan.union ? 0 : alignUp(state.dataSize, align * 8);
  const end = offset + sizeOf(field.type) * 8;
  state.dataSize = plan.union ? Math.max(state.dataSize, end) : end;
  state.unfilled = 0;
  state.align = Math.max(state.align, align * 8);
  return offset;
}

function bitFieldAlign(plan: RecordPlan, field: FieldPlan, width: number): number {
  const packed = plan.packed || field.packed;
  const natural = alignOf(field.type) * 8;
  let align = packed && width !== 0 ? 1 : natural;
  align = Math.max(align, (field.align ?? 0) * 8);
  if (plan.pack !== undefined && width !== 0) {
    const cap = plan.pack * 8;
    align = packed
      ? Math.min(Math.max(natural, (field.align ?? 0) * 8), cap)
      : Math.min(align, cap);
  }
  return align;
}

function placeBitField(
  plan: RecordPlan,
  field: FieldPlan,
  width: number,
  state: LayoutState,
): number {
  const unit = sizeOf(field.type) * 8;
  const align = bitFieldAlign(plan, field, width);
  let offset = plan.union ? 0 : state.dataSize - state.unfilled;
  const crosses = (offset % align) + width > unit;
  if (width === 0 || (plan.pack === undefined && crosses)) {
    offset = alignUp(offset, align);
  } else if (field.align !== undefined && (plan.pack === undefined || field.align <= plan.pack)) {
    offset = alignUp(offset, field.align * 8);
  }
  if (plan.union) {
    state.dataSize = Math.max(state.dataSize, alignUp(width, 8));
  } else {
    state.dataSize = alignUp(offset + width, 8);
    state.unfilled = state.dataSize - (offset + width);
  }
  // Unnamed bit-fields make room but do not align the record.
  if (field.name !== undefined) state.align = Math.max(state.align, align);
  return offset;
}

/** Gives every field its place and the record its size and alignment. */
export function layOutRecord(plan: RecordPlan): RecordDefinition {
  const state: LayoutState = { dataSize: 0, unfilled: 0, align: (plan.align ?? 1) * 8 };
  const fields = plan.fields.map((field, index): RecordField => {
    const bitOffset =
      field.bitWidth === undefined
        ? placeField(plan, field, state)
        : placeBitField(plan, field, field.bitWidth, state);
    return {
      name: field.name,
      type: field.type,
      bitOffset,
      bitWidth: field.bitWidth,
      index,
      ...(field.declTags !== undefined && { declTags: field.declTags }),
    };
  });
  const size = alignUp(state.dataSize, state.align) / 8;
  return { fields, size, align: state.align / 8, packed: plan.packed };
}
