/** Functions and data that a program puts into one section: an ELF section holds either. */
import type { FunctionSymbol, VariableSymbol } from "./checked.ts";
import { type Context, previousNote, report } from "./context.ts";

type DefinedSymbol = FunctionSymbol | VariableSymbol;

function isDefined(symbol: DefinedSymbol): boolean {
  return symbol.kind === "function" ? symbol.body !== undefined : symbol.defined;
}

/** Reports the symbols, in source order, whose sections hold another kind already. */
export function reportSectionConflicts(context: Context, symbols: readonly DefinedSymbol[]): void {
  const first = new Map<string, DefinedSymbol>();
  for (const symbol of symbols) {
    const { section } = symbol.attributes;
    if (section === undefined || !isDefined(symbol)) continue;
    const other = first.get(section);
    if (other === undefined) first.set(section, symbol);
    else if (other.kind !== symbol.kind) {
      const note = previousNote(other.span, "declared here");
      report(context, "sectionConflict", symbol.span, [symbol.name, other.name], note);
    }
  }
}
