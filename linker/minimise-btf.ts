/**
 * A BTF with only what an object's CO-RE relocations look at (`gen min_core_btf`): the types and
 * members that were matched, for kernels that carry no BTF of their own.
 */
import type { Btf, BtfType, TypeId } from "../common/object/btf.ts";
import { mapReferences, referencedTypes } from "../common/object/btf-references.ts";
import { skipModifierIds } from "../common/object/btf-types.ts";
import { relocationGroup } from "./core/access.ts";
import type { CoreResolution } from "./core/resolve.ts";

interface Needs {
  readonly btf: Btf;
  readonly types: Set<TypeId>;
  /** By record: the members that some access goes through. */
  readonly members: Map<TypeId, Set<number>>;
}

/** The part of `target` that gives the same resolutions. */
export function minimiseBtf(target: Btf, resolutions: readonly CoreResolution[]): Btf {
  const needs: Needs = { btf: target, types: new Set(), members: new Map() };
  for (const { relocation, target: access } of resolutions) {
    if (access === undefined) continue;
    const isWhole =
      relocationGroup(relocation.kind) !== "field" && relocation.kind !== "type_exists";
    if (isWhole) needWhole(needs, access.root);
    else needType(needs, access.root);
    if (relocationGroup(relocation.kind) === "field") needPath(needs, access.root, access.raw);
  }
  return renumber(needs);
}

/** A type by itself: records without members unless asked for. */
function needType(needs: Needs, id: TypeId): void {
  const type = needs.btf.types[id - 1];
  if (type === undefined || needs.types.has(id)) return;
  needs.types.add(id);
  const isRecord = type.kind === "struct" || type.kind === "union";
  // What a pointer leads to is looked at only if an access goes there, which none does.
  if (isRecord) return;
  if (type.kind === "ptr") {
    const target = needs.btf.types[skipModifierIds(needs.btf, type.type) - 1];
    if (target?.kind === "struct" || target?.kind === "union") return;
  }
  for (const reference of referencedTypes(type)) needType(needs, reference);
}

function needWhole(needs: Needs, id: TypeId): void {
  needType(needs, id);
  const record = skipModifierIds(needs.btf, id);
  const type = needs.btf.types[record - 1];
  if (type?.kind !== "struct" && type?.kind !== "union") return;
  const known = needs.members.get(record);
  if (known?.size === type.members.length) return;
  needs.members.set(record, new Set(type.members.keys()));
  for (const member of type.members) needWhole(needs, member.type);
}

/** The members and elements on the way of an access string. */
function needPath(needs: Needs, root: TypeId, path: readonly number[]): void {
  let id = skipModifierIds(needs.btf, root);
  needType(needs, id);
  for (const index of path.slice(1)) {
    const type = needs.btf.types[id - 1];
    if (type?.kind === "struct" || type?.kind === "union") {
      const members = needs.members.get(id) ?? new Set();
      needs.members.set(id, members.add(index));
      needType(needs, type.members[index]?.type ?? 0);
      id = skipModifierIds(needs.btf, type.members[index]?.type ?? 0);
    } else if (type?.kind === "array") {
      id = skipModifierIds(needs.btf, type.element);
      needType(needs, id);
    } else return;
  }
}

/** Needed types in their order. Pointers to what is not needed point to void. */
function renumber({ btf, types, members }: Needs): Btf {
  const kept = [...types].sort((a, b) => a - b);
  const ids = new Map(kept.map((id, index) => [id, index + 1]));
  return {
    endian: btf.endian,
    types: kept.map((id): BtfType => {
      const type = btf.types[id - 1]!;
      const isRecord = type.kind === "struct" || type.kind === "union";
      const slim = isRecord
        ? { ...type, members: type.members.filter((_, index) => members.get(id)?.has(index)) }
        : type;
      return mapReferences(slim, (reference) => ids.get(reference) ?? 0);
    }),
  };
}
