/** `bpfc objdump`: what is in an object, in the layout of llvm-objdump. */
import { disassemble } from "../assembler/disassemble.ts";
import { printAssembly } from "../assembler/print.ts";
import type { LineInfo } from "../common/object/btf.ts";
import type {
  ObjectFile,
  ObjectRelocation,
  ObjectSection,
  ObjectSymbol,
} from "../common/object/object-file.ts";
import { type ListedInstruction, listFunctions, listInstructions } from "../linker/listing.ts";
import { diffObjects } from "../linker/object-diff.ts";
import { isCode, type ObjectView, viewObject } from "../linker/object-view.ts";
import { changeLines } from "./btf.ts";
import { readObjectFile } from "./objects.ts";
import { plainReport, print, printError, report } from "./report.ts";

export interface ObjdumpOptions {
  readonly disassemble?: boolean;
  readonly reloc?: boolean;
  readonly source?: boolean;
  readonly syms?: boolean;
  readonly headers?: boolean;
  readonly asm?: boolean;
  readonly json?: boolean;
  readonly diff?: boolean;
  readonly showRawInsn: boolean;
}

const SHF_ALLOC = 2;

const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

function rawBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => hex(byte, 2)).join(" ");
}

/** The function that a place stands in, as `<function+0x28>`. */
function symbolAt(view: ObjectView, section: number, at: number): string | undefined {
  const symbols = view.symbolsOf(section).filter((s) => s.type === "func" && s.value <= at);
  const symbol = symbols.at(-1);
  if (symbol === undefined) return undefined;
  return symbol.value === at
    ? `<${symbol.name}>`
    : `<${symbol.name}+0x${hex(at - symbol.value, 1)}>`;
}

function relocationLines(view: ObjectView, { relocations }: ListedInstruction): string[] {
  const { symbols, sections } = view.object;
  return relocations.map((r) => {
    const symbol = symbols[r.symbol];
    const inSection =
      typeof symbol?.section === "number" ? sections[symbol.section]?.name : undefined;
    return `\t\t${hex(r.offset, 16)}:  ${r.type}\t${symbol?.name || inSection || "?"}`;
  });
}

/** What the numbers mean stands behind them as a comment. */
function commentOf({ symbol, coreWords }: ListedInstruction): string {
  const words = [symbol, coreWords && `CO-RE ${coreWords}`].filter((word) => word !== undefined);
  return words.length === 0 ? "" : `\t# ${words.join(", ")}`;
}

/** Records also mark columns; a source line is shown once where it begins. */
function isSameLine(a: LineInfo, b: LineInfo | undefined): boolean {
  return a.file === b?.file && a.line === b.line;
}

function instructionLines(
  view: ObjectView,
  section: number,
  listed: ListedInstruction,
  previous: LineInfo | undefined,
  options: ObjdumpOptions,
): string[] {
  const lines: string[] = [];
  const { line, core, jump, offset, bytes, text } = listed;
  if (options.source && line !== undefined && !isSameLine(line, previous))
    lines.push(`; ${line.text === "" ? `${line.file}:${line.line}` : line.text}`);
  const place = jump === undefined ? undefined : symbolAt(view, section, jump);
  const raw = options.showRawInsn ? `\t${rawBytes(bytes)}` : "";
  const target = place === undefined ? "" : ` ${place}`;
  lines.push(`${String(offset / 8).padStart(8)}:${raw}\t${text}${target}${commentOf(listed)}`);
  if (!options.reloc) return lines;
  lines.push(...relocationLines(view, listed));
  if (core !== undefined)
    lines.push(`\t\t${hex(offset, 16)}:  CO-RE <${core.kind}> [${core.type}] ${core.access}`);
  return lines;
}

function disassembleSection(view: ObjectView, index: number, options: ObjdumpOptions): string[] {
  const section = view.object.sections[index];
  if (section === undefined) return [];
  const lines = ["", `Disassembly of section ${section.name}:`];
  const starts = new Map(view.symbolsOf(index).map((s) => [s.value, s.name]));
  let line: LineInfo | undefined;
  for (const listed of listInstructions(view, section, index)) {
    const label = starts.get(listed.offset);
    if (label !== undefined) lines.push("", `${hex(listed.offset, 16)} <${label}>:`);
    for (const text of instructionLines(view, index, listed, line, options)) lines.push(text);
    line = listed.line ?? line;
  }
  return lines;
}

function symbolLine(object: ObjectFile, symbol: ObjectSymbol): string {
  const binding = symbol.binding === "local" ? "l" : symbol.binding === "weak" ? "w" : "g";
  const kind = { func: "F", object: "O", section: "d", file: "f", notype: " " }[symbol.type];
  const section =
    typeof symbol.section === "number"
      ? (object.sections[symbol.section]?.name ?? "?")
      : { undefined: "*UND*", absolute: "*ABS*", common: "*COM*" }[symbol.section];
  const flags = `${binding.padEnd(6)}${kind}`;
  const name = symbol.type === "section" && symbol.name === "" ? section : symbol.name;
  const visibility = symbol.visibility === "default" ? "" : `.${symbol.visibility} `;
  return `${hex(symbol.value, 16)} ${flags} ${section}\t${hex(symbol.size, 16)} ${visibility}${name}`;
}

function sectionKind(section: ObjectSection): string {
  if (isCode(section)) return "TEXT";
  if (section.kind === "nobits") return "BSS";
  if ((section.flags & SHF_ALLOC) !== 0) return "DATA";
  return section.name.startsWith(".debug") ? "DEBUG" : "";
}

function headerLines(object: ObjectFile): string[] {
  const width = object.sections.reduce((most, { name }) => Math.max(most, name.length), 13);
  const rows = object.sections.map((section, index) =>
    [
      String(index + 1).padStart(3),
      section.name.padEnd(width),
      hex(section.size, 8),
      hex(0, 16),
      sectionKind(section),
    ].join(" "),
  );
  const head = `Idx ${"Name".padEnd(width)} Size     VMA              Type`;
  return ["", "Sections:", head, ...rows];
}

/** Everything as plain data, for tools. */
function objectJson(view: ObjectView): object {
  const { object, path } = view;
  const relocationJson = ({ offset, type, symbol }: ObjectRelocation): object => {
    const named = object.symbols[symbol];
    const index = typeof named?.section === "number" ? named.section : -1;
    return { offset, type, symbol: named?.name || (object.sections[index]?.name ?? "") };
  };
  return {
    file: path,
    endian: object.endian,
    sections: object.sections.map(({ name, kind, flags, size, align }) => ({
      name,
      kind,
      flags,
      size,
      align,
    })),
    symbols: object.symbols.map(({ section, ...symbol }) => ({
      ...symbol,
      section: typeof section === "number" ? (object.sections[section]?.name ?? "") : section,
    })),
    functions: listFunctions(view).map(({ name, section, offset, size, instructions }) => ({
      name,
      section,
      offset,
      size,
      instructions: instructions.map((each) => ({
        offset: each.offset,
        bytes: rawBytes(each.bytes).replaceAll(" ", ""),
        text: each.text,
        ...(each.jump !== undefined && { target: each.jump }),
        ...(each.symbol !== undefined && { symbol: each.symbol }),
        ...(each.relocations.length > 0 && { relocations: each.relocations.map(relocationJson) }),
        ...(each.core && { core: { ...each.core, words: each.coreWords } }),
        ...(each.line && {
          line: {
            file: each.line.file,
            line: each.line.line,
            column: each.line.column,
            text: each.line.text,
          },
        }),
      })),
    })),
  };
}

/** Reads an object for showing; says what is wrong with it. */
function readView(path: string): ObjectView | undefined {
  const { object, diagnostics } = readObjectFile(path);
  const view = object && viewObject(object, path, diagnostics);
  report(diagnostics.list, plainReport);
  return view;
}

/** Shows how two objects differ; exit code 0 if they do not, 1 if they do, 2 for trouble. */
function runDiff(path: string, other: string | undefined, json: boolean): number {
  if (other === undefined) {
    printError("bpfc: error: --diff compares two objects");
    return 2;
  }
  const before = readView(path);
  const after = readView(other);
  if (before === undefined || after === undefined) return 2;
  const changes = diffObjects(before, after);
  print(json ? JSON.stringify(changes) : changes.flatMap(changeLines).join("\n"));
  return changes.length === 0 ? 0 : 1;
}

function objectLines(view: ObjectView, options: ObjdumpOptions): string[] {
  const { object, path } = view;
  const lines = ["", `${path}:\tfile format elf64-${object.endian === "little" ? "bpf" : "bpfeb"}`];
  if (options.headers) for (const text of headerLines(object)) lines.push(text);
  if (options.syms)
    lines.push("", "SYMBOL TABLE:", ...object.symbols.map((s) => symbolLine(object, s)));
  if (options.disassemble || options.source) {
    object.sections.forEach((section, index) => {
      if (isCode(section) && section.size > 0)
        for (const text of disassembleSection(view, index, options)) lines.push(text);
    });
  }
  return lines;
}

/** Shows one object, or with `--diff` two; returns the exit code. */
export function runObjdump(
  path: string,
  other: string | undefined,
  options: ObjdumpOptions,
): number {
  if (options.diff) return runDiff(path, other, options.json === true);
  if (other !== undefined) {
    printError("bpfc: error: two objects are compared with --diff");
    return 1;
  }
  const view = readView(path);
  if (view === undefined) return 1;
  if (options.asm) print(printAssembly(disassemble(view.object)));
  else if (options.json) print(JSON.stringify(objectJson(view)));
  else print(objectLines(view, options).join("\n"));
  return 0;
}
