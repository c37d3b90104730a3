/** Where bit-fields lie in memory. */
import { sizeOf } from "../3-check/layout.ts";
import type { QualType, RecordField, RecordType } from "../3-check/types.ts";

/** A bit-field as part of a record that has an address. */
export interface BitField {
  readonly field: RecordField;
  readonly bitOffset: number;
  /** Bytes of the record that hold this bit-field and its neighbours, and nothing else. */
  readonly runStart: number;
  readonly runEnd: number;
}

/** The bytes of adjacent bit-fields around one and the padding after them; a zero-width one ends the run. */
export function bitFieldRun(
  record: RecordType | undefined,
  field: RecordField,
): { runStart: number; runEnd: number } {
  const size = record?.definition?.size ?? 0;
  if (record?.kind !== "struct") return { runStart: 0, runEnd: size };
  const fields = record.definition?.fields ?? [];
  const isMember = (each: RecordField | undefined): boolean => (each?.bitWidth ?? 0) > 0;
  let first = field.index;
  let next = first + 1;
  while (isMember(fields[first - 1])) first -= 1;
  while (isMember(fields[next])) next += 1;
  const after = fields[next]?.bitOffset;
  const runStart = (fields[first] ?? field).bitOffset >> 3;
  return { runStart, runEnd: after === undefined ? size : after >> 3 };
}

/** The unit in which loaders expect a bit-field to be read: as wide as its type, aligned to that. */
export function bitFieldUnit(bits: BitField, type: QualType): { offset: number; size: number } {
  let size = sizeOf(type);
  const width = bits.field.bitWidth ?? 0;
  const first = bits.bitOffset >> 3;
  let offset = first - (first % size);
  while (bits.bitOffset + width - offset * 8 > size * 8 && size < 8) {
    size *= 2;
    offset = first - (first % size);
  }
  return { offset, size };
}
