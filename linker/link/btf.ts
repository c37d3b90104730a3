/**
 * The output's BTF: all inputs' types one after another, declarations of one global name replaced by
 * the chosen one, datasecs rebuilt, equal types merged; and BTF.ext with the new offsets and ids.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type {
  BtfExt,
  BtfExtSection,
  BtfSectionEntry,
  BtfType,
  TypeId,
} from "../../common/object/btf.ts";
import { btfKindNumbers } from "../../common/object/btf-constants.ts";
import { decodeType } from "../../common/object/btf-reader.ts";
import { mapReferences } from "../../common/object/btf-references.ts";
import type { BtfBytes } from "../../common/object/btf-writer.ts";
import type { Endian } from "../../common/object/object-file.ts";
import { declareC } from "../dump/c.ts";
import { symbolOfEntry } from "../loader-btf.ts";
import { deduplicateTypes } from "./deduplicate.ts";
import { recordsOf } from "./inferred-records.ts";
import type { DraftSection, PlacedInput } from "./input.ts";
import { JoinedTypes } from "./joined-types.ts";
import { declarationsMatch, mapDifference } from "./match.ts";
import type { GlobalChoice } from "./symbols.ts";
import { writeJoinedTypes } from "./write-types.ts";

interface Merge {
  readonly inputs: readonly PlacedInput[];
  readonly globals: ReadonlyMap<string, GlobalChoice>;
  readonly drafts: readonly DraftSection[];
  readonly joined: JoinedTypes;
  readonly diagnostics: Diagnostics;
}

/** Undefined where no input has BTF. */
export function mergeBtf(
  inputs: readonly PlacedInput[],
  globals: ReadonlyMap<string, GlobalChoice>,
  drafts: readonly DraftSection[],
  endian: Endian,
  diagnostics: Diagnostics,
): BtfBytes | undefined {
  if (inputs.every(({ view }) => view.btfRead === undefined)) return undefined;
  const joined = new JoinedTypes(
    inputs.map(({ view: { btfRead } }) => {
      if (btfRead === undefined) return undefined;
      const { packed, strings } = btfRead;
      return { packed, typeAt: (index) => decodeType(packed, strings, index) };
    }),
  );
  const merge: Merge = { inputs, globals, drafts, joined, diagnostics };
  replaceDeclarations(merge);
  const datasecs = mergeDatasecs(merge);
  dropOrphans(merge);
  dropTagsOf(joined);
  const unified = deduplicateTypes(joined);
  const idOf = (id: TypeId): TypeId => unified.ids[id]!;
  const finalId = (input: number, id: TypeId): TypeId =>
    id === 0 ? 0 : idOf(id + joined.bases[input]!);
  const ext = mergeExt(inputs, globals, endian, finalId);
  const finalDatasecs = datasecs.map((type) => mapReferences(type, idOf));
  return writeJoinedTypes(joined, unified, finalDatasecs, ext, endian);
}

/** One VAR or FUNC per global name: the definition's. Disagreements are reported. */
function replaceDeclarations(merge: Merge): void {
  const { inputs, globals, joined } = merge;
  const { bases } = joined;
  for (const [name, choice] of globals) {
    const chosen = declarationOf(merge, choice.input, name);
    inputs.forEach((_, input) => {
      const id = declarationOf(merge, input, name);
      if (id === undefined || chosen === undefined || input === choice.input) return;
      checkAgreement(merge, name, choice, chosen, input, id);
      joined.replaced.set(id + bases[input]!, chosen + bases[choice.input]!);
    });
    const id = chosen === undefined ? undefined : chosen + bases[choice.input]!;
    if (id === undefined) continue;
    const type = joined.type(id);
    // A weak mention that stays undefined keeps its extern linkage.
    const isGlobal = choice.symbol.section !== "undefined";
    if (isGlobal && (type.kind === "func" || type.kind === "var") && type.linkage === "extern") {
      joined.setLinkage(id, "global");
    }
  }
}

function declarationOf({ inputs }: Merge, input: number, name: string): TypeId | undefined {
  const { view } = inputs[input]!;
  const symbol = view.object.symbols.find(
    (candidate) => candidate.name === name && candidate.binding !== "local",
  );
  if (symbol === undefined) return undefined;
  return view.btfIdOf("func", name) || view.btfIdOf("var", name) || undefined;
}

function checkAgreement(
  { inputs, diagnostics }: Merge,
  name: string,
  choice: GlobalChoice,
  chosen: TypeId,
  input: number,
  id: TypeId,
): void {
  const views = [inputs[choice.input]!.view, inputs[input]!.view] as const;
  const btfs = [views[0].btf, views[1].btf] as const;
  if (btfs[0] === undefined || btfs[1] === undefined) return;
  const types = [btfs[0].types[chosen - 1], btfs[1].types[id - 1]] as const;
  const paths = `${views[0].path} and ${views[1].path}`;
  const [a, b] = types;
  if (a === undefined || b === undefined) return;
  if (a.kind !== b.kind || !("type" in a) || !("type" in b)) {
    const [code, data] = a.kind === "func" ? views : [views[1], views[0]];
    const message = `'${name}' is a function in ${code.path}, data in ${data.path}`;
    diagnostics.error("type-conflict", message);
    return;
  }
  const places = [
    { btf: btfs[0], id: a.type },
    { btf: btfs[1], id: b.type },
  ] as const;
  const symbol = choice.symbol.section;
  const section = typeof symbol === "number" ? views[0].object.sections[symbol]?.name : undefined;
  if (section === ".maps") {
    const difference = mapDifference(...places);
    if (difference !== undefined) {
      const message = `map '${name}' is defined differently in ${paths}: ${difference}`;
      diagnostics.error("map-mismatch", message);
    }
  } else if (!declarationsMatch(...places)) {
    const [first, second] = places.map(({ btf, id: type }) => declareC(btf, type, name));
    const how = first === second ? `'${first}', but not alike` : `'${first}' and '${second}'`;
    diagnostics.error("type-conflict", `'${name}' has different types in ${paths}: ${how}`);
  }
}

type Datasec = BtfType & { readonly kind: "datasec" };

function datasecsOf({ view: { btfRead } }: PlacedInput): Datasec[] {
  if (btfRead === undefined) return [];
  const { packed, strings, graph } = btfRead;
  const found: Datasec[] = [];
  graph.kinds.forEach((kind, index) => {
    if (kind !== btfKindNumbers.datasec) return;
    const type = decodeType(packed, strings, index);
    if (type.kind === "datasec") found.push(type);
  });
  return found;
}

/** One datasec per name, in the order of names; entries are in ids of the concatenation. */
function mergeDatasecs(merge: Merge): Datasec[] {
  const { inputs, drafts, joined } = merge;
  const { bases, replaced, dropped } = joined;
  const sections = new Map<string, BtfSectionEntry[]>();
  // Of sections that hold only constants without a name, as clang writes them.
  const wereEmpty = new Set<string>();
  inputs.forEach((input, index) => {
    for (const type of datasecsOf(input)) {
      if (type.entries.length === 0) wereEmpty.add(type.name);
      const entries = sections.get(type.name) ?? [];
      sections.set(type.name, entries);
      for (const entry of type.entries) {
        const id = entry.type + bases[index]!;
        // What was replaced stands in the datasec of the chosen one; externs may meet anywhere.
        const final = replaced.get(id) ?? id;
        if (final !== id || entries.some((known) => known.type === final)) continue;
        const place = placeVariable(merge, index, type.name, entry);
        if (place === undefined) dropped[id] = 1;
        else entries.push({ ...place, type: final });
      }
    }
  });
  return [...sections]
    .filter(([name, entries]) => entries.length > 0 || wereEmpty.has(name))
    .map(([name, entries]): Datasec => {
      const size = drafts.find((draft) => draft.name === name)?.size ?? 0;
      const sorted = [...entries].sort((a, b) => a.offset - b.offset);
      return { kind: "datasec", name, size, entries: sorted };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Offset in the merged section; undefined for a definition that lost against another. */
function placeVariable(
  { inputs, globals }: Merge,
  input: number,
  sectionName: string,
  entry: BtfSectionEntry,
): BtfSectionEntry | undefined {
  const { view, placements } = inputs[input]!;
  const name = view.btfRead?.graph.nameOf(entry.type) ?? "";
  const index = view.object.sections.findIndex((section) => section.name === sectionName);
  const base = placements[index]?.offset;
  if (index < 0) return { ...entry, offset: 0 };
  if (base === undefined) return undefined;
  const symbol = symbolOfEntry(view.object.symbols, index, name, entry);
  if (symbol === undefined) {
    const choice = globals.get(name);
    // An extern in a section that also has definitions, as maps may be.
    if (choice !== undefined && choice.symbol.section === "undefined") {
      return { ...entry, offset: 0 };
    }
    return { ...entry, offset: entry.offset + base };
  }
  const choice = symbol.binding === "local" ? undefined : globals.get(name);
  if (choice !== undefined && choice.input !== input) return undefined;
  const size = entry.size === 0 ? symbol.size : entry.size;
  return { ...entry, offset: symbol.value + base, size };
}

/** Types without a name that only replaced declarations used, such as prototypes of externs. */
function dropOrphans({ inputs, joined }: Merge): void {
  const { edges, bases, replaced, dropped } = joined;
  if (replaced.size === 0) return;
  const uses = new Int32Array(joined.count + 1);
  for (let edge = 0; edge < edges.targets.length; edge++) {
    const id = edges.targets[edge]!;
    uses[id] = uses[id]! + 1;
  }
  inputs.forEach(({ view }, input) => {
    const { funcInfo = [], coreRelocations = [] } = recordsOf(view) ?? {};
    for (const { records } of [...funcInfo, ...coreRelocations]) {
      for (const { type } of records) uses[type + bases[input]!]! += 1;
    }
  });
  const gone: TypeId[] = [...replaced.keys()];
  for (let id = gone.pop(); id !== undefined; id = gone.pop()) {
    for (let edge = edges.starts[id - 1]!; edge < edges.starts[id]!; edge++) {
      const target = edges.targets[edge]!;
      if (target === 0) continue;
      uses[target] = uses[target]! - 1;
      if (uses[target]! > 0 || dropped[target] === 1 || joined.name(target) !== 0) continue;
      dropped[target] = 1;
      gone.push(target);
    }
  }
}

/** Tags of what is left out go with it. */
function dropTagsOf({ count, kinds, edges, dropped }: JoinedTypes): void {
  for (let id = 1; id <= count; id++) {
    if (kinds[id - 1] !== btfKindNumbers.decl_tag) continue;
    if (dropped[edges.targets[edges.starts[id - 1]!]!] === 1) dropped[id] = 1;
  }
}

type Located = { readonly insnOffset: number };

function mergeExt(
  inputs: readonly PlacedInput[],
  globals: ReadonlyMap<string, GlobalChoice>,
  endian: Endian,
  finalId: (input: number, id: TypeId) => TypeId,
): BtfExt {
  const gather = <T extends Located>(
    pick: (ext: BtfExt) => readonly BtfExtSection<T>[],
    change: (record: T, input: number) => T,
  ): BtfExtSection<T>[] => {
    const sections = new Map<string, T[]>();
    inputs.forEach(({ view, placements }, input) => {
      const dead = overriddenRanges(inputs[input]!, input, globals);
      const ext = recordsOf(view);
      for (const { section, records } of ext === undefined ? [] : pick(ext)) {
        const index = view.object.sections.findIndex((each) => each.name === section);
        const base = placements[index]?.offset;
        if (base === undefined) continue;
        const list = sections.get(section) ?? [];
        sections.set(section, list);
        for (const record of records) {
          const at = record.insnOffset;
          if (
            dead.some((range) => range.section === index && at >= range.start && at < range.end)
          ) {
            continue;
          }
          list.push(change({ ...record, insnOffset: at + base }, input));
        }
      }
    });
    return [...sections].map(([section, records]) => ({ section, records }));
  };
  const retype = <T extends { readonly type: TypeId }>(record: T, input: number): T => ({
    ...record,
    type: finalId(input, record.type),
  });
  return {
    endian,
    funcInfo: gather((ext) => ext.funcInfo, retype),
    lineInfo: gather(
      (ext) => ext.lineInfo,
      (record) => record,
    ),
    coreRelocations: gather((ext) => ext.coreRelocations, retype),
  };
}

/** Code of weak functions that another object's definition replaced: nothing reaches it. */
function overriddenRanges(
  { view }: PlacedInput,
  input: number,
  globals: ReadonlyMap<string, GlobalChoice>,
): { readonly section: number; readonly start: number; readonly end: number }[] {
  return view.object.symbols.flatMap(({ name, section, type, binding, value, size }) => {
    if (type !== "func" || binding === "local" || typeof section !== "number") return [];
    if (globals.get(name)?.input === input) return [];
    return [{ section, start: value, end: value + size }];
  });
}
