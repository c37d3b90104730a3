/**
 * Maps as objects declare them: BTF-defined ones in `.maps` (each field's number or type is encoded
 * in the type of a pointer) and the older `struct bpf_map_def` in `maps`.
 * Source: Documentation/bpf/libbpf/program_types.rst and libbpf's conventions.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, BtfMember, TypeId } from "../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifiers } from "../common/object/btf-types.ts";
import type { ObjectSymbol, SectionIndex } from "../common/object/object-file.ts";
import type { ObjectView } from "./object-view.ts";
import type { MapSlot, MapSpec } from "./program.ts";

/** A map with the place of its symbol, which relocations refer to. */
export interface PlacedMap {
  readonly spec: MapSpec;
  readonly section: SectionIndex;
  readonly offset: number;
  readonly size: number;
}

type Draft = { -readonly [K in keyof MapSpec]: MapSpec[K] } & { valuesOffset?: number };

const mapOfMaps = new Set([12, 13]);
/** Types whose values are file descriptors or ids: key and value default to four bytes. */
const defaultSizes: Readonly<Record<number, { key: number; value: number }>> = {
  3: { key: 4, value: 4 },
  4: { key: 4, value: 4 },
  12: { key: 4, value: 4 },
  13: { key: 4, value: 4 },
};

function emptyDraft(name: string): Draft {
  return {
    name,
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    extra: 0n,
    keyType: 0,
    valueType: 0,
    pinning: 0,
    slots: [],
    frozen: false,
  };
}

/** The number that `__uint(name, N)` (array length) or `__ulong(name, N)` (enumerator) encodes. */
function encodedNumber(btf: Btf, member: BtfMember): bigint | undefined {
  const type = skipModifiers(btf, member.type);
  if (type?.kind === "enum" || type?.kind === "enum64") return type.values[0]?.value;
  if (type?.kind !== "ptr") return undefined;
  const array = skipModifiers(btf, type.type);
  return array?.kind === "array" ? BigInt(array.count) : undefined;
}

function encodedType(btf: Btf, member: BtfMember): TypeId | undefined {
  const type = skipModifiers(btf, member.type);
  return type?.kind === "ptr" ? type.type : undefined;
}

type FieldReader = (
  draft: Draft,
  btf: Btf,
  member: BtfMember,
  fail: (message: string) => void,
) => void;

const number =
  (set: (draft: Draft, value: number) => void): FieldReader =>
  (draft, btf, member, fail) => {
    const value = encodedNumber(btf, member);
    if (value === undefined)
      fail(`field '${member.name}' is not a number made by __uint or __ulong`);
    else set(draft, Number(value));
  };

/** `key` and `value`: sizes come with the types. */
const typed =
  (set: (draft: Draft, type: TypeId, size: number) => void): FieldReader =>
  (draft, btf, member, fail) => {
    const type = encodedType(btf, member);
    const size = type === undefined ? undefined : btfSizeOf(btf, type);
    if (type === undefined || size === undefined) {
      fail(`field '${member.name}' is not a sized type made by __type`);
    } else set(draft, type, size);
  };

const readValues: FieldReader = (draft, btf, member, fail) => {
  const array = skipModifiers(btf, member.type);
  const element = array?.kind === "array" ? skipModifiers(btf, array.element) : undefined;
  if (element?.kind !== "ptr") return fail("field 'values' is not an array of pointers");
  draft.valuesOffset = member.bitOffset >> 3;
  const target = skipModifiers(btf, element.type);
  if (target?.kind === "struct") {
    draft.inner = finish(readDefinition(`${draft.name}.inner`, btf, element.type, fail), fail);
  } else if (target?.kind !== "func_proto") fail("field 'values' holds neither maps nor functions");
};

const fields: Readonly<Record<string, FieldReader>> = {
  type: number((d, v) => {
    d.type = v;
  }),
  max_entries: number((d, v) => {
    d.maxEntries = v;
  }),
  map_flags: number((d, v) => {
    d.flags = v;
  }),
  numa_node: number(() => {}),
  key_size: number((d, v) => {
    d.keySize = v;
  }),
  value_size: number((d, v) => {
    d.valueSize = v;
  }),
  pinning: number((d, v) => {
    d.pinning = v;
  }),
  map_extra: (draft, btf, member, fail) => {
    const value = encodedNumber(btf, member);
    if (value === undefined) fail("field 'map_extra' is not a number");
    else draft.extra = BigInt.asUintN(64, value);
  },
  key: typed((d, type, size) => {
    d.keyType = type;
    d.keySize = size;
  }),
  value: typed((d, type, size) => {
    d.valueType = type;
    d.valueSize = size;
  }),
  values: readValues,
};

function readDefinition(
  name: string,
  btf: Btf,
  typeId: TypeId,
  fail: (message: string) => void,
): Draft {
  const draft = emptyDraft(name);
  const type = skipModifiers(btf, typeId);
  if (type?.kind !== "struct") {
    fail("is not declared as a struct");
    return draft;
  }
  for (const member of type.members) {
    const read = Object.hasOwn(fields, member.name) ? fields[member.name] : undefined;
    if (read === undefined) fail(`unknown field '${member.name}'`);
    else read(draft, btf, member, fail);
  }
  return draft;
}

function finish(draft: Draft, fail: (message: string) => void): MapSpec {
  if (draft.type === 0) fail("field 'type' is missing");
  const sizes = defaultSizes[draft.type];
  if (sizes !== undefined) {
    draft.keySize ||= sizes.key;
    draft.valueSize ||= sizes.value;
  }
  const { valuesOffset: _, ...spec } = draft;
  return spec;
}

/** The variable's type through its VAR record. */
function variableType(view: ObjectView, name: string): TypeId {
  const variable =
    view.btf === undefined ? undefined : btfTypeById(view.btf, view.btfIdOf("var", name));
  return variable?.kind === "var" ? variable.type : 0;
}

/** Slots that the initialiser of `values` fills, from the relocations inside the variable. */
function valueSlots(
  view: ObjectView,
  symbol: ObjectSymbol,
  section: SectionIndex,
  valuesOffset: number | undefined,
  mapIndexAt: (section: SectionIndex, offset: number) => number | undefined,
): MapSlot[] {
  if (valuesOffset === undefined) return [];
  const start = symbol.value + valuesOffset;
  const relocations = view.object.sections[section]?.relocations ?? [];
  return relocations.flatMap(({ offset, symbol: target }): MapSlot[] => {
    const referenced = view.object.symbols[target];
    if (offset < start || offset >= symbol.value + symbol.size || referenced === undefined)
      return [];
    const index = (offset - start) >> 3;
    if (referenced.type === "func") {
      return [{ index, target: { kind: "program", program: referenced.name } }];
    }
    if (typeof referenced.section !== "number") return [];
    const map = mapIndexAt(referenced.section, referenced.value);
    return map === undefined ? [] : [{ index, target: { kind: "map", map } }];
  });
}

/** All maps of the `.maps` section, in the order of their symbols. */
export function btfDefinedMaps(
  view: ObjectView,
  section: SectionIndex,
  firstIndex: number,
  diagnostics: Diagnostics,
): PlacedMap[] {
  const { btf } = view;
  const symbols = view.symbolsOf(section);
  const reporter = (symbol: ObjectSymbol) => (message: string) =>
    diagnostics.error("bad-map-definition", `${view.path}: map '${symbol.name}': ${message}`);
  if (btf === undefined) {
    diagnostics.error(
      "missing-btf",
      `${view.path}: section .maps needs BTF, which the object lacks`,
    );
    return [];
  }
  const mapIndexAt = (where: SectionIndex, offset: number): number | undefined => {
    const position = where === section ? symbols.findIndex((s) => s.value === offset) : -1;
    return position < 0 ? undefined : firstIndex + position;
  };
  return symbols.map((symbol) => {
    const fail = reporter(symbol);
    const draft = readDefinition(symbol.name, btf, variableType(view, symbol.name), fail);
    const slots = valueSlots(view, symbol, section, draft.valuesOffset, mapIndexAt);
    const spec = finish({ ...draft, slots }, fail);
    if (mapOfMaps.has(spec.type) && spec.inner === undefined && slots.length === 0) {
      fail("a map of maps needs the field 'values'");
    }
    return { spec, section, offset: symbol.value, size: symbol.size };
  });
}

/** The older definitions: 20 bytes are type, key size, value size, entries, flags. */
export function legacyMaps(
  view: ObjectView,
  section: SectionIndex,
  diagnostics: Diagnostics,
): PlacedMap[] {
  const symbols = view.symbolsOf(section);
  const data = view.object.sections[section]?.data ?? new Uint8Array();
  const bytes = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const little = view.object.endian === "little";
  return symbols.flatMap((symbol, position) => {
    const end = symbols[position + 1]?.value ?? data.length;
    const size = symbol.size > 0 ? symbol.size : end - symbol.value;
    const word = (i: number): number =>
      i * 4 + 4 <= size && symbol.value + i * 4 + 4 <= data.length
        ? bytes.getUint32(symbol.value + i * 4, little)
        : 0;
    if (size < 16) {
      diagnostics.error(
        "bad-map-definition",
        `${view.path}: map '${symbol.name}': only ${size} bytes`,
      );
      return [];
    }
    const spec: MapSpec = {
      ...emptyDraft(symbol.name),
      type: word(0),
      keySize: word(1),
      valueSize: word(2),
      maxEntries: word(3),
      flags: word(4),
    };
    return [{ spec, section, offset: symbol.value, size }];
  });
}
