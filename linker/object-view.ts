/** An object with its BTF read and its symbols sorted by section: what the loader's steps look at. */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, BtfExt, TypeId } from "../common/object/btf.ts";
import { btfKindNumbers } from "../common/object/btf-constants.ts";
import { readBtfExt } from "../common/object/btf-ext-reader.ts";
import { type BtfReadResult, readBtfWithStrings } from "../common/object/btf-reader.ts";
import { skipModifierIds } from "../common/object/btf-types.ts";
import type {
  ObjectFile,
  ObjectSection,
  ObjectSymbol,
  SectionIndex,
} from "../common/object/object-file.ts";

export interface ObjectView {
  readonly path: string;
  readonly object: ObjectFile;
  /** Decoded when it is asked for. */
  readonly btf: Btf | undefined;
  /** The same as it stands in the file, already checked. */
  readonly btfRead: BtfReadResult | undefined;
  readonly btfExt: BtfExt | undefined;
  /** Symbols with a name that stand in the section, by offset. */
  readonly symbolsOf: (section: SectionIndex) => readonly ObjectSymbol[];
  /** BTF VAR or FUNC of that name. */
  readonly btfIdOf: (kind: "var" | "func", name: string) => TypeId;
  /** Whether a variable was declared as void: an address without a type. */
  readonly isUntyped: (variable: TypeId) => boolean;
}

const SHF_EXECINSTR = 4;

/** Sections that hold instructions. */
export function isCode(section: ObjectSection): boolean {
  return section.kind === "progbits" && (section.flags & SHF_EXECINSTR) !== 0;
}

const indexedKinds = new Map<number, string>([
  [btfKindNumbers.var, "var"],
  [btfKindNumbers.func, "func"],
]);

function nameIndex(read: BtfReadResult | undefined): Map<string, TypeId> {
  const index = new Map<string, TypeId>();
  read?.graph.kinds.forEach((kind, position) => {
    const word = indexedKinds.get(kind);
    if (word !== undefined) index.set(`${word} ${read.graph.nameOf(position + 1)}`, position + 1);
  });
  return index;
}

/** Reads `.BTF` and `.BTF.ext` and indexes the symbols. Corrupt BTF is reported. */
export function viewObject(
  object: ObjectFile,
  path: string,
  diagnostics: Diagnostics,
): ObjectView | undefined {
  const sectionData = (name: string): Uint8Array | undefined =>
    object.sections.find((s) => s.name === name)?.data;
  const btfBytes = sectionData(".BTF");
  const extBytes = sectionData(".BTF.ext");
  const read =
    btfBytes === undefined ? undefined : readBtfWithStrings(btfBytes, diagnostics, `${path}: .BTF`);
  const btfExt =
    read === undefined || extBytes === undefined
      ? undefined
      : readBtfExt(extBytes, read.strings, diagnostics, `${path}: .BTF.ext`);
  if (diagnostics.hasErrors) return undefined;
  const bySection = new Map<SectionIndex, ObjectSymbol[]>();
  for (const symbol of object.symbols) {
    if (typeof symbol.section !== "number" || symbol.name === "" || symbol.type === "section")
      continue;
    const list = bySection.get(symbol.section) ?? [];
    list.push(symbol);
    bySection.set(symbol.section, list);
  }
  for (const list of bySection.values()) list.sort((a, b) => a.value - b.value);
  let ids: Map<string, TypeId> | undefined;
  return {
    path,
    object,
    get btf(): Btf | undefined {
      return read?.btf;
    },
    btfRead: read,
    btfExt,
    symbolsOf: (section) => bySection.get(section) ?? [],
    btfIdOf: (kind, name) => {
      ids ??= nameIndex(read);
      return ids.get(`${kind} ${name}`) ?? 0;
    },
    isUntyped: (id) => {
      const variable = read?.btf.types[id - 1];
      if (read === undefined || variable?.kind !== "var") return true;
      return skipModifierIds(read.btf, variable.type) === 0;
    },
  };
}
