/** Type flavours: `task_struct___old` means task_struct; what stands before the triple underscore counts. */
import { pushTo } from "../../common/append.ts";
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";

const flavour = /^(.*[^_])___[^_]/s;

/** The name without its flavour. */
export function essentialName(name: string): string {
  return flavour.exec(name)?.[1] ?? name;
}

/** Name of a type; empty for kinds without one. */
export function typeName(type: BtfType | undefined): string {
  return type !== undefined && "name" in type ? type.name : "";
}

const indexes = new WeakMap<Btf, ReadonlyMap<string, readonly TypeId[]>>();

/** Ids of a target's named types by essential name; made once per Btf. */
export function typesByEssentialName(btf: Btf): ReadonlyMap<string, readonly TypeId[]> {
  const known = indexes.get(btf);
  if (known !== undefined) return known;
  const index = new Map<string, TypeId[]>();
  btf.types.forEach((type, position) => {
    const name = typeName(type);
    if (name === "") return;
    const essential = name.includes("___") ? essentialName(name) : name;
    pushTo(index, essential, position + 1);
  });
  indexes.set(btf, index);
  return index;
}

const isEnum = (type: BtfType): boolean => type.kind === "enum" || type.kind === "enum64";

/** Same kind, where the two kinds of enum count as one. Void is its own kind. */
export function sameKind(a: BtfType | undefined, b: BtfType | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.kind === b.kind || (isEnum(a) && isEnum(b));
}

/** Types of the target that a local type may mean: same essential name, same kind. */
export function candidatesFor(local: BtfType, target: Btf): readonly TypeId[] {
  const ids = typesByEssentialName(target).get(essentialName(typeName(local))) ?? [];
  return ids.filter((id) => sameKind(target.types[id - 1], local));
}
