/**
 * Where a pointer leads and what is proven of its alignment: decides how wide an access may be. Off the
 * stack the kernel accepts any alignment (x86-64 and arm64; not under -mstrict-align); on the stack, in
 * the context and in kernel objects it does not.
 */
import { returnsMemory } from "../../common/platform/memory-helpers.ts";
import type { DominatorTree } from "../4-lower/cfg.ts";
import type { Block, Value } from "../4-lower/ir.ts";
import { terminatorOf } from "../4-lower/ir-builder.ts";
import type { AliasAnalysis, Region } from "./alias.ts";
import { addressRoot } from "./context.ts";
import type { PassContext } from "./pass.ts";
import { alignmentAt } from "./split-aggregates.ts";
import { constantAddress, type InstructionOf, isConstant, isOp, operand } from "./values.ts";

/** May be accessed at any alignment and any width. */
export function toleratesUnaligned(pointer: Value, region: Region, context: PassContext): boolean {
  if (context.options.target.strictAlign) return false;
  switch (region.kind) {
    case "packet":
      return true;
    case "global":
      return context.globals.has(region.symbol);
    case "helper": {
      const root = addressRoot(pointer);
      if (!isOp(root, "call")) return false;
      const { callee } = root.operation;
      return callee.kind === "helper" && returnsMemory(callee.id);
    }
    case "stack":
    case "argument":
    case "context":
    case "arena":
    case "unknown":
      return false;
  }
}

/** A way from one block to the next, in the graph that the others describe. */
export interface Edge {
  readonly from: Block;
  readonly to: Block;
  readonly tree: DominatorTree;
  readonly preds: ReadonlyMap<Block, readonly Block[]>;
}

/**
 * Whether a pointer leads to the stack, a global variable, or memory of a helper that is known not to be
 * null on the edge: constants may be added to it there, as often as one likes.
 */
export function isPlainMemory(pointer: Value, edge: Edge, context: PassContext): boolean {
  const root = addressRoot(pointer);
  if (isOp(root, "alloca")) return true;
  if (root.kind === "global") return context.globals.has(root.symbol);
  if (!isOp(root, "call") || root.operation.callee.kind !== "helper") return false;
  if (!returnsMemory(root.operation.callee.id)) return false;
  return root !== pointer || isChecked(root, edge);
}

/** Whether a test against null is behind the pointer. */
function isChecked(pointer: Value, { from, to, tree, preds }: Edge): boolean {
  let [at, next]: [Block | undefined, Block] = [from, to];
  while (at !== undefined) {
    const branch = terminatorOf(at);
    const [block, behind] = [at, next];
    // Other ways there come from behind it: they are back edges.
    const isOnlyWay = preds
      .get(behind)
      ?.every((pred) => pred === block || tree.dominates(behind, pred));
    if (isOnlyWay && isOp(branch, "condbr") && isNullTest(branch, pointer, behind)) return true;
    [at, next] = [tree.parent.get(at), at];
  }
  return false;
}

function isNullTest(branch: InstructionOf<"condbr">, pointer: Value, next: Block): boolean {
  const { then, otherwise } = branch.operation;
  const test = operand(branch, 0);
  if (then === otherwise || !isOp(test, "icmp") || operand(test, 0) !== pointer) return false;
  const wanted = next === then ? "ne" : "eq";
  return test.operation.predicate === wanted && isConstant(operand(test, 1), 0n);
}

/** The largest power of two up to 8 that divides the address for certain, at least `given`. */
export function provenAlignment(pointer: Value, given: number, context: PassContext): number {
  const { base, offset } = constantAddress(pointer);
  let align = 1;
  if (isOp(base, "alloca")) align = base.operation.align;
  else if (base.kind === "global") align = context.globals.get(base.symbol)?.align ?? 1;
  return Math.max(given, alignmentAt(Math.min(align, 8), offset));
}

/** How wide one access at `pointer` may be. */
export function widestUnit(
  pointer: Value,
  given: number,
  alias: AliasAnalysis,
  context: PassContext,
): number {
  if (toleratesUnaligned(pointer, alias.regionOf(pointer), context)) return 8;
  return Math.min(8, provenAlignment(pointer, given, context));
}
