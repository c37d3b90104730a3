/**
 * Merges equal BTF types. Equality is that of whole type graphs: all types start in classes by their
 * own content, and classes are split until the members of each refer to the same classes
 * (partition refinement, so cycles need no special care). Forward declarations first take the
 * place of the one definition that has their name.
 */
import type { BtfType, TypeId } from "../../common/object/btf.ts";
import { mapReferences, referencedTypes } from "../../common/object/btf-references.ts";

export interface Deduplicated {
  readonly types: readonly BtfType[];
  /** New id by old id; 0 stays 0. */
  readonly ids: Int32Array;
}

/** Kinds that are declarations: each stays itself. */
const unique = new Set<BtfType["kind"]>(["var", "datasec"]);

/** Keeps the first of each class, in order. */
export function deduplicateTypes(types: readonly BtfType[]): Deduplicated {
  const representative = resolveForwards(types);
  const classes = refine(types, representative);
  const ids = new Int32Array(types.length + 1);
  const first = new Map<number, TypeId>();
  const kept: BtfType[] = [];
  types.forEach((type, index) => {
    const id = index + 1;
    if (representative[id] !== id) return;
    const known = first.get(classes[id]!);
    if (known !== undefined) {
      ids[id] = known;
      return;
    }
    kept.push(type);
    first.set(classes[id]!, kept.length);
    ids[id] = kept.length;
  });
  types.forEach((_, index) => {
    const id = index + 1;
    if (representative[id] !== id) ids[id] = ids[representative[id]!]!;
  });
  return { types: kept.map((type) => mapReferences(type, (id) => ids[id]!)), ids };
}

/** What a type says itself, without what it refers to. */
function content(type: BtfType): string {
  switch (type.kind) {
    case "int":
      return `i ${type.name} ${type.size} ${type.bits} ${type.bitOffset} ${type.signed} ${type.char} ${type.bool}`;
    case "float":
      return `d ${type.name} ${type.size}`;
    case "fwd":
      return `f ${type.name} ${type.union}`;
    case "array":
      return `a ${type.count}`;
    case "struct":
    case "union": {
      const members = type.members.map((m) => `${m.name},${m.bitOffset},${m.bitSize}`);
      return `${type.kind} ${type.name} ${type.size} ${type.kindFlag} ${members.join(";")}`;
    }
    case "enum":
    case "enum64": {
      const values = type.values.map((value) => `${value.name}=${value.value}`);
      return `${type.kind} ${type.name} ${type.size} ${type.signed} ${values.join(";")}`;
    }
    case "func_proto":
      return `p ${type.params.map((param) => param.name).join(",")} ${type.params.length}`;
    case "func":
      return `F ${type.name} ${type.linkage}`;
    case "typedef":
      return `t ${type.name}`;
    case "type_tag":
      return `g ${type.name} ${type.kindFlag ?? false}`;
    case "decl_tag":
      return `D ${type.name} ${type.componentIndex} ${type.kindFlag ?? false}`;
    case "ptr":
    case "volatile":
    case "const":
    case "restrict":
    case "var":
    case "datasec":
      return type.kind;
  }
}

/**
 * For each type the one that stands for it: itself, or the definition of a forward declaration. A
 * declaration is left alone where definitions of its name differ.
 */
function resolveForwards(types: readonly BtfType[]): Int32Array {
  const definitions = new Map<string, { id: TypeId; shape: string } | "ambiguous">();
  const forwards: { readonly id: TypeId; readonly key: string }[] = [];
  types.forEach((type, index) => {
    const id = index + 1;
    if (type.kind === "fwd") {
      if (type.name !== "")
        forwards.push({ id, key: `${type.union ? "union" : "struct"} ${type.name}` });
      return;
    }
    const isEnum = type.kind === "enum" || type.kind === "enum64";
    if (!isEnum && type.kind !== "struct" && type.kind !== "union") return;
    if (type.name === "") return;
    const key = `${isEnum ? "enum" : type.kind} ${type.name}`;
    if (isEnum && type.values.length === 0) {
      forwards.push({ id, key });
      return;
    }
    const known = definitions.get(key);
    if (known === "ambiguous") return;
    const shape = content(type);
    if (known === undefined) definitions.set(key, { id, shape });
    else if (known.shape !== shape) definitions.set(key, "ambiguous");
  });
  const representative = Int32Array.from({ length: types.length + 1 }, (_, id) => id);
  for (const { id, key } of forwards) {
    const definition = definitions.get(key);
    if (definition !== undefined && definition !== "ambiguous") representative[id] = definition.id;
  }
  return representative;
}

/** Class number by type id. */
function refine(types: readonly BtfType[], representative: Int32Array): Int32Array {
  const count = types.length;
  const starts = new Int32Array(count + 2);
  const targets: number[] = [];
  let classes = new Int32Array(count + 1);
  const byContent = new Map<string, number>([["", 0]]);
  types.forEach((type, index) => {
    const id = index + 1;
    starts[id] = targets.length;
    for (const target of referencedTypes(type)) targets.push(representative[target]!);
    const key = unique.has(type.kind) ? `unique ${id}` : content(type);
    const known = byContent.get(key);
    classes[id] = known ?? byContent.size;
    if (known === undefined) byContent.set(key, byContent.size);
  });
  starts[count + 1] = targets.length;
  const edges = Int32Array.from(targets);
  let classCount = byContent.size;
  for (;;) {
    const next = split(classes, starts, edges, classCount);
    classes = next.classes;
    if (next.count === classCount) return classes;
    classCount = next.count;
  }
}

/** One round: types stay together if they were together and their targets are. */
function split(
  classes: Int32Array,
  starts: Int32Array,
  edges: Int32Array,
  classCount: number,
): { readonly classes: Int32Array<ArrayBuffer>; readonly count: number } {
  const count = classes.length - 1;
  // Open addressing; each slot holds the first type of a new class.
  let size = 1024;
  while (size < classCount * 4 || size < count * 2) size *= 2;
  const table = new Int32Array(size);
  const next = new Int32Array(count + 1);
  let used = 1;
  for (let id = 1; id <= count; id++) {
    const from = starts[id]!;
    const to = starts[id + 1]!;
    let hash = Math.imul(classes[id]!, 0x9e3779b1);
    for (let edge = from; edge < to; edge++) {
      hash = Math.imul(hash ^ classes[edges[edge]!]!, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    let slot = (hash ^ (hash >>> 13)) & (size - 1);
    for (;;) {
      const other = table[slot]!;
      if (other === 0) {
        table[slot] = id;
        next[id] = used++;
        break;
      }
      if (isSame(classes, starts, edges, id, other)) {
        next[id] = next[other]!;
        break;
      }
      slot = (slot + 1) & (size - 1);
    }
  }
  return { classes: next, count: used };
}

function isSame(
  classes: Int32Array,
  starts: Int32Array,
  edges: Int32Array,
  a: number,
  b: number,
): boolean {
  if (classes[a] !== classes[b]) return false;
  const from = starts[a]!;
  const other = starts[b]!;
  const length = starts[a + 1]! - from;
  if (starts[b + 1]! - other !== length) return false;
  for (let i = 0; i < length; i++) {
    if (classes[edges[from + i]!] !== classes[edges[other + i]!]) return false;
  }
  return true;
}
