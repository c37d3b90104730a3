/**
 * Sums of one block that have at least two summands in common add these once: a + x + y + z and b + x + y →
 * t = x + y; a + z + t and b + t. So are checksums changed that cover the same addresses. The same for *, &, |, ^.
 *
 * Needs: equal values have one name (number-values). Guarantees: fewer instructions; nothing is computed earlier than
 * the first of the sums was.
 */
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { type Sum, sumOf, type Uses } from "./order-sums.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

export const shareSums: FunctionPass = {
  kind: "function",
  name: "share-sums",
  run(fn, { runs }) {
    const { uses } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    for (const block of fn.blocks) {
      for (const group of groupsOf(block, uses)) share(group, rewriter);
    }
    return rewriter.apply();
  },
};

/** Sums in order, and what all of them add. */
interface Group {
  readonly sums: readonly Sum[];
  readonly common: readonly Value[];
}

/** Each sum stands in one group at most. */
function groupsOf(block: Block, uses: Uses): Group[] {
  const groups: { sums: Sum[]; common: readonly Value[] }[] = [];
  const groupOf = new Map<Sum, { sums: Sum[]; common: readonly Value[] }>();
  /** The last sum that adds a value. */
  const lastWith = new Map<Value, Sum>();
  for (const each of block.instructions) {
    const sum = sumOf(each, uses);
    if (sum === undefined) continue;
    const earlier = new Set(sum.summands.map((value) => lastWith.get(value)));
    let best: { group: { sums: Sum[]; common: readonly Value[] }; size: number } | undefined;
    for (const other of earlier) {
      if (other === undefined || !isAlike(other, sum)) continue;
      const known = groupOf.get(other);
      const common = commonOf(known?.common ?? other.summands, sum.summands);
      if (common.length < 2 || common.length <= (best?.size ?? 0)) continue;
      if (known !== undefined && common.length < known.common.length) continue;
      best = { group: known ?? { sums: [other], common }, size: common.length };
    }
    for (const value of sum.summands) if (value.kind !== "constant") lastWith.set(value, sum);
    if (best === undefined) continue;
    const { group } = best;
    if (group.sums.length === 1) {
      groups.push(group);
      for (const first of group.sums) groupOf.set(first, group);
    }
    group.sums.push(sum);
    groupOf.set(sum, group);
  }
  return groups;
}

function isAlike(a: Sum, b: Sum): boolean {
  return a.binary === b.binary && a.root.type === b.root.type;
}

/** What both lists hold, as often as both do. */
function commonOf(a: readonly Value[], b: readonly Value[]): Value[] {
  const left = [...b];
  return a.filter((value) => {
    const at = value.kind === "constant" ? -1 : left.indexOf(value);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function share({ sums, common }: Group, rewriter: Rewriter): void {
  let total: Value | undefined;
  for (const { root, summands, inner } of sums) {
    const add = (a: Value, b: Value): IrInstruction =>
      rewriter.insertBefore(root, root.type, root.operation, [a, b]);
    const shared = total ?? common.reduce(add);
    total = shared;
    const rest = [...summands];
    for (const value of common) rest.splice(rest.indexOf(value), 1);
    const [first, ...others] = rest;
    const whole = first === undefined ? shared : others.reduce(add, add(first, shared));
    for (const each of inner) rewriter.erase(each);
    rewriter.replace(root, whole);
  }
}
