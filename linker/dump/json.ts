/** BTF as JSON, with the keys and the order of `bpftool -j btf dump`. */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { ownTypes } from "./raw.ts";

/** Enumerators of 64 bits may lie outside the numbers that JSON readers keep exact; JSON itself has no limit. */
export type JsonValue =
  | string
  | number
  | bigint
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

const named = (name: string): string => (name === "" ? "(anon)" : name);

/** One type as plain data. */
export function btfTypeToJson(type: BtfType, id: TypeId): { readonly [key: string]: JsonValue } {
  const name = named("name" in type ? type.name : "");
  return { id, kind: type.kind.toUpperCase(), name, ...attributes(type) };
}

function intAttributes(type: BtfType & { kind: "int" }): Record<string, JsonValue> {
  const flags = [type.signed && "SIGNED", type.char && "CHAR", type.bool && "BOOL"];
  return {
    size: type.size,
    bits_offset: type.bitOffset,
    nr_bits: type.bits,
    encoding: flags.filter((flag) => flag !== false).join(" ") || "(none)",
  };
}

function attributes(type: BtfType): Record<string, JsonValue> {
  switch (type.kind) {
    case "int":
      return intAttributes(type);
    case "array":
      return { type_id: type.element, index_type_id: type.index, nr_elems: type.count };
    case "struct":
    case "union":
      return {
        size: type.size,
        vlen: type.members.length,
        members: type.members.map((member) => ({
          name: named(member.name),
          type_id: member.type,
          bits_offset: member.bitOffset,
          ...(member.bitSize > 0 && { bitfield_size: member.bitSize }),
        })),
      };
    case "enum":
    case "enum64":
      return {
        encoding: type.signed ? "SIGNED" : "UNSIGNED",
        size: type.size,
        vlen: type.values.length,
        values: type.values.map(({ name, value }) => ({ name: named(name), val: value })),
      };
    case "fwd":
      return { fwd_kind: type.union ? "union" : "struct" };
    case "func":
    case "var":
      return { type_id: type.type, linkage: type.linkage };
    case "func_proto":
      return {
        ret_type_id: type.returns,
        vlen: type.params.length,
        params: type.params.map(({ name, type: id }) => ({ name: named(name), type_id: id })),
      };
    case "datasec":
      return {
        size: type.size,
        vlen: type.entries.length,
        vars: type.entries.map((entry) => ({
          type_id: entry.type,
          offset: entry.offset,
          size: entry.size,
        })),
      };
    case "float":
      return { size: type.size };
    case "decl_tag":
      return { type_id: type.type, component_idx: type.componentIndex };
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
      return { type_id: type.type };
  }
}

/** JSON text in one line; numbers beyond 2^53 keep all their digits. */
export function jsonText(value: JsonValue): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(jsonText).join(",")}]`;
  const fields = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`,
  );
  return `{${fields.join(",")}}`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The types of these ids, `{"types":[…]}`. */
export function dumpBtfJson(btf: Btf, ids: readonly TypeId[] = ownTypes(btf)): string {
  const types = ids.flatMap((id) => {
    const type = btf.types[id - 1];
    return type === undefined ? [] : [btfTypeToJson(type, id)];
  });
  return `${jsonText({ types })}\n`;
}
