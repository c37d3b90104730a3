/**
 * Tables of functions that a kernel subsystem calls (`SEC(".struct_ops")`): each variable becomes a
 * map whose value is laid out as the target kernel has the struct, with programs in its members.
 * Members are matched by name; what the kernel lacks must be zero. Source: libbpf's conventions.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, BtfMember, BtfType, TypeId } from "../common/object/btf.ts";
import { btfSizeOf, skipModifierIds, skipModifiers } from "../common/object/btf-types.ts";
import type { ObjectSymbol, SectionIndex } from "../common/object/object-file.ts";
import { essentialName } from "./core/names.ts";
import { kernelType } from "./kernel-references.ts";
import type { PlacedMap } from "./map-definitions.ts";
import type { ObjectView } from "./object-view.ts";
import type { MapSpec, StructOpsMember } from "./program.ts";

const structOpsMap = 26;
const BPF_F_LINK = 1 << 13;

const sectionFlags: ReadonlyMap<string, number> = new Map([
  [".struct_ops", 0],
  [".struct_ops.link", BPF_F_LINK],
]);

/** Map flags of such a section; undefined for other sections. */
function flagsOf(section: string): number | undefined {
  return sectionFlags.get(section.replace(/^\?/, ""));
}

type Struct = BtfType & { readonly kind: "struct" | "union" };

/** One table with all that its layout needs. */
interface Table {
  readonly view: ObjectView;
  readonly btf: Btf;
  readonly symbol: ObjectSymbol;
  readonly section: SectionIndex;
  readonly typeId: TypeId;
  readonly type: Struct;
  /** The variable's bytes. */
  readonly data: Uint8Array;
  readonly fail: (message: string) => void;
}

/** The maps of all struct_ops sections, laid out for `target`, or as compiled without one. */
export function structOpsMaps(
  view: ObjectView,
  target: Btf | undefined,
  diagnostics: Diagnostics,
): PlacedMap[] {
  return view.object.sections.flatMap((section, index) => {
    const flags = flagsOf(section.name);
    if (flags === undefined || section.size === 0) return [];
    const created = !section.name.startsWith("?");
    return tablesOf(view, index, created ? diagnostics : undefined).flatMap((table) => {
      const value = target === undefined ? compiledValue(table) : kernelValue(table, target);
      if (value === undefined) return [];
      const { symbol, typeId } = table;
      const spec = specOf(symbol.name, flags, typeId, value, created);
      return [{ spec, section: index, offset: symbol.value, size: symbol.size }];
    });
  });
}

function specOf(
  name: string,
  flags: number,
  valueType: TypeId,
  { value, members, ...kernel }: NonNullable<ReturnType<typeof compiledValue>>,
  created: boolean,
): MapSpec {
  return {
    name,
    type: structOpsMap,
    keySize: 4,
    valueSize: value.length,
    maxEntries: 1,
    flags,
    extra: 0n,
    keyType: 0,
    valueType,
    pinning: 0,
    slots: [],
    frozen: false,
    structOps: { value, members, created, ...kernel },
  };
}

/** Objects from other hands: a section may hold what is no table, or too little data. */
function tablesOf(
  view: ObjectView,
  section: SectionIndex,
  diagnostics: Diagnostics | undefined,
): Table[] {
  const { btf, path, object } = view;
  const data = object.sections[section]?.data ?? new Uint8Array();
  return view.symbolsOf(section).flatMap((symbol): Table[] => {
    if (symbol.type !== "object") return [];
    const fail = (message: string): void =>
      diagnostics?.error("bad-struct-ops", `${path}: struct_ops '${symbol.name}': ${message}`);
    const variable = btf?.types[view.btfIdOf("var", symbol.name) - 1];
    const typeId =
      btf !== undefined && variable?.kind === "var" ? skipModifierIds(btf, variable.type) : 0;
    const type = btf?.types[typeId - 1];
    if (btf === undefined || type?.kind !== "struct" || type.name === "") {
      fail("its type is no struct with a name");
      return [];
    }
    const end = symbol.value + type.size;
    if (end > data.length) {
      fail("it ends behind its section");
      return [];
    }
    const bytes = data.slice(symbol.value, end);
    return [{ view, btf, symbol, section, typeId, type, data: bytes, fail }];
  });
}

/** Program names by byte offset in the variable, from its relocations. */
function programsOf({ view, section, symbol, type }: Table): ReadonlyMap<number, string> {
  const programs = new Map<number, string>();
  for (const relocation of view.object.sections[section]?.relocations ?? []) {
    const offset = relocation.offset - symbol.value;
    const target = view.object.symbols[relocation.symbol];
    if (offset < 0 || offset >= type.size || target === undefined) continue;
    const name = target.type === "section" ? functionAt(view, target, relocation) : target.name;
    if (name !== undefined) programs.set(offset, name);
  }
  return programs;
}

/** Compilers may name a static function by its section and place. */
function functionAt(
  view: ObjectView,
  target: ObjectSymbol,
  { addend = 0 }: { readonly addend?: number },
): string | undefined {
  if (typeof target.section !== "number") return undefined;
  const functions = view.symbolsOf(target.section).filter(({ type }) => type === "func");
  return functions.find(({ value }) => value === target.value + addend)?.name;
}

interface TableValue {
  readonly value: Uint8Array;
  readonly members: readonly StructOpsMember[];
  readonly kernelType?: TypeId;
  readonly kernelValueType?: TypeId;
}

function compiledValue(table: Table): TableValue {
  const programs = programsOf(table);
  const members = table.type.members.flatMap((member, index): StructOpsMember[] => {
    const offset = member.bitOffset >> 3;
    const program = programs.get(offset);
    return program === undefined ? [] : [{ name: member.name, index, offset, program }];
  });
  return { value: table.data, members };
}

/** The table as the kernel's map of this type wants it; undefined after an error. */
function kernelValue(table: Table, target: Btf): TableValue | undefined {
  const name = essentialName(table.type.name);
  const wrapperId = kernelType(target, "struct", `bpf_struct_ops_${name}`);
  const typeId = kernelType(target, "struct", name);
  const wrapper = wrapperId === undefined ? undefined : target.types[wrapperId - 1];
  const type = typeId === undefined ? undefined : target.types[typeId - 1];
  if (wrapper?.kind !== "struct" || type?.kind !== "struct" || wrapperId === undefined) {
    table.fail(`the kernel has no struct_ops type '${name}'`);
    return undefined;
  }
  const place = wrapper.members.find((member) => member.type === typeId);
  if (place === undefined || typeId === undefined) {
    table.fail(`the kernel's value of '${name}' does not hold it`);
    return undefined;
  }
  const layout: KernelLayout = {
    target,
    type,
    base: place.bitOffset >> 3,
    value: new Uint8Array(wrapper.size),
    programs: programsOf(table),
  };
  const members = table.type.members.flatMap((member) => placeMember(table, layout, member));
  return { value: layout.value, members, kernelType: typeId, kernelValueType: wrapperId };
}

interface KernelLayout {
  readonly target: Btf;
  readonly type: Struct;
  /** Byte offset of the struct in the map's value. */
  readonly base: number;
  /** Filled member by member. */
  readonly value: Uint8Array;
  readonly programs: ReadonlyMap<number, string>;
}

function placeMember(table: Table, layout: KernelLayout, member: BtfMember): StructOpsMember[] {
  const { btf, data, fail } = table;
  const { target, type, base, value, programs } = layout;
  const from = member.bitOffset >> 3;
  const size = btfSizeOf(btf, member.type) ?? 0;
  const bytes = data.subarray(from, from + size);
  const program = programs.get(from);
  const index = type.members.findIndex(({ name }) => name === member.name);
  const known = type.members[index];
  if (known === undefined) {
    // A program that this kernel has no place for is not loaded.
    if (bytes.some((byte) => byte !== 0)) fail(`the kernel has no member '${member.name}'`);
    return [];
  }
  if (member.bitSize > 0 || known.bitSize > 0) {
    fail(`member '${member.name}' is a bit-field`);
    return [];
  }
  const offset = base + (known.bitOffset >> 3);
  const [own, theirs] = [skipModifiers(btf, member.type), skipModifiers(target, known.type)];
  if (own?.kind !== theirs?.kind) {
    fail(`member '${member.name}' has another type in the kernel`);
    return [];
  }
  if (own?.kind === "ptr") {
    return program === undefined ? [] : [{ name: member.name, index, offset, program }];
  }
  if (btfSizeOf(target, known.type) !== size || offset + size > value.length) {
    fail(`member '${member.name}' has another size in the kernel`);
    return [];
  }
  value.set(bytes, offset);
  return [];
}

/** What the tables say of a program: where the kernel will call it, and whether it is wanted. */
export interface StructOpsUse {
  /** Struct and member index in the kernel's BTF; 0 without a target. */
  readonly attachBtfId: TypeId;
  readonly attachType: number;
  /** False where only tables that are not created name it. */
  readonly wanted: boolean;
}

/** By program name. Programs that no table names are missing. */
export function structOpsUses(maps: readonly PlacedMap[]): ReadonlyMap<string, StructOpsUse> {
  const uses = new Map<string, StructOpsUse>();
  for (const { spec } of maps) {
    const { structOps } = spec;
    if (structOps === undefined) continue;
    for (const { program, index } of structOps.members) {
      const known = uses.get(program);
      const wanted = structOps.created || known?.wanted === true;
      const attachBtfId = known?.attachBtfId || (structOps.kernelType ?? 0);
      const attachType = known?.attachType ?? index;
      uses.set(program, { attachBtfId, attachType, wanted });
    }
  }
  return uses;
}
