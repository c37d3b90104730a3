/** BTF as text, one line per type, in the format of `bpftool btf dump`. */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";

const quoted = (name: string): string => `'${name === "" ? "(anon)" : name}'`;

/** Ids of the types that a file itself holds: all, or of split BTF those after its base. */
export function ownTypes({ types, baseCount = 0 }: Btf): TypeId[] {
  return Array.from({ length: types.length - baseCount }, (_, index) => baseCount + index + 1);
}

/** The types of these ids; ids count from 1. */
export function dumpBtf(btf: Btf, ids: readonly TypeId[] = ownTypes(btf)): string {
  const lines = ids.flatMap((id) => {
    const type = btf.types[id - 1];
    return type === undefined ? [] : [`${describe(btf, type, id)}\n`];
  });
  return lines.join("");
}

function describe(btf: Btf, type: BtfType, id: TypeId): string {
  const name = "name" in type ? type.name : "";
  const head = `[${id}] ${type.kind.toUpperCase()} ${quoted(name)}`;
  return [`${head} ${attributes(type)}`.trimEnd(), ...parts(btf, type)].join("\n\t");
}

function attributes(type: BtfType): string {
  switch (type.kind) {
    case "int": {
      const flags = [type.signed && "SIGNED", type.char && "CHAR", type.bool && "BOOL"];
      const encoding = flags.filter((flag) => flag !== false).join(" ") || "(none)";
      return `size=${type.size} bits_offset=${type.bitOffset} nr_bits=${type.bits} encoding=${encoding}`;
    }
    case "array":
      return `type_id=${type.element} index_type_id=${type.index} nr_elems=${type.count}`;
    case "struct":
    case "union":
      return `size=${type.size} vlen=${type.members.length}`;
    case "enum":
    case "enum64": {
      const encoding = type.signed ? "SIGNED" : "UNSIGNED";
      return `encoding=${encoding} size=${type.size} vlen=${type.values.length}`;
    }
    case "fwd":
      return `fwd_kind=${type.union ? "union" : "struct"}`;
    case "func":
      return `type_id=${type.type} linkage=${type.linkage}`;
    case "func_proto":
      return `ret_type_id=${type.returns} vlen=${type.params.length}`;
    case "var":
      return `type_id=${type.type}, linkage=${type.linkage}`;
    case "datasec":
      return `size=${type.size} vlen=${type.entries.length}`;
    case "float":
      return `size=${type.size}`;
    case "decl_tag":
      return `type_id=${type.type} component_idx=${type.componentIndex}`;
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
      return `type_id=${type.type}`;
  }
}

function parts(btf: Btf, type: BtfType): string[] {
  switch (type.kind) {
    case "struct":
    case "union":
      return type.members.map(({ name, type: id, bitOffset, bitSize }) => {
        const field = bitSize > 0 ? ` bitfield_size=${bitSize}` : "";
        return `${quoted(name)} type_id=${id} bits_offset=${bitOffset}${field}`;
      });
    case "enum":
      return type.values.map(({ name, value }) => `${quoted(name)} val=${value}`);
    case "enum64":
      return type.values.map(
        ({ name, value }) => `${quoted(name)} val=${value}${type.signed ? "LL" : "ULL"}`,
      );
    case "func_proto":
      return type.params.map(({ name, type: id }) => `${quoted(name)} type_id=${id}`);
    case "datasec":
      return type.entries.map((entry) => {
        const variable = btf.types[entry.type - 1];
        const known = variable?.kind === "var" || variable?.kind === "func";
        const label = known ? ` (${variable.kind.toUpperCase()} '${variable.name}')` : "";
        return `type_id=${entry.type} offset=${entry.offset} size=${entry.size}${label}`;
      });
    default:
      return [];
  }
}
