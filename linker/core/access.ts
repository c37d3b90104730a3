/**
 * CO-RE access strings: `0:1:2` resolved through a local type to a path of fields and elements, and
 * the same path found in a target type, where fields may have moved.
 */
import type {
  Btf,
  BtfType,
  CoreRelocation,
  CoreRelocationKind,
  TypeId,
} from "../../common/object/btf.ts";
import { btfSizeOf, skipModifierIds } from "../../common/object/btf-types.ts";
import { fieldsAreCompatible, type Placed, typesAreCompatible, typesMatch } from "./compatible.ts";
import { essentialName } from "./names.ts";

/** One step: a named member of `type`, or an element of an array (no name). */
export interface AccessStep {
  /** Without modifiers. The record of a member; the element type otherwise. */
  readonly type: TypeId;
  readonly index: number;
  readonly name: string | undefined;
}

/** What an access string means in one Btf. */
export interface Access {
  readonly btf: Btf;
  readonly root: TypeId;
  readonly steps: readonly AccessStep[];
  /** With the members of anonymous records; for printing. */
  readonly raw: readonly number[];
  readonly bitOffset: number;
}

export type RelocationGroup = "field" | "type" | "enum_value";

const groups: Readonly<Record<CoreRelocationKind, RelocationGroup>> = {
  field_byte_offset: "field",
  field_byte_size: "field",
  field_exists: "field",
  field_signed: "field",
  field_lshift_u64: "field",
  field_rshift_u64: "field",
  type_id_local: "type",
  type_id_target: "type",
  type_exists: "type",
  type_size: "type",
  enumval_exists: "enum_value",
  enumval_value: "enum_value",
  type_matches: "type",
};

export function relocationGroup(kind: CoreRelocationKind): RelocationGroup {
  return groups[kind];
}

/** libbpf's limit. */
const longestAccess = 64;

interface AccessDraft {
  btf: Btf;
  root: TypeId;
  steps: AccessStep[];
  raw: number[];
  bitOffset: number;
}

const emptyAccess = (btf: Btf, root: TypeId): AccessDraft => ({
  btf,
  root,
  steps: [],
  raw: [],
  bitOffset: 0,
});

function parseIndexes(text: string): number[] | undefined {
  if (!/^\d{1,9}(:\d{1,9})*$/.test(text)) return undefined;
  const indexes = text.split(":").map(Number);
  return indexes.length > longestAccess ? undefined : indexes;
}

/** Resolves a relocation in the object's own BTF; a string says what is wrong with it. */
export function localAccess(btf: Btf, relocation: CoreRelocation): Access | string {
  const access = emptyAccess(btf, relocation.type);
  const group = relocationGroup(relocation.kind);
  if (btf.types[relocation.type - 1] === undefined) return "its type does not exist";
  if (group === "type") return relocation.access === "0" ? access : "a type has no fields";
  const indexes = parseIndexes(relocation.access);
  if (indexes === undefined) return `bad access string '${relocation.access}'`;
  access.raw = indexes;
  let id = skipModifierIds(btf, relocation.type);
  const [first = 0, ...rest] = indexes;
  if (group === "enum_value") {
    const type = btf.types[id - 1];
    const value = type?.kind === "enum" || type?.kind === "enum64" ? type.values[first] : undefined;
    if (value === undefined || rest.length > 0) return "it names no enumerator";
    return { ...access, steps: [{ type: id, index: first, name: value.name }] };
  }
  const size = btfSizeOf(btf, id);
  if (size === undefined) return "its type has no size";
  access.steps.push({ type: id, index: first, name: undefined });
  access.bitOffset = first * size * 8;
  for (const index of rest) {
    const next = stepInto(access, id, index);
    if (typeof next === "string") return next;
    id = next;
  }
  return access;
}

/** Adds one local step; gives the id of the type that it leads to. */
function stepInto(access: AccessDraft, from: TypeId, index: number): TypeId | string {
  const { btf } = access;
  const id = skipModifierIds(btf, from);
  const type = btf.types[id - 1];
  if (type?.kind === "struct" || type?.kind === "union") {
    const member = type.members[index];
    if (member === undefined) return `member ${index} does not exist`;
    access.bitOffset += member.bitOffset;
    if (member.name !== "") access.steps.push({ type: id, index, name: member.name });
    return member.type;
  }
  if (type?.kind !== "array") return "it reaches into a type that has no parts";
  const element = skipModifierIds(btf, type.element);
  if (index >= type.count && !isFlexible(access, type)) return `element ${index} does not exist`;
  const size = btfSizeOf(btf, element);
  if (size === undefined) return "it reaches into an array whose elements have no size";
  access.steps.push({ type: element, index, name: undefined });
  access.bitOffset += index * size * 8;
  return element;
}

/** A `[]` or `[0]` at the end of the struct in which the last step stands. */
function isFlexible(access: AccessDraft, array: BtfType & { kind: "array" }): boolean {
  const last = access.steps.at(-1);
  if (last?.name === undefined || array.count > 0) return false;
  const record = access.btf.types[last.type - 1];
  return (
    (record?.kind === "struct" || record?.kind === "union") &&
    last.index === record.members.length - 1
  );
}

/** The same access in a target type; undefined where the target has no such thing. */
export function targetAccess(
  local: Access,
  kind: CoreRelocationKind,
  target: Btf,
  candidate: TypeId,
): Access | undefined {
  const places: [Placed, Placed] = [
    { btf: local.btf, id: local.root },
    { btf: target, id: candidate },
  ];
  switch (relocationGroup(kind)) {
    case "type": {
      const same = kind === "type_matches" ? typesMatch(...places) : typesAreCompatible(...places);
      return same ? emptyAccess(target, candidate) : undefined;
    }
    case "enum_value":
      return targetEnumerator(local, target, candidate);
    case "field":
      return targetField(local, target, candidate);
  }
}

function targetEnumerator(local: Access, target: Btf, candidate: TypeId): Access | undefined {
  const id = skipModifierIds(target, candidate);
  const type = target.types[id - 1];
  if (type?.kind !== "enum" && type?.kind !== "enum64") return undefined;
  const name = essentialName(local.steps[0]?.name ?? "");
  const index = type.values.findIndex((value) => essentialName(value.name) === name);
  if (index < 0) return undefined;
  const steps = [{ type: id, index, name: type.values[index]!.name }];
  return { ...emptyAccess(target, candidate), steps, raw: [index] };
}

function targetField(local: Access, target: Btf, candidate: TypeId): Access | undefined {
  const access = emptyAccess(target, candidate);
  let id = candidate;
  for (const [position, step] of local.steps.entries()) {
    const next =
      step.name === undefined
        ? matchElement(access, id, step.index, position === 0)
        : matchMember(access, id, local.btf, step);
    if (next === undefined) return undefined;
    id = next;
  }
  return access;
}

function matchElement(
  access: AccessDraft,
  from: TypeId,
  index: number,
  isRoot: boolean,
): TypeId | undefined {
  const { btf } = access;
  let id = skipModifierIds(btf, from);
  if (!isRoot) {
    const type = btf.types[id - 1];
    if (type?.kind !== "array") return undefined;
    if (index >= type.count && !isFlexible(access, type)) return undefined;
    id = skipModifierIds(btf, type.element);
  }
  const size = btfSizeOf(btf, id);
  if (size === undefined) return undefined;
  access.steps.push({ type: id, index, name: undefined });
  access.raw.push(index);
  access.bitOffset += index * size * 8;
  return id;
}

/** Looks for the member by name, also inside anonymous records; gives the member's type. */
function matchMember(
  access: AccessDraft,
  from: TypeId,
  localBtf: Btf,
  step: AccessStep,
): TypeId | undefined {
  const id = skipModifierIds(access.btf, from);
  const type = access.btf.types[id - 1];
  if (type?.kind !== "struct" && type?.kind !== "union") return undefined;
  if (access.raw.length >= longestAccess) return undefined;
  for (const [index, member] of type.members.entries()) {
    if (member.name !== "" && member.name !== step.name) continue;
    access.bitOffset += member.bitOffset;
    access.raw.push(index);
    if (member.name === "") {
      const found = matchMember(access, member.type, localBtf, step);
      if (found !== undefined) return found;
    } else {
      const record = localBtf.types[step.type - 1];
      const isRecord = record?.kind === "struct" || record?.kind === "union";
      const localType = isRecord ? (record.members[step.index]?.type ?? 0) : 0;
      const places: [Placed, Placed] = [
        { btf: localBtf, id: localType },
        { btf: access.btf, id: member.type },
      ];
      if (!fieldsAreCompatible(...places)) return undefined;
      access.steps.push({ type: id, index, name: member.name });
      return member.type;
    }
    access.bitOffset -= member.bitOffset;
    access.raw.pop();
  }
  return undefined;
}
