/**
 * BTF and BTF.ext of a module → bytes: offsets and sizes of datasecs come from the symbols, func,
 * line and CO-RE records from the items.
 */
import type {
  Btf,
  BtfExt,
  BtfExtSection,
  BtfSectionEntry,
  BtfType,
  CoreRelocation,
  FuncInfo,
  LineInfo,
} from "../common/object/btf.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import type { AsmLocation, AsmModule, AsmSection } from "./asm-module.ts";
import { type ModuleLayout, sectionLayout } from "./layout.ts";

/** The `.BTF` and `.BTF.ext` sections of a module; none with -g0. */
export function debugSections(module: AsmModule, layout: ModuleLayout): readonly AsmSection[] {
  if (module.btf === undefined) return [];
  const { btf, btfExt } = writeBtf(placeVariables(module.btf, module, layout), {
    endian: module.endian,
    funcInfo: functionRecords(module, layout),
    lineInfo: perSection(module, layout, lineRecords),
    coreRelocations: perSection(module, layout, coreRecords),
  } satisfies BtfExt);
  const section = (name: string, bytes: Uint8Array): AsmSection => ({
    name,
    kind: "progbits",
    flags: 0,
    entrySize: 0,
    align: 4,
    items: [{ kind: "data", bytes }],
  });
  const sections = [section(".BTF", btf)];
  if (btfExt !== undefined) sections.push(section(".BTF.ext", btfExt));
  return sections;
}

/** Datasecs of sections that the module has; `.kconfig` and `.ksyms` stay as they are. */
function placeVariables(btf: Btf, module: AsmModule, layout: ModuleLayout): Btf {
  const sizes = new Map(module.symbols.map((symbol) => [symbol.name, symbol.size]));
  const place = (entry: BtfSectionEntry, section: number): BtfSectionEntry => {
    const variable = btf.types[entry.type - 1];
    if (variable?.kind !== "var" && variable?.kind !== "func") return entry;
    const label = layout.labels.get(variable.name);
    if (label?.section !== section) return entry;
    const size = sizes.get(variable.name) ?? entry.size;
    return { type: entry.type, offset: label.offset, size: entry.size === 0 ? size : entry.size };
  };
  const types = btf.types.map((type): BtfType => {
    if (type.kind !== "datasec") return type;
    const index = module.sections.findIndex((section) => section.name === type.name);
    if (index < 0) return type;
    // The kernel wants a datasec's entries in the order of their offsets.
    const entries = type.entries.map((entry) => place(entry, index));
    entries.sort((a, b) => a.offset - b.offset);
    return { ...type, size: sectionLayout(layout, index).size, entries };
  });
  return { endian: module.endian, types };
}

function functionRecords(module: AsmModule, layout: ModuleLayout): BtfExtSection<FuncInfo>[] {
  return module.sections.map((section, index) => {
    const records: FuncInfo[] = [];
    for (const { symbol, type } of module.functions) {
      const label = layout.labels.get(symbol);
      if (label?.section === index) records.push({ insnOffset: label.offset, type });
    }
    records.sort((a, b) => a.insnOffset - b.insnOffset);
    return { section: section.name, records };
  });
}

type Collector<T> = (section: AsmSection, offsets: readonly number[], starts: Set<number>) => T[];

function perSection<T>(
  module: AsmModule,
  layout: ModuleLayout,
  collect: Collector<T>,
): BtfExtSection<T>[] {
  return module.sections.map((section, index) => {
    const starts = new Set<number>();
    for (const symbol of module.symbols) {
      const label = symbol.type === "func" ? layout.labels.get(symbol.name) : undefined;
      if (symbol.defined && label?.section === index) starts.add(label.offset);
    }
    const records = collect(section, sectionLayout(layout, index).offsets, starts);
    return { section: section.name, records };
  });
}

const sameLocation = (a: AsmLocation, b: AsmLocation | undefined): boolean =>
  a.file === b?.file && a.line === b.line && a.column === b.column;

/**
 * A record where the location changes, and one at each function's start: the kernel refuses line
 * info without it. A function that starts without a location borrows the nearest one.
 */
const lineRecords: Collector<LineInfo> = (section, offsets, starts) => {
  const records: LineInfo[] = [];
  let current: AsmLocation | undefined;
  for (const [i, item] of section.items.entries()) {
    if (item.kind !== "instruction") continue;
    const at = offsets[i] as number;
    const isStart = starts.has(at);
    const location = item.location ?? (isStart ? nearestLocation(section, i) : undefined);
    if (location === undefined || (!isStart && sameLocation(location, current))) continue;
    const { file, line, column, text } = location;
    records.push({ insnOffset: at, file, text, line, column });
    current = location;
  }
  return records;
};

function nearestLocation(section: AsmSection, from: number): AsmLocation | undefined {
  const after = section.items.slice(from).find((i) => i.kind === "instruction" && i.location);
  const before = section.items
    .slice(0, from)
    .findLast((i) => i.kind === "instruction" && i.location);
  const found = after ?? before;
  return found?.kind === "instruction" ? found.location : undefined;
}

const coreRecords: Collector<CoreRelocation> = (section, offsets) => {
  const records: CoreRelocation[] = [];
  for (const [i, item] of section.items.entries()) {
    if (item.kind !== "instruction" || item.core === undefined) continue;
    records.push({ insnOffset: offsets[i] as number, ...item.core });
  }
  return records;
};
