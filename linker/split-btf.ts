/**
 * A module's BTF that brings a distilled base (`.BTF.base`: names and sizes of the kernel types that
 * it needs), put onto the types of a running kernel. The matching rules are libbpf's.
 */
import { pushTo } from "../common/append.ts";
import type { Btf, BtfType, TypeId } from "../common/object/btf.ts";
import { mapReferences, referencedTypes } from "../common/object/btf-references.ts";
import { typeName } from "./core/names.ts";

const isComposite = (type: BtfType | undefined): boolean =>
  type?.kind === "struct" || type?.kind === "union";

/** The split types with ids of `base`, or what is wrong. */
export function relocateToBase(split: Btf, base: Btf): Btf | string {
  const distilledCount = split.baseCount ?? 0;
  const embedded = embeddedTypes(split, distilledCount);
  const byName = typesByName(base);
  const ids = new Int32Array(split.types.length + 1);
  for (let id = 1; id <= split.types.length; id++) {
    if (id > distilledCount) {
      ids[id] = base.types.length + id - distilledCount;
      continue;
    }
    const type = split.types[id - 1]!;
    const matches = matchesOf(type, embedded.has(id), base, byName.get(typeName(type)) ?? []);
    const [found, other] = matches;
    const name = `type '${typeName(type)}' of the distilled base`;
    if (found === undefined) return `${name} is not in the kernel's BTF`;
    if (other !== undefined) return `${name} may be type ${found} or ${other} of the kernel`;
    ids[id] = found;
  }
  const own = split.types
    .slice(distilledCount)
    .map((type) => mapReferences(type, (id) => ids[id]!));
  return {
    endian: base.endian,
    types: [...base.types, ...own],
    baseCount: base.types.length,
  };
}

function typesByName(btf: Btf): ReadonlyMap<string, readonly TypeId[]> {
  const index = new Map<string, TypeId[]>();
  btf.types.forEach((type, position) => {
    const name = typeName(type);
    if (name === "") return;
    pushTo(index, name, position + 1);
  });
  return index;
}

/** Distilled structs that types of the module contain: their size must be right. */
function embeddedTypes(split: Btf, distilledCount: number): ReadonlySet<TypeId> {
  const embedded = new Set<TypeId>();
  const visit = (id: TypeId, depth: number): void => {
    const type = split.types[id - 1];
    if (type === undefined || depth > 32) return;
    if (isComposite(type)) {
      if (id <= distilledCount) embedded.add(id);
      return;
    }
    switch (type.kind) {
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        visit(type.type, depth + 1);
        return;
      case "array":
        visit(type.element, depth + 1);
        return;
      default:
        return;
    }
  };
  for (const type of split.types.slice(distilledCount)) {
    if (isComposite(type)) for (const id of referencedTypes(type)) visit(id, 0);
  }
  return embedded;
}

function matchesOf(
  distilled: BtfType,
  isEmbedded: boolean,
  base: Btf,
  candidates: readonly TypeId[],
): TypeId[] {
  const composites = candidates.filter((id) => isComposite(base.types[id - 1]));
  const needsSize = isEmbedded || composites.length > 1;
  return candidates.filter((id) => matches(distilled, base.types[id - 1]!, needsSize));
}

function matches(distilled: BtfType, type: BtfType, needsSize: boolean): boolean {
  switch (distilled.kind) {
    case "fwd":
      return (
        type.kind === (distilled.union ? "union" : "struct") ||
        (type.kind === "fwd" && type.union === distilled.union)
      );
    case "int":
      return (
        type.kind === "int" &&
        type.size === distilled.size &&
        type.signed === distilled.signed &&
        type.char === distilled.char &&
        type.bool === distilled.bool
      );
    case "float":
      return type.kind === "float" && type.size === distilled.size;
    case "enum":
    case "enum64":
      return (type.kind === "enum" || type.kind === "enum64") && type.size === distilled.size;
    case "struct":
    case "union":
      return type.kind === distilled.kind && (!needsSize || type.size === distilled.size);
    default:
      return false;
  }
}
