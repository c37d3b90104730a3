/**
 * The instructions of an object with everything that is known about each: the symbol it names, the
 * helper it calls, its CO-RE relocation in words, its source line. What people read, what tools read
 * as JSON and what comparisons of objects look at are made from it.
 */
import { decodeInstruction } from "../common/isa/decode.ts";
import { type Instruction, slotCount } from "../common/isa/instruction.ts";
import { printInstruction } from "../common/isa/print.ts";
import type { CoreRelocation, LineInfo } from "../common/object/btf.ts";
import type {
  ObjectRelocation,
  ObjectSection,
  SectionIndex,
} from "../common/object/object-file.ts";
import { helperById } from "../common/platform/helpers.ts";
import { describeAccess } from "./core/describe.ts";
import { isCode, type ObjectView } from "./object-view.ts";

export interface ListedInstruction {
  /** Bytes from the section's start. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Undefined where the bytes are no instruction. */
  readonly insn: Instruction | undefined;
  /** As `llvm-objdump -d` prints it. */
  readonly text: string;
  /** Where a jump within the section goes, in bytes. */
  readonly jump: number | undefined;
  /** What it names, in words: `map counts`, `bpf_map_lookup_elem`, `.rodata: limit+4`. */
  readonly symbol: string | undefined;
  readonly relocations: readonly ObjectRelocation[];
  readonly core: CoreRelocation | undefined;
  /** The CO-RE relocation in words. */
  readonly coreWords: string | undefined;
  /** Where a source line begins. */
  readonly line: LineInfo | undefined;
}

export interface ListedFunction {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: SectionIndex;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly instructions: readonly ListedInstruction[];
}

/** All functions in the order of the sections; code outside functions stands under its section's name. */
export function listFunctions(view: ObjectView): readonly ListedFunction[] {
  return view.object.sections.flatMap((section, index) =>
    isCode(section) && section.size > 0 ? sectionFunctions(view, section, index) : [],
  );
}

function sectionFunctions(
  view: ObjectView,
  section: ObjectSection,
  sectionIndex: SectionIndex,
): ListedFunction[] {
  const instructions = listInstructions(view, section, sectionIndex);
  const starts = new Map<number, string>();
  const ends: number[] = [];
  for (const symbol of view.symbolsOf(sectionIndex)) {
    const inside = symbol.value < section.size;
    if (symbol.type !== "func" || !inside) continue;
    if (symbol.size > 0) ends.push(symbol.value + symbol.size);
    const known = starts.get(symbol.value);
    // Of several names of one function the first, whatever the order of the symbols.
    if (known === undefined || symbol.name < known) starts.set(symbol.value, symbol.name);
  }
  // Code of weak functions that lost against others has no symbol after linking.
  for (const place of [0, ...ends])
    if (!starts.has(place) && place < section.size) starts.set(place, section.name);
  const offsets = [...starts.keys()].sort((a, b) => a - b);
  return offsets.map((offset, position): ListedFunction => {
    const end = offsets[position + 1] ?? section.data.length;
    return {
      name: starts.get(offset) ?? section.name,
      section: section.name,
      sectionIndex,
      offset,
      size: end - offset,
      instructions: instructions.filter((each) => each.offset >= offset && each.offset < end),
    };
  });
}

function byOffset<T extends { readonly insnOffset: number }>(
  sections: readonly { readonly section: string; readonly records: readonly T[] }[] | undefined,
  name: string,
): ReadonlyMap<number, T> {
  const records = sections?.filter((s) => s.section === name).flatMap((s) => s.records) ?? [];
  return new Map(records.map((record) => [record.insnOffset, record]));
}

/** The instructions of one section. */
export function listInstructions(
  view: ObjectView,
  section: ObjectSection,
  sectionIndex: SectionIndex,
): readonly ListedInstruction[] {
  const { endian } = view.object;
  const lines = byOffset(view.btfExt?.lineInfo, section.name);
  const core = byOffset(view.btfExt?.coreRelocations, section.name);
  const relocations = new Map<number, ObjectRelocation[]>();
  for (const relocation of section.relocations) {
    const slot = relocation.offset - (relocation.offset % 8);
    relocations.set(slot, [...(relocations.get(slot) ?? []), relocation]);
  }
  const listed: ListedInstruction[] = [];
  for (let offset = 0; offset < section.data.length; ) {
    const decoded = decodeInstruction(section.data, offset, endian);
    const insn = decoded.ok ? decoded.insn : undefined;
    const size = insn === undefined ? 8 : slotCount(insn) * 8;
    const own = relocations.get(offset) ?? [];
    const relocation = core.get(offset);
    listed.push({
      offset,
      bytes: section.data.subarray(offset, offset + size),
      insn,
      text: insn === undefined ? "<unknown>" : printInstruction(insn, { hex: true }),
      jump: jumpTarget(insn, offset),
      symbol: insn && symbolWords(view, sectionIndex, offset, insn, own[0]),
      relocations: own,
      core: relocation,
      coreWords: relocation && view.btf && describeAccess(view.btf, relocation),
      line: lines.get(offset),
    });
    offset += size;
  }
  return listed;
}

function jumpTarget(insn: Instruction | undefined, at: number): number | undefined {
  switch (insn?.kind) {
    case "jump":
    case "branch":
    case "may_goto":
      return at + 8 + insn.offset * 8;
    default:
      return undefined;
  }
}

function symbolWords(
  view: ObjectView,
  section: SectionIndex,
  at: number,
  insn: Instruction,
  relocation: ObjectRelocation | undefined,
): string | undefined {
  if (relocation !== undefined) {
    const inPlace =
      insn.kind === "load_imm64"
        ? Number(BigInt.asIntN(32, insn.value))
        : insn.kind === "call"
          ? (insn.imm + 1) * 8
          : 0;
    return targetWords(view, relocation, relocation.addend ?? inPlace);
  }
  if (insn.kind !== "call") return undefined;
  if (insn.target === "helper") return helperById(insn.imm)?.name;
  return insn.target === "local" ? placeWords(view, section, at + 8 + insn.imm * 8) : undefined;
}

function targetWords(view: ObjectView, relocation: ObjectRelocation, addend: number): string {
  const symbol = view.object.symbols[relocation.symbol];
  if (symbol === undefined) return "?";
  if (typeof symbol.section !== "number") return symbol.name;
  // A named symbol with a call's stored -1 points at its start.
  if (symbol.type !== "section") {
    const sectionName = view.object.sections[symbol.section]?.name ?? "";
    return `${prefixOf(view, symbol.section, sectionName)}${symbol.name}${plus(addend)}`;
  }
  return placeWords(view, symbol.section, symbol.value + addend);
}

const plus = (offset: number): string =>
  offset === 0 ? "" : offset < 0 ? `-0x${(-offset).toString(16)}` : `+0x${offset.toString(16)}`;

function prefixOf(view: ObjectView, index: SectionIndex, name: string): string {
  const section = view.object.sections[index];
  if (name === ".maps" || name === "maps") return "map ";
  return section !== undefined && isCode(section) ? "" : `${name}: `;
}

/** The symbol at or before a place in a section, and the distance. */
function placeWords(view: ObjectView, index: SectionIndex, offset: number): string {
  const name = view.object.sections[index]?.name ?? "?";
  const symbol = view
    .symbolsOf(index)
    .findLast((s) => s.value <= offset && (s.size === 0 || offset < s.value + s.size));
  if (symbol === undefined) return `${name}${plus(offset)}`;
  return `${prefixOf(view, index, name)}${symbol.name}${plus(offset - symbol.value)}`;
}
