/**
 * What must hold in every Btf: type ids exist, and chains end. Two graphs must be free of cycles:
 * containment (an array's element, a struct's members …), and everything but struct members (a
 * pointer to itself through typedefs, say, cannot be written in C). Legal recursion goes through
 * both a pointer and a struct, and so is in neither.
 */
import type { TypeId } from "./btf.ts";
import { btfKindNumbers } from "./btf-constants.ts";
import type { TypeEdges } from "./packed-btf.ts";

/** Deeper nesting than this is refused, so that recursive walks cannot overflow the stack. */
const maxDepth = 512;

/** What the checks look at. */
export interface TypeGraph {
  /** Kind numbers, by id - 1. */
  readonly kinds: Uint8Array;
  readonly edges: TypeEdges;
  readonly nameOf: (id: TypeId) => string;
}

const { struct, union, ptr, func, func_proto, datasec, decl_tag } = btfKindNumbers;
const variable = btfKindNumbers.var;
const flags = (...kinds: readonly number[]): Uint8Array => {
  const table = new Uint8Array(32);
  for (const kind of kinds) table[kind] = 1;
  return table;
};
const declarations = flags(func, variable, datasec, decl_tag);
/** Kinds at which a graph ends: nothing is contained in a pointer, and recursion is legal in records. */
const indirect = flags(ptr, func_proto, func);
const composite = flags(struct, union);

/** The first thing that is wrong, in words; undefined for sound types. */
export function findBtfStructureError(graph: TypeGraph): string | undefined {
  const { kinds, edges } = graph;
  const { starts, targets } = edges;
  const count = kinds.length;
  for (let edge = 0; edge < targets.length; edge++) {
    const id = targets[edge]!;
    // Ids above 2^31 are negative here.
    if (id <= count && id >= 0) continue;
    const owner = starts.findIndex((start) => start > edge);
    return `type ${owner} refers to type ${id >>> 0}, which does not exist`;
  }
  for (let index = 0; index < count; index++) {
    const wrong = wrongReference(graph, index);
    if (wrong !== undefined) return `type ${index + 1}: ${wrong}`;
  }
  return (
    findLoop(graph, indirect, "contains itself") ?? findLoop(graph, composite, "refers to itself")
  );
}

/** References that only certain kinds may hold. */
function wrongReference({ kinds, edges, nameOf }: TypeGraph, index: number): string | undefined {
  const kind = kinds[index]!;
  if (kind === decl_tag) return undefined;
  const first = edges.starts[index]!;
  if (kind === func) {
    const proto = edges.targets[first]!;
    const isProto = proto > 0 && kinds[proto - 1] === func_proto;
    return isProto ? undefined : `function '${nameOf(index + 1)}' has no prototype`;
  }
  for (let edge = first; edge < edges.starts[index + 1]!; edge++) {
    const id = edges.targets[edge]!;
    const target = id === 0 ? 0 : kinds[id - 1]!;
    if (kind === datasec) {
      if (target !== variable && target !== func)
        return `section '${nameOf(index + 1)}' holds type ${id}, which is no variable`;
    } else if (declarations[target] === 1) return `type ${id} is a declaration, not a type`;
  }
  return undefined;
}

/** Depth-first search without recursion; kinds in `leaves` have no edges in this graph. */
function findLoop(
  { kinds, edges: { starts, targets } }: TypeGraph,
  leaves: Uint8Array,
  what: string,
): string | undefined {
  const count = kinds.length;
  // 0 unseen, -1 on the path, otherwise 1 + the height of what hangs below.
  const height = new Int32Array(count + 1);
  height[0] = 1;
  // The path: ids, the next edge of each, and its height so far.
  const path = new Int32Array(count + 1);
  const next = new Int32Array(count + 1);
  const reached = new Int32Array(count + 1);
  const enter = (depth: number, id: TypeId): void => {
    height[id] = -1;
    path[depth] = id;
    next[depth] = starts[id - 1]!;
    reached[depth] = 1;
  };
  for (let root = 1; root <= count; root++) {
    if (height[root] !== 0) continue;
    let depth = 0;
    enter(0, root);
    while (depth >= 0) {
      const top = path[depth]!;
      const end = leaves[kinds[top - 1]!] === 1 ? 0 : starts[top]!;
      const edge = next[depth]!;
      if (edge >= end) {
        const high = reached[depth]!;
        if (high > maxDepth) return `type ${top} is nested deeper than ${maxDepth}`;
        height[top] = high;
        depth -= 1;
        if (depth >= 0) reached[depth] = Math.max(reached[depth]!, high + 1);
        continue;
      }
      next[depth] = edge + 1;
      const id = targets[edge]!;
      const known = height[id]!;
      if (known === -1) return `type ${id} ${what}`;
      if (known > 0) reached[depth] = Math.max(reached[depth]!, known + 1);
      else {
        depth += 1;
        enter(depth, id);
      }
    }
  }
  return undefined;
}
