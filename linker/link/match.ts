/**
 * Whether two declarations of one symbol agree, each in its own BTF. As in libbpf's linker, which real
 * programs are linked with, they need not be what C calls compatible: integers may differ in sign,
 * arrays in length.
 */
import type { BtfMember, BtfType } from "../../common/object/btf.ts";
import { type Placed, under } from "../core/compatible.ts";

const deepest = 16;

const at = (place: Placed, id: number): Placed => ({ btf: place.btf, id });

type Composite = BtfType & { readonly kind: "struct" | "union" };

/** How records behind pointers are compared. */
type Pointees = "by name" | "whole";

/**
 * Types under qualifiers and typedefs. Behind pointers names suffice: each object declares only the
 * members of a kernel's type that it uses.
 */
export function declarationsMatch(a: Placed, b: Placed): boolean {
  return typesMatch(a, b, "by name", deepest, false);
}

function typesMatch(
  a: Placed,
  b: Placed,
  pointees: Pointees,
  depth: number,
  isPointedTo: boolean,
): boolean {
  const x = under(a);
  const y = under(b);
  if (x === undefined || y === undefined) return x === y;
  if (depth === 0) return true;
  const match = (i: number, j: number, isBehind = isPointedTo): boolean =>
    typesMatch(at(a, i), at(b, j), pointees, depth - 1, isBehind);
  switch (x.kind) {
    case "struct":
    case "union":
      if (y.kind === "fwd") return x.name === y.name && y.union === (x.kind === "union");
      if (y.kind !== x.kind) return false;
      if (isPointedTo && pointees === "by name") return x.name === y.name;
      return compositesMatch(x, y, match);
    case "fwd":
      if (y.kind === "fwd") return x.name === y.name && x.union === y.union;
      return y.kind === (x.union ? "union" : "struct") && y.name === x.name;
    case "int":
      return y.kind === "int" && x.size === y.size;
    case "float":
      return y.kind === "float" && x.size === y.size;
    case "enum":
    case "enum64":
      return (y.kind === "enum" || y.kind === "enum64") && x.name === y.name && x.size === y.size;
    case "ptr":
      return y.kind === "ptr" && match(x.type, y.type, true);
    case "array":
      return y.kind === "array" && match(x.element, y.element);
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
    // Keys and values stand behind pointers.
    if (!typesMatch(...places, "whole", deepest, false)) return `${name} has different types`;
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
