/** The block in front of a loop. */
import type { Loop } from "../4-lower/cfg.ts";
import type { Block, IrFunction } from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  redirectSuccessor,
  replaceIncoming,
  terminatorOf,
} from "../4-lower/ir-builder.ts";

/** The only block from which a loop is entered, if code may be put between the two. */
export function soleEntry(
  loop: Loop,
  preds: ReadonlyMap<Block, readonly Block[]>,
): Block | undefined {
  const [entry, ...others] = (preds.get(loop.header) ?? []).filter(
    (block) => !loop.blocks.has(block),
  );
  if (entry === undefined || others.length > 0) return undefined;
  return terminatorOf(entry)?.operation.op === "asm_goto" ? undefined : entry;
}

/** A block that leads to the loop alone: what is computed there is behind all checks before the loop. */
export function preheader(fn: IrFunction, entry: Block, header: Block): Block {
  if (terminatorOf(entry)?.operation.op === "br") return entry;
  const made = createBlock(fn, undefined, true);
  const location = header.instructions.at(-1)?.location;
  made.instructions.push(
    createInstruction(fn, made, "void", { op: "br", target: header }, [], location),
  );
  redirectSuccessor(entry, header, made);
  replaceIncoming(header, entry, made);
  fn.blocks.splice(fn.blocks.indexOf(header), 0, made);
  return made;
}
