/**
 * Merges equal BTF types. Forward declarations first take the place of the one definition that has
 * their name; what is equal then is type-classes.ts's business.
 */
import type { TypeId } from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import type { JoinedTypes } from "./joined-types.ts";
import { typeClasses } from "./type-classes.ts";

export interface Deduplicated {
  /** The first of each class, in order. */
  readonly kept: Int32Array;
  /** New id by old id; 0 stays 0, and types that were left out become 0. */
  readonly ids: Int32Array;
}

const { struct, union, fwd, datasec } = btfKindNumbers;
const enumeration = btfKindNumbers.enum;
const wideEnumeration = btfKindNumbers.enum64;

/** Unites the types that are not left out; old datasecs are never among them. */
export function deduplicateTypes(joined: JoinedTypes): Deduplicated {
  const { count } = joined;
  const isKept = keptTypes(joined);
  const representatives = findRepresentatives(joined, isKept);
  const targets = resolvedTargets(joined, isKept, representatives);
  const takesPart = isKept.slice();
  for (const id of representatives.keys()) takesPart[id] = 0;
  const classes = typeClasses(joined, takesPart, targets);
  const ids = new Int32Array(count + 1);
  const kept = new Int32Array(count);
  const keptCount = numberClasses(classes, ids, kept);
  for (const [id, target] of representatives) ids[id] = ids[target]!;
  return { kept: kept.subarray(0, keptCount), ids };
}

function keptTypes({ count, kinds, dropped, replaced }: JoinedTypes): Uint8Array {
  const isKept = new Uint8Array(count + 1).fill(1, 1);
  for (let id = 1; id <= count; id++) {
    if (kinds[id - 1] === datasec || dropped[id] === 1) isKept[id] = 0;
  }
  for (const id of replaced.keys()) isKept[id] = 0;
  return isKept;
}

/** Gives each class a new id, in the order of their first members; how many there are. */
function numberClasses(classes: Int32Array, ids: Int32Array, kept: Int32Array): number {
  const numbers = new Int32Array(classes.length);
  let count = 0;
  for (let id = 1; id < classes.length; id++) {
    const group = classes[id]!;
    if (group === 0) continue;
    if (numbers[group] === 0) {
      kept[count] = id;
      count += 1;
      numbers[group] = count;
    }
    ids[id] = numbers[group]!;
  }
  return count;
}

/** Structs, unions and enums have tags of their own kind. */
function tagSpace(kind: number): number {
  if (kind === struct || kind === union) return kind;
  return kind === enumeration || kind === wideEnumeration ? enumeration : 0;
}

/**
 * What stands for a type that is not kept for itself: what replaces it, or the definition of a
 * forward declaration. A declaration is left alone where definitions of its name differ.
 */
function findRepresentatives(joined: JoinedTypes, isKept: Uint8Array): Map<TypeId, TypeId> {
  const { count, kinds, replaced } = joined;
  const forwards = new Map<TypeId, number>();
  for (let id = 1; id <= count; id++) {
    const kind = kinds[id - 1]!;
    if (kind !== fwd && kind !== enumeration && kind !== wideEnumeration) continue;
    const name = joined.name(id);
    const info = joined.info(id);
    if (isKept[id] === 0 || name === 0) continue;
    if (kind === fwd) forwards.set(id, name * 32 + (info >>> 31 === 1 ? union : struct));
    else if ((info & 0xffff) === 0) forwards.set(id, name * 32 + enumeration);
  }
  const representatives = new Map<TypeId, TypeId>();
  if (forwards.size > 0) {
    const definitions = definitionsOf(joined, isKept, forwards);
    for (const [id, key] of forwards) {
      const definition = definitions.get(key) ?? 0;
      if (definition !== 0) representatives.set(id, definition);
    }
  }
  for (const [id, target] of replaced) {
    representatives.set(id, representatives.get(target) ?? target);
  }
  return representatives;
}

/** The definition that each key means; 0 where several say different things. */
function definitionsOf(
  joined: JoinedTypes,
  isKept: Uint8Array,
  forwards: ReadonlyMap<TypeId, number>,
): Map<number, TypeId> {
  const { count, kinds } = joined;
  const wanted = new Set(forwards.values());
  const definitions = new Map<number, TypeId>();
  for (let id = 1; id <= count; id++) {
    const space = tagSpace(kinds[id - 1]!);
    if (space === 0 || isKept[id] === 0 || forwards.has(id)) continue;
    const key = joined.name(id) * 32 + space;
    if (!wanted.has(key)) continue;
    const known = definitions.get(key);
    if (known === undefined) definitions.set(key, id);
    else if (known !== 0 && !joined.sameWords(known, id)) definitions.set(key, 0);
  }
  return definitions;
}

/** What each edge refers to in the end; 0 where that is left out. */
function resolvedTargets(
  { count, edges: { targets } }: JoinedTypes,
  isKept: Uint8Array,
  representatives: ReadonlyMap<TypeId, TypeId>,
): Int32Array {
  if (representatives.size === 0 && isKept.indexOf(0, 1) < 0) return targets;
  const resolved = new Int32Array(count + 1);
  for (let id = 1; id <= count; id++) resolved[id] = isKept[id] === 1 ? id : 0;
  for (const [id, target] of representatives) resolved[id] = isKept[target] === 1 ? target : 0;
  return targets.map((target) => resolved[target]!);
}
