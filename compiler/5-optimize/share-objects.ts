/**
 * Stack objects that are never in use on one path share one place: two inlined copies of a function in
 * the two arms of a branch. Saves stack, and makes the arms equal, so that code generation can share
 * their ends.
 */
import { appendAll } from "../../common/append.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { successors, type Use } from "../4-lower/ir-builder.ts";
import { blockOfUse } from "./demote-values.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { type InstructionOf, instructionsOf, isOp } from "./values.ts";

export const shareObjects: FunctionPass = {
  kind: "function",
  name: "share-objects",
  run(fn, { runs }) {
    const objects = [...instructionsOf(fn)].filter((each) => isOp(each, "alloca"));
    if (objects.length < 2 || objects.length > mostObjects) return false;
    const { uses } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    const kept: { object: InstructionOf<"alloca">; blocks: Set<Block>; after: Set<Block> }[] = [];
    for (const object of objects) {
      const blocks = blocksUsing(object, uses);
      const after = reachableFrom(blocks);
      const home = kept.find(
        (each) =>
          isAlike(each.object, object) && !meets(each.after, blocks) && !meets(after, each.blocks),
      );
      if (home === undefined) {
        kept.push({ object, blocks, after });
        continue;
      }
      rewriter.replace(object, home.object);
      for (const block of blocks) home.blocks.add(block);
      for (const block of after) home.after.add(block);
    }
    return rewriter.apply();
  },
};

const mostObjects = 60;

function isAlike(a: InstructionOf<"alloca">, b: InstructionOf<"alloca">): boolean {
  return (
    a.operation.size === b.operation.size &&
    a.operation.align === b.operation.align &&
    a.operation.name === b.operation.name
  );
}

/** Blocks in which the object's address, or one derived from it, is used. */
function blocksUsing(object: IrInstruction, uses: ReadonlyMap<Value, readonly Use[]>): Set<Block> {
  const blocks = new Set<Block>();
  const work: IrInstruction[] = [object];
  const seen = new Set<IrInstruction>(work);
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    for (const use of uses.get(value) ?? []) {
      blocks.add(blockOfUse(use));
      blocks.add(use.user.block);
      const { type } = use.user;
      // Whatever is made of the address counts as the address.
      const carries = type === "ptr" || type === "i64";
      if (!carries || use.user.operation.op === "load" || seen.has(use.user)) continue;
      seen.add(use.user);
      work.push(use.user);
    }
  }
  return blocks;
}

function reachableFrom(blocks: ReadonlySet<Block>): Set<Block> {
  const seen = new Set<Block>();
  const work = [...blocks];
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (seen.has(block)) continue;
    seen.add(block);
    appendAll(work, successors(block));
  }
  return seen;
}

function meets(a: ReadonlySet<Block>, b: ReadonlySet<Block>): boolean {
  for (const block of b) if (a.has(block)) return true;
  return false;
}
