/** `bpfc objdump`: what is in an object, in the layout of llvm-objdump. */
import { disassemble } from "../assembler/disassemble.ts";
import { printAssembly } from "../assembler/print.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { decodeInstruction } from "../common/isa/decode.ts";
import { type Instruction, slotCount } from "../common/isa/instruction.ts";
import { printInstruction } from "../common/isa/print.ts";
import type { LineInfo } from "../common/object/btf.ts";
import type { ObjectFile, ObjectSection, ObjectSymbol } from "../common/object/object-file.ts";
import { isCode, type ObjectView, viewObject } from "../linker/object-view.ts";
import { readObjectFile } from "./objects.ts";
import { plainReport, print, report } from "./report.ts";

export interface ObjdumpOptions {
  readonly disassemble?: boolean;
  readonly reloc?: boolean;
  readonly source?: boolean;
  readonly syms?: boolean;
  readonly headers?: boolean;
  readonly asm?: boolean;
  readonly showRawInsn: boolean;
}

const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

function rawBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => hex(byte, 2)).join(" ");
}

/** Target of a jump as `+0x4 <function+0x28>`, and of a local call as `<function>`. */
function targetOffset(insn: Instruction, at: number): number | undefined {
  switch (insn.kind) {
    case "jump":
    case "branch":
    case "may_goto":
      return at + 8 + insn.offset * 8;
    default:
      return undefined;
  }
}

function symbolAt(view: ObjectView, section: number, at: number): string | undefined {
  const symbols = view.symbolsOf(section).filter((s) => s.type === "func" && s.value <= at);
  const symbol = symbols.at(-1);
  if (symbol === undefined) return undefined;
  return symbol.value === at
    ? `<${symbol.name}>`
    : `<${symbol.name}+0x${hex(at - symbol.value, 1)}>`;
}

/** Line records of a section by byte offset. */
function linesOf(view: ObjectView, name: string): ReadonlyMap<number, LineInfo> {
  const records =
    view.btfExt?.lineInfo.filter((s) => s.section === name).flatMap((s) => s.records) ?? [];
  return new Map(records.map((record) => [record.insnOffset, record]));
}

function relocationLines(
  view: ObjectView,
  section: ObjectSection,
  at: number,
  size: number,
): string[] {
  const { symbols, sections } = view.object;
  return section.relocations
    .filter((r) => r.offset >= at && r.offset < at + size)
    .map((r) => {
      const symbol = symbols[r.symbol];
      const inSection =
        typeof symbol?.section === "number" ? sections[symbol.section]?.name : undefined;
      return `\t\t${hex(r.offset, 16)}:  ${r.type}\t${symbol?.name || inSection || "?"}`;
    });
}

function coreComments(view: ObjectView, name: string): ReadonlyMap<number, string> {
  const records =
    view.btfExt?.coreRelocations.filter((s) => s.section === name).flatMap((s) => s.records) ?? [];
  return new Map(
    records.map((r) => [r.insnOffset, `\t\tCO-RE <${r.kind}> [${r.type}] ${r.access}`]),
  );
}

function disassembleSection(view: ObjectView, index: number, options: ObjdumpOptions): string[] {
  const section = view.object.sections[index];
  if (section === undefined) return [];
  const lines = ["", `Disassembly of section ${section.name}:`];
  const sourceLines = options.source ? linesOf(view, section.name) : new Map<number, LineInfo>();
  const core = options.reloc ? coreComments(view, section.name) : new Map<number, string>();
  const starts = new Map(view.symbolsOf(index).map((s) => [s.value, s.name]));
  for (let at = 0; at < section.data.length; ) {
    const label = starts.get(at);
    if (label !== undefined) lines.push("", `${hex(at, 16)} <${label}>:`);
    const line = sourceLines.get(at);
    if (line !== undefined)
      lines.push(`; ${line.text === "" ? `${line.file}:${line.line}` : line.text}`);
    const decoded = decodeInstruction(section.data, at, view.object.endian);
    const insn = decoded.ok ? decoded.insn : undefined;
    const size = insn === undefined ? 8 : slotCount(insn) * 8;
    const bytes = section.data.subarray(at, at + size);
    const target = insn && targetOffset(insn, at);
    const name = target === undefined ? undefined : symbolAt(view, index, target);
    const text = insn === undefined ? "<unknown>" : printInstruction(insn, { hex: true });
    const raw = options.showRawInsn ? `\t${rawBytes(bytes)}` : "";
    lines.push(
      `${String(at / 8).padStart(8)}:${raw}\t${text}${name === undefined ? "" : ` ${name}`}`,
    );
    if (options.reloc) lines.push(...relocationLines(view, section, at, size));
    const comment = core.get(at);
    if (comment !== undefined) lines.push(comment);
    at += size;
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
  return `${hex(symbol.value, 16)} ${flags} ${section}\t${hex(symbol.size, 16)} ${symbol.name}`;
}

function headerLines(object: ObjectFile): string[] {
  const rows = object.sections.map((section, i) => {
    const kind = isCode(section)
      ? "TEXT"
      : section.kind === "nobits"
        ? "BSS"
        : section.flags & 2
          ? "DATA"
          : "";
    return `${String(i + 1).padStart(3)} ${section.name.padEnd(24)} ${hex(section.size, 8)} ${hex(0, 16)} ${kind}`;
  });
  return ["", "Sections:", "Idx Name                     Size     VMA              Type", ...rows];
}

/** Shows one object; returns the exit code. */
export function runObjdump(path: string, options: ObjdumpOptions): number {
  const { object, diagnostics } = readObjectFile(path);
  if (object === undefined) {
    report(diagnostics.list, plainReport);
    return 1;
  }
  if (options.asm) {
    print(printAssembly(disassemble(object)));
    return 0;
  }
  const reading = new Diagnostics();
  const view = viewObject(object, path, reading);
  if (view === undefined) {
    report(reading.list, plainReport);
    return 1;
  }
  const lines = ["", `${path}:\tfile format elf64-${object.endian === "little" ? "bpf" : "bpfeb"}`];
  if (options.headers) lines.push(...headerLines(object));
  if (options.syms)
    lines.push("", "SYMBOL TABLE:", ...object.symbols.map((s) => symbolLine(object, s)));
  if (options.disassemble || options.source) {
    object.sections.forEach((section, index) => {
      if (isCode(section) && section.size > 0)
        lines.push(...disassembleSection(view, index, options));
    });
  }
  print(lines.join("\n"));
  return 0;
}
