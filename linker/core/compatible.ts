/**
 * When a local type and a target type are one for CO-RE: loosely (fields, type_exists) or member by
 * member (type_matches). The rules are libbpf's.
 */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { skipModifierIds } from "../../common/object/btf-types.ts";
import { essentialName, sameKind, typeName } from "./names.ts";

/** A type in its Btf. */
export interface Placed {
  readonly btf: Btf;
  readonly id: TypeId;
}

const deepest = 32;

export function under(place: Placed): BtfType | undefined {
  return place.btf.types[skipModifierIds(place.btf, place.id) - 1];
}

const at = (place: Placed, id: TypeId): Placed => ({ btf: place.btf, id });
const isComposite = (type: BtfType): boolean => type.kind === "struct" || type.kind === "union";

/** Whether a field of one type may be read as the other: any composite as any, any integer as any. */
export function fieldsAreCompatible(local: Placed, target: Placed): boolean {
  const a = under(local);
  const b = under(target);
  if (a === undefined || b === undefined) return false;
  if (isComposite(a) && isComposite(b)) return true;
  if (!sameKind(a, b)) return false;
  switch (a.kind) {
    case "ptr":
    case "float":
      return true;
    case "fwd":
    case "enum":
    case "enum64": {
      const [x, y] = [essentialName(typeName(a)), essentialName(typeName(b))];
      return x === "" || y === "" || x === y;
    }
    case "int":
      return a.bitOffset === 0 && b.kind === "int" && b.bitOffset === 0;
    case "array":
      return b.kind === "array" && fieldsAreCompatible(at(local, a.element), at(target, b.element));
    default:
      return false;
  }
}

/** Whether the types exist alike: kinds, with pointees, elements and signatures, but not members. */
export function typesAreCompatible(local: Placed, target: Placed, depth = deepest): boolean {
  if (depth <= 0) return false;
  const a = under(local);
  const b = under(target);
  if (!sameKind(a, b)) return false;
  if (a === undefined || b === undefined) return true;
  const compatible = (x: TypeId, y: TypeId): boolean =>
    typesAreCompatible(at(local, x), at(target, y), depth - 1);
  switch (a.kind) {
    case "struct":
    case "union":
    case "enum":
    case "enum64":
    case "fwd":
      return true;
    case "int":
      return a.bitOffset === 0 && b.kind === "int" && b.bitOffset === 0;
    case "ptr":
      return b.kind === "ptr" && compatible(a.type, b.type);
    case "array":
      return b.kind === "array" && compatible(a.element, b.element);
    case "func_proto":
      return (
        b.kind === "func_proto" &&
        a.params.length === b.params.length &&
        a.params.every((param, index) => compatible(param.type, b.params[index]!.type)) &&
        compatible(a.returns, b.returns)
      );
    default:
      return false;
  }
}

function namesMatch(local: string, target: string): boolean {
  return target === "" ? local === "" : essentialName(local) === essentialName(target);
}

/** Whether the target has everything that the local definition has, with matching types. */
export function typesMatch(
  local: Placed,
  target: Placed,
  behindPointer = false,
  depth = deepest,
): boolean {
  if (depth <= 0) return false;
  const a = under(local);
  const b = under(target);
  if (!namesMatch(typeName(a), typeName(b))) return false;
  if (a === undefined || b === undefined) return a === b;
  const match = (x: TypeId, y: TypeId, pointed = behindPointer): boolean =>
    typesMatch(at(local, x), at(target, y), pointed, depth - 1);
  switch (a.kind) {
    case "fwd":
      if (b.kind === "fwd") return a.union === b.union;
      return behindPointer && b.kind === (a.union ? "union" : "struct");
    case "enum":
    case "enum64":
      return (b.kind === "enum" || b.kind === "enum64") && enumsMatch(a, b);
    case "struct":
    case "union":
      if (behindPointer) {
        return b.kind === a.kind || (b.kind === "fwd" && b.union === (a.kind === "union"));
      }
      if (b.kind !== a.kind || a.members.length > b.members.length) return false;
      return a.members.every((member) =>
        b.members.some(
          (other) => namesMatch(member.name, other.name) && match(member.type, other.type),
        ),
      );
    case "int":
      return b.kind === "int" && a.size === b.size && a.signed === b.signed;
    case "ptr":
      return b.kind === "ptr" && match(a.type, b.type, true);
    case "array":
      return b.kind === "array" && a.count === b.count && match(a.element, b.element);
    case "func_proto":
      return (
        b.kind === "func_proto" &&
        a.params.length === b.params.length &&
        a.params.every((param, index) => match(param.type, b.params[index]!.type)) &&
        match(a.returns, b.returns)
      );
    default:
      return false;
  }
}

type EnumType = BtfType & { readonly kind: "enum" | "enum64" };

function enumsMatch(local: EnumType, target: EnumType): boolean {
  if (local.size !== target.size || local.values.length > target.values.length) return false;
  const names = new Set(target.values.map((value) => essentialName(value.name)));
  return local.values.every((value) => names.has(essentialName(value.name)));
}
