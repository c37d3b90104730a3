/** The block in front of a loop. */
import type { Block, IrFunction } from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  redirectSuccessor,
  replaceIncoming,
  terminatorOf,
} from "../4-lower/ir-builder.ts";

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
