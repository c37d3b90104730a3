/**
 * AsmModule → ObjectFile. Chooses relocations as LLVM's assembler does: references to local
 * symbols go through their section's symbol, calls to local functions of the same section and
 * all jumps are resolved here.
 */
import { type Diagnostics, InternalError } from "../common/diagnostics/diagnostic.ts";
import type { Span } from "../common/diagnostics/source.ts";
import { encodeInstruction } from "../common/isa/encode.ts";
import type { Instruction } from "../common/isa/instruction.ts";
import type {
  ObjectFile,
  ObjectRelocation,
  ObjectSection,
  ObjectSymbol,
  RelocationType,
} from "../common/object/object-file.ts";
import type { AsmItem, AsmModule, AsmSection, AsmSymbol, SymbolReference } from "./asm-module.ts";
import { canonicalModule } from "./canonical.ts";
import { type LabelPlace, layoutModule, type ModuleLayout, sectionLayout } from "./layout.ts";

/** Sections that LLVM aligns although the text does not say so. */
const leastAlignments: ReadonlyMap<string, number> = new Map([
  [".text", 4],
  [".BTF", 4],
  [".BTF.ext", 4],
]);

export interface AssembleOptions {
  /** Where an item stands in the text, for diagnostics. */
  readonly spanOf?: (item: AsmItem) => Span | undefined;
}

const sectionFlagExec = 4;
const sectionFlagMerge = 0x10;
const sectionTypes = { progbits: 1, nobits: 8 } as const;

/** Undefined after errors, also earlier ones: undefined labels, jumps out of range, symbols defined twice. */
export function assemble(
  module: AsmModule,
  diagnostics: Diagnostics,
  options: AssembleOptions = {},
): ObjectFile | undefined {
  reportDuplicates(module, diagnostics, options);
  // Items change identity in canonical form; spans are found through the instruction they carry.
  const spans = new Map<unknown, Span>();
  for (const item of module.sections.flatMap((section) => section.items)) {
    const span = options.spanOf?.(item);
    if (span === undefined) continue;
    spans.set(item, span);
    if (item.kind === "instruction") spans.set(item.insn, span);
  }
  const spanOf = (item: AsmItem): Span | undefined =>
    spans.get(item) ?? (item.kind === "instruction" ? spans.get(item.insn) : undefined);
  const object = new Assembler(canonicalModule(module), diagnostics, spanOf).run();
  return diagnostics.hasErrors ? undefined : object;
}

function reportDuplicates(
  module: AsmModule,
  diagnostics: Diagnostics,
  options: AssembleOptions,
): void {
  const seen = new Set<string>();
  for (const item of module.sections.flatMap((section) => section.items)) {
    if (item.kind !== "label") continue;
    if (seen.has(item.name)) {
      const message = `symbol '${item.name}' is already defined`;
      diagnostics.error("duplicate-symbol", message, options.spanOf?.(item));
    }
    seen.add(item.name);
  }
}

/** Bytes of a section that has contents; the kernel takes no map as large as that. */
const maximumSection = 1 << 30;

/** A relocation whose symbol has no index yet. */
interface PendingRelocation {
  readonly offset: number;
  readonly type: RelocationType;
  /** A symbol, or the section's own symbol. */
  readonly symbol: string | { readonly section: number };
}

class Assembler {
  readonly #module: AsmModule;
  readonly #layout: ModuleLayout;
  readonly #diagnostics: Diagnostics;
  readonly #spanOf: (item: AsmItem) => Span | undefined;
  readonly #symbols: ReadonlyMap<string, AsmSymbol>;
  readonly #relocations: PendingRelocation[][] = [];

  constructor(
    module: AsmModule,
    diagnostics: Diagnostics,
    spanOf: (item: AsmItem) => Span | undefined,
  ) {
    this.#module = module;
    this.#layout = layoutModule(module);
    this.#diagnostics = diagnostics;
    this.#spanOf = spanOf;
    this.#symbols = new Map(module.symbols.map((symbol) => [symbol.name, symbol]));
  }

  run(): ObjectFile {
    const { endian, sections } = this.#module;
    const data = sections.map((section, index) => this.#encodeSection(section, index));
    const symbols = this.#objectSymbols();
    const indexes = new Map<string, number>();
    for (const [i, symbol] of symbols.entries()) {
      const key = symbol.type === "section" ? `section ${symbol.section}` : `name ${symbol.name}`;
      if (symbol.type !== "file") indexes.set(key, i);
    }
    const finish = ({ offset, type, symbol }: PendingRelocation): ObjectRelocation => {
      const key = typeof symbol === "string" ? `name ${symbol}` : `section ${symbol.section}`;
      const index = indexes.get(key);
      if (index === undefined) throw new InternalError(`no symbol for ${key}`);
      return { offset, type, symbol: index };
    };
    return {
      endian,
      symbols,
      sections: sections.map(
        (section, index): ObjectSection => ({
          name: section.name,
          kind: section.kind,
          elfType: sectionTypes[section.kind],
          flags: section.flags,
          align: Math.max(section.align, leastAlignments.get(section.name) ?? 1),
          entrySize: section.entrySize,
          data: section.kind === "nobits" ? new Uint8Array(0) : (data[index] as Uint8Array),
          size: sectionLayout(this.#layout, index).size,
          relocations: (this.#relocations[index] ?? []).map(finish),
        }),
      ),
    };
  }

  /** Files, symbols of sections that relocations name, locals, globals. */
  #objectSymbols(): ObjectSymbol[] {
    const used = new Set<string>();
    const usedSections = new Set<number>();
    for (const { symbol } of this.#relocations.flat()) {
      if (typeof symbol === "string") used.add(symbol);
      else usedSections.add(symbol.section);
    }
    const symbols = this.#module.symbols.map((symbol) => this.#objectSymbol(symbol));
    // References into mergeable sections keep even temporary labels: see #symbolFor.
    const temporaries = [...used].filter((name) => !this.#symbols.has(name)).sort();
    const known = temporaries.map((name) =>
      this.#objectSymbol({
        name,
        ...{ binding: this.#layout.labels.has(name) ? "local" : "global", visibility: "default" },
        ...{ type: "notype", defined: this.#layout.labels.has(name) },
      }),
    );
    const sections = [...usedSections].sort((a, b) => a - b);
    const files = symbols.filter((symbol) => symbol.type === "file");
    const others = [...symbols.filter((symbol) => symbol.type !== "file"), ...known];
    return [
      ...files,
      ...sections.map((section) => sectionSymbol(section)),
      ...others.filter((symbol) => symbol.binding === "local"),
      ...others.filter((symbol) => symbol.binding !== "local"),
    ];
  }

  #objectSymbol(symbol: AsmSymbol): ObjectSymbol {
    const { name, type, visibility } = symbol;
    const place = this.#layout.labels.get(name);
    const common = { name, type, visibility, size: symbol.size ?? 0 };
    if (type === "file") return { ...common, section: "absolute", value: 0, binding: "local" };
    if (place === undefined || !symbol.defined) {
      const binding = symbol.binding === "weak" ? "weak" : "global";
      return { ...common, section: "undefined", value: 0, binding };
    }
    return { ...common, section: place.section, value: place.offset, binding: symbol.binding };
  }

  #encodeSection(section: AsmSection, index: number): Uint8Array {
    const { offsets, size } = sectionLayout(this.#layout, index);
    this.#relocations[index] = [];
    if (section.kind === "nobits") {
      this.#checkNobits(section);
      return new Uint8Array(0);
    }
    if (size > maximumSection) {
      const message = `section '${section.name}' is too large (${size} bytes)`;
      this.#diagnostics.error("section-too-large", message);
      return new Uint8Array(0);
    }
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (const [i, item] of section.items.entries()) {
      const at = offsets[i] as number;
      if (item.kind === "data") bytes.set(item.bytes, at);
      else if (item.kind === "reference") this.#reference(item, view, at, index);
      else if (item.kind === "instruction") bytes.set(this.#instruction(item, at, index), at);
    }
    return bytes;
  }

  #checkNobits(section: AsmSection): void {
    for (const item of section.items) {
      const isContent =
        item.kind === "instruction" ||
        item.kind === "reference" ||
        (item.kind === "data" && item.bytes.some((byte) => byte !== 0));
      if (isContent) this.#error(item, "nobits", `section '${section.name}' can only hold zeroes`);
    }
  }

  #error(item: AsmItem, code: string, message: string): void {
    this.#diagnostics.error(code, message, this.#spanOf(item));
  }

  /** Local means: other objects cannot replace it, so that its place is final. */
  #isLocal(name: string): boolean {
    return (this.#symbols.get(name)?.binding ?? "local") === "local";
  }

  /**
   * The symbol of a relocation and what must be added to it. A label plus a number in a mergeable
   * section cannot go through the section's symbol: the linker may move the string it points into.
   */
  #symbolFor({ symbol, addend }: SymbolReference): Pick<PendingRelocation, "symbol"> & {
    addend: number;
  } {
    const place = this.#layout.labels.get(symbol);
    if (place === undefined || !this.#isLocal(symbol)) return { symbol, addend };
    const section = this.#module.sections[place.section];
    const isSectionName = section?.name === symbol;
    const isMerged = ((section?.flags ?? 0) & sectionFlagMerge) !== 0;
    if (isMerged && addend !== 0 && !isSectionName) return { symbol, addend };
    return { symbol: { section: place.section }, addend: place.offset + addend };
  }

  #relocate(
    section: number,
    offset: number,
    type: RelocationType,
    target: SymbolReference,
  ): number {
    const { symbol, addend } = this.#symbolFor(target);
    this.#relocations[section]?.push({ offset, type, symbol });
    return addend;
  }

  #reference(
    item: AsmItem & { kind: "reference" },
    view: DataView,
    at: number,
    section: number,
  ): void {
    const little = this.#module.endian === "little";
    const addend = this.#relocate(section, at, item.type, item.target);
    if (item.type === "R_BPF_64_ABS64") view.setBigInt64(at, BigInt(addend), little);
    else view.setInt32(at, addend | 0, little);
  }

  #instruction(item: AsmItem & { kind: "instruction" }, at: number, section: number): Uint8Array {
    const { insn, target } = item;
    const resolved = target === undefined ? insn : this.#resolve(item, insn, target, at, section);
    return encodeInstruction(resolved, this.#module.endian);
  }

  #resolve(
    item: AsmItem & { kind: "instruction" },
    insn: Instruction,
    target: SymbolReference,
    at: number,
    section: number,
  ): Instruction {
    switch (insn.kind) {
      case "jump":
      case "branch":
      case "may_goto": {
        const bits = insn.kind === "jump" && insn.long ? 32 : 16;
        return { ...insn, offset: this.#jumpOffset(item, target, at, section, bits) };
      }
      case "call": {
        const imm = this.#callTarget(item, target, at, section);
        return { kind: "call", target: "local", imm, offset: 0 };
      }
      case "load_imm64": {
        const addend = this.#relocate(section, at, "R_BPF_64_64", target);
        return { ...insn, value: BigInt.asUintN(32, BigInt(addend)) };
      }
      default:
        throw new InternalError(`a ${insn.kind} has no field for a symbol`);
    }
  }

  #jumpOffset(
    item: AsmItem,
    target: SymbolReference,
    at: number,
    section: number,
    bits: 16 | 32,
  ): number {
    const place = this.#layout.labels.get(target.symbol);
    if (place === undefined || place.section !== section) {
      const message =
        place === undefined
          ? `undefined label '${target.symbol}'`
          : `label '${target.symbol}' is in another section`;
      this.#error(item, "undefined-label", message);
      return 0;
    }
    const offset = (place.offset + target.addend - at) / 8 - 1;
    const limit = 2 ** (bits - 1);
    if (Number.isInteger(offset) && offset >= -limit && offset < limit) return offset;
    this.#error(item, "out-of-range", `jump to '${target.symbol}' is out of range`);
    return 0;
  }

  #callTarget(item: AsmItem, target: SymbolReference, at: number, section: number): number {
    const place = this.#layout.labels.get(target.symbol);
    if (isCode(this.#module, place, section) && this.#isLocal(target.symbol)) {
      const offset = ((place?.offset ?? 0) + target.addend - at) / 8 - 1;
      if (Number.isInteger(offset)) return offset;
      this.#error(item, "misaligned", `'${target.symbol}' is not at an instruction`);
      return 0;
    }
    return this.#relocate(section, at, "R_BPF_64_32", target) / 8 - 1;
  }
}

function isCode(module: AsmModule, place: LabelPlace | undefined, section: number): boolean {
  if (place === undefined || place.section !== section) return false;
  return ((module.sections[section]?.flags ?? 0) & sectionFlagExec) !== 0;
}

function sectionSymbol(section: number): ObjectSymbol {
  const plain = { value: 0, size: 0, visibility: "default" } as const;
  return { name: "", section, ...plain, binding: "local", type: "section" };
}
