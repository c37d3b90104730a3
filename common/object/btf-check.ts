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

/** Types or edges that one call of a search looks at. */
const portion = 128;

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
  const missing = firstMissing(edges.targets, kinds.length);
  if (missing !== undefined) {
    const owner = edges.starts.findIndex((start) => start > missing);
    return `type ${owner} refers to type ${edges.targets[missing]! >>> 0}, which does not exist`;
  }
  return (
    inPortions(kinds.length, (from, to) => firstWrongReference(graph, from, to)) ??
    findLoop(graph, indirect, "contains itself") ??
    findLoop(graph, composite, "refers to itself")
  );
}

/**
 * The first answer of a search through `count` things. Short functions are called often, as V8
 * optimises a long loop only with what ran so far.
 */
function inPortions<T>(
  count: number,
  search: (from: number, to: number) => T | undefined,
): T | undefined {
  for (let from = 0; from < count; from += portion) {
    const found = search(from, Math.min(from + portion, count));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first edge to a type above `count`. */
function firstMissing(targets: Int32Array, count: number): number | undefined {
  return inPortions(targets.length, (from, to) => {
    for (let edge = from; edge < to; edge++) {
      const id = targets[edge]!;
      // Ids above 2^31 are negative here.
      if (id > count || id < 0) return edge;
    }
    return undefined;
  });
}

function firstWrongReference(graph: TypeGraph, from: number, to: number): string | undefined {
  for (let index = from; index < to; index++) {
    const wrong = wrongReference(graph, index);
    if (wrong !== undefined) return `type ${index + 1}: ${wrong}`;
  }
  return undefined;
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

/** Looks for chains without an end, or too long ones; kinds in `leaves` end every chain. */
function findLoop(graph: TypeGraph, leaves: Uint8Array, what: string): string | undefined {
  const search = new ChainSearch(graph, leaves);
  const id = inPortions(graph.kinds.length, (from, to) => search.first(from, to));
  if (id === undefined) return undefined;
  return search.isLoop ? `type ${id} ${what}` : `type ${id} is nested deeper than ${maxDepth}`;
}

/** Depth-first search, which goes no deeper than what is legal. */
class ChainSearch {
  readonly #kinds: Uint8Array;
  readonly #starts: Int32Array;
  readonly #targets: Int32Array;
  readonly #leaves: Uint8Array;
  /** By id: 0 unseen, -1 on the path, otherwise 1 + the height of what hangs below. */
  readonly #heights: Int16Array;
  /** Whether what was found is a loop. */
  isLoop = false;

  constructor({ kinds, edges: { starts, targets } }: TypeGraph, leaves: Uint8Array) {
    this.#kinds = kinds;
    this.#starts = starts;
    this.#targets = targets;
    this.#leaves = leaves;
    this.#heights = new Int16Array(kinds.length + 1);
    this.#heights[0] = 1;
  }

  /** The first type with a wrong chain among those at `from` and on. */
  first(from: number, to: number): TypeId | undefined {
    for (let id = from + 1; id <= to; id++) {
      if (this.#heights[id] !== 0) continue;
      const height = this.#visit(id, 1);
      if (height < 0) return -height;
    }
    return undefined;
  }

  /** The type's height, or the wrong type, negative. */
  #visit(id: TypeId, depth: number): number {
    const heights = this.#heights;
    const end = this.#leaves[this.#kinds[id - 1]!] === 1 ? 0 : this.#starts[id]!;
    heights[id] = -1;
    let height = 1;
    for (let edge = this.#starts[id - 1]!; edge < end; edge++) {
      const target = this.#targets[edge]!;
      let below = heights[target]!;
      if (below === 0) below = depth > maxDepth ? -id : this.#visit(target, depth + 1);
      else if (below < 0) {
        this.isLoop = true;
        return -target;
      }
      if (below < 0) return below;
      if (below >= height) height = below + 1;
    }
    if (height > maxDepth) return -id;
    heights[id] = height;
    return height;
  }
}
