/** ELF objects: what is written is read back; damaged files end in a diagnostic. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile, ObjectSymbol } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { damage, randomNumbers } from "./support/fuzz.ts";
import { sampleObject } from "./support/sample-object.ts";

function read(bytes: Uint8Array): { object: ObjectFile | undefined; messages: string[] } {
  const diagnostics = new Diagnostics();
  const object = readElf(bytes, "test.o", diagnostics);
  return { object, messages: diagnostics.list.map((each) => each.message) };
}

describe.each(["little", "big"] as const)("%s endian", (endian) => {
  const object = sampleObject(endian);

  test("is read back as it was written", () => {
    expect(read(writeElf(object))).toEqual({ object, messages: [] });
  });

  test("the same bytes every time", () => {
    expect(writeElf(object)).toEqual(writeElf(sampleObject(endian)));
  });

  test("addends make RELA sections", () => {
    const [code, ...others] = object.sections;
    const relocations = code!.relocations.map((each) => ({ ...each, addend: -8 }));
    const changed = { ...object, sections: [{ ...code!, relocations }, ...others] };
    expect(read(writeElf(changed)).object).toEqual(changed);
  });

  test.runIf(spawnSync("readelf", ["--version"]).status === 0)("readelf does not complain", () => {
    const folder = mkdtempSync(join(tmpdir(), "bpfc-"));
    const file = join(folder, "test.o");
    writeFileSync(file, writeElf(object));
    const { status, stderr, stdout } = spawnSync("readelf", ["-aW", file], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).not.toMatch(/warning|error|corrupt/i);
    expect(stdout).toContain("Linux BPF");
  });
});

test("symbols are written locals first, and relocations follow them", () => {
  const object = sampleObject("little");
  const symbols: ObjectSymbol[] = [...object.symbols].reverse();
  const renumber = (index: number): number => object.symbols.length - 1 - index;
  const sections = object.sections.map((section) => ({
    ...section,
    relocations: section.relocations.map((r) => ({ ...r, symbol: renumber(r.symbol) })),
  }));
  const { object: back } = read(writeElf({ ...object, symbols, sections }));
  const bindings = back?.symbols.map((symbol) => symbol.binding) ?? [];
  expect(bindings.lastIndexOf("local")).toBeLessThan(bindings.indexOf("global"));
  const target = back?.symbols[back.sections[0]!.relocations[0]!.symbol];
  expect(target).toEqual(object.symbols[object.sections[0]!.relocations[0]!.symbol]);
});

describe("bad files", () => {
  const good = writeElf(sampleObject("little"));
  const patch = (at: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };
  test.each([
    ["empty", new Uint8Array(0), "test.o: not an ELF file"],
    ["text", new TextEncoder().encode("int main;"), "test.o: not an ELF file"],
    ["cut short", good.slice(0, 40), "test.o: the ELF header is cut short"],
    ["32 bit", patch(4, 1), "test.o: not a 64-bit ELF file"],
    ["x86", patch(18, 62), "test.o: not a BPF object (its machine number is 62, BPF is 247)"],
    ["a program", patch(16, 2), "test.o: not a relocatable object file"],
    [
      "without its end",
      good.slice(0, good.length - 1),
      "test.o: the section table lies outside the file; is the file cut short?",
    ],
  ])("%s", (_, bytes, message) => {
    expect(read(bytes)).toEqual({ object: undefined, messages: [message] });
  });

  test("5,000 damaged objects end in an object or one error", () => {
    const random = randomNumbers(1);
    let refused = 0;
    for (let i = 0; i < 5000; i++) {
      const { object, messages } = read(damage(good, random));
      expect(messages).toHaveLength(object === undefined ? 1 : 0);
      if (object === undefined) refused += 1;
      else expect(read(writeElf(object)).object?.sections.length).toBe(object.sections.length);
    }
    expect(refused).toBeGreaterThan(1000);
  });
});
