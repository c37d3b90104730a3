/** Assembly text ⇄ AsmModule ⇄ ObjectFile, also against llvm-mc and objects that clang made. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AsmModule } from "../assembler/asm-module.ts";
import { assemble } from "../assembler/assemble.ts";
import { canonicalModule } from "../assembler/canonical.ts";
import { disassemble } from "../assembler/disassemble.ts";
import { parseAssembly } from "../assembler/parse.ts";
import { parseInlineAssembly } from "../assembler/parse-instruction.ts";
import { printAssembly } from "../assembler/print.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { lineColumnAt, lineText, type SourceFile } from "../common/diagnostics/source.ts";
import type { Endian, ObjectFile } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { expectGolden, goldenSuite } from "./support/golden.ts";

const root = join(import.meta.dirname, "..");

function assembleText(text: string, endian: Endian = "little"): [AsmModule, ObjectFile] {
  const diagnostics = new Diagnostics();
  const file: SourceFile = { path: "case.s", text, isSystem: false };
  const { module, spanOf } = parseAssembly(file, endian, diagnostics);
  const object = assemble(module, diagnostics, { spanOf });
  expect(diagnostics.list).toEqual([]);
  return [module, object as ObjectFile];
}

/** What must survive: sections, relocations by name, symbols as a set. */
function comparable(object: ObjectFile): unknown {
  const { sections, symbols } = object;
  const sectionName = (index: number): string => sections[index]?.name ?? "";
  const symbolName = (index: number): string => {
    const symbol = symbols[index];
    const isSection = symbol?.type === "section" && typeof symbol.section === "number";
    return isSection ? `section ${sectionName(symbol.section as number)}` : (symbol?.name ?? "");
  };
  return {
    sections: sections
      .filter((section) => section.kind === "progbits" || section.kind === "nobits")
      .map(({ relocations, data, elfType: _, ...rest }) => ({
        ...rest,
        data: Buffer.from(data).toString("hex"),
        relocations: relocations.map((r) => `${r.offset} ${r.type} ${symbolName(r.symbol)}`).sort(),
      })),
    symbols: symbols
      .filter((symbol) => symbol.type !== "section")
      .map(({ section, ...rest }) => ({
        ...rest,
        section: typeof section === "number" ? sectionName(section) : section,
      }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
}

/** Disassembling, printing, parsing and assembling gives the object back. */
function expectRoundTrip(object: ObjectFile): void {
  const text = printAssembly(disassemble(object));
  const [module, again] = assembleText(text, object.endian);
  expect(comparable(again)).toEqual(comparable(object));
  expect(printAssembly(module)).toBe(text);
}

function readObject(bytes: Uint8Array): ObjectFile {
  const diagnostics = new Diagnostics();
  const object = readElf(bytes, "test.o", diagnostics);
  expect(diagnostics.list).toEqual([]);
  return object as ObjectFile;
}

goldenSuite({
  folder: "test/cases/asm/text",
  input: ".s",
  expected: ".expected",
  run: (text) => {
    const [module, object] = assembleText(text);
    const printed = printAssembly(module);
    const [again, second] = assembleText(printed);
    expect(again).toEqual(module);
    expect(canonicalModule(module)).toEqual(module);
    expect(writeElf(second)).toEqual(writeElf(object));
    expectRoundTrip(object);
    const [, big] = assembleText(text, "big");
    expectRoundTrip(big);
    return printed;
  },
});

describe("errors stand at their place", () => {
  const folder = "test/cases/asm/errors";
  for (const name of readdirSync(join(root, folder))) {
    test(name, () => {
      const text = readFileSync(join(root, folder, name), "utf8");
      const diagnostics = new Diagnostics();
      const file: SourceFile = { path: name, text, isSystem: false };
      const { module, spanOf } = parseAssembly(file, "little", diagnostics);
      expect(assemble(module, diagnostics, { spanOf })).toBeUndefined();
      const found = diagnostics.list.map(({ span, message }) => {
        if (span === undefined) return `nowhere: ${message}`;
        const { line, column } = lineColumnAt(file, span.start);
        const marked = lineText(file, line).slice(0, column - 1);
        expect(marked.includes("# error:"), `${message} is reported in the comment`).toBe(false);
        return `${line}: ${message}`;
      });
      const wanted = text.split("\n").flatMap((line, i) => {
        const match = /# error: (.*)$/.exec(line);
        return match === null ? [] : [`${i + 1}: ${match[1]}`];
      });
      expect(found.sort()).toEqual(wanted.sort());
    });
  }
});

describe("a module of the compiler", () => {
  const location = (line: number) => ({ file: "a.c", line, column: 3, text: `line ${line}` });
  const module: AsmModule = {
    endian: "little",
    sections: [
      {
        ...{ name: "xdp", kind: "progbits", flags: 6, entrySize: 0, align: 8 },
        items: [
          { kind: "label", name: "prog" },
          {
            kind: "instruction",
            insn: { kind: "load_imm64", dst: 1, source: 0, value: 0n },
            target: { symbol: "map", addend: 0 },
            location: location(4),
          },
          { kind: "label", name: "loop" },
          {
            kind: "instruction",
            insn: {
              kind: "alu",
              op: "mov",
              width: 64,
              dst: 0,
              src: { kind: "immediate", value: 8 },
            },
            location: location(5),
            core: { type: 1, access: "0:1", kind: "field_byte_offset" },
          },
          {
            kind: "instruction",
            insn: { kind: "jump", long: false, offset: 0 },
            target: { symbol: "loop", addend: 0 },
            location: location(5),
          },
        ],
      },
      {
        ...{ name: ".maps", kind: "progbits", flags: 3, entrySize: 0, align: 8 },
        items: [
          { kind: "zero", size: 8 },
          { kind: "label", name: "map" },
          { kind: "zero", size: 16 },
        ],
      },
    ],
    symbols: [
      {
        ...{ name: "map", binding: "global", visibility: "default", type: "object" },
        ...{ size: 16, defined: true },
      },
      { name: "prog", binding: "global", visibility: "default", type: "func", defined: true },
    ],
    btf: {
      endian: "little",
      types: [
        {
          ...{ kind: "int", name: "int", size: 4, bits: 32, bitOffset: 0 },
          ...{ signed: true, char: false, bool: false },
        },
        { kind: "func_proto", returns: 1, params: [] },
        { kind: "func", name: "prog", type: 2, linkage: "global" },
        { kind: "var", name: "map", type: 1, linkage: "global" },
        {
          ...{ kind: "datasec", name: ".maps", size: 0 },
          entries: [{ type: 4, offset: 0, size: 16 }],
        },
      ],
    },
    functions: [{ symbol: "prog", type: 3 }],
  };

  test("gives the same bytes straight and through text", () => {
    const straight = assemble(module, new Diagnostics());
    const text = printAssembly(module);
    const [parsed, throughText] = assembleText(text);
    expect(parsed).toEqual(canonicalModule(module));
    expect(writeElf(throughText)).toEqual(writeElf(straight as ObjectFile));
    expectGolden(text, "test/cases/asm/compiler-module.txt");
  });

  test("function sizes, datasec offsets and sizes come from the layout", () => {
    const object = assemble(module, new Diagnostics()) as ObjectFile;
    expect(object.symbols.find((s) => s.name === "prog")?.size).toBe(32);
    const btf = object.sections.find((s) => s.name === ".BTF")?.data as Uint8Array;
    const words = new Uint32Array(btf.buffer.slice(btf.byteOffset, btf.byteOffset + 24 + 80));
    // The datasec is the last type: name, info, size, then its entry's type, offset and size.
    expect([...words.slice(-4)]).toEqual([24, 4, 8, 16]);
  });

  test("llvm-mc reads the text and makes the same code and data", () => {
    if (!existsSync("/usr/bin/llvm-mc-19") && process.env["CI"] !== "true") return;
    const folder = mkdtempSync(join(tmpdir(), "bpfc-asm-"));
    writeFileSync(join(folder, "a.s"), printAssembly(module));
    const args = ["-triple", "bpfel", "-filetype=obj", "-o", join(folder, "a.o"), "a.s"];
    execFileSync("llvm-mc-19", args, { cwd: folder });
    const theirs = readObject(readFileSync(join(folder, "a.o")));
    const ours = assemble(module, new Diagnostics()) as ObjectFile;
    for (const section of ours.sections) {
      const other = theirs.sections.find((s) => s.name === section.name);
      expect(Buffer.from(other?.data ?? []).toString("hex")).toBe(
        Buffer.from(section.data).toString("hex"),
      );
    }
  });
});

test("statements of inline assembly", () => {
  const { statements, diagnostics } = parseInlineAssembly("1: r1 += 2; if r1 < 9 goto 1b", "asm0_");
  expect(diagnostics.list).toEqual([]);
  expect(statements).toMatchObject([
    { kind: "label", name: ".Lasm0_1_1" },
    { kind: "instruction", insn: { kind: "alu", op: "add", dst: 1 } },
    { kind: "instruction", target: { symbol: ".Lasm0_1_1", addend: 0 } },
  ]);
  expect(parseInlineAssembly("r1 = ", "x").diagnostics.hasErrors).toBe(true);
});

const haveClang = existsSync("/usr/bin/clang-19") || process.env["CI"] === "true";

describe.skipIf(!haveClang)("clang's objects and text", () => {
  const sources = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".bpf.c"))
    .sort();
  const folder = mkdtempSync(join(tmpdir(), "bpfc-asm-"));
  const compile = (source: string, ...options: string[]): Uint8Array => {
    const out = join(folder, "out");
    execFileSync("clang-19", [
      ...[
        "-O2",
        "-target",
        "bpf",
        "-D__TARGET_ARCH_x86",
        "-idirafter",
        "/usr/include/x86_64-linux-gnu",
        "-w",
      ],
      ...["-o", out, join(root, "examples", source), ...options],
    ]);
    return readFileSync(out);
  };

  test("there are examples", () => expect(sources.length).toBeGreaterThan(3));

  test.each(sources)("%s: disassemble then assemble", (source) => {
    for (const options of [
      ["-g", "-mcpu=v1"],
      ["-g", "-mcpu=v4"],
      ["-target", "bpfeb"],
    ]) {
      expectRoundTrip(readObject(compile(source, "-c", ...options)));
    }
  });

  test.each(sources)("%s: clang -S assembles to clang -c", (source) => {
    const [, ours] = assembleText(Buffer.from(compile(source, "-S", "-mcpu=v3")).toString());
    const theirs = readObject(compile(source, "-c", "-mcpu=v3"));
    expect(comparable(ours)).toEqual(comparable(theirs));
  });
});
