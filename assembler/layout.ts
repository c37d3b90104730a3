/** Byte offsets of items and labels. Jumps have one size, so that one pass over the items does it. */
import { InternalError } from "../common/diagnostics/diagnostic.ts";
import { slotCount } from "../common/isa/instruction.ts";
import type { AsmItem, AsmModule, AsmSection } from "./asm-module.ts";

export interface SectionLayout {
  /** Byte offset of each item. */
  readonly offsets: readonly number[];
  readonly size: number;
}

export interface LabelPlace {
  /** Index of the section. */
  readonly section: number;
  readonly offset: number;
}

export interface ModuleLayout {
  readonly sections: readonly SectionLayout[];
  /** Every label; of labels defined twice the first. Section names stand for their starts. */
  readonly labels: ReadonlyMap<string, LabelPlace>;
}

/** Bytes that an item takes at an offset. */
export function itemSize(item: AsmItem, at: number): number {
  switch (item.kind) {
    case "label":
      return 0;
    case "instruction":
      return slotCount(item.insn) * 8;
    case "data":
      return item.bytes.length;
    case "reference":
      return item.type === "R_BPF_64_ABS64" ? 8 : 4;
    case "zero":
      return item.size;
    case "align":
      return paddingTo(item.align, at);
  }
}

/** Bytes from `at` to the next multiple of `align`. */
export function paddingTo(align: number, at: number): number {
  return align <= 1 ? 0 : (align - (at % align)) % align;
}

export function layoutSection(section: AsmSection): SectionLayout {
  const offsets: number[] = [];
  let at = 0;
  for (const item of section.items) {
    offsets.push(at);
    at += itemSize(item, at);
  }
  return { offsets, size: at };
}

export function layoutModule(module: AsmModule): ModuleLayout {
  const labels = new Map<string, LabelPlace>();
  const sections = module.sections.map((section, index) => {
    const layout = layoutSection(section);
    for (const [i, item] of section.items.entries()) {
      if (item.kind !== "label" || labels.has(item.name)) continue;
      labels.set(item.name, { section: index, offset: layout.offsets[i] as number });
    }
    return layout;
  });
  for (const [index, section] of module.sections.entries()) {
    if (!labels.has(section.name)) labels.set(section.name, { section: index, offset: 0 });
  }
  return { sections, labels };
}

/** Layout of one of the module's sections. */
export function sectionLayout(layout: ModuleLayout, index: number): SectionLayout {
  const found = layout.sections[index];
  if (found === undefined) throw new InternalError(`no section ${index}`);
  return found;
}
