/** What C would make of a record by itself, so that packing and padding can be written out. */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, skipModifiers } from "../../common/object/btf-types.ts";

type Composite = BtfType & { readonly kind: "struct" | "union" };

const packedness = new WeakMap<Composite, boolean>();

/** Alignment in bytes of a type as it will be printed. */
export function alignmentOf(btf: Btf, id: TypeId): number {
  const type = skipModifiers(btf, id);
  switch (type?.kind) {
    case "ptr":
      return 8;
    case "int":
    case "float":
    case "enum":
    case "enum64":
      return Math.max(1, Math.min(type.size, 16));
    case "array":
      return alignmentOf(btf, type.element);
    case "struct":
    case "union":
      return isPacked(btf, type) ? 1 : naturalAlignment(btf, type);
    default:
      return 1;
  }
}

const alignments = new WeakMap<Composite, number>();

/** Kept, because corrupt types can nest so that every path through them is endless work. */
function naturalAlignment(btf: Btf, type: Composite): number {
  const known = alignments.get(type);
  if (known !== undefined) return known;
  const most = type.members.reduce((least, member) => {
    // An unnamed bit-field does not align its record.
    return Math.max(least, alignmentOf(btf, member.type));
  }, 1);
  alignments.set(type, most);
  return most;
}

/** Whether members or the size break the natural alignment. */
export function isPacked(btf: Btf, type: Composite): boolean {
  const known = packedness.get(type);
  if (known !== undefined) return known;
  const natural = naturalAlignment(btf, type);
  const packed =
    type.size % natural !== 0 ||
    type.members.some(({ type: id, bitOffset, bitSize }) =>
      bitSize > 0
        ? (bitOffset % ((btfSizeOf(btf, id) ?? 1) * 8)) + bitSize > (btfSizeOf(btf, id) ?? 1) * 8
        : bitOffset % (alignmentOf(btf, id) * 8) !== 0,
    );
  packedness.set(type, packed);
  return packed;
}

const units: readonly (readonly [bits: number, type: string])[] = [
  [64, "long"],
  [32, "int"],
  [16, "short"],
  [8, "char"],
];

/** Gaps of more bits than this are one array: an offset in corrupt types may be anything. */
const longGap = 1 << 16;

/** Unnamed bit-fields that fill from one bit to another; long gaps are bytes. */
export function padding(from: number, to: number): string[] {
  const lines: string[] = [];
  if (to - from > longGap) {
    const start = Math.ceil(from / 8) * 8;
    const bytes = `char __gap_${start}[${Math.floor((to - start) / 8)}];`;
    return [...padding(from, start), bytes, ...padding(to - (to % 8), to)];
  }
  let at = from;
  while (at < to) {
    const unit = units.find(([bits]) => at % bits === 0 && at + bits <= to);
    if (unit !== undefined) {
      lines.push(`${unit[1]}: ${unit[0]};`);
      at += unit[0];
      continue;
    }
    const bits = Math.min(8 - (at % 8), to - at);
    lines.push(`char: ${bits};`);
    at += bits;
  }
  return lines;
}

/** Where C puts the next member, counted in bits. */
export function naturalPlace(
  btf: Btf,
  at: number,
  member: { readonly type: TypeId; readonly bitSize: number },
  packed: boolean,
): number {
  if (member.bitSize > 0) {
    const unit = (btfSizeOf(btf, member.type) ?? 1) * 8;
    return !packed && (at % unit) + member.bitSize > unit ? Math.ceil(at / unit) * unit : at;
  }
  const align = packed ? 8 : alignmentOf(btf, member.type) * 8;
  return Math.ceil(at / align) * align;
}
