/**
 * A module in canonical form: what printing it and parsing the text gives back. Debug info has
 * become data sections, locations are gone, adjacent data is one item, symbols have sizes and
 * stand in one order.
 */
import type { AsmItem, AsmModule, AsmSection } from "./asm-module.ts";
import { debugSections } from "./debug-info.ts";
import { layoutModule } from "./layout.ts";
import { isTemporaryName, sortSymbols, withSizes } from "./symbols.ts";

/** Idempotent. */
export function canonicalModule(module: AsmModule): AsmModule {
  const renamed = renameInternalLabels(module);
  const layout = layoutModule(renamed);
  const symbols = withSizes(renamed, layout);
  const sized = { ...renamed, symbols };
  const sections = [...renamed.sections, ...debugSections(sized, layout)];
  return {
    endian: module.endian,
    sections: sections.map(canonicalSection),
    symbols: sortSymbols(symbols, layout.labels),
    functions: [],
  };
}

/** Labels that are no symbols get a name that says so. */
function renameInternalLabels(module: AsmModule): AsmModule {
  const symbols = new Set(module.symbols.map((symbol) => symbol.name));
  const names = new Map<string, string>();
  const taken = new Set(symbols);
  for (const section of module.sections) {
    for (const item of section.items) if (item.kind === "label") taken.add(item.name);
  }
  for (const section of module.sections) {
    for (const item of section.items) {
      if (item.kind !== "label" || symbols.has(item.name) || isTemporaryName(item.name)) continue;
      let name = `.L${item.name}`;
      while (taken.has(name)) name += "_";
      taken.add(name);
      names.set(item.name, name);
    }
  }
  if (names.size === 0) return module;
  const rename = (item: AsmItem): AsmItem => {
    if (item.kind === "label") return { ...item, name: names.get(item.name) ?? item.name };
    if (item.kind !== "instruction" && item.kind !== "reference") return item;
    const name = item.target === undefined ? undefined : names.get(item.target.symbol);
    if (name === undefined) return item;
    return { ...item, target: { symbol: name, addend: item.target?.addend ?? 0 } };
  };
  const sections = module.sections.map((s) => ({ ...s, items: s.items.map(rename) }));
  return { ...module, sections };
}

/** The alignment that a section needs for what is aligned in it. */
export function largestAlignment(items: readonly AsmItem[]): number {
  return items.reduce(
    (most, item) => (item.kind === "align" ? Math.max(most, item.align) : most),
    1,
  );
}

function canonicalSection(section: AsmSection): AsmSection {
  const items: AsmItem[] = [];
  const isCovered = section.items.some((i) => i.kind === "align" && i.align >= section.align);
  if (section.align > 1 && !isCovered) items.push({ kind: "align", align: section.align });
  for (const item of section.items) {
    const last = items.at(-1);
    if (item.kind === "data" && last?.kind === "data") {
      items[items.length - 1] = { kind: "data", bytes: joinBytes(last.bytes, item.bytes) };
    } else if (item.kind === "instruction") {
      const { insn, target } = item;
      items.push({ kind: "instruction", insn, ...(target && { target }) });
    } else if (!isEmpty(item)) items.push(item);
  }
  return { ...section, align: largestAlignment(items), items };
}

function isEmpty(item: AsmItem): boolean {
  if (item.kind === "data") return item.bytes.length === 0;
  if (item.kind === "zero") return item.size === 0;
  return item.kind === "align" && item.align <= 1;
}

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
