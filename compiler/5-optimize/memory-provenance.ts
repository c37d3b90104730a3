/**
 * Where a pointer leads and what is proven of its alignment: decides how wide an access may be. Off the
 * stack the kernel accepts any alignment (x86-64 and arm64; not under -mstrict-align); on the stack, in
 * the context and in kernel objects it does not.
 */
import type { Value } from "../4-lower/ir.ts";
import type { AliasAnalysis, Region } from "./alias.ts";
import type { PassContext } from "./pass.ts";
import { alignmentAt } from "./split-aggregates.ts";
import { constantAddress, isOp } from "./values.ts";

/** Helpers that return plain memory: map values, local storage, ring buffer and dynptr slices. */
const memoryHelpers: ReadonlySet<number> = new Set([1, 81, 107, 131, 145, 156, 195, 203, 210]);

/** May be accessed at any alignment and any width. */
export function toleratesUnaligned(pointer: Value, region: Region, context: PassContext): boolean {
  if (context.options.target.strictAlign) return false;
  switch (region.kind) {
    case "packet":
      return true;
    case "global":
      return context.globals.has(region.symbol);
    case "helper": {
      const root = rootOf(pointer);
      if (!isOp(root, "call")) return false;
      const { callee } = root.operation;
      return callee.kind === "helper" && memoryHelpers.has(callee.id);
    }
    case "stack":
    case "argument":
    case "context":
    case "unknown":
      return false;
  }
}

function rootOf(pointer: Value): Value {
  let root = pointer;
  while (isOp(root, "ptradd")) root = root.operands[0] as Value;
  return root;
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
