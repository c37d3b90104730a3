/** Which sizes the kernel lets a program read its context in, where the optimiser chooses the size. */
import { contextAccess, contextVariantFor } from "../../common/platform/context-access.ts";
import { programTypeForSection } from "../../common/platform/sections.ts";
import type { IrFunction, Value } from "../4-lower/ir.ts";
import { isContextPointer } from "./context.ts";
import { constantAddress } from "./values.ts";

/**
 * Whether `size` bytes at `pointer + offset` may be read or written as one; true where the pointer is not
 * the context, or nothing is known of the program's type.
 */
export function isContextSize(
  pointer: Value,
  offset: number,
  size: number,
  write: boolean,
  fn: IrFunction,
): boolean {
  const start = constantAddress(pointer);
  if (!isContextPointer(start.base, fn)) return true;
  const match = programTypeForSection(fn.section);
  if (match === undefined) return true;
  const variant = contextVariantFor(match.programType.id, match.attachType?.id ?? 0);
  if (variant === undefined) return true;
  return contextAccess(variant.name, start.offset + offset, size, write) !== undefined;
}
