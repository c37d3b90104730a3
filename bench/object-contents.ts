/** What an object holds, as text lines that can be compared: code, data, relocations, symbols. */
import { readFileSync } from "node:fs";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile, ObjectSection } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { isCode } from "../linker/object-view.ts";

/** Reads an object; throws with the diagnostic where it cannot be read. */
export function objectAt(path: string): ObjectFile {
  const diagnostics = new Diagnostics();
  const object = readElf(readFileSync(path), path, diagnostics);
  if (object === undefined) throw new Error(diagnostics.list[0]?.message ?? `${path}: unreadable`);
  return object;
}

/** Debug sections that loaders do not look at. */
const isDebug = (name: string): boolean =>
  name.startsWith(".debug") || name === ".eh_frame" || name === ".comment";
/** Jump targets, which LLVM's assembler keeps as symbols when it reads text. */
const isLabel = /^L(BB|tmp)/;
const isTable = (section: ObjectSection): boolean => section.name.startsWith(".llvm_addrsig");

function relocationLines(object: ObjectFile, section: ObjectSection): string[] {
  return section.relocations.map(({ offset, type, symbol, addend }) => {
    const target = object.symbols[symbol];
    const place =
      typeof target?.section === "number" ? object.sections[target.section]?.name : target?.section;
    return `${section.name}+${offset} ${type} ${target?.name || place} ${addend ?? 0}`;
  });
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Instructions of every code section with what their relocations name. */
export function codeLines(object: ObjectFile): string[] {
  return object.sections
    .filter((section) => isCode(section) && section.size > 0)
    .flatMap((section) => [
      `section ${section.name}`,
      ...(hex(section.data).match(/.{1,16}/g) ?? []),
      ...relocationLines(object, section),
    ]);
}

/** Everything that a loader or debugger sees besides DWARF. */
export function contentLines(object: ObjectFile): string[] {
  const shown = object.sections.filter((section) => !isDebug(section.name) && !isTable(section));
  const sections = shown.flatMap((section) => [
    `section ${section.name} ${section.elfType} ${section.flags} ${section.size}`,
    hex(section.data),
    ...relocationLines(object, section),
  ]);
  const symbols = object.symbols
    .filter(({ type }) => type !== "section" && type !== "file")
    .filter(
      ({ name, type, binding }) => !isLabel.test(name) || type !== "notype" || binding !== "local",
    )
    .filter(({ section: s }) => typeof s !== "number" || !isDebug(object.sections[s]?.name ?? ""))
    .map(({ name, section, value, size, binding, type, visibility }) => {
      const place = typeof section === "number" ? object.sections[section]?.name : section;
      return `symbol ${name} ${place}+${value} ${size} ${binding} ${type} ${visibility}`;
    });
  return [...sections, ...symbols.sort()];
}

/** The first line that differs, as `a ≠ b`; undefined where there is none. */
export function firstDifference(a: readonly string[], b: readonly string[]): string | undefined {
  const at = a.findIndex((line, i) => line !== b[i]);
  if (at < 0 && a.length === b.length) return undefined;
  const index = at < 0 ? a.length : at;
  const section = a.slice(0, index + 1).findLast((line) => line.startsWith("section"));
  const short = (line = "(end)"): string => line.slice(0, 160);
  return `${section}: ${short(a[index])} ≠ ${short(b[index])}`;
}
