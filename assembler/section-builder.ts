/**
 * Sections while their text is being read: items plus expressions whose values need the final
 * layout (`.Lend-.Lstart`, `.uleb128`).
 */
import type { Span } from "../common/diagnostics/source.ts";
import type { Endian } from "../common/object/object-file.ts";
import type { AsmItem } from "./asm-module.ts";
import type { ExpressionValue } from "./expression.ts";
import { itemSize } from "./layout.ts";

export type PendingItem =
  | { readonly kind: "item"; readonly item: AsmItem; readonly span: Span }
  /** A data word. */
  | { readonly kind: "word"; readonly size: 1 | 2 | 4 | 8; readonly value: ExpressionValue }
  | { readonly kind: "leb"; readonly signed: boolean; readonly value: ExpressionValue };

export interface SectionBuilder {
  readonly name: string;
  readonly kind: "progbits" | "nobits";
  readonly flags: number;
  readonly entrySize: number;
  items: PendingItem[];
}

export interface Place {
  readonly section: number;
  readonly offset: number;
}

/** Little-endian base-128 bytes of a number. */
export function lebBytes(value: bigint, signed: boolean): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const isSignClear = (low & 0x40) === 0;
    const done = signed
      ? (rest === 0n && isSignClear) || (rest === -1n && !isSignClear)
      : rest === 0n;
    bytes.push(done ? low : low | 0x80);
    if (done) return Uint8Array.from(bytes);
  }
}

/** A number as `size` bytes. */
export function wordBytes(value: bigint, size: number, endian: Endian): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i += 1) {
    bytes[endian === "little" ? i : size - 1 - i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The number that an expression stands for, given the labels; undefined while it has a symbol. */
export function constantOf(
  { value, plus, minus }: ExpressionValue,
  labels: ReadonlyMap<string, Place>,
): bigint | undefined {
  if (plus === undefined && minus === undefined) return value;
  if (plus === undefined || minus === undefined) return undefined;
  const [end, start] = [labels.get(plus), labels.get(minus)];
  if (end === undefined || start === undefined || end.section !== start.section) return undefined;
  return value + BigInt(end.offset - start.offset);
}

/** Label places; repeated until the lengths of LEB numbers that depend on them stand. */
export function placeLabels(sections: readonly SectionBuilder[]): ReadonlyMap<string, Place> {
  let labels: ReadonlyMap<string, Place> = new Map();
  const lebSizes = new Map<PendingItem, number>();
  for (let changed = true; changed; ) {
    changed = false;
    const next = new Map<string, Place>();
    for (const [section, builder] of sections.entries()) {
      let offset = 0;
      for (const pending of builder.items) {
        if (pending.kind === "item") {
          const { item } = pending;
          if (item.kind === "label") next.set(item.name, { section, offset });
          offset += itemSize(item, offset);
        } else if (pending.kind === "word") offset += pending.size;
        else {
          const value = constantOf(pending.value, labels) ?? 0n;
          const known = lebSizes.get(pending) ?? 0;
          // Never shrinks, so that the loop ends.
          const size = Math.max(known, lebBytes(value, pending.signed).length);
          if (size !== known) changed = true;
          lebSizes.set(pending, size);
          offset += size;
        }
      }
    }
    labels = next;
  }
  return labels;
}
