/**
 * Loading and static linking. A case is one file with several C files in it, after `// file: name`
 * lines; link errors stand in the first line.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { BtfType } from "../common/object/btf.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { dumpBtf } from "../linker/dump/raw.ts";
import { linkObjects } from "../linker/link.ts";
import { loadObject } from "../linker/load.ts";
import { viewObject } from "../linker/object-view.ts";
import { portableCase } from "../linker/portable-case.ts";
import { compileText } from "./support/compile.ts";
import { damage, randomNumbers } from "./support/fuzz.ts";
import { goldenSuite } from "./support/golden.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";

const folder = join(import.meta.dirname, "cases/link");

function inputsOf(text: string): { path: string; object: ObjectFile }[] {
  const parts = text.split(/^\/\/ file: (.*)\n/m).slice(1);
  const inputs: { path: string; object: ObjectFile }[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const path = parts[i]!;
    inputs.push({ path, object: compileText(parts[i + 1]!, path) });
  }
  return inputs;
}

function link(text: string): { object: ObjectFile | undefined; messages: string[] } {
  const diagnostics = new Diagnostics();
  const object = linkObjects(inputsOf(text), diagnostics);
  return { object, messages: diagnostics.list.map((each) => each.message) };
}

function describeObject(object: ObjectFile): string {
  const sections = object.sections.map(
    ({ name, kind, size, align, relocations }) =>
      `section ${name} ${kind} size ${size} align ${align} relocations ${relocations.length}`,
  );
  const symbols = object.symbols.map(
    ({ name, section, value, size, binding, type, visibility }) => {
      const place = typeof section === "number" ? object.sections[section]!.name : section;
      const seen = visibility === "default" ? "" : ` ${visibility}`;
      return `symbol ${name || "-"} ${place}+${value} size ${size} ${binding}${seen} ${type}`;
    },
  );
  const btf = viewObject(object, "linked", new Diagnostics())?.btf;
  return [...sections, ...symbols, btf === undefined ? "no BTF" : dumpBtf(btf)].join("\n");
}

describe("linking", () => {
  goldenSuite({
    folder: "test/cases/link",
    input: ".c",
    expected: ".linked",
    run: (text) => {
      const { object, messages } = link(text);
      expect(messages).toEqual([]);
      return describeObject(object!);
    },
  });

  const symbols = readFileSync(join(folder, "symbols.c"), "utf8");

  test("linking the result again changes nothing", () => {
    const once = writeElf(link(symbols).object!);
    const object = readElf(once, "once.o", new Diagnostics())!;
    const again = linkObjects([{ path: "once.o", object }], new Diagnostics())!;
    expect(writeElf(again)).toEqual(once);
  });

  kernelTest("the kernel accepts the linked programs", () => {
    const loaded = loadObject(link(symbols).object!, "linked.o", new Diagnostics())!;
    const results = askKernel(loaded.programs.map((program) => portableCase(loaded, program)));
    expect(results.map(({ verdict, log }) => (verdict === "accept" ? verdict : log))).toEqual([
      "accept",
      "accept",
    ]);
  });

  test("a section of which BTF names no variable stays so", () => {
    const object = compileText('__attribute__((section("license"))) char license[4] = "GPL";');
    const types: BtfType[] = [{ kind: "datasec", name: "license", size: 0, entries: [] }];
    const { btf } = writeBtf({ endian: "little", types });
    const sections = object.sections.map((section) =>
      section.name === ".BTF" ? { ...section, data: btf, size: btf.length } : section,
    );
    const input = { path: "a.o", object: { ...object, sections } };
    const linked = linkObjects([input], new Diagnostics())!;
    expect(viewObject(linked, "linked", new Diagnostics())?.btf?.types).toEqual([
      { kind: "datasec", name: "license", size: 4, entries: [] },
    ]);
  });

  test("functions of an object without records get them from its types", () => {
    const library = compileText(`int text(char *c) { return *c; }
__attribute__((weak)) int replaced(void) { return 1; }`);
    const user = compileText(`extern int text(char *c);
__attribute__((section("socket"))) int program(char *c) { return text(c); }
int replaced(void) { return 2; }`);
    const stripped = library.sections.filter(({ name }) => name !== ".BTF.ext");
    const inputs = [
      { path: "library.o", object: { ...library, sections: stripped } },
      { path: "user.o", object: user },
    ];
    const linked = linkObjects(inputs, new Diagnostics())!;
    const { btf, btfExt } = viewObject(linked, "linked", new Diagnostics())!;
    const named = (type: number): string => {
      const func = btf!.types[type - 1];
      return func?.kind === "func" ? func.name : "";
    };
    const functions = btfExt!.funcInfo.map(({ section, records }) => [
      section,
      ...records.map(({ type }) => named(type)),
    ]);
    expect(functions).toEqual([
      [".text", "text", "replaced"],
      ["socket", "program"],
    ]);
    const [first] = btfExt!.lineInfo.flatMap(({ records }) => records);
    expect(first).toEqual({ insnOffset: 0, file: "", text: "", line: 0, column: 0 });
    const once = writeElf(linked);
    const again = readElf(once, "once.o", new Diagnostics())!;
    const twice = linkObjects([{ path: "once.o", object: again }], new Diagnostics())!;
    expect(writeElf(twice)).toEqual(once);
  });

  test("gcc's char is clang's", () => {
    const char = { kind: "int", name: "char", size: 1, bits: 8, bitOffset: 0 } as const;
    const types: BtfType[] = [{ ...char, signed: true, char: true, bool: false }];
    const { btf } = writeBtf({ endian: "little", types });
    const object = compileText("int x;");
    const sections = object.sections
      .filter(({ name }) => name !== ".BTF.ext" && name !== ".bss")
      .map((each) => (each.name === ".BTF" ? { ...each, data: btf, size: btf.length } : each));
    const input = { path: "a.o", object: { ...object, sections, symbols: [] } };
    const linked = linkObjects([input], new Diagnostics())!;
    expect(viewObject(linked, "linked", new Diagnostics())?.btf?.types).toEqual([
      { ...char, signed: true, char: false, bool: false },
    ]);
  });

  test("objects of different byte order do not link", () => {
    const object = compileText("int x = 1;");
    const diagnostics = new Diagnostics();
    const other = { path: "b.o", object: { ...object, endian: "big" as const } };
    linkObjects([{ path: "a.o", object }, other], diagnostics);
    const [first] = diagnostics.list;
    expect(first?.message).toBe("a.o is little-endian, b.o is big-endian");
  });
});

describe("link errors", () => {
  const cases = readdirSync(join(folder, "errors"));
  test.each(cases)("%s", (name) => {
    const text = readFileSync(join(folder, "errors", name), "utf8");
    const expected = /^\/\/ error: (.*)\n/.exec(text)?.[1];
    expect(link(text)).toEqual({ object: undefined, messages: [expected] });
  });
});

describe("loading", () => {
  const text = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);
  __type(key, int); __type(value, int); } a SEC(".maps"), b SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4); __type(key, int);
  __array(values, struct inner); } outer SEC(".maps") = { .values = { [2] = &b, [0] = &a } };
int count = 3;
const volatile int limit = 9;
static __noinline long visit(__u32 index, void *context) { count++; return 0; }
SEC("?tracepoint/syscalls/sys_enter_execve") int program(void *ctx) {
  bpf_loop(limit, visit, 0, 0);
  return 0;
}
char license[] SEC("license") = "GPL";
`;
  const loaded = loadObject(compileText(text), "test.o", new Diagnostics())!;

  test("maps, with the slots of maps of maps", () => {
    expect(loaded.maps.map((map) => map.name)).toEqual(["a", "b", "outer", ".data", ".rodata"]);
    const outer = loaded.maps[2]!;
    expect(outer.inner).toMatchObject({ type: 2, keySize: 4, valueSize: 4, maxEntries: 1 });
    expect([...outer.slots].sort((x, y) => x.index - y.index)).toEqual([
      { index: 0, target: { kind: "map", map: 0 } },
      { index: 2, target: { kind: "map", map: 1 } },
    ]);
    expect(loaded.maps[3]).toMatchObject({ initial: Uint8Array.of(3, 0, 0, 0), frozen: false });
    expect(loaded.maps[4]).toMatchObject({ initial: Uint8Array.of(9, 0, 0, 0), frozen: true });
  });

  test("programs, with type, target and callbacks appended", () => {
    expect(loaded.programs).toHaveLength(1);
    expect(loaded.programs[0]).toMatchObject({
      name: "program",
      type: 5,
      target: "syscalls/sys_enter_execve",
      autoload: false,
      license: "GPL",
    });
    expect(loaded.programs[0]?.functions.map((each) => each.name)).toEqual(["program", "visit"]);
  });

  test("500 damaged objects load or end in errors", () => {
    const bytes = writeElf(compileText(text));
    const random = randomNumbers(3);
    let failed = 0;
    for (let i = 0; i < 500; i++) {
      const diagnostics = new Diagnostics();
      const object = readElf(damage(bytes, random), "test.o", diagnostics);
      const result = object && loadObject(object, "test.o", diagnostics);
      if (result === undefined) failed += 1;
      expect(diagnostics.hasErrors).toBe(result === undefined);
      if (object !== undefined) linkObjects([{ path: "a", object }], new Diagnostics());
    }
    expect(failed).toBeGreaterThan(100);
  });
});
