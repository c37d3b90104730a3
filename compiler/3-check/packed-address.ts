/** Warns of `&s->field` where a packed record gives the field less alignment than its pointer says. */
import type { CheckedExpression } from "./checked.ts";
import { type Context, report } from "./context.ts";
import { alignOf } from "./layout.ts";
import { asRecord, isComplete, isVoid, pointeeOf } from "./type-tools.ts";
import type { QualType } from "./types.ts";

interface Place {
  /** Bytes from the outermost object. */
  readonly offset: number;
  /** Alignment of that object. */
  readonly align: number;
  /** The innermost member that lies in a packed record, and that record. */
  readonly packed: { readonly member: string; readonly record: string } | undefined;
}

function placeOf(lvalue: CheckedExpression): Place | undefined {
  if (lvalue.kind !== "member") {
    return { offset: 0, align: alignOf(lvalue.type), packed: undefined };
  }
  const base = placeOf(lvalue.object);
  if (base === undefined) return undefined;
  let { offset, packed } = base;
  let record = asRecord(lvalue.object.type);
  for (const field of lvalue.path) {
    if (record?.definition?.packed === true) {
      packed = { member: field.name ?? "", record: record.tag ?? "" };
    }
    offset += field.bitOffset / 8;
    record = asRecord(field.type);
  }
  return { offset, align: base.align, packed };
}

/** The alignment that a place surely has. */
function knownAlign({ offset, align }: Place): number {
  return offset === 0 ? align : Math.min(align, offset & -offset);
}

/** Looks at an address that is converted to a pointer type. */
export function warnPackedAddress(
  context: Context,
  value: CheckedExpression,
  target: QualType,
): void {
  if (value.kind !== "address_of" || value.operand.kind !== "member") return;
  const pointee = pointeeOf(target);
  if (pointee === undefined || isVoid(pointee) || !isComplete(pointee)) return;
  const place = placeOf(value.operand);
  if (place?.packed === undefined || alignOf(pointee) <= knownAlign(place)) return;
  if (alignOf(value.operand.type) <= knownAlign(place)) return;
  const { member, record } = place.packed;
  report(context, "packedAddress", value.operand.span, [member, record]);
}
