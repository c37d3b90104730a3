/** What a CO-RE relocation asks for, computed for one access: an offset, size, sign, shift, id … */
import type { BtfType, CoreRelocationKind, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, skipModifierIds } from "../../common/object/btf-types.ts";
import { type Access, relocationGroup } from "./access.ts";

/** `impossible`: the target lacks it, so code that depends on it must not run. */
export type CoreValue =
  | {
      readonly kind: "value";
      readonly value: bigint;
      /** Whether the compiler must have put exactly the local value into the instruction. */
      readonly exact: boolean;
      /** field_byte_offset: bytes of the scalar at that offset, and its type; for load sizes. */
      readonly size: number;
      readonly type: TypeId;
    }
  | { readonly kind: "impossible" }
  | { readonly kind: "error"; readonly message: string };

const value = (number: bigint | number, exact = true, size = 0, type = 0): CoreValue => ({
  kind: "value",
  value: BigInt(number),
  exact,
  size,
  type,
});
const error = (message: string): CoreValue => ({ kind: "error", message });
const impossible: CoreValue = { kind: "impossible" };

/** `access` undefined: the target has no such thing. */
export function coreValue(kind: CoreRelocationKind, access: Access | undefined): CoreValue {
  if (kind === "field_exists" || kind === "enumval_exists") return value(access ? 1 : 0);
  const group = relocationGroup(kind);
  if (access === undefined) return group === "type" ? value(0) : impossible;
  switch (group) {
    case "type":
      return typeValue(kind, access);
    case "enum_value":
      return enumeratorValue(access);
    case "field":
      return fieldValue(kind, access);
  }
}

function typeValue(kind: CoreRelocationKind, access: Access): CoreValue {
  if (kind === "type_exists" || kind === "type_matches") return value(1);
  if (kind === "type_size") {
    const size = btfSizeOf(access.btf, access.root);
    return size === undefined ? error("the type has no size") : value(size);
  }
  return value(access.root, false);
}

function enumeratorValue({ btf, steps }: Access): CoreValue {
  const step = steps[0];
  const type = step && btf.types[step.type - 1];
  const isEnum = type?.kind === "enum" || type?.kind === "enum64";
  const found = isEnum ? type.values[step?.index ?? 0] : undefined;
  return found === undefined ? error("no such enumerator") : value(found.value);
}

function fieldValue(kind: CoreRelocationKind, access: Access): CoreValue {
  const { btf, steps, bitOffset } = access;
  const last = steps.at(-1);
  if (last === undefined) return error("the access is empty");
  if (last.name === undefined) {
    const size = btfSizeOf(btf, last.type);
    if (size === undefined) return error("an array element has no size");
    if (kind === "field_byte_offset")
      return value(Math.floor(bitOffset / 8), true, size, last.type);
    return kind === "field_byte_size" ? value(size) : error("an array element has no bits");
  }
  const record = btf.types[last.type - 1];
  const isRecord = record?.kind === "struct" || record?.kind === "union";
  const member = isRecord ? record.members[last.index] : undefined;
  if (member === undefined) return error("no such member");
  const place = memberPlace(access, member.type, member.bitSize);
  if (typeof place === "string") return error(place);
  return placedValue(kind, access, member.type, place);
}

/** The bytes to load for a member, and the bits of it that count. */
interface MemberPlace {
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly bitSize: number;
  readonly bitField: boolean;
}

function memberPlace(access: Access, type: TypeId, bitSize: number): MemberPlace | string {
  const { btf, bitOffset } = access;
  const size = btfSizeOf(btf, type);
  if (size === undefined || (size === 0 && bitSize > 0)) return "the member has no size";
  if (bitSize === 0) {
    const byteOffset = Math.floor(bitOffset / 8);
    return { byteOffset, byteSize: size, bitSize: size * 8, bitField: false };
  }
  // The smallest aligned load that holds all bits.
  let byteSize = size;
  for (;;) {
    const byteOffset = Math.floor(bitOffset / 8 / byteSize) * byteSize;
    if (bitOffset + bitSize - byteOffset * 8 <= byteSize * 8) {
      return { byteOffset, byteSize, bitSize, bitField: true };
    }
    if (byteSize >= 8) return "the bit-field cannot be read with one load";
    byteSize *= 2;
  }
}

function placedValue(
  kind: CoreRelocationKind,
  access: Access,
  memberType: TypeId,
  place: MemberPlace,
): CoreValue {
  const { btf, bitOffset } = access;
  const { byteOffset, byteSize, bitSize, bitField } = place;
  switch (kind) {
    case "field_byte_offset": {
      if (bitField) return value(byteOffset, false);
      const type = skipModifierIds(btf, memberType);
      return value(byteOffset, true, btfSizeOf(btf, elementOf(access, type)) ?? 0, type);
    }
    case "field_byte_size":
      return value(byteSize, !bitField);
    case "field_signed":
      return value(isSigned(btf.types[skipModifierIds(btf, memberType) - 1]) ? 1 : 0);
    case "field_lshift_u64":
      return value(
        btf.endian === "little"
          ? 64 - (bitOffset + bitSize - byteOffset * 8)
          : (8 - byteSize) * 8 + (bitOffset - byteOffset * 8),
        !bitField,
      );
    case "field_rshift_u64":
      return value(64 - bitSize);
    default:
      return error(`${kind} is no field relocation`);
  }
}

/** Loads read elements: of an array of arrays, the innermost. */
function elementOf({ btf }: Access, id: TypeId): TypeId {
  let at = id;
  for (let type = btf.types[at - 1]; type?.kind === "array"; type = btf.types[at - 1]) {
    at = skipModifierIds(btf, type.element);
  }
  return at;
}

function isSigned(type: BtfType | undefined): boolean {
  const hasSign = type?.kind === "int" || type?.kind === "enum" || type?.kind === "enum64";
  return hasSign && type.signed;
}
