/**
 * Loading for a kernel: struct_ops tables, externs, arena variables, split BTF. Kernels are C texts
 * of which only the BTF counts, and the running one.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readBtfFile } from "../cli/btf-file.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, BtfType } from "../common/object/btf.ts";
import { readBtf, readBtfWithStrings } from "../common/object/btf-reader.ts";
import { writeBtf, writeSplitBtf } from "../common/object/btf-writer.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { dumpBtf } from "../linker/dump/raw.ts";
import { parseKernelSymbols } from "../linker/kernel-symbols.ts";
import { type LoadOptions, loadObject } from "../linker/load.ts";
import { viewObject } from "../linker/object-view.ts";
import { portableCase } from "../linker/portable-case.ts";
import type { LoadedObject } from "../linker/program.ts";
import { relocateToBase } from "../linker/split-btf.ts";
import { compileText } from "./support/compile.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";

const head = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char license[] SEC("license") = "GPL";
`;

function kernelOf(text: string): Btf {
  return viewObject(compileText(text), "kernel.c", new Diagnostics())!.btf!;
}

function load(
  text: string,
  options: LoadOptions = {},
): { loaded: LoadedObject | undefined; messages: string[] } {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(compileText(head + text), "test.o", diagnostics, options);
  return { loaded, messages: diagnostics.list.map(({ message }) => message) };
}

/** Slots as hexadecimal. */
function slots(loaded: LoadedObject | undefined, program: string): string[] {
  const { insns } = loaded!.programs.find(({ name }) => name === program)!;
  return Buffer.from(insns).toString("hex").match(/.{16}/g) ?? [];
}

describe("struct_ops", () => {
  const kernel = kernelOf(`
    struct state { int refs; };
    struct driver_ops { unsigned flags; int (*stop)(void *); char name[8]; int (*start)(void *); };
    struct bpf_struct_ops_driver_ops { struct state common; struct driver_ops data
      __attribute__((aligned(64))); };
    struct bpf_struct_ops_driver_ops value;`);
  const table = (section: string, fields: string, values: string): string => `
    struct driver_ops___own { ${fields} };
    SEC("struct_ops/start") int go(void *context) { return 0; }
    SEC("struct_ops.s/late") int late(void *context) { return 1; }
    SEC("${section}") struct driver_ops___own mine = { ${values} };`;
  const fields = "int (*start)(void *); char name[8]; int (*late)(void *); unsigned flags;";
  const text = table(
    ".struct_ops.link",
    fields,
    '.start = (void *)go, .name = "abc", .flags = 0x1234',
  );

  test("the value is laid out as the kernel has it, members by name", () => {
    const { loaded, messages } = load(text, { targetBtf: kernel });
    expect(messages).toEqual([]);
    const map = loaded!.maps.find(({ name }) => name === "mine")!;
    expect(map).toMatchObject({ type: 26, keySize: 4, valueSize: 128, maxEntries: 1 });
    expect(map.flags).toBe(1 << 13);
    const { structOps } = map;
    expect(structOps?.members).toEqual([{ name: "start", index: 3, offset: 88, program: "go" }]);
    const expected = new Uint8Array(128);
    expected.set([0x34, 0x12], 64);
    expected.set(Buffer.from("abc"), 80);
    expect(structOps?.value).toEqual(expected);
    expect(kernel.types[structOps!.kernelValueType! - 1]).toMatchObject({
      name: "bpf_struct_ops_driver_ops",
    });
  });

  test("programs know the struct and the member that calls them", () => {
    const { loaded } = load(text, { targetBtf: kernel });
    const [go, late] = loaded!.programs;
    expect(go).toMatchObject({ name: "go", type: 27, attachType: 3, autoload: true });
    expect(kernel.types[go!.attachBtfId - 1]).toMatchObject({ name: "driver_ops" });
    expect(late).toMatchObject({ name: "late", attachBtfId: 0, flags: 1 << 4 });
  });

  test("a member that the kernel lacks must be zero", () => {
    const wrong = table(".struct_ops", `${fields} int extra;`, ".extra = 1");
    expect(load(wrong, { targetBtf: kernel }).messages).toEqual([
      "test.o: struct_ops 'mine': the kernel has no member 'extra'",
    ]);
    const program = table(".struct_ops", fields, ".late = (void *)late");
    const { loaded, messages } = load(program, { targetBtf: kernel });
    expect(messages).toEqual([]);
    expect(loaded!.maps.find(({ name }) => name === "mine")!.structOps?.members).toEqual([]);
  });

  test("member types and sizes must agree, and the kernel must know the table", () => {
    const sized = table(".struct_ops", fields.replace("name[8]", "name[4]"), ".flags = 1");
    expect(load(sized, { targetBtf: kernel }).messages).toEqual([
      "test.o: struct_ops 'mine': member 'name' has another size in the kernel",
    ]);
    const kind = table(".struct_ops", fields.replace("unsigned flags", "void *flags"), "");
    expect(load(kind, { targetBtf: kernel }).messages).toEqual([
      "test.o: struct_ops 'mine': member 'flags' has another type in the kernel",
    ]);
    const unknown = text.replaceAll("driver_ops___own", "other_ops");
    expect(load(unknown, { targetBtf: kernel }).messages).toEqual([
      "test.o: struct_ops 'mine': the kernel has no struct_ops type 'other_ops'",
    ]);
  });

  test("programs of optional tables are not loaded by themselves", () => {
    const optional = table("?.struct_ops", fields, ".start = (void *)go");
    const { loaded, messages } = load(optional, { targetBtf: kernel });
    expect(messages).toEqual([]);
    expect(loaded!.programs.map(({ autoload }) => autoload)).toEqual([false, true]);
  });

  kernelTest("the kernel accepts a congestion control's programs and its map", () => {
    const target = readBtf(readFileSync("/sys/kernel/btf/vmlinux"), new Diagnostics())!;
    const control = `
      struct sock; struct ack_sample;
      struct tcp_congestion_ops {
        unsigned (*ssthresh)(struct sock *sk);
        unsigned (*undo_cwnd)(struct sock *sk);
        void (*cong_avoid)(struct sock *sk, unsigned ack, unsigned acked);
        char name[16];
      };
      SEC("struct_ops/ssthresh") unsigned threshold(__u64 *context) { return 5; }
      SEC("struct_ops/undo") unsigned undo(__u64 *context) { return 4; }
      SEC("struct_ops/avoid") void avoid(__u64 *context) {}
      SEC(".struct_ops") struct tcp_congestion_ops tested = { .ssthresh = (void *)threshold,
        .undo_cwnd = (void *)undo, .cong_avoid = (void *)avoid, .name = "bpfc_test" };`;
    const { loaded, messages } = load(control, { targetBtf: target });
    expect(messages).toEqual([]);
    const results = askKernel(loaded!.programs.map((program) => portableCase(loaded!, program)));
    expect(results.map(({ verdict, log }) => (verdict === "accept" ? verdict : log))).toEqual(
      loaded!.programs.map(() => "accept"),
    );
  });
});

describe("externs that a kernel resolves", () => {
  const symbols = parseKernelSymbols(
    [
      "ffffffff81000000 T here",
      "ffffffff81000010 T twice",
      "ffffffff81000020 t twice",
      "ffffffff81000030 d local.llvm.123",
      "no symbol at all",
    ].join("\n"),
  );
  const reader = (name: string, attributes = ""): string => `
    extern const void ${name} __ksym ${attributes};
    SEC("raw_tp/x") int main(void *context) { return (long)&${name} != 0; }`;
  const wide = (text: string): readonly [string[], string[]] => {
    const options = { targetBtf: kernelOf("int x;"), kernelSymbols: symbols };
    const { loaded, messages } = load(text, options);
    const all = loaded === undefined ? [] : slots(loaded, "main");
    const at = all.findIndex((slot) => slot.startsWith("18"));
    return [at < 0 ? [] : all.slice(at, at + 2).map((slot) => slot.slice(2)), messages];
  };

  test("addresses come from the symbol table", () => {
    expect(wide(reader("here"))).toEqual([
      [expect.stringMatching(/^0.000000000081$/), "000000ffffffff"],
      [],
    ]);
    expect(wide(reader("local"))[0][0]).toMatch(/30000081$/);
  });

  test("what is missing is an error, unless it is weak", () => {
    expect(wide(reader("gone"))[1]).toEqual([
      "test.o: program 'main': the kernel has no symbol 'gone'",
    ]);
    expect(wide(reader("gone", "__weak"))).toEqual([
      [expect.stringMatching(/^0.000000000000$/), "00000000000000"],
      [],
    ]);
    expect(wide(reader("twice"))[1]).toEqual([
      "test.o: program 'main': the kernel has several symbols 'twice'",
    ]);
  });

  const call = (attributes = ""): string => `
    extern int bpf_twice(int value) __ksym ${attributes};
    SEC("raw_tp/x") int main(void *context) { return bpf_twice ? bpf_twice(2) : 0; }`;
  const twice = (parameter: string): Btf =>
    kernelOf(`int bpf_twice(${parameter} value) { return 0; }`);

  test("functions of the kernel, if their types agree", () => {
    const kernel = twice("int");
    const { loaded, messages } = load(call("__weak"), { targetBtf: kernel });
    expect(messages).toEqual([]);
    const id = kernel.types.findIndex(({ kind }) => kind === "func") + 1;
    const word = id.toString(16).padStart(2, "0");
    expect(slots(loaded, "main")).toContain(`85200000${word}000000`);
    expect(load(call(), { targetBtf: twice("void *") }).messages).toEqual([
      "test.o: program 'main': function 'bpf_twice' has another type in the kernel",
    ]);
  });

  test("functions of modules, by the module's position", () => {
    const kernel = kernelOf("int x;");
    const { loaded } = load(call(), { targetBtf: kernel, moduleBtf: [kernel, twice("int")] });
    const poisoned = load(call("__weak"), { targetBtf: kernel }).loaded;
    const calls = slots(loaded, "main").filter((slot) => slot.startsWith("8520"));
    expect(calls.map((slot) => slot.slice(4, 8))).toEqual(["0200"]);
    expect(slots(poisoned, "main").filter((slot) => slot.startsWith("85"))).toEqual([
      "8500000080185477",
    ]);
  });

  test("kconfig variables stand in libbpf's order", () => {
    const { loaded } = load(
      `
      extern char CONFIG_TEXT[5] __kconfig; extern int CONFIG_B __kconfig;
      extern unsigned long CONFIG_HZ __kconfig; extern int CONFIG_A __kconfig;
      extern _Bool CONFIG_FLAG __kconfig;
      SEC("raw_tp/x") int main(void *context) {
        return CONFIG_HZ + CONFIG_A + CONFIG_B + CONFIG_TEXT[0] + CONFIG_FLAG; }`,
      {
        kconfig: {
          CONFIG_TEXT: "text",
          CONFIG_A: 10,
          CONFIG_B: 11,
          CONFIG_HZ: 12,
          CONFIG_FLAG: "y",
        },
      },
    );
    const { initial } = loaded!.maps.find(({ name }) => name === ".kconfig")!;
    expect(Buffer.from(initial!).toString("hex")).toBe(
      "0c00000000000000" + "0a000000" + "0b000000" + "01" + "7465787400",
    );
  });
});

describe("code", () => {
  test("subprograms follow each other as libbpf appends them: what one calls, before its sibling", () => {
    const { loaded } = load(`
      static __noinline int leaf(int x) { asm volatile("" : "+r"(x)); return x; }
      static __noinline int first(int x) { return leaf(x) + 1; }
      static __noinline int second(int x) { asm volatile("" : "+r"(x)); return leaf(x) + 2; }
      SEC("socket") int main(struct __sk_buff *skb) { return first(skb->len) + second(skb->mark); }`);
    const { functions } = loaded!.programs[0]!;
    expect(functions.map(({ name }) => name)).toEqual(["main", "first", "leaf", "second"]);
  });

  test("an object without code has no .BTF.ext, which libbpf would refuse", () => {
    const { sections } = compileText("int x = 1;");
    expect(sections.map(({ name }) => name)).toContain(".BTF");
    expect(sections.map(({ name }) => name)).not.toContain(".BTF.ext");
  });
});

describe("arena variables", () => {
  const program = (entries: number): ObjectFile => {
    const object = compileText(`${head}
      struct { __uint(type, 33); __uint(map_flags, 1 << 10); __uint(max_entries, ${entries}); }
        arena SEC(".maps");
      int first SEC(".data.pages") = 7, second SEC(".data.pages") = 9;
      SEC("raw_tp/x") int main(void *context) { second = 1; return 0; }`);
    const sections = object.sections.map((section) =>
      section.name === ".data.pages" ? { ...section, name: ".addr_space.1" } : section,
    );
    return { ...object, sections };
  };

  test("stand at the arena's start, and code refers to them there", () => {
    const loaded = loadObject(program(4), "test.o", new Diagnostics())!;
    const index = loaded.maps.findIndex(({ name }) => name === "arena");
    expect(loaded.maps[index]?.arenaData).toEqual(Uint8Array.of(7, 0, 0, 0, 9, 0, 0, 0));
    expect(loaded.maps.map(({ name }) => name)).toEqual(["arena"]);
    const at = slots(loaded, "main").findIndex((slot) => slot.startsWith("18"));
    const [low, high] = slots(loaded, "main").slice(at, at + 2);
    expect(low).toMatch(new RegExp(`^182.00000${index}000000$`));
    expect(high).toBe("0000000004000000");
  });

  test("need an arena that has room", () => {
    const diagnostics = new Diagnostics();
    expect(loadObject(program(0), "test.o", diagnostics)).toBeUndefined();
    expect(diagnostics.list.map(({ message }) => message)).toEqual([
      "test.o: the arena is too small for the variables in '.addr_space.1'",
    ]);
  });
});

describe("split BTF", () => {
  const work = mkdtempSync(join(tmpdir(), "bpfc-load-"));
  afterAll(() => rmSync(work, { recursive: true }));

  const base = kernelOf(
    "struct inner { long a, b; }; struct inner one; int other; enum e { A } e;",
  );
  const innerId = base.types.findIndex((type) => "name" in type && type.name === "inner") + 1;
  const own = (inner: number, next: number): BtfType[] => [
    { kind: "ptr", type: next + 1 },
    {
      kind: "struct",
      name: "module_state",
      size: 24,
      members: [
        { name: "inner", type: inner, bitOffset: 0, bitSize: 0 },
        { name: "next", type: next, bitOffset: 128, bitSize: 0 },
      ],
      kindFlag: false,
    },
  ];
  const splitOf = (on: Btf, inner: number): Btf => ({
    endian: "little",
    types: [...on.types, ...own(inner, on.types.length + 1)],
    baseCount: on.types.length,
  });
  const split = splitOf(base, innerId);
  const baseBytes = writeBtf(base).btf;
  const readBase = (bytes: Uint8Array) => readBtfWithStrings(bytes, new Diagnostics())!;
  const splitBytes = writeSplitBtf(split, readBase(baseBytes).strings.size);

  test("reads as types after its base's", () => {
    const read = readBtf(splitBytes, new Diagnostics(), "m", readBase(baseBytes));
    expect(read).toEqual(split);
    expect(dumpBtf(read!)).toMatch(new RegExp(`^\\[${base.types.length + 1}\\] PTR`));
  });

  test("alone it is refused with a hint", () => {
    const diagnostics = new Diagnostics();
    expect(readBtf(splitBytes, diagnostics, "m")).toBeUndefined();
    expect(diagnostics.list[0]?.message).toContain("split BTF needs its base");
  });

  const distilled: Btf = {
    endian: "little",
    types: [{ kind: "struct", name: "inner", size: 16, members: [], kindFlag: false }],
  };

  test("a distilled base is put onto the kernel's types by name and size", () => {
    expect(relocateToBase(splitOf(distilled, 1), base)).toEqual(split);
    const missing = kernelOf("struct outer { long a; } one;");
    expect(relocateToBase(splitOf(distilled, 1), missing)).toBe(
      "type 'inner' of the distilled base is not in the kernel's BTF",
    );
    const larger = kernelOf("struct inner { long a, b, c; } one;");
    expect(relocateToBase(splitOf(distilled, 1), larger)).toContain("is not in the kernel's BTF");
  });

  test("files: a module with .BTF.base, alone and on a base", () => {
    const section = (name: string, data: Uint8Array): ObjectFile["sections"][number] => ({
      name,
      kind: "progbits",
      elfType: 1,
      flags: 0,
      align: 1,
      entrySize: 0,
      data,
      size: data.length,
      relocations: [],
    });
    const distilledBytes = writeBtf(distilled).btf;
    const moduleBytes = writeSplitBtf(splitOf(distilled, 1), readBase(distilledBytes).strings.size);
    const sections = [section(".BTF", moduleBytes), section(".BTF.base", distilledBytes)];
    const [module, vmlinux] = [join(work, "module.ko"), join(work, "vmlinux.btf")];
    writeFileSync(module, writeElf({ endian: "little", sections, symbols: [] }));
    writeFileSync(vmlinux, baseBytes);
    const diagnostics = new Diagnostics();
    const alone = readBtfFile(module, diagnostics);
    expect(diagnostics.list.map(({ message }) => message)).toEqual([]);
    expect(alone).toEqual(splitOf(distilled, 1));
    expect(readBtfFile(module, diagnostics, vmlinux)).toEqual(split);
    expect(diagnostics.list).toEqual([]);
    expect(readBtfFile(module, diagnostics, join(work, "none"))).toBeUndefined();
    expect(diagnostics.hasErrors).toBe(true);
  });
});
