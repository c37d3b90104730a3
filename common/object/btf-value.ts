/**
 * Bytes read through their BTF type: what map contents, globals and events are shown as. 64-bit
 * integers that a JSON number cannot hold exactly become decimal strings.
 */
import type { Btf, BtfMember, BtfType, TypeId } from "./btf.ts";
import { bitsAt, integerAt } from "./btf-bits.ts";
import { btfSizeOf, skipModifiers } from "./btf-types.ts";

export type BtfValue =
  | number
  | string
  | boolean
  | null
  | readonly BtfValue[]
  | { readonly [field: string]: BtfValue };

/** Where a value lies. */
interface Reader {
  readonly btf: Btf;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const maximumDepth = 24;

function plain(value: bigint): BtfValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A char array as text, where it is printable up to its first NUL; otherwise undefined. */
function textOf(bytes: Uint8Array): string | undefined {
  const nul = bytes.indexOf(0);
  if (nul < 0 || bytes.subarray(nul).some((byte) => byte !== 0)) return undefined;
  const text = bytes.subarray(0, nul);
  return text.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? String.fromCharCode(...text)
    : undefined;
}

function enumName(type: BtfType & { kind: "enum" | "enum64" }, value: bigint): BtfValue {
  return type.values.find((v) => v.value === value)?.name ?? plain(value);
}

function scalar(type: BtfType, value: bigint): BtfValue {
  if (type.kind === "int" && type.bool) return value !== 0n;
  if (type.kind === "enum" || type.kind === "enum64") return enumName(type, value);
  return plain(value);
}

function isSigned(type: BtfType): boolean {
  return (type.kind === "int" || type.kind === "enum" || type.kind === "enum64") && type.signed;
}

function arrayValue(
  reader: Reader,
  type: BtfType & { kind: "array" },
  offset: number,
  depth: number,
): BtfValue {
  const element = skipModifiers(reader.btf, type.element);
  const isChar =
    element?.kind === "int" && element.size === 1 && (element.char || element.name === "char");
  if (isChar) {
    const text = textOf(reader.bytes.subarray(offset, offset + type.count));
    if (text !== undefined) return text;
  }
  const size = btfSizeOf(reader.btf, type.element) ?? 0;
  const available = size === 0 ? 0 : Math.floor((reader.bytes.length - offset) / size);
  const count = Math.max(0, Math.min(type.count, available));
  return Array.from({ length: count }, (_, i) =>
    valueAt(reader, type.element, offset + i * size, depth + 1),
  );
}

function memberValue(reader: Reader, member: BtfMember, base: number, depth: number): BtfValue {
  if (member.bitSize === 0)
    return valueAt(reader, member.type, base + (member.bitOffset >> 3), depth + 1);
  const type = skipModifiers(reader.btf, member.type);
  if (type === undefined) return null;
  const at = base * 8 + member.bitOffset;
  const { btf, bytes } = reader;
  return scalar(type, bitsAt(bytes, btf.endian, at, member.bitSize, isSigned(type)));
}

function recordValue(
  reader: Reader,
  type: BtfType & { kind: "struct" | "union" },
  offset: number,
  depth: number,
): BtfValue {
  const fields: Record<string, BtfValue> = {};
  for (const member of type.members) {
    const value = memberValue(reader, member, offset, depth);
    if (member.name !== "") fields[member.name] = value;
    else if (typeof value === "object" && value !== null && !Array.isArray(value))
      Object.assign(fields, value);
  }
  return fields;
}

function valueAt(reader: Reader, id: TypeId, offset: number, depth: number): BtfValue {
  const { btf, bytes, view } = reader;
  const type = skipModifiers(btf, id);
  if (type === undefined || depth > maximumDepth) return null;
  switch (type.kind) {
    case "int":
    case "enum":
    case "enum64":
      return scalar(type, integerAt(bytes, btf.endian, offset, type.size, isSigned(type)));
    case "ptr":
      return `0x${integerAt(bytes, btf.endian, offset, 8, false).toString(16)}`;
    case "array":
      return arrayValue(reader, type, offset, depth);
    case "struct":
    case "union":
      return recordValue(reader, type, offset, depth);
    case "float":
      return type.size === 4
        ? view.getFloat32(offset, btf.endian === "little")
        : view.getFloat64(offset, btf.endian === "little");
    case "datasec":
      return Object.fromEntries(
        type.entries.map((entry) => {
          const variable = btf.types[entry.type - 1];
          const name = variable?.kind === "var" ? variable.name : "";
          const target = variable?.kind === "var" ? variable.type : 0;
          return [name, valueAt(reader, target, offset + entry.offset, depth + 1)];
        }),
      );
    default:
      return null;
  }
}

/** Reads the bytes as a value of the type; parts that the bytes do not cover read as 0. */
export function btfValue(btf: Btf, type: TypeId, bytes: Uint8Array): BtfValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return valueAt({ btf, bytes, view }, type, 0, 0);
}

/** A value on one line, as C initialisers look: `{ packets: 1, bytes: 60 }`. */
export function formatBtfValue(value: BtfValue): string {
  if (value === null) return "?";
  if (typeof value === "string")
    return /^(0x[0-9a-f]+|-?\d+|[A-Z_][A-Z0-9_]*)$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map((v: BtfValue) => formatBtfValue(v)).join(", ")}]`;
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${formatBtfValue(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
