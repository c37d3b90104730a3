/** Questions about BTF types: what is under modifiers, how large it is. */
import type { Btf, BtfType, TypeId } from "./btf.ts";

/** Chains longer than this are corrupt (a cycle of typedefs). */
const maximumChain = 64;

/** The type of that id; undefined for void and for ids out of range. */
export function btfTypeById(btf: Btf, id: TypeId): BtfType | undefined {
  return btf.types[id - 1];
}

/** The id under typedefs, const, volatile, restrict and type tags; 0 for void. */
export function skipModifierIds(btf: Btf, id: TypeId): TypeId {
  let current = id;
  for (let i = 0; i < maximumChain; i++) {
    const type = btfTypeById(btf, current);
    switch (type?.kind) {
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        current = type.type;
        continue;
      default:
        return current;
    }
  }
  return 0;
}

/** The type under typedefs, const, volatile, restrict and type tags; undefined for void. */
export function skipModifiers(btf: Btf, id: TypeId): BtfType | undefined {
  return btfTypeById(btf, skipModifierIds(btf, id));
}

/** Size of a type that needs no other one to tell; undefined for all others. */
export function btfPlainSizeOf(type: BtfType): number | undefined {
  switch (type.kind) {
    case "int":
    case "struct":
    case "union":
    case "enum":
    case "enum64":
    case "float":
      return type.size;
    case "ptr":
      return 8;
    default:
      return undefined;
  }
}

/** Size in bytes; undefined for void, functions and forward declarations. */
export function btfSizeOf(btf: Btf, id: TypeId, depth = 0): number | undefined {
  const type = skipModifiers(btf, id);
  if (depth > maximumChain) return undefined;
  switch (type?.kind) {
    case "datasec":
      return type.size;
    case "array": {
      const element = btfSizeOf(btf, type.element, depth + 1);
      return element === undefined ? undefined : element * type.count;
    }
    case "var":
      return btfSizeOf(btf, type.type, depth + 1);
    default:
      return type && btfPlainSizeOf(type);
  }
}
