/** BTF and BTF.ext: round trips, the text dump, refusal of what is broken. */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { decodeProgram } from "../common/isa/decode.ts";
import type { Btf, BtfType } from "../common/object/btf.ts";
import { btfKindNumbers } from "../common/object/btf-constants.ts";
import { readBtfExt } from "../common/object/btf-ext-reader.ts";
import { decodeType, readBtf, readBtfWithStrings } from "../common/object/btf-reader.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import { dumpC } from "../linker/dump/c.ts";
import { dumpBtf } from "../linker/dump/raw.ts";
import { deduplicateTypes } from "../linker/link/deduplicate.ts";
import { JoinedTypes } from "../linker/link/joined-types.ts";
import { writeJoinedTypes } from "../linker/link/write-types.ts";
import { compileText } from "./support/compile.ts";
import { damage, randomNumbers } from "./support/fuzz.ts";
import { expectGolden } from "./support/golden.ts";
import { sampleBtf, sampleBtfExt } from "./support/sample-btf.ts";
import { compileFile } from "./support/toolchain.ts";

describe.each(["little", "big"] as const)("%s endian", (endian) => {
  const written = writeBtf(sampleBtf(endian), sampleBtfExt(endian));

  test("both sections are read back as they were written", () => {
    const diagnostics = new Diagnostics();
    const read = readBtfWithStrings(written.btf, diagnostics);
    expect(read?.btf).toEqual(sampleBtf(endian));
    const ext = readBtfExt(written.btfExt!, read!.strings, diagnostics);
    expect(ext).toEqual(sampleBtfExt(endian));
    expect(diagnostics.list).toEqual([]);
  });

  test("writing what was read gives the same bytes", () => {
    const read = readBtfWithStrings(written.btf, new Diagnostics())!;
    const ext = readBtfExt(written.btfExt!, read.strings, new Diagnostics())!;
    expect(writeBtf(read.btf, ext)).toEqual(written);
  });
});

test("the sample has every kind", () => {
  const kinds = new Set(sampleBtf("little").types.map((type) => type.kind));
  expect([...kinds].sort()).toEqual(Object.keys(btfKindNumbers).sort());
});

test("many strings: the table grows past its first size", () => {
  const types = Array.from({ length: 3000 }, (_, i): BtfType => {
    return { kind: "fwd", name: `name_${i}`, union: false };
  });
  const btf: Btf = { endian: "little", types };
  expect(readBtf(writeBtf(btf).btf, new Diagnostics())).toEqual(btf);
});

test("the text dump", () => {
  expectGolden(dumpBtf(sampleBtf("little")), "test/cases/btf/all-kinds.dump");
});

describe("broken BTF", () => {
  const report = (types: readonly BtfType[]): string[] => {
    const diagnostics = new Diagnostics();
    readBtf(writeBtf({ endian: "little", types }).btf, diagnostics);
    return diagnostics.list.map((each) => each.message);
  };
  const named = (kind: "struct", type: number): BtfType => ({
    kind,
    name: "s",
    size: 8,
    members: [{ name: "m", type, bitOffset: 0, bitSize: 0 }],
    kindFlag: false,
  });
  test.each<[string, readonly BtfType[], string]>([
    ["a missing type", [{ kind: "ptr", type: 7 }], "type 1 refers to type 7, which does not exist"],
    ["a struct in itself", [named("struct", 1)], "type 1 contains itself"],
    [
      "a typedef of itself",
      [
        { kind: "typedef", name: "a", type: 2 },
        { kind: "typedef", name: "b", type: 1 },
      ],
      "type 1 contains itself",
    ],
    [
      "a pointer to itself",
      [
        { kind: "ptr", type: 2 },
        { kind: "typedef", name: "p", type: 1 },
      ],
      "type 1 refers to itself",
    ],
    [
      "a function without prototype",
      [{ kind: "func", name: "f", type: 0, linkage: "static" }],
      "type 1: function 'f' has no prototype",
    ],
    [
      "deep nesting",
      Array.from({ length: 2000 }, (_, i): BtfType => ({ kind: "ptr", type: i })),
      "nested deeper than 512",
    ],
  ])("%s", (_, types, message) => {
    expect(report(types)).toEqual([expect.stringContaining(message)]);
  });

  test("a struct may point to itself", () => {
    expect(report([{ kind: "ptr", type: 2 }, named("struct", 1)])).toEqual([]);
  });

  test("5,000 damaged tables end in BTF or one error", () => {
    const { btf, btfExt } = writeBtf(sampleBtf("little"), sampleBtfExt("little"));
    const random = randomNumbers(2);
    let refused = 0;
    for (let i = 0; i < 5000; i++) {
      const diagnostics = new Diagnostics();
      const read = readBtfWithStrings(damage(btf, random), diagnostics);
      if (read !== undefined) {
        expect(readBtf(writeBtf(read.btf).btf, new Diagnostics())).toEqual(read.btf);
        dumpBtf(read.btf);
        readBtfExt(damage(btfExt!, random), read.strings, diagnostics);
      } else refused += 1;
      expect(diagnostics.list.length).toBeLessThanOrEqual(1);
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

/** The types that are left, and the new id by old id. */
function deduplicate(types: readonly BtfType[]): { types: readonly BtfType[]; ids: Int32Array } {
  const { btf } = writeBtf({ endian: "little", types });
  const { packed, strings } = readBtfWithStrings(btf, new Diagnostics())!;
  const typeAt = (index: number): BtfType => decodeType(packed, strings, index);
  const joined = new JoinedTypes([{ packed, typeAt }]);
  const unified = deduplicateTypes(joined);
  const ext = { endian: "little", funcInfo: [], lineInfo: [], coreRelocations: [] } as const;
  const written = writeJoinedTypes(joined, unified, [], ext, "little").btf;
  return { types: readBtf(written, new Diagnostics())!.types, ids: unified.ids };
}

describe("deduplication", () => {
  const node = (at: number): BtfType[] => [
    { kind: "ptr", type: at + 2 },
    {
      kind: "struct",
      name: "node",
      size: 16,
      members: [
        { name: "next", type: at + 1, bitOffset: 0, bitSize: 0 },
        { name: "prev", type: at + 3, bitOffset: 64, bitSize: 0 },
      ],
      kindFlag: false,
    },
    { kind: "ptr", type: at + 2 },
  ];

  test("a list is merged with its copy, and its two equal pointers", () => {
    const { types, ids } = deduplicate([...node(0), ...node(3)]);
    expect(types).toHaveLength(2);
    expect([...ids]).toEqual([0, 1, 2, 1, 1, 2, 1]);
  });

  test("types that differ far down stay apart", () => {
    const chain = (at: number, name: string): BtfType[] => [
      { kind: "ptr", type: at + 2 },
      { kind: "const", type: at + 3 },
      { kind: "ptr", type: at + 4 },
      { kind: "fwd", name, union: false },
    ];
    expect(deduplicate([...chain(0, "a"), ...chain(4, "b")]).types).toHaveLength(8);
    expect(deduplicate([...chain(0, "a"), ...chain(4, "a")]).types).toHaveLength(4);
  });

  test("a forward declaration becomes the one definition of its name", () => {
    const definition = (size: number): BtfType => ({
      kind: "struct",
      name: "x",
      size,
      members: [],
      kindFlag: false,
    });
    const forward: BtfType = { kind: "fwd", name: "x", union: false };
    const pointers = [1, 2].map((type): BtfType => ({ kind: "ptr", type }));
    expect(deduplicate([forward, definition(4), ...pointers]).types).toEqual([
      definition(4),
      { kind: "ptr", type: 1 },
    ]);
    const ambiguous = deduplicate([forward, definition(4), definition(8)]);
    expect(ambiguous.types).toHaveLength(3);
  });
});

test("a gap of any size is a few lines of C, wherever it starts", () => {
  const int: BtfType = {
    ...{ kind: "int", name: "int", size: 4, bits: 32, bitOffset: 0 },
    ...{ signed: true, char: false, bool: false },
  };
  const members = [34, 1 << 30].map((bitOffset, index) => {
    return { name: `m${index}`, type: 1, bitOffset, bitSize: 0 };
  });
  const size = 2 ** 31;
  const record: BtfType = { kind: "struct", name: "r", size, members, kindFlag: false };
  const text = dumpC({ endian: "little", types: [int, record] });
  expect(text).toContain("char __gap_72[134217719];");
  expect(text.split("\n").length).toBeLessThan(50);
});

test("the id of a type stands in the instruction that asks for it", () => {
  const { sections } = compileText(`struct plain { int a; };
unsigned long own(void) { return __builtin_btf_type_id(*(struct plain *)0, 0); }
unsigned long other(void) { return __builtin_btf_type_id(*(struct plain *)0, 1); }`);
  const data = (name: string): Uint8Array => sections.find((each) => each.name === name)!.data;
  const btf = readBtf(data(".BTF"), new Diagnostics());
  const id = 1 + btf!.types.findIndex((type) => type.kind === "struct" && type.name === "plain");
  const decoded = decodeProgram(data(".text"), "little");
  const loads = decoded.ok ? decoded.insns.filter(({ insn }) => insn.kind === "load_imm64") : [];
  const value = BigInt(id);
  expect(loads.map(({ insn }) => insn)).toMatchObject([{ value }, { value }]);
});

test("a typedef that is declared again means what it meant at each place", () => {
  const { sections } = compileText(`typedef int base; typedef base name; struct a { name m; } x;
typedef int name; struct b { name m; } y;`);
  const { data } = sections.find((each) => each.name === ".BTF")!;
  const { types } = readBtf(data, new Diagnostics())!;
  const targets = types.flatMap((type) =>
    type.kind === "typedef" && type.name === "name" ? [types[type.type - 1]?.kind] : [],
  );
  expect(targets.sort()).toEqual(["int", "typedef"]);
});

test("the types that a program brings along", () => {
  const object = compileFile("test/cases/btf/reached.c", []);
  const bytes = object.sections.find(({ name }) => name === ".BTF")?.data;
  const btf = readBtf(bytes!, new Diagnostics());
  expectGolden(dumpBtf(btf!), "test/cases/btf/reached.dump");
});
