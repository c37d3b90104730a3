/**
 * The object's BTF as a loader hands it to a kernel: places of data variables filled in, externs
 * turned into what the kernel knows. The kernel accepts neither extern functions nor datasecs of
 * size 0. Ids of existing types stay.
 */
import type { Btf, BtfSectionEntry, BtfType, TypeId } from "../common/object/btf.ts";
import type { ObjectSymbol, SectionIndex } from "../common/object/object-file.ts";
import type { KconfigMap } from "./kconfig.ts";
import type { ObjectView } from "./object-view.ts";

/** Kernel symbols become variables of type int, each in four bytes, as libbpf does it. */
const ksymSize = 4;

type Datasec = BtfType & { readonly kind: "datasec" };

/** BTF for loading; undefined where the object has none. */
export function loaderBtf(view: ObjectView, kconfig: KconfigMap | undefined): Btf | undefined {
  const { btf } = view;
  if (btf === undefined) return undefined;
  const types = [...btf.types];
  btf.types.forEach((type, index) => {
    if (type.kind !== "datasec") return;
    if (type.name === ".ksyms") replaceKsyms(types, index, type);
    else if (type.name === ".kconfig") types[index] = placeKconfig(types, type, kconfig);
    else types[index] = placeVariables(btf, type, view);
  });
  return { endian: btf.endian, types };
}

const byOffset = (a: BtfSectionEntry, b: BtfSectionEntry): number => a.offset - b.offset;

/** Compilers leave offsets to the loader, which takes them from the symbols. */
function placeVariables(btf: Btf, type: Datasec, view: ObjectView): BtfType {
  const { sections, symbols } = view.object;
  const index = sections.findIndex((section) => section.name === type.name);
  const section = sections[index];
  if (section === undefined) return type;
  const entries = type.entries.map((entry) => {
    const variable = btf.types[entry.type - 1];
    const isVariable = variable?.kind === "var";
    const symbol = isVariable ? symbolOfEntry(symbols, index, variable.name, entry) : undefined;
    return symbol === undefined ? entry : { ...entry, offset: symbol.value };
  });
  return { ...type, size: section.size, entries: entries.sort(byOffset) };
}

/**
 * The symbol of a datasec's variable. Linked objects may have several static ones of a name; their
 * entries have offsets already.
 */
export function symbolOfEntry(
  symbols: readonly ObjectSymbol[],
  section: SectionIndex,
  name: string,
  entry: BtfSectionEntry,
): ObjectSymbol | undefined {
  const named = symbols.filter((symbol) => symbol.section === section && symbol.name === name);
  return named.find((symbol) => symbol.value === entry.offset) ?? named[0];
}

function placeKconfig(types: BtfType[], type: Datasec, kconfig: KconfigMap | undefined): BtfType {
  const entries = type.entries.map((entry) => {
    const variable = types[entry.type - 1];
    if (variable?.kind !== "var") return entry;
    types[entry.type - 1] = { ...variable, linkage: "global" };
    return { ...entry, offset: kconfig?.offsets.get(variable.name) ?? entry.offset };
  });
  return { ...type, size: kconfig?.spec.valueSize ?? type.size, entries: entries.sort(byOffset) };
}

function replaceKsyms(types: BtfType[], index: number, type: Datasec): void {
  const int = findOrAdd(types, (known) => known.kind === "int" && known.name === "int", {
    kind: "int",
    name: "int",
    size: 4,
    bits: 32,
    bitOffset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const standIn: BtfType = { kind: "var", name: "dummy_ksym", type: int, linkage: "global" };
  const entries = type.entries.map((entry, position) => {
    const known = types[entry.type - 1];
    const place = { offset: position * ksymSize, size: ksymSize };
    if (known?.kind === "func") {
      types[entry.type - 1] = { ...known, linkage: "global" };
      nameParameters(types, known.type);
      return { ...place, type: findOrAdd(types, (each) => each === standIn, standIn) };
    }
    if (known?.kind === "var") {
      types[entry.type - 1] = { ...known, type: int, linkage: "global" };
    }
    return { ...place, type: entry.type };
  });
  types[index] = { ...type, size: entries.length * ksymSize, entries };
}

/** The kernel wants every parameter of a FUNC to have a name. */
function nameParameters(types: BtfType[], proto: TypeId): void {
  const type = types[proto - 1];
  if (type?.kind !== "func_proto" || type.params.every((param) => param.name !== "")) return;
  const params = type.params.map((param) =>
    param.name === "" && param.type !== 0 ? { ...param, name: "dummy_ksym" } : param,
  );
  types[proto - 1] = { ...type, params };
}

function findOrAdd(types: BtfType[], isWanted: (type: BtfType) => boolean, type: BtfType): TypeId {
  const known = types.findIndex(isWanted);
  return known >= 0 ? known + 1 : types.push(type);
}
