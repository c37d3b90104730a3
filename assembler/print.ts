/**
 * AsmModule → assembly text that parse.ts and llvm-mc read back. Source lines stand as comments;
 * .BTF and .BTF.ext are data, described by comments as clang's are.
 */
import { printInstruction } from "../common/isa/print.ts";
import type { AsmItem, AsmLocation, AsmModule, AsmSection, AsmSymbol } from "./asm-module.ts";
import { canonicalModule } from "./canonical.ts";
import { printBtfExtSection, printBtfSection } from "./print-btf.ts";
import { printBytes, targetText } from "./print-data.ts";
import { isTemporaryName, quoteName } from "./symbols.ts";

const shortSections: Readonly<Record<string, number>> = { ".text": 6, ".data": 3, ".bss": 3 };

const flagLetters: readonly (readonly [flag: number, letter: string])[] = [
  [2, "a"],
  [0x80000000, "e"],
  [4, "x"],
  [0x200, "G"],
  [1, "w"],
  [0x10, "M"],
  [0x20, "S"],
  [0x400, "T"],
  [0x200000, "R"],
];

const bindingDirectives = { local: "", global: ".globl", weak: ".weak" } as const;
const typeNames = {
  func: "@function",
  object: "@object",
  notype: "",
  section: "",
  file: "",
} as const;

/** Told of every instruction that has a source line: the text's line, counted from 1. */
export type LineListener = (line: number, location: AsmLocation) => void;

/** The text of a module, one statement a line. */
export function printAssembly(module: AsmModule, onLine?: LineListener): string {
  const canonical = canonicalModule(module);
  const symbols = new Map(canonical.symbols.map((symbol) => [symbol.name, symbol]));
  const locations = new Map<unknown, AsmLocation>();
  for (const item of module.sections.flatMap((section) => section.items)) {
    if (item.kind !== "instruction" || item.location === undefined) continue;
    locations.set(item.insn, item.location);
  }
  const lines: string[] = [];
  for (const symbol of canonical.symbols) {
    if (symbol.type === "file") lines.push(`\t.file\t${quoteString(symbol.name)}`);
  }
  for (const section of canonical.sections) {
    lines.push(`\t${sectionDirective(section)}`);
    const start = lines.length;
    const listener: LineListener = (line, location) => onLine?.(start + line, location);
    for (const line of sectionBody(section, canonical, symbols, locations, listener))
      lines.push(line);
  }
  for (const symbol of canonical.symbols) {
    if (!symbol.defined && symbol.type !== "file") lines.push(...externLines(symbol));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function quoteString(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function sectionDirective({ name, kind, flags, entrySize }: AsmSection): string {
  const isShort = shortSections[name] === flags && entrySize === 0;
  if (isShort && (kind === "nobits") === (name === ".bss")) return name;
  const letters = flagLetters.filter(([flag]) => (flags & flag) !== 0).map(([, letter]) => letter);
  const plainName = /^[A-Za-z_.$][\w.$]*$/.test(name) ? name : quoteString(name);
  const size = entrySize === 0 ? "" : `,${entrySize}`;
  return `.section\t${plainName},"${letters.join("")}",@${kind}${size}`;
}

/** An undefined symbol is one that a directive names and nothing defines. */
function externLines(symbol: AsmSymbol): string[] {
  const lines = [`\t${symbol.binding === "weak" ? ".weak" : ".globl"}\t${quoteName(symbol.name)}`];
  return [...lines, ...describe(symbol)];
}

function describe({ name, visibility, type }: AsmSymbol): string[] {
  const lines: string[] = [];
  if (visibility !== "default") lines.push(`\t.${visibility}\t${quoteName(name)}`);
  if (typeNames[type] !== "") lines.push(`\t.type\t${quoteName(name)},${typeNames[type]}`);
  return lines;
}

function sectionBody(
  section: AsmSection,
  module: AsmModule,
  symbols: ReadonlyMap<string, AsmSymbol>,
  locations: ReadonlyMap<unknown, AsmLocation>,
  onLine: LineListener,
): string[] {
  if (section.name === ".BTF" || section.name === ".BTF.ext") {
    const print = section.name === ".BTF" ? printBtfSection : printBtfExtSection;
    const lines = print(section, module.endian);
    if (lines !== undefined) return lines;
  }
  const lines: string[] = [];
  let last = "";
  for (const item of section.items) {
    const location = item.kind === "instruction" ? locations.get(item.insn) : undefined;
    if (location !== undefined) {
      const place = `${location.file}:${location.line}:${location.column}`;
      if (place !== last) lines.push(locationComment(place, location.text));
      last = place;
      onLine(lines.length + 1, location);
    }
    for (const line of itemLines(item, symbols)) lines.push(line);
  }
  return lines;
}

function locationComment(place: string, text: string): string {
  const source = text.trim().replace(/[\r\n]/g, " ");
  return source === "" ? `\t# ${place}` : `\t# ${place}  ${source}`;
}

function itemLines(item: AsmItem, symbols: ReadonlyMap<string, AsmSymbol>): string[] {
  switch (item.kind) {
    case "label":
      return labelLines(item.name, symbols.get(item.name));
    case "instruction": {
      const target = item.target && targetText(item.target);
      return [`\t${printInstruction(item.insn, target === undefined ? {} : { target })}`];
    }
    case "data":
      return printBytes(item.bytes);
    case "reference": {
      const directive = item.type === "R_BPF_64_ABS64" ? ".quad" : ".long";
      return [`\t${directive}\t${targetText(item.target)}`];
    }
    case "zero":
      return [`\t.zero\t${item.size}`];
    case "align":
      return [`\t.p2align\t${Math.log2(item.align)}`];
  }
}

function labelLines(name: string, symbol: AsmSymbol | undefined): string[] {
  const text = quoteName(name);
  if (symbol === undefined) return [`${text}:`];
  const binding = bindingDirectives[symbol.binding];
  const lines = binding === "" ? [] : [`\t${binding}\t${text}`];
  lines.push(...describe(symbol));
  // A temporary name becomes a symbol only where a directive says so.
  if (binding === "" && isTemporaryName(name)) lines.push(`\t.local\t${text}`);
  if (symbol.size !== undefined && symbol.size !== 0) {
    lines.push(`\t.size\t${text}, ${symbol.size}`);
  } else if (symbol.size === 0) lines.push(`\t.size\t${text}, 0`);
  lines.push(`${text}:`);
  return lines;
}
