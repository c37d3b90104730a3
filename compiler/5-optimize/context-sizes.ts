/**
 * Which sizes the kernel lets a program read its context in, where the optimiser chooses the size, and what
 * it finds there.
 */
import {
  type ContextValueKind,
  contextAccess,
  contextVariantFor,
} from "../../common/platform/context-access.ts";
import { definitionForSection } from "../../common/platform/section-definitions.ts";
import type { IrFunction, Value } from "../4-lower/ir.ts";
import { isContextPointer } from "./context.ts";
import { constantAddress } from "./values.ts";

const variantNames = new Map<string, string | undefined>();

/** The measured kind of context that programs of a section have. */
function variantOf(section: string): string | undefined {
  if (!variantNames.has(section)) {
    const definition = definitionForSection(section);
    const variant =
      definition && contextVariantFor(definition.programType, definition.attachType ?? 0);
    variantNames.set(section, variant?.name);
  }
  return variantNames.get(section);
}

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
  const name = variantOf(fn.section);
  if (name === undefined) return true;
  return contextAccess(name, start.offset + offset, size, write) !== undefined;
}

/** What a program finds in its context at `pointer`, reading `size` bytes; undefined where that is not known. */
export function contextValueAt(
  pointer: Value,
  size: number,
  fn: IrFunction,
): ContextValueKind | undefined {
  const { base, offset } = constantAddress(pointer);
  const name = isContextPointer(base, fn) ? variantOf(fn.section) : undefined;
  return name === undefined ? undefined : contextAccess(name, offset, size, false);
}
