/** BTF with all 19 kinds, and BTF.ext with all three tables. */
import type { Btf, BtfExt, BtfType } from "../../common/object/btf.ts";
import type { Endian } from "../../common/object/object-file.ts";

const int = (name: string, size: number, traits: { signed?: boolean; bool?: boolean } = {}) =>
  ({
    kind: "int",
    name,
    size,
    bits: size * 8,
    bitOffset: 0,
    signed: traits.signed ?? false,
    char: false,
    bool: traits.bool ?? false,
  }) satisfies BtfType;

const types: readonly BtfType[] = [
  int("int", 4, { signed: true }),
  int("_Bool", 1, { bool: true }),
  { kind: "ptr", type: 4 },
  {
    kind: "struct",
    name: "node",
    size: 24,
    members: [
      { name: "next", type: 3, bitOffset: 0, bitSize: 0 },
      { name: "low", type: 1, bitOffset: 64, bitSize: 3 },
      { name: "high", type: 1, bitOffset: 67, bitSize: 5 },
      { name: "", type: 5, bitOffset: 128, bitSize: 0 },
    ],
    kindFlag: true,
  },
  {
    kind: "union",
    name: "",
    size: 8,
    members: [{ name: "ratio", type: 15, bitOffset: 0, bitSize: 0 }],
    kindFlag: false,
  },
  { kind: "array", element: 1, index: 1, count: 4 },
  {
    kind: "enum",
    name: "sign",
    size: 4,
    signed: true,
    values: [
      { name: "MINUS", value: -1n },
      { name: "PLUS", value: 1n },
    ],
  },
  {
    kind: "enum64",
    name: "huge",
    size: 8,
    signed: false,
    values: [{ name: "HUGE", value: 0xffff_ffff_ffff_ffffn }],
  },
  { kind: "fwd", name: "unknown", union: true },
  { kind: "typedef", name: "node_t", type: 4 },
  { kind: "const", type: 12 },
  { kind: "volatile", type: 1 },
  { kind: "restrict", type: 3 },
  { kind: "type_tag", name: "user", type: 10 },
  { kind: "float", name: "double", size: 8 },
  {
    kind: "func_proto",
    returns: 1,
    params: [
      { name: "größe", type: 13 },
      { name: "", type: 0 },
    ],
  },
  { kind: "func", name: "main", type: 16, linkage: "global" },
  { kind: "var", name: "limit", type: 11, linkage: "static" },
  { kind: "datasec", name: ".rodata", size: 4, entries: [{ type: 18, offset: 0, size: 4 }] },
  { kind: "decl_tag", name: "tagged", type: 4, componentIndex: -1 },
  { kind: "decl_tag", name: "attribute", type: 17, componentIndex: 0, kindFlag: true },
  { kind: "type_tag", name: "attribute", type: 1, kindFlag: true },
  { kind: "ptr", type: 14 },
  { kind: "ptr", type: 9 },
];

export function sampleBtf(endian: Endian): Btf {
  return { endian, types };
}

export function sampleBtfExt(endian: Endian): BtfExt {
  return {
    endian,
    funcInfo: [{ section: "xdp", records: [{ insnOffset: 0, type: 17 }] }],
    lineInfo: [
      {
        section: "xdp",
        records: [
          { insnOffset: 0, file: "a.c", text: "int main(void)", line: 3, column: 5 },
          { insnOffset: 16, file: "a.c", text: "", line: 70000, column: 1023 },
        ],
      },
      {
        section: ".text",
        records: [{ insnOffset: 8, file: "b.h", text: "return 0;", line: 1, column: 0 }],
      },
    ],
    coreRelocations: [
      {
        section: "xdp",
        records: [
          { insnOffset: 8, type: 4, access: "0:1", kind: "field_byte_offset" },
          { insnOffset: 24, type: 7, access: "1", kind: "enumval_value" },
        ],
      },
    ],
  };
}
