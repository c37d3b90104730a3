/**
 * Static linking: several objects → one. Sections of one name are joined, global names resolved,
 * relocations and BTF rewritten. Linking the result again changes nothing.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile, ObjectSection } from "../common/object/object-file.ts";
import { mergeBtf } from "./link/btf.ts";
import type { LinkInput, PlacedInput } from "./link/input.ts";
import { mergeRelocations } from "./link/relocations.ts";
import { draftData, mergeSections } from "./link/sections.ts";
import { chooseGlobals, type GlobalChoice, mergeSymbols } from "./link/symbols.ts";
import { type ObjectView, viewObject } from "./object-view.ts";

export interface LinkOptions {
  /** Leave externs open that no object defines, for a later link. */
  readonly allowUnresolved?: boolean;
}

const SHT_PROGBITS = 1;

/** Links the objects in the given order. Undefined after an error has been reported. */
export function linkObjects(
  inputs: readonly LinkInput[],
  diagnostics: Diagnostics,
  options: LinkOptions = {},
): ObjectFile | undefined {
  const endian = commonEndian(inputs, diagnostics);
  const views = inputs.flatMap(({ object, path }): ObjectView[] => {
    const view = viewObject(object, path, diagnostics);
    return view === undefined ? [] : [view];
  });
  if (diagnostics.hasErrors || endian === undefined) return undefined;
  const merged = mergeSections(views, diagnostics);
  const globals = chooseGlobals(merged.inputs, diagnostics);
  if (!options.allowUnresolved) reportUnresolved(merged.inputs, globals, diagnostics);
  const names = merged.drafts.map((draft) => draft.name);
  const symbols = mergeSymbols(merged.inputs, globals, names);
  const data = merged.drafts.map(draftData);
  const relocations = mergeRelocations(merged.inputs, symbols, data, endian, diagnostics);
  const types = mergeBtf(merged.inputs, globals, merged.drafts, endian, diagnostics);
  if (diagnostics.hasErrors) return undefined;
  const sections = merged.drafts.map(
    (draft, index): ObjectSection => ({
      name: draft.name,
      kind: draft.kind,
      elfType: draft.elfType,
      flags: draft.flags,
      align: draft.align,
      entrySize: draft.entrySize,
      data: data[index]!,
      size: draft.size,
      relocations: relocations.get(index) ?? [],
    }),
  );
  if (types !== undefined) {
    const { btf, btfExt } = types;
    sections.push(metadataSection(".BTF", btf));
    if (btfExt !== undefined) sections.push(metadataSection(".BTF.ext", btfExt));
  }
  return { endian, sections, symbols: symbols.symbols };
}

function metadataSection(name: string, data: Uint8Array): ObjectSection {
  return {
    name,
    kind: "progbits",
    elfType: SHT_PROGBITS,
    flags: 0,
    align: 4,
    entrySize: 0,
    data,
    size: data.length,
    relocations: [],
  };
}

function commonEndian(
  inputs: readonly LinkInput[],
  diagnostics: Diagnostics,
): ObjectFile["endian"] | undefined {
  const [first, ...others] = inputs;
  if (first === undefined) {
    diagnostics.error("no-input", "no objects to link");
    return undefined;
  }
  for (const other of others) {
    if (other.object.endian === first.object.endian) continue;
    const message = `${first.path} is ${first.object.endian}-endian, ${other.path} is ${other.object.endian}-endian`;
    diagnostics.error("endian-mismatch", message);
  }
  return first.object.endian;
}

/** The kernel or the loader defines what is declared in these. */
const resolvedLater = new Set([".ksyms", ".kconfig"]);

function reportUnresolved(
  inputs: readonly PlacedInput[],
  globals: ReadonlyMap<string, GlobalChoice>,
  diagnostics: Diagnostics,
): void {
  for (const [name, { input, symbol, isWeak }] of globals) {
    if (symbol.section !== "undefined" || isWeak) continue;
    const { view } = inputs[input]!;
    const id = view.btfIdOf("func", name) || view.btfIdOf("var", name);
    const isLater = view.btf?.types.some(
      (type) =>
        type.kind === "datasec" &&
        resolvedLater.has(type.name) &&
        type.entries.some((entry) => entry.type === id),
    );
    if (isLater) continue;
    diagnostics.error(
      "unresolved-extern",
      `${view.path}: '${name}' is used${userOf(view, name)}, but no object defines it`,
    );
  }
}

/** The first function that refers to the symbol, for a message. */
function userOf({ object, symbolsOf }: ObjectView, name: string): string {
  for (const [index, { relocations }] of object.sections.entries()) {
    const use = relocations.find(({ symbol }) => object.symbols[symbol]?.name === name);
    const user = symbolsOf(index).findLast(
      ({ type, value }) => type === "func" && value <= (use?.offset ?? -1),
    );
    if (user !== undefined) return ` in ${user.name}`;
  }
  return "";
}
