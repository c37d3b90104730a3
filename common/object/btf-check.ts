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
const bits = (...kinds: readonly number[]): number =>
  kinds.reduce((mask, kind) => mask | (1 << kind), 0);
/** Kinds at which a graph ends: nothing is contained in a pointer, and recursion is legal in records. */
const indirect = flags(ptr, func_proto, func);
const composite = flags(struct, union);

/** By kind, the kinds that it may refer to, as bits; bit 0 is void. */
const targetKinds = new Int32Array(32).fill(~bits(func, variable, datasec, decl_tag));
targetKinds[func] = bits(func_proto);
targetKinds[datasec] = bits(variable, func);
targetKinds[decl_tag] = ~0;

/** The first thing that is wrong, in words; undefined for sound types. */
export function findBtfStructureError(graph: TypeGraph): string | undefined {
  const edge = firstWrongEdge(graph);
  if (edge >= 0) return wrongReference(graph, edge);
  return (
    findLoop(graph, indirect, "contains itself") ?? findLoop(graph, composite, "refers to itself")
  );
}

/** The first reference to a type that does not exist, or is of a kind that may not stand there; or -1. */
function firstWrongEdge({ kinds, edges: { starts, targets } }: TypeGraph): number {
  const count = kinds.length;
  for (let index = 0; index < count; index++) {
    const allowed = targetKinds[kinds[index]!]!;
    const end = starts[index + 1]!;
    for (let edge = starts[index]!; edge < end; edge++) {
      const id = targets[edge]!;
      // Ids above 2^31 are negative here.
      if (id > count || id < 0) return edge;
      const kind = id === 0 ? 0 : kinds[id - 1]!;
      if (((allowed >>> kind) & 1) === 0) return edge;
    }
  }
  return -1;
}

function wrongReference({ kinds, edges, nameOf }: TypeGraph, edge: number): string {
  const owner = edges.starts.findIndex((start) => start > edge);
  const id = edges.targets[edge]! >>> 0;
  if (id > kinds.length) return `type ${owner} refers to type ${id}, which does not exist`;
  const kind = kinds[owner - 1];
  if (kind === func) return `type ${owner}: function '${nameOf(owner)}' has no prototype`;
  if (kind === datasec)
    return `type ${owner}: section '${nameOf(owner)}' holds type ${id}, which is no variable`;
  return `type ${owner}: type ${id} is a declaration, not a type`;
}

/** Looks for chains without an end, or too long ones; kinds in `leaves` end every chain. */
function findLoop(graph: TypeGraph, leaves: Uint8Array, what: string): string | undefined {
  const end = wrongChain(graph, leaves);
  if (end === 0) return undefined;
  return end < 0 ? `type ${-end} ${what}` : `type ${end} is nested deeper than ${maxDepth}`;
}

/**
 * Depth-first search, which goes no deeper than what is legal: the first type that hangs too deep, or
 * that a chain meets again, negative; 0 where there is none. One loop, as V8 compiles it sooner than a
 * function that calls itself.
 */
function wrongChain({ kinds, edges: { starts, targets } }: TypeGraph, leaves: Uint8Array): TypeId {
  // By id: 0 unseen, -1 on the path, otherwise 1 + the height of what hangs below.
  const heights = new Int16Array(kinds.length + 1);
  heights[0] = 1;
  // The path: its types, the edge at which each stands, its height so far.
  const path = new Int32Array(maxDepth + 1);
  const places = new Int32Array(maxDepth + 1);
  const reached = new Int16Array(maxDepth + 1);
  for (let root = 1; root <= kinds.length; root++) {
    if (heights[root] !== 0) continue;
    let depth = -1;
    let entered = root;
    do {
      if (entered !== 0) {
        depth += 1;
        path[depth] = entered;
        places[depth] = starts[entered - 1]!;
        reached[depth] = 1;
        heights[entered] = -1;
      }
      const id = path[depth]!;
      const end = leaves[kinds[id - 1]!] === 1 ? 0 : starts[id]!;
      let height = reached[depth]!;
      let edge = places[depth]!;
      for (; edge < end; edge++) {
        const below = heights[targets[edge]!]!;
        if (below <= 0) break;
        if (below >= height) height = below + 1;
      }
      entered = edge < end ? targets[edge]! : 0;
      if (entered !== 0) {
        if (heights[entered] !== 0) return -entered;
        if (depth === maxDepth) return id;
        places[depth] = edge;
        reached[depth] = height;
      } else {
        if (height > maxDepth) return id;
        heights[id] = height;
        depth -= 1;
      }
    } while (depth >= 0);
  }
  return 0;
}
