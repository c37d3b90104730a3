/**
 * What must hold in every Btf: type ids exist, and chains end. Two graphs must be free of cycles:
 * containment (an array's element, a struct's members …), and everything but struct members (a
 * pointer to itself through typedefs, say, cannot be written in C). Legal recursion goes through
 * both a pointer and a struct, and so is in neither.
 */
import type { Btf, BtfType, TypeId } from "./btf.ts";
import { referencedTypes } from "./btf-references.ts";

/** Deeper nesting than this is refused, so that recursive walks cannot overflow the stack. */
const maxDepth = 512;

/** The first thing that is wrong, in words; undefined for a sound Btf. */
export function findBtfStructureError(btf: Btf): string | undefined {
  const { types } = btf;
  const edges = types.map(referencedTypes);
  for (let index = 0; index < types.length; index++) {
    for (const id of edges[index]!) {
      if (id > types.length) return `type ${index + 1} refers to type ${id}, which does not exist`;
    }
    const wrong = wrongReference(types, types[index]!);
    if (wrong !== undefined) return `type ${index + 1}: ${wrong}`;
  }
  const isComposite = (type: BtfType): boolean => type.kind === "struct" || type.kind === "union";
  const isIndirect = (type: BtfType): boolean =>
    type.kind === "ptr" || type.kind === "func_proto" || type.kind === "func";
  return (
    findLoop(types, edges, isIndirect, "contains itself") ??
    findLoop(types, edges, isComposite, "refers to itself")
  );
}

/** References that only certain kinds may hold. */
function wrongReference(types: readonly BtfType[], type: BtfType): string | undefined {
  if (type.kind === "func") {
    const proto = types[type.type - 1];
    return proto?.kind === "func_proto" ? undefined : `function '${type.name}' has no prototype`;
  }
  if (type.kind === "datasec") {
    const stray = type.entries.find(({ type: id }) => {
      const kind = types[id - 1]?.kind;
      return kind !== "var" && kind !== "func";
    });
    return stray && `section '${type.name}' holds type ${stray.type}, which is no variable`;
  }
  const declarations = referencedTypes(type).filter((id) => {
    const kind = types[id - 1]?.kind;
    return kind === "func" || kind === "var" || kind === "datasec" || kind === "decl_tag";
  });
  if (declarations.length > 0 && type.kind !== "decl_tag") {
    return `type ${declarations[0]} is a declaration, not a type`;
  }
  return undefined;
}

/** Depth-first search without recursion; `isLeaf` types have no edges in this graph. */
function findLoop(
  types: readonly BtfType[],
  edges: readonly (readonly TypeId[])[],
  isLeaf: (type: BtfType) => boolean,
  what: string,
): string | undefined {
  // 0 unseen, -1 on the path, otherwise 1 + the height of what hangs below.
  const height = new Int32Array(types.length + 1);
  height[0] = 1;
  for (let root = 1; root <= types.length; root++) {
    if (height[root] !== 0) continue;
    const path = [{ id: root, next: 0, height: 1 }];
    height[root] = -1;
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const targets = isLeaf(types[top.id - 1]!) ? [] : edges[top.id - 1]!;
      const id = targets[top.next];
      top.next += 1;
      if (id === undefined) {
        if (top.height > maxDepth) return `type ${top.id} is nested deeper than ${maxDepth}`;
        height[top.id] = top.height;
        path.pop();
        const below = path[path.length - 1];
        if (below !== undefined) below.height = Math.max(below.height, top.height + 1);
        continue;
      }
      const known = height[id]!;
      if (known === -1) return `type ${id} ${what}`;
      if (known > 0) {
        top.height = Math.max(top.height, known + 1);
        continue;
      }
      height[id] = -1;
      path.push({ id, next: 0, height: 1 });
    }
  }
  return undefined;
}
