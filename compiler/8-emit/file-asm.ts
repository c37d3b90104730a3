/** File-scope assembly: `asm("…")` outside functions is assembled and joined to the module. */
import type { AsmModule, AsmSection, AsmSymbol } from "../../assembler/asm-module.ts";
import { parseAssembly } from "../../assembler/parse.ts";
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";

/** Adds the sections and symbols of the texts. Errors point into the text, named `<file-scope asm>`. */
export function addFileAssembly(
  module: AsmModule,
  texts: readonly string[],
  diagnostics: Diagnostics,
): AsmModule {
  if (texts.length === 0) return module;
  // One text: labels and the current section carry over, as they do for clang.
  const text = `.text\n${texts.join("\n")}\n`;
  const file = { path: "<file-scope asm>", text, isSystem: false };
  const { module: added } = parseAssembly(file, module.endian, diagnostics);
  return {
    ...module,
    sections: joinSections(module.sections, added.sections),
    symbols: joinSymbols(module.symbols, added.symbols),
  };
}

function joinSections(
  own: readonly AsmSection[],
  added: readonly AsmSection[],
): readonly AsmSection[] {
  const joined = own.map((section) => {
    const more = added.find(({ name }) => name === section.name);
    if (more === undefined || more.items.length === 0) return section;
    const align = Math.max(section.align, more.align);
    const items = [...section.items, { kind: "align", align: more.align } as const, ...more.items];
    return { ...section, align, items };
  });
  const names = new Set(own.map(({ name }) => name));
  return [...joined, ...added.filter(({ name, items }) => !names.has(name) && items.length > 0)];
}

/** A definition on one side resolves what the other side only mentions. */
function joinSymbols(own: readonly AsmSymbol[], added: readonly AsmSymbol[]): readonly AsmSymbol[] {
  const result = new Map<string, AsmSymbol>(own.map((symbol) => [symbol.name, symbol]));
  for (const symbol of added) {
    const known = result.get(symbol.name);
    if (known === undefined || (symbol.defined && !known.defined)) result.set(symbol.name, symbol);
  }
  return [...result.values()];
}
