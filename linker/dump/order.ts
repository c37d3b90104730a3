/**
 * The order in which C declarations are printed so that it depends on names, not on ids: enums,
 * integers, then types by what they lead to, each by name. The order is bpftool's.
 */
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { typeName } from "../core/names.ts";

const last = 10;
const deepest = 64;

/** Enums first: their constants may size arrays; what has no name of its own comes last. */
function rankOf(btf: Btf, id: TypeId, hasName = false, depth = 0): number {
  const type = btf.types[id - 1];
  const named = hasName || typeName(type) !== "";
  if (type === undefined || depth > deepest) return last;
  switch (type.kind) {
    case "enum":
    case "enum64":
      return named ? 1 : 0;
    case "int":
    case "float":
      return 2;
    case "struct":
    case "union":
      return named ? 3 : last;
    case "func_proto":
      return named ? 4 : last;
    case "array":
      return named ? rankOf(btf, type.element, true, depth + 1) : last;
    case "ptr":
    case "const":
    case "volatile":
    case "restrict":
    case "type_tag":
    case "decl_tag":
    case "typedef":
      return named ? rankOf(btf, type.type, true, depth + 1) : last;
    default:
      return last;
  }
}

/** The name at the end of a chain of references; an enum without a name goes by its first constant. */
function sortName(btf: Btf, id: TypeId, isReferred = false, depth = 0): string {
  const type = btf.types[id - 1];
  if (type === undefined || depth > deepest) return "";
  switch (type.kind) {
    case "enum":
    case "enum64":
      return type.name === "" && !isReferred ? (type.values[0]?.name ?? "") : type.name;
    case "array":
      return sortName(btf, type.element, true, depth + 1);
    case "ptr":
    case "const":
    case "volatile":
    case "restrict":
    case "type_tag":
    case "decl_tag":
    case "typedef":
      return sortName(btf, type.type, true, depth + 1);
    default:
      return typeName(type);
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The ids in that order. */
export function sortForC(btf: Btf, ids: readonly TypeId[]): TypeId[] {
  return ids
    .map((id) => {
      const own = typeName(btf.types[id - 1]);
      return { id, rank: rankOf(btf, id), name: sortName(btf, id), own };
    })
    .sort(
      (a, b) =>
        a.rank - b.rank || compareText(a.name, b.name) || compareText(a.own, b.own) || a.id - b.id,
    )
    .map(({ id }) => id);
}
