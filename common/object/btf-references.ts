/** Which type ids a BTF type names, and the same type with other ids in their place. */
import type { BtfType, TypeId } from "./btf.ts";

/** All type ids that a type names, in order. */
export function referencedTypes(type: BtfType): readonly TypeId[] {
  switch (type.kind) {
    case "int":
    case "float":
    case "enum":
    case "enum64":
    case "fwd":
      return [];
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "func":
    case "var":
    case "decl_tag":
    case "type_tag":
      return [type.type];
    case "array":
      return [type.element, type.index];
    case "struct":
    case "union":
      return type.members.map((member) => member.type);
    case "func_proto":
      return [type.returns, ...type.params.map((param) => param.type)];
    case "datasec":
      return type.entries.map((entry) => entry.type);
  }
}

/** The type with each id `x` replaced by `map(x)`; 0 (void) included. */
export function mapReferences(type: BtfType, map: (id: TypeId) => TypeId): BtfType {
  switch (type.kind) {
    case "int":
    case "float":
    case "enum":
    case "enum64":
    case "fwd":
      return type;
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "func":
    case "var":
    case "decl_tag":
    case "type_tag":
      return { ...type, type: map(type.type) };
    case "array":
      return { ...type, element: map(type.element), index: map(type.index) };
    case "struct":
    case "union":
      return {
        ...type,
        members: type.members.map((member) => ({ ...member, type: map(member.type) })),
      };
    case "func_proto":
      return {
        ...type,
        returns: map(type.returns),
        params: type.params.map((param) => ({ ...param, type: map(param.type) })),
      };
    case "datasec":
      return {
        ...type,
        entries: type.entries.map((entry) => ({ ...entry, type: map(entry.type) })),
      };
  }
}
