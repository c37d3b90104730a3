/**
 * Bytes as JavaScript values of their BTF types, and back: 64-bit integers and pointers are bigint,
 * smaller ones and enumerators number, `_Bool` boolean, structs and unions objects (members of
 * anonymous ones stand in the outer object), arrays lists, what has no type its bytes.
 */
import type { Btf, BtfMember, BtfType, TypeId } from "./btf.ts";
import { bitsAt, setBits } from "./btf-bits.ts";
import { btfSizeOf, skipModifiers } from "./btf-types.ts";

export type BtfData = number | bigint | boolean | Uint8Array | BtfData[] | BtfRecord;
export interface BtfRecord {
  [field: string]: BtfData;
}

type Integer = BtfType & { readonly kind: "int" | "enum" | "enum64" };
type Composite = BtfType & { readonly kind: "struct" | "union" };

const isInteger = (type: BtfType | undefined): type is Integer =>
  type?.kind === "int" || type?.kind === "enum" || type?.kind === "enum64";

/** Types whose values do not fit a number. */
const isWide = (type: Integer): boolean =>
  type.kind === "enum64" || (type.kind === "int" && type.size > 4);

/** The value that the bytes hold. */
export function readData(btf: Btf, id: TypeId, bytes: Uint8Array): BtfData {
  return read(btf, id, bytes, 0);
}

function read(btf: Btf, id: TypeId, bytes: Uint8Array, offset: number): BtfData {
  const type = skipModifiers(btf, id);
  if (isInteger(type)) return readInteger(btf, type, bytes, offset * 8, type.size * 8);
  switch (type?.kind) {
    case "ptr":
      return bitsAt(bytes, btf.endian, offset * 8, 64, false);
    case "float":
      return readFloat(btf, type.size, bytes, offset);
    case "array": {
      const size = btfSizeOf(btf, type.element) ?? 0;
      const at = (index: number): number => offset + index * size;
      return Array.from({ length: type.count }, (_, i) => read(btf, type.element, bytes, at(i)));
    }
    case "struct":
    case "union":
      return readRecord(btf, type, bytes, offset);
    default:
      return bytes.slice(offset);
  }
}

function readInteger(
  btf: Btf,
  type: Integer,
  bytes: Uint8Array,
  bitOffset: number,
  bits: number,
): BtfData {
  const value = bitsAt(bytes, btf.endian, bitOffset, bits, type.signed);
  if (type.kind === "int" && type.bool) return value !== 0n;
  return isWide(type) ? value : Number(value);
}

function readFloat(btf: Btf, size: number, bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = btf.endian === "little";
  return size === 4 ? view.getFloat32(offset, little) : view.getFloat64(offset, little);
}

function readRecord(btf: Btf, type: Composite, bytes: Uint8Array, offset: number): BtfRecord {
  const record: BtfRecord = {};
  for (const member of type.members) {
    const value = readMember(btf, member, bytes, offset);
    if (member.name !== "") record[member.name] = value;
    else if (typeof value === "object") Object.assign(record, value);
  }
  return record;
}

function readMember(btf: Btf, member: BtfMember, bytes: Uint8Array, base: number): BtfData {
  if (member.bitSize === 0) return read(btf, member.type, bytes, base + (member.bitOffset >> 3));
  const type = skipModifiers(btf, member.type);
  if (!isInteger(type)) return 0;
  return readInteger(btf, type, bytes, base * 8 + member.bitOffset, member.bitSize);
}

/** What is written; of an object, only the fields that it has. Text stands for a char array. */
export type BtfInput =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly BtfInput[]
  | { readonly [field: string]: BtfInput | undefined };

/** Writes the value into the bytes; what it leaves open stays as it was. */
export function writeData(btf: Btf, id: TypeId, bytes: Uint8Array, value: BtfInput): void {
  write(btf, id, bytes, 0, value);
}

function write(btf: Btf, id: TypeId, bytes: Uint8Array, offset: number, value: BtfInput): void {
  const type = skipModifiers(btf, id);
  if (value instanceof Uint8Array) {
    const size = type === undefined ? bytes.length : (btfSizeOf(btf, id) ?? bytes.length);
    bytes.set(value.subarray(0, size), offset);
  } else if (typeof value === "object") {
    if (type?.kind === "struct" || type?.kind === "union") {
      writeRecord(btf, type, bytes, offset, value);
    } else if (type?.kind === "array") writeList(btf, type, bytes, offset, value);
  } else if (typeof value === "string") {
    if (type?.kind === "array") {
      const list = Array.from({ length: type.count }, () => 0);
      for (const [i, byte] of new TextEncoder().encode(value).entries()) list[i] = byte;
      writeList(btf, type, bytes, offset, list);
    }
  } else if (type?.kind === "float") writeFloat(btf, type.size, bytes, offset, Number(value));
  else {
    const size = type?.kind === "ptr" ? 8 : (btfSizeOf(btf, id) ?? 0);
    setBits(bytes, btf.endian, offset * 8, size * 8, BigInt(value));
  }
}

function writeFloat(
  btf: Btf,
  size: number,
  bytes: Uint8Array,
  offset: number,
  value: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = btf.endian === "little";
  if (size === 4) view.setFloat32(offset, value, little);
  else view.setFloat64(offset, value, little);
}

type Fields = BtfInput & object;

function writeList(
  btf: Btf,
  type: BtfType & { readonly kind: "array" },
  bytes: Uint8Array,
  offset: number,
  values: Fields,
): void {
  const size = btfSizeOf(btf, type.element) ?? 0;
  Object.values(values)
    .slice(0, type.count)
    .forEach((value: BtfInput | undefined, index) => {
      if (value !== undefined) write(btf, type.element, bytes, offset + index * size, value);
    });
}

function writeRecord(
  btf: Btf,
  type: Composite,
  bytes: Uint8Array,
  offset: number,
  fields: Fields,
): void {
  const given = new Map<string, BtfInput | undefined>(Object.entries(fields));
  for (const { name, type: memberType, bitOffset, bitSize } of type.members) {
    const value = name === "" ? fields : given.get(name);
    if (value === undefined) continue;
    if (bitSize === 0) write(btf, memberType, bytes, offset + (bitOffset >> 3), value);
    else if (typeof value !== "object" && typeof value !== "string")
      setBits(bytes, btf.endian, offset * 8 + bitOffset, bitSize, BigInt(value));
  }
}
