/**
 * ObjectFile → maps and programs, as libbpf's open and relocate steps do it, without a kernel.
 * Steps: read BTF, define maps, make data maps, flatten each program.
 */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, BtfExt } from "../common/object/btf.ts";
import type { ObjectFile, ObjectSymbol, SectionIndex } from "../common/object/object-file.ts";
import { programTypeForSection } from "../common/platform/sections.ts";
import { applyCoreRelocations } from "./core/apply.ts";
import { dataMap, isDataSection } from "./data-maps.ts";
import {
  type CodeIndex,
  type FlatProgram,
  flattenProgram,
  indexCode,
  type ReferenceResolver,
} from "./flatten.ts";
import { defaultKconfig, type KconfigMap, type KconfigValues, kconfigMap } from "./kconfig.ts";
import {
  attachTypeId,
  type KernelNames,
  type KernelSymbols,
  resolveKernelReferences,
} from "./kernel-references.ts";
import { loaderBtf } from "./loader-btf.ts";
import { btfDefinedMaps, legacyMaps, type PlacedMap } from "./map-definitions.ts";
import { isCode, type ObjectView, viewObject } from "./object-view.ts";
import type { LoadedObject, ProgramSpec } from "./program.ts";
import { type StructOpsUse, structOpsMaps, structOpsUses } from "./struct-ops.ts";

export interface LoadOptions {
  /** Values of `extern … __kconfig`; merged over {@link defaultKconfig}. */
  readonly kconfig?: KconfigValues;
  /** Externs of .kconfig without a value are 0, for looking at an object rather than running it. */
  readonly unknownKconfigIsZero?: boolean;
  /** Types of the kernel that the object shall run on; CO-RE relocations are applied against it. */
  readonly targetBtf?: Btf;
  /** Types of the target's modules, split from `targetBtf`; searched after it, in this order. */
  readonly moduleBtf?: readonly Btf[];
  /** Addresses of the target's symbols, for externs without a type; without it they are 0. */
  readonly kernelSymbols?: KernelSymbols;
  /** Entries of a perf event array whose size the object leaves open. */
  readonly cpuCount?: number;
}

const BPF_F_SLEEPABLE = 1 << 4;
const BPF_F_XDP_HAS_FRAGS = 1 << 5;
const subprogramSection = ".text";
const arenaSection = ".addr_space.1";
const arenaMap = 33;
const arenaPage = 4096;
const perfEventArray = 4;
const structOpsProgram = 27;
const defaultCpuCount = 4;

/** Reads maps and programs. Undefined after an error has been reported. */
export function loadObject(
  object: ObjectFile,
  path: string,
  diagnostics: Diagnostics,
  options: LoadOptions = {},
): LoadedObject | undefined {
  const compiled = viewObject(object, path, diagnostics);
  if (compiled === undefined) return undefined;
  const view = relocateForTarget(compiled, options.targetBtf, diagnostics);
  const values = { ...defaultKconfig, ...options.kconfig };
  const kconfig = kconfigMap(view, values, diagnostics, options.unknownKconfigIsZero);
  const maps = collectMaps(view, diagnostics, options.targetBtf).map((place) =>
    withCpuCount(place, options.cpuCount ?? defaultCpuCount),
  );
  if (diagnostics.hasErrors) return undefined;
  const resolver = makeResolver(view, maps, kconfig);
  const codeSections = object.sections.flatMap((s, i) => (isCode(s) ? [i] : []));
  const code = indexCode(view, codeSections);
  const license = sectionText(object, "license");
  const { targetBtf, moduleBtf = [], kernelSymbols } = options;
  const kernel = targetBtf && { btf: targetBtf, modules: moduleBtf, symbols: kernelSymbols };
  const tables = structOpsUses(maps);
  const environment = { code, license, resolver, kernel, tables, diagnostics };
  const programs = codeSections.flatMap((section) => sectionPrograms(section, environment));
  if (diagnostics.hasErrors) return undefined;
  const btf = loaderBtf(view, kconfig);
  return {
    path,
    endian: object.endian,
    license,
    maps: [...maps.map((m) => m.spec), ...(kconfig ? [kconfig.spec] : [])],
    programs,
    ...(btf && { btf }),
    ...(options.targetBtf && { targetBtf: options.targetBtf }),
  };
}

/** A perf event array without a size gets one entry per CPU. */
function withCpuCount(place: PlacedMap, cpuCount: number): PlacedMap {
  const { spec } = place;
  if (spec.type !== perfEventArray || spec.maxEntries !== 0) return place;
  return { ...place, spec: { ...spec, maxEntries: cpuCount } };
}

function relocateForTarget(
  view: ObjectView,
  target: Btf | undefined,
  diagnostics: Diagnostics,
): ObjectView {
  const { btf, btfExt } = view;
  if (btf === undefined || btfExt === undefined) return view;
  // The ids of the program's own types do not depend on the target.
  const known = target === undefined ? { ...btfExt, coreRelocations: localOnly(btfExt) } : btfExt;
  const { object } = applyCoreRelocations(
    { ...view, btf, btfExt: known },
    target ?? btf,
    diagnostics,
  );
  return { ...view, object };
}

function localOnly({ coreRelocations }: BtfExt): BtfExt["coreRelocations"] {
  return coreRelocations.map(({ section, records }) => ({
    section,
    records: records.filter(({ kind }) => kind === "type_id_local"),
  }));
}

function sectionText(object: ObjectFile, name: string): string {
  const data = object.sections.find((s) => s.name === name)?.data ?? new Uint8Array();
  const end = data.indexOf(0);
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end));
}

/** `.maps` and `maps` first, then the data sections, each in section order, then struct_ops. */
export function collectMaps(view: ObjectView, diagnostics: Diagnostics, target?: Btf): PlacedMap[] {
  const maps: PlacedMap[] = [];
  view.object.sections.forEach((section, index) => {
    if (section.name === ".maps")
      maps.push(...btfDefinedMaps(view, index, maps.length, diagnostics));
    else if (section.name === "maps") maps.push(...legacyMaps(view, index, diagnostics));
  });
  view.object.sections.forEach((section, index) => {
    if (isDataSection(section)) maps.push(dataMap(view, index, section));
  });
  maps.push(...structOpsMaps(view, target, diagnostics));
  return withArenaData(view, maps, diagnostics);
}

/** Global variables in the arena's address space stand at the arena's start. */
function withArenaData(view: ObjectView, maps: PlacedMap[], diagnostics: Diagnostics): PlacedMap[] {
  const section = view.object.sections.find(({ name }) => name === arenaSection);
  if (section === undefined || section.size === 0) return maps;
  const arena = maps.find(({ spec }) => spec.type === arenaMap);
  if (arena === undefined || section.size > arena.spec.maxEntries * arenaPage) {
    const problem = arena === undefined ? "no arena map for" : "the arena is too small for";
    const message = `${view.path}: ${problem} the variables in '${arenaSection}'`;
    diagnostics.error("bad-map-definition", message);
    return maps;
  }
  const arenaData = new Uint8Array(section.size);
  arenaData.set(section.data);
  const spec = { ...arena.spec, arenaData };
  return maps.map((place) => (place === arena ? { ...place, spec } : place));
}

function makeResolver(
  view: ObjectView,
  maps: readonly PlacedMap[],
  kconfig: KconfigMap | undefined,
): ReferenceResolver {
  const bySection = new Map<
    SectionIndex,
    { readonly place: PlacedMap; readonly index: number }[]
  >();
  maps.forEach((place, index) => {
    const list = bySection.get(place.section) ?? [];
    list.push({ place, index });
    bySection.set(place.section, list);
  });
  const arena = maps.findIndex(({ spec }) => spec.arenaData !== undefined);
  return {
    data(section, offset) {
      if (arena >= 0 && view.object.sections[section]?.name === arenaSection)
        return { kind: "value", map: arena, offset };
      const found = bySection
        .get(section)
        ?.find(
          ({ place }) => offset >= place.offset && offset < place.offset + Math.max(1, place.size),
        );
      const isData =
        view.object.sections[section] !== undefined && found?.place.spec.dataSection !== undefined;
      if (found === undefined) {
        const only = bySection.get(section)?.[0];
        // One past the end of a data section is a valid address (C allows forming it).
        return only?.place.spec.dataSection === undefined
          ? undefined
          : { kind: "value", map: only.index, offset };
      }
      return isData
        ? { kind: "value", map: found.index, offset }
        : { kind: "map", map: found.index };
    },
    kconfig(name) {
      const offset = kconfig?.offsets.get(name);
      return offset === undefined ? undefined : { map: maps.length, offset };
    },
  };
}

interface ProgramEnvironment {
  readonly code: CodeIndex;
  readonly license: string;
  readonly resolver: ReferenceResolver;
  readonly kernel: KernelNames | undefined;
  readonly tables: ReadonlyMap<string, StructOpsUse>;
  readonly diagnostics: Diagnostics;
}

/** Programs are the global functions of code sections other than .text. */
function sectionPrograms(section: SectionIndex, environment: ProgramEnvironment): ProgramSpec[] {
  const { code, diagnostics } = environment;
  const { object, path } = code.view;
  const sectionName = object.sections[section]?.name ?? "";
  if (sectionName === subprogramSection) return [];
  const functions = code.view.symbolsOf(section).filter((s) => s.type === "func");
  return functions.flatMap((symbol): ProgramSpec[] => {
    if (symbol.binding === "local") {
      const message = `${path}: section '${sectionName}': program '${symbol.name}' is static, which loaders do not support`;
      diagnostics.error("static-program", message);
      return [];
    }
    return programOf(section, symbol, environment);
  });
}

function programOf(
  section: SectionIndex,
  symbol: ObjectSymbol,
  environment: ProgramEnvironment,
): ProgramSpec[] {
  const { code, license, resolver, kernel, tables, diagnostics } = environment;
  const flat = flattenProgram(code, section, symbol.value >> 3, resolver, diagnostics);
  if (flat === undefined) return [];
  const { object } = code.view;
  const sectionName = object.sections[section]?.name ?? "";
  const match = programTypeForSection(sectionName);
  const isStructOps = match?.programType.id === structOpsProgram;
  const table = isStructOps ? tables.get(symbol.name) : undefined;
  const autoload = (match?.autoload ?? true) && (table?.wanted ?? true);
  if (kernel !== undefined) {
    // What is loaded on request only may name what this kernel lacks.
    const reports = autoload ? diagnostics : new Diagnostics();
    resolveReferences(code.view, symbol.name, flat, kernel, reports);
  }
  const flags =
    (match?.sleepable ? BPF_F_SLEEPABLE : 0) | (match?.fragments ? BPF_F_XDP_HAS_FRAGS : 0);
  const attachName = match?.attachType?.name ?? "";
  const target = match?.target ?? "";
  const attachBtfId = kernel === undefined ? 0 : attachTypeId(kernel.btf, attachName, target);
  return [
    {
      name: symbol.name,
      section: sectionName,
      type: match?.programType.id ?? 0,
      attachType: table?.attachType ?? match?.attachType?.id ?? 0,
      flags,
      target,
      attachBtfId: table?.attachBtfId ?? attachBtfId,
      autoload,
      license,
      ...flat,
    },
  ];
}

function resolveReferences(
  view: ObjectView,
  program: string,
  { insns, kernelReferences }: FlatProgram,
  kernel: KernelNames,
  diagnostics: Diagnostics,
): void {
  const where = `${view.path}: program '${program}'`;
  const { endian } = view.object;
  const code = { insns, endian, references: kernelReferences, btf: view.btf };
  resolveKernelReferences(code, kernel, where, diagnostics);
}
