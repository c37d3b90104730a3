/** A small object with each kind of section, symbol and relocation. */
import type {
  Endian,
  ObjectFile,
  ObjectSection,
  ObjectSymbol,
} from "../../common/object/object-file.ts";

function section(name: string, data: readonly number[], flags: number): ObjectSection {
  return {
    name,
    kind: "progbits",
    elfType: 1,
    flags,
    align: 8,
    entrySize: 0,
    data: Uint8Array.from(data),
    size: data.length,
    relocations: [],
  };
}

function symbol(
  name: string,
  place: ObjectSymbol["section"],
  rest: Partial<ObjectSymbol>,
): ObjectSymbol {
  return {
    name,
    section: place,
    value: 0,
    size: 0,
    binding: "global",
    type: "notype",
    visibility: "default",
    ...rest,
  };
}

/** `r1 = counter ll; call helper; exit`, with data, zeros and text. */
export function sampleObject(endian: Endian): ObjectFile {
  const little = endian === "little";
  const registers = little ? 0x01 : 0x10;
  const word = (value: number): number[] => (little ? [value, 0, 0, 0] : [0, 0, 0, value]);
  const note = [...word(4), ...word(0), ...word(1), 0x61, 0x62, 0x63, 0];
  const code = [
    [0x18, registers, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0x85, little ? 0x10 : 0x01, 0, 0, 0xff, 0xff, 0xff, 0xff],
    [0x95, 0, 0, 0, 0, 0, 0, 0],
  ].flat();
  return {
    endian,
    sections: [
      {
        ...section("xdp", code, 6),
        relocations: [
          { offset: 0, type: "R_BPF_64_64", symbol: 2 },
          { offset: 16, type: "R_BPF_64_32", symbol: 4 },
        ],
      },
      {
        ...section(".data", [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 3),
        relocations: [{ offset: 8, type: "R_BPF_64_ABS64", symbol: 3 }],
      },
      { ...section(".bss", [], 3), kind: "nobits", elfType: 8, size: 40 },
      { ...section(".rodata.str1.1", [0x61, 0x62, 0], 0x32), align: 1, entrySize: 1 },
      { ...section(".note", note, 0), kind: "note", elfType: 7, align: 4 },
      section("license", [0x47, 0x50, 0x4c, 0], 3),
    ],
    symbols: [
      symbol("sample.c", "absolute", { binding: "local", type: "file" }),
      symbol("", 1, { binding: "local", type: "section" }),
      symbol("counter", 1, { type: "object", size: 4 }),
      symbol("main", 0, { type: "func", size: 32 }),
      symbol("helper", "undefined", { binding: "weak" }),
      symbol("shared", "common", { type: "object", value: 8, size: 16, visibility: "hidden" }),
      symbol("_license", 5, { type: "object", size: 4 }),
    ],
  };
}
