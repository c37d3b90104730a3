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

/**
 * How two map definitions differ, in words; undefined where they agree. They hold numbers as lengths
 * of arrays or enumerators, so those must be equal, also zero.
 */
export function mapDifference(a: Placed, b: Placed): string | undefined {
  const x = under(a);
  const y = under(b);
  if (x?.kind !== "struct" || y?.kind !== "struct") return "one is no struct";
  for (const member of x.members) {
    const { name } = member;
    const other = y.members.find((each) => each.name === name);
    if (other === undefined) return `only one has ${name}`;
    const places = [at(a, member.type), at(b, other.type)] as const;
    const [first, second] = [encodedNumber(places[0]), encodedNumber(places[1])];
    if (first !== second) return `${name} is ${first ?? "a type"} and ${second ?? "a type"}`;
    if (!declarationsMatch(...places)) return `${name} has different types`;
  }
  const extra = y.members.find(({ name }) => x.members.every((member) => member.name !== name));
  return extra && `only one has ${extra.name}`;
}

/** What `__uint` or `__ulong` made; undefined for other members. */
function encodedNumber(place: Placed): bigint | undefined {
  const type = under(place);
  if (type?.kind === "enum" || type?.kind === "enum64") return type.values[0]?.value;
  if (type?.kind !== "ptr") return undefined;
  const array = under(at(place, type.type));
  return array?.kind === "array" ? BigInt(array.count) : undefined;
}
