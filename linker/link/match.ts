/**
 * Whether two declarations of one symbol agree, each in its own BTF: what a C compiler would accept
 * as the same object or function, as far as BTF tells.
 */
import type { BtfMember, BtfType } from "../../common/object/btf.ts";
import { type Placed, under } from "../core/compatible.ts";

const deepest = 16;

const at = (place: Placed, id: number): Placed => ({ btf: place.btf, id });

type Composite = BtfType & { readonly kind: "struct" | "union" };

/** Types under qualifiers and typedefs; behind pointers names suffice. */
export function declarationsMatch(a: Placed, b: Placed, depth = deepest): boolean {
  const x = under(a);
  const y = under(b);
  if (x === undefined || y === undefined) return x === y;
  if (depth === 0) return true;
  const match = (i: number, j: number): boolean => declarationsMatch(at(a, i), at(b, j), depth - 1);
  switch (x.kind) {
    case "struct":
    case "union":
      if (y.kind === "fwd") return x.name === y.name && y.union === (x.kind === "union");
      return y.kind === x.kind && compositesMatch(x, y, match);
    case "fwd":
      if (y.kind === "fwd") return x.name === y.name && x.union === y.union;
      return y.kind === (x.union ? "union" : "struct") && y.name === x.name;
    case "int":
      return y.kind === "int" && x.size === y.size && x.signed === y.signed && x.bool === y.bool;
    case "float":
      return y.kind === "float" && x.size === y.size;
    case "enum":
    case "enum64":
      return (y.kind === "enum" || y.kind === "enum64") && x.name === y.name && x.size === y.size;
    case "ptr":
      return y.kind === "ptr" && match(x.type, y.type);
    case "array":
      // `extern int table[]` agrees with every length.
      return (
        y.kind === "array" &&
        (x.count === y.count || x.count === 0 || y.count === 0) &&
        match(x.element, y.element)
      );
    case "func_proto":
      return (
        y.kind === "func_proto" &&
        x.params.length === y.params.length &&
        match(x.returns, y.returns) &&
        x.params.every((param, index) => match(param.type, y.params[index]!.type))
      );
    default:
      return x.kind === y.kind;
  }
}

function compositesMatch(
  x: Composite,
  y: Composite,
  match: (i: number, j: number) => boolean,
): boolean {
  if (x.name !== y.name || x.size !== y.size || x.members.length !== y.members.length) return false;
  const same = (member: BtfMember, other: BtfMember): boolean =>
    member.name === other.name &&
    member.bitOffset === other.bitOffset &&
    member.bitSize === other.bitSize;
  return x.members.every((member, index) => {
    const other = y.members[index]!;
    // Members of named records are compared by place only: their types may be pruned differently.
    return same(member, other) && (x.name !== "" || match(member.type, other.type));
  });
}

/** Map definitions hold numbers as array lengths, so lengths must be equal, also zero. */
export function mapDefinitionsMatch(a: Placed, b: Placed): boolean {
  const x = under(a);
  const y = under(b);
  if (x?.kind !== "struct" || y?.kind !== "struct") return false;
  if (x.members.length !== y.members.length) return false;
  return x.members.every((member, index) => {
    const other = y.members[index]!;
    const lengths = [arrayLength(at(a, member.type)), arrayLength(at(b, other.type))];
    return (
      member.name === other.name &&
      lengths[0] === lengths[1] &&
      declarationsMatch(at(a, member.type), at(b, other.type))
    );
  });
}

function arrayLength(place: Placed): number | undefined {
  const pointer = under(place);
  if (pointer?.kind !== "ptr") return undefined;
  const array = under(at(place, pointer.type));
  return array?.kind === "array" ? array.count : undefined;
}
