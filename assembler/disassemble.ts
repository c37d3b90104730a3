/**
 * ObjectFile → AsmModule that assembles back to the same code, data, symbols and relocations.
 * Jump targets get labels; what does not decode stays data.
 */
import { decodeInstruction } from "../common/isa/decode.ts";
import type { Instruction } from "../common/isa/instruction.ts";
import type {
  ObjectFile,
  ObjectRelocation,
  ObjectSection,
  ObjectSymbol,
} from "../common/object/object-file.ts";
import type { AsmItem, AsmModule, AsmSection, AsmSymbol, SymbolReference } from "./asm-module.ts";
import { canonicalModule } from "./canonical.ts";

const sectionFlagExec = 4;

/** Sections that are neither code nor data (LLVM's address-significance table) are left out. */
export function disassemble(object: ObjectFile): AsmModule {
  return new Disassembler(object).run();
}

interface CodeSlot {
  readonly at: number;
  readonly size: number;
  /** Undefined for bytes that are no instruction. */
  readonly insn: Instruction | undefined;
}

class Disassembler {
  readonly #object: ObjectFile;
  /** Symbol names, made unique: linked objects may hold several local ones of one name. */
  readonly #names: readonly string[];
  readonly #taken = new Set<string>();
  /** Labels for places in code that .BTF.ext speaks of, by section and offset. */
  readonly #codeLabels = new Map<string, string>();

  constructor(object: ObjectFile) {
    this.#object = object;
    for (const section of object.sections) this.#taken.add(section.name);
    this.#names = object.symbols.map((symbol) => this.#uniqueName(symbol));
  }

  #uniqueName(symbol: ObjectSymbol): string {
    if (symbol.type === "section" || symbol.type === "file") return symbol.name;
    let name = symbol.name === "" ? ".Lunnamed" : symbol.name;
    for (let i = 1; this.#taken.has(name); i += 1) name = `${symbol.name}.${i}`;
    this.#taken.add(name);
    return name;
  }

  run(): AsmModule {
    const { sections, symbols, endian } = this.#object;
    for (const section of sections) {
      for (const relocation of section.relocations) {
        if (relocation.offset + 4 <= section.data.length) this.#codeLabel(section, relocation);
      }
    }
    const out: AsmSection[] = [];
    for (const [index, section] of sections.entries()) {
      if (section.kind !== "progbits" && section.kind !== "nobits") continue;
      const { name, kind, flags, entrySize, align } = section;
      const items = this.#items(section, index);
      out.push({ name, kind, flags, entrySize, align: Math.max(1, align), items });
    }
    const kept = symbols.flatMap((symbol, i) => this.#symbol(symbol, this.#names[i] as string));
    return canonicalModule({ endian, sections: out, symbols: kept, functions: [] });
  }

  #symbol(symbol: ObjectSymbol, name: string): AsmSymbol[] {
    const { section, binding, visibility, type, size } = symbol;
    if (type === "section" || section === "absolute") {
      return type === "file" ? [{ name, binding, visibility, type, defined: true }] : [];
    }
    if (section === "undefined" || section === "common") {
      return [{ name, binding, visibility, type, defined: false }];
    }
    return [{ name, binding, visibility, type, size, defined: true }];
  }

  #items(section: ObjectSection, index: number): AsmItem[] {
    const labels = this.#symbolLabels(index);
    if (section.kind === "nobits") return splitZero(section.size, labels);
    const relocations = new Map(section.relocations.map((r) => [r.offset, r]));
    if ((section.flags & sectionFlagExec) === 0) {
      return this.#data(section, labels, relocations, 0, section.data.length);
    }
    return this.#code(section, index, labels, relocations);
  }

  /** Names at each offset of a section, in the order of the symbol table. */
  #symbolLabels(index: number): Map<number, string[]> {
    const labels = new Map<number, string[]>();
    for (const [i, symbol] of this.#object.symbols.entries()) {
      if (symbol.section !== index || symbol.type === "section") continue;
      labels.set(symbol.value, [...(labels.get(symbol.value) ?? []), this.#names[i] as string]);
    }
    return labels;
  }

  #data(
    section: ObjectSection,
    labels: ReadonlyMap<number, readonly string[]>,
    relocations: ReadonlyMap<number, ObjectRelocation>,
    start: number,
    end: number,
  ): AsmItem[] {
    const items: AsmItem[] = [];
    const inside = [...labels.keys(), ...relocations.keys()].filter(
      (at) => at >= start && at < end,
    );
    let at = start;
    for (const next of [...new Set([...inside, end])].sort((a, b) => a - b)) {
      if (next > at) items.push({ kind: "data", bytes: section.data.slice(at, next) });
      at = Math.max(at, next);
      for (const name of next < end ? (labels.get(next) ?? []) : []) {
        items.push({ kind: "label", name });
      }
      const relocation = relocations.get(next);
      const item = relocation && next < end ? this.#reference(section, relocation) : undefined;
      if (item === undefined) continue;
      items.push(item);
      at += item.type === "R_BPF_64_ABS64" ? 8 : 4;
    }
    if (end === section.data.length) {
      for (const name of labels.get(end) ?? []) items.push({ kind: "label", name });
    }
    return items;
  }

  #reference(
    section: ObjectSection,
    relocation: ObjectRelocation,
  ): (AsmItem & { kind: "reference" }) | undefined {
    const { offset, type } = relocation;
    const size = type === "R_BPF_64_ABS64" || type === "R_BPF_64_64" ? 8 : 4;
    if (type === "R_BPF_NONE" || offset + size > section.data.length) return undefined;
    const target =
      this.#codeLabel(section, relocation) ??
      this.#target(relocation, this.#word(section, offset, size));
    const kept = type === "R_BPF_64_64" ? "R_BPF_64_ABS64" : type;
    return target && { kind: "reference", type: kept, target };
  }

  #word(section: ObjectSection, offset: number, size: 4 | 8): number {
    const view = new DataView(section.data.buffer, section.data.byteOffset + offset, size);
    const little = this.#object.endian === "little";
    return size === 8 ? Number(view.getBigInt64(0, little)) : view.getInt32(0, little);
  }

  /**
   * A temporary label for a code offset in .BTF.ext: only references to those assemble to
   * NODYLD32 relocations.
   */
  #codeLabel(
    section: ObjectSection,
    { type, symbol, offset, addend }: ObjectRelocation,
  ): SymbolReference | undefined {
    const target = this.#object.symbols[symbol];
    if (type !== "R_BPF_64_NODYLD32" || typeof target?.section !== "number") return undefined;
    const code = this.#object.sections[target.section];
    if (code === undefined || (code.flags & sectionFlagExec) === 0) return undefined;
    const at = target.value + (addend ?? this.#word(section, offset, 4));
    if (at < 0 || at > code.size || at % 8 !== 0) return undefined;
    const key = `${target.section}:${at}`;
    const name = this.#codeLabels.get(key) ?? `.Lcode${target.section}_${at / 8}`;
    this.#codeLabels.set(key, name);
    return { symbol: name, addend: 0 };
  }

  /** What a relocation points at: a symbol, or a section (by its name) plus an offset. */
  #target(relocation: ObjectRelocation, inPlace: number): SymbolReference | undefined {
    const symbol = this.#object.symbols[relocation.symbol];
    if (symbol === undefined) return undefined;
    const addend = relocation.addend ?? inPlace;
    if (symbol.type !== "section" || typeof symbol.section !== "number") {
      return { symbol: this.#names[relocation.symbol] as string, addend };
    }
    const offset = symbol.value + addend;
    const local = this.#localSymbolAt(symbol.section, offset);
    if (local !== undefined) return { symbol: local, addend: 0 };
    const name = this.#object.sections[symbol.section]?.name;
    return name === undefined ? undefined : { symbol: name, addend: offset };
  }

  /** A local symbol exactly there: references to it assemble to references to the section. */
  #localSymbolAt(section: number, offset: number): string | undefined {
    const index = this.#object.symbols.findIndex(
      (symbol) =>
        symbol.section === section &&
        symbol.value === offset &&
        symbol.binding === "local" &&
        symbol.type !== "section",
    );
    return index < 0 ? undefined : this.#names[index];
  }

  #code(
    section: ObjectSection,
    index: number,
    labels: Map<number, string[]>,
    relocations: ReadonlyMap<number, ObjectRelocation>,
  ): AsmItem[] {
    const slots = this.#decode(section, labels);
    const starts = new Set(slots.map((slot) => slot.at));
    starts.add(section.data.length);
    const items: AsmItem[] = [];
    const pending: { item: number; insn: Instruction; destination: number }[] = [];
    const wanted = new Set<number>();
    for (const { at, size, insn } of slots) {
      items.push({ kind: "label", name: `@${at}` });
      if (insn === undefined) {
        for (const item of this.#data(section, new Map(), relocations, at, at + size))
          items.push(item);
        continue;
      }
      const relocation = relocations.get(at);
      const target = relocation && this.#relocatedTarget(relocation, insn);
      const destination = target === undefined ? jumpDestination(insn, at) : undefined;
      if (target !== undefined) items.push(this.#withTarget(insn, target));
      else if (destination !== undefined && starts.has(destination)) {
        wanted.add(destination);
        pending.push({ item: items.length, insn, destination });
        items.push({ kind: "instruction", insn });
      } else items.push({ kind: "instruction", insn });
    }
    items.push({ kind: "label", name: `@${section.data.length}` });
    const names = this.#jumpLabels(index, wanted);
    for (const { item, insn, destination } of pending) {
      const target = { symbol: names.get(destination) as string, addend: 0 };
      items[item] = this.#withTarget(insn, target);
    }
    // Places become the symbols and labels that stand there.
    return items.flatMap((item): AsmItem[] => {
      if (item.kind !== "label" || !item.name.startsWith("@")) return [item];
      const at = Number(item.name.slice(1));
      const jump = names.get(at);
      const here = [...(labels.get(at) ?? [])];
      if (jump !== undefined && !here.includes(jump)) here.push(jump);
      const code = this.#codeLabels.get(`${index}:${at}`);
      if (code !== undefined) here.push(code);
      return here.map((name) => ({ kind: "label", name }));
    });
  }

  /** Symbols inside a 16-byte instruction force it to stay data, so that they keep their place. */
  #decode(section: ObjectSection, labels: ReadonlyMap<number, unknown>): CodeSlot[] {
    const { data } = section;
    const slots: CodeSlot[] = [];
    for (let at = 0; at < data.length; ) {
      const decoded = decodeInstruction(data, at, this.#object.endian);
      const isWhole = decoded.ok && !(decoded.slots === 2 && labels.has(at + 8));
      const size = isWhole ? decoded.slots * 8 : Math.min(8, data.length - at);
      slots.push({ at, size, insn: isWhole ? decoded.insn : undefined });
      at += size;
    }
    return slots;
  }

  #relocatedTarget(relocation: ObjectRelocation, insn: Instruction): SymbolReference | undefined {
    if (insn.kind === "load_imm64") {
      return this.#target(relocation, Number(BigInt.asIntN(32, insn.value)));
    }
    return insn.kind === "call" ? this.#target(relocation, (insn.imm + 1) * 8) : undefined;
  }

  #withTarget(insn: Instruction, target: SymbolReference): AsmItem {
    switch (insn.kind) {
      case "load_imm64":
        return { kind: "instruction", insn: { ...insn, value: 0n }, target };
      case "call": {
        const symbol = this.#object.symbols[this.#names.indexOf(target.symbol)];
        const kind = symbol?.section === "undefined" ? "kfunc" : "local";
        const call = { kind: "call", target: kind, imm: 0, offset: 0 } as const;
        return { kind: "instruction", insn: call, target };
      }
      case "jump":
      case "branch":
      case "may_goto":
        return { kind: "instruction", insn: { ...insn, offset: 0 }, target };
      default:
        return { kind: "instruction", insn };
    }
  }

  /** Jumps take a local symbol's name where there is one: a global's would need a relocation. */
  #jumpLabels(index: number, destinations: ReadonlySet<number>): ReadonlyMap<number, string> {
    const names = new Map<number, string>();
    let count = 0;
    for (const at of [...destinations].sort((a, b) => a - b)) {
      let name = this.#localSymbolAt(index, at);
      while (name === undefined) {
        const candidate = `LBB${index}_${count}`;
        count += 1;
        if (!this.#taken.has(candidate)) name = candidate;
      }
      this.#taken.add(name);
      names.set(at, name);
    }
    return names;
  }
}

/** Byte offset that a jump or a call within the section goes to. */
function jumpDestination(insn: Instruction, at: number): number | undefined {
  switch (insn.kind) {
    case "jump":
    case "branch":
    case "may_goto":
      return at + 8 + insn.offset * 8;
    case "call":
      return insn.target === "local" ? at + 8 + insn.imm * 8 : undefined;
    default:
      return undefined;
  }
}

function splitZero(size: number, labels: ReadonlyMap<number, readonly string[]>): AsmItem[] {
  const items: AsmItem[] = [];
  let at = 0;
  for (const next of [...new Set([...labels.keys(), size])].sort((a, b) => a - b)) {
    if (next > at) items.push({ kind: "zero", size: next - at });
    at = next;
    for (const name of labels.get(next) ?? []) items.push({ kind: "label", name });
  }
  return items;
}
