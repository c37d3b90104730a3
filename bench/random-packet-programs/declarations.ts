/** Random declarations: records for keys and values, maps, global variables; and packet headers. */
import type { Elements, HashMap, Place, ScalarType, Source } from "./scope.ts";

export interface Struct {
  readonly name: string;
  readonly fields: readonly { readonly text: string; readonly type: ScalarType }[];
  readonly arrays: readonly Elements[];
  /** Where the header says its own length: that, of the header at a pointer. */
  readonly length?: (pointer: string) => string;
}

const field = (type: ScalarType) => (text: string) => ({ text, type });
const u8 = field("__u8");
const u16 = field("__u16");
const u32 = field("__u32");

/** Of linux/if_ether.h and its like. */
export const headers: readonly Struct[] = [
  {
    name: "ethhdr",
    fields: [u16("h_proto"), u8("h_dest[0]"), u8("h_source[5]"), u8("h_dest[3]")],
    arrays: [],
  },
  {
    name: "iphdr",
    fields: [
      ...[u8("ttl"), u8("protocol"), u8("tos"), u16("tot_len"), u16("id"), u16("check")],
      ...[u32("saddr"), u32("daddr"), u16("frag_off")],
    ],
    arrays: [],
    length: (pointer) => `${pointer}->ihl * 4`,
  },
  {
    name: "ipv6hdr",
    fields: [u8("nexthdr"), u8("hop_limit"), u16("payload_len"), u32("saddr.s6_addr32[1]")],
    arrays: [],
  },
  {
    name: "udphdr",
    fields: [u16("source"), u16("dest"), u16("len"), u16("check")],
    arrays: [],
  },
  {
    name: "tcphdr",
    fields: [u16("source"), u16("dest"), u32("seq"), u32("ack_seq"), u16("window")],
    arrays: [],
    length: (pointer) => `${pointer}->doff << 2`,
  },
];

export function fieldsOf({ fields }: Struct, prefix: string): Place[] {
  return fields.map(({ text, type }) => ({ text: `${prefix}${text}`, type, writable: true }));
}

const fieldTypes = ["__u8", "__u16", "__u32", "__u32", "__u64", "__u64", "int"] as const;

export function randomStruct(source: Source, prefix: string, hasArrays: boolean): Struct {
  const count = 1 + source.below(hasArrays ? 5 : 4);
  const fields = Array.from({ length: count }, () => ({
    text: source.name("f"),
    type: source.pick(fieldTypes),
  }));
  // Atomic addition wants a word.
  if (hasArrays) fields.unshift({ text: source.name("n"), type: "__u64" });
  const arrays =
    hasArrays && source.chance(50)
      ? [
          {
            text: source.name("a"),
            type: source.pick(fieldTypes),
            length: source.pick([4, 8, 16]),
          },
        ]
      : [];
  return { name: source.name(prefix), fields, arrays };
}

export function structText({ name, fields, arrays }: Struct): string[] {
  return [
    `struct ${name} {`,
    ...fields.map(({ text, type }) => `  ${type} ${text};`),
    ...arrays.map(({ text, type, length }) => `  ${type} ${text}[${length}];`),
    "};",
  ];
}

const arrayTypes = ["ARRAY", "ARRAY", "PERCPU_ARRAY"] as const;
const hashTypes = ["HASH", "HASH", "LRU_HASH", "PERCPU_HASH"] as const;

export function randomMap(source: Source, keys: readonly Struct[], values: readonly Struct[]) {
  const isArray = source.chance(50);
  const entries = isArray ? source.pick([1, 4, 8, 64]) : undefined;
  const isStruct = !isArray && keys.length > 0 && source.chance(60);
  const key = isArray
    ? "__u32"
    : isStruct
      ? source.pick(keys).name
      : source.pick(["__u32", "__u64", "__u16"]);
  const map: HashMap = {
    name: source.name("map"),
    key,
    value: source.pick(values).name,
    entries,
  };
  const text = [
    "struct {",
    `  __uint(type, BPF_MAP_TYPE_${source.pick(isArray ? arrayTypes : hashTypes)});`,
    `  __uint(max_entries, ${entries ?? 1024});`,
    `  __type(key, ${isStruct ? "struct " : ""}${map.key});`,
    `  __type(value, struct ${map.value});`,
    `} ${map.name} SEC(".maps");`,
  ];
  return { map, text };
}

/** Variables of the file: numbers, and arrays that indexes are masked for. */
export function randomGlobals(source: Source): {
  readonly places: readonly Place[];
  readonly arrays: readonly Elements[];
  readonly text: readonly string[];
} {
  const places: Place[] = [];
  const arrays: Elements[] = [];
  const text: string[] = [];
  for (let count = source.below(4); count > 0; count -= 1) {
    const type = source.pick(fieldTypes);
    const name = source.name("g");
    if (source.chance(40)) {
      const length = source.pick([4, 16, 64]);
      arrays.push({ text: name, type, length });
      text.push(`${source.chance(50) ? "static " : ""}${type} ${name}[${length}];`);
      continue;
    }
    const isSetting = source.chance(30);
    places.push({ text: name, type, writable: !isSetting });
    text.push(
      `${isSetting ? "const volatile " : source.chance(50) ? "static " : ""}${type} ${name} = ${source.below(100)};`,
    );
  }
  return { places, arrays, text };
}
