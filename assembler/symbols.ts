/**
 * Names in assembly text, and the one order of symbols that printing, parsing and assembling
 * share: files, then defined symbols by place, then undefined ones by name.
 */
import type { AsmModule, AsmSymbol } from "./asm-module.ts";
import type { LabelPlace, ModuleLayout } from "./layout.ts";

/** Labels that never become symbols: `.L…`, and clang's block labels. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".L") || (name.startsWith("LBB") && /^LBB\d+_\d+$/.test(name));
}

/** A name as text: quoted where it could not be read back otherwise. */
export function quoteName(name: string): string {
  if (/^[A-Za-z_.$@][\w.$@]*$/.test(name)) return name;
  return `"${name.replace(/[\\"]/g, "\\$&")}"`;
}

/** Symbols in canonical order. */
export function sortSymbols(
  symbols: readonly AsmSymbol[],
  labels: ModuleLayout["labels"],
): AsmSymbol[] {
  const nowhere: LabelPlace = { section: Number.MAX_SAFE_INTEGER, offset: 0 };
  const rank = (s: AsmSymbol): number => (s.type === "file" ? 0 : s.defined ? 1 : 2);
  const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...symbols].sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    const [left, right] = [labels.get(a.name) ?? nowhere, labels.get(b.name) ?? nowhere];
    if (rank(a) === 1 && left.section !== right.section) return left.section - right.section;
    if (rank(a) === 1 && left.offset !== right.offset) return left.offset - right.offset;
    return rank(a) === 0 ? 0 : compareNames(a.name, b.name);
  });
}

/** Symbols whose sizes are known: those of functions reach up to the next function or the end. */
export function withSizes(module: AsmModule, layout: ModuleLayout): AsmSymbol[] {
  const starts = new Map<number, number[]>();
  for (const symbol of module.symbols) {
    const place =
      symbol.defined && symbol.type === "func" ? layout.labels.get(symbol.name) : undefined;
    if (place === undefined) continue;
    const list = starts.get(place.section) ?? [];
    list.push(place.offset);
    starts.set(place.section, list);
  }
  for (const list of starts.values()) list.sort((a, b) => a - b);
  return module.symbols.map((symbol) => {
    if (symbol.size !== undefined || symbol.type !== "func" || !symbol.defined) return symbol;
    const place = layout.labels.get(symbol.name);
    if (place === undefined) return symbol;
    const end = layout.sections[place.section]?.size ?? place.offset;
    const next = firstAbove(starts.get(place.section) ?? [], place.offset) ?? end;
    return { ...symbol, size: Math.min(end, next) - place.offset };
  });
}

/** The first number of an ascending list that is greater than a limit. */
function firstAbove(list: readonly number[], limit: number): number | undefined {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return list[low];
}
