/**
 * Symbol resolution. Locals of every input are kept; a global name gets one symbol: a strong
 * definition wins over a weak one, any definition over a mention. Two strong ones are an error.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type {
  ObjectSymbol,
  SectionIndex,
  SymbolVisibility,
} from "../../common/object/object-file.ts";
import type { PlacedInput } from "./input.ts";

/** The symbol that a global name stands for, and whose it is. */
export interface GlobalChoice {
  /** Index of the input that defines it; of the first mention while undefined. */
  input: number;
  /** As in that input. */
  symbol: ObjectSymbol;
  visibility: SymbolVisibility;
  /** Whether every object names it weakly; otherwise it is strong, as libbpf's linker makes it. */
  isWeak: boolean;
}

export interface MergedSymbols {
  readonly symbols: readonly ObjectSymbol[];
  /** Output symbol by input and input symbol; undefined for symbols that are left out. */
  readonly indexOf: readonly (readonly (number | undefined)[])[];
  /** By name. */
  readonly globals: ReadonlyMap<string, GlobalChoice>;
  /** Output symbols of sections, which relocations may name: index by section. */
  readonly sectionSymbols: ReadonlyMap<SectionIndex, number>;
}

const visibilityRank: Readonly<Record<SymbolVisibility, number>> = {
  default: 0,
  protected: 1,
  hidden: 2,
  internal: 3,
};

const isDefined = (symbol: ObjectSymbol): boolean => symbol.section !== "undefined";

/** Resolves the global names of all inputs. */
export function chooseGlobals(
  inputs: readonly PlacedInput[],
  diagnostics: Diagnostics,
): Map<string, GlobalChoice> {
  const globals = new Map<string, GlobalChoice>();
  inputs.forEach(({ view }, input) => {
    for (const symbol of view.object.symbols) {
      if (symbol.binding === "local") continue;
      if (symbol.section === "common") {
        const message = `${view.path}: common symbol '${symbol.name}' (compile with -fno-common)`;
        diagnostics.error("common-symbol", message);
        continue;
      }
      const known = globals.get(symbol.name);
      const { visibility } = symbol;
      const isWeak = symbol.binding === "weak";
      if (known === undefined) globals.set(symbol.name, { input, symbol, visibility, isWeak });
      else combine(known, input, symbol, inputs, diagnostics);
    }
  });
  return globals;
}

function combine(
  known: GlobalChoice,
  input: number,
  symbol: ObjectSymbol,
  inputs: readonly PlacedInput[],
  diagnostics: Diagnostics,
): void {
  if (visibilityRank[symbol.visibility] > visibilityRank[known.visibility]) {
    known.visibility = symbol.visibility;
  }
  known.isWeak &&= symbol.binding === "weak";
  const isFirst = isDefined(known.symbol);
  if (!isDefined(symbol) || sharesPlace(known, input, symbol, inputs)) return;
  const take = !isFirst || (known.symbol.binding === "weak" && symbol.binding !== "weak");
  if (take) {
    known.input = input;
    known.symbol = symbol;
  } else if (known.symbol.binding !== "weak" && symbol.binding !== "weak") {
    const paths = `${inputs[known.input]!.view.path} and in ${inputs[input]!.view.path}`;
    diagnostics.error("duplicate-symbol", `'${symbol.name}' is defined in ${paths}`);
  }
}

/** The licence is one string however many objects bring it. */
function sharesPlace(
  known: GlobalChoice,
  input: number,
  symbol: ObjectSymbol,
  inputs: readonly PlacedInput[],
): boolean {
  const sectionName = (which: number, of: ObjectSymbol): string | undefined =>
    typeof of.section === "number"
      ? inputs[which]!.view.object.sections[of.section]?.name
      : undefined;
  const name = sectionName(input, symbol);
  return (
    (name === "license" || name === "version") && name === sectionName(known.input, known.symbol)
  );
}

/** Output symbols: sections that relocations name, locals by input, globals by first mention. */
export function mergeSymbols(
  inputs: readonly PlacedInput[],
  globals: ReadonlyMap<string, GlobalChoice>,
  sectionNames: readonly string[],
): MergedSymbols {
  const symbols: ObjectSymbol[] = [];
  const sectionSymbols = new Map<SectionIndex, number>();
  const referenced = referencedSections(inputs);
  for (let section = 0; section < sectionNames.length; section++) {
    if (!referenced.has(section)) continue;
    sectionSymbols.set(section, symbols.length);
    symbols.push({
      name: "",
      section,
      value: 0,
      size: 0,
      binding: "local",
      type: "section",
      visibility: "default",
    });
  }
  const indexOf: (number | undefined)[][] = inputs.map(({ view }) =>
    view.object.symbols.map(() => undefined),
  );
  inputs.forEach((input, position) => {
    input.view.object.symbols.forEach((symbol, index) => {
      if (symbol.binding !== "local" || symbol.type === "file") return;
      const placed = placeSymbol(input, symbol);
      if (placed === undefined) return;
      if (symbol.type === "section") {
        const { section } = placed;
        if (typeof section === "number") indexOf[position]![index] = sectionSymbols.get(section);
        return;
      }
      indexOf[position]![index] = symbols.length;
      symbols.push(placed);
    });
  });
  const globalIndex = new Map<string, number>();
  for (const [name, choice] of globals) {
    const placed = placeSymbol(inputs[choice.input]!, choice.symbol);
    if (placed === undefined) continue;
    globalIndex.set(name, symbols.length);
    const binding = choice.isWeak ? "weak" : "global";
    symbols.push({ ...placed, binding, visibility: choice.visibility });
  }
  inputs.forEach(({ view }, position) => {
    view.object.symbols.forEach((symbol, index) => {
      if (symbol.binding !== "local") indexOf[position]![index] = globalIndex.get(symbol.name);
    });
  });
  return { symbols, indexOf, globals, sectionSymbols };
}

/** The symbol at its place in the output; undefined if its section was left out. */
function placeSymbol(input: PlacedInput, symbol: ObjectSymbol): ObjectSymbol | undefined {
  if (typeof symbol.section !== "number") return symbol;
  const place = input.placements[symbol.section];
  if (place === undefined) return undefined;
  return { ...symbol, section: place.section, value: symbol.value + place.offset };
}

/** Output sections that some relocation names by section symbol. */
function referencedSections(inputs: readonly PlacedInput[]): Set<SectionIndex> {
  const referenced = new Set<SectionIndex>();
  for (const { view, placements } of inputs) {
    view.object.sections.forEach((section, index) => {
      if (placements[index] === undefined) return;
      for (const relocation of section.relocations) {
        const symbol = view.object.symbols[relocation.symbol];
        if (symbol?.type !== "section" || typeof symbol.section !== "number") continue;
        const place = placements[symbol.section];
        if (place !== undefined) referenced.add(place.section);
      }
    });
  }
  return referenced;
}
