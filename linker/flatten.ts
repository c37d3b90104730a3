/**
 * One program with the subprograms it reaches, as a flat run of slots: functions are appended in
 * libbpf's order as calls and callbacks reach them, and every relocation is applied.
 * Source: Documentation/bpf/llvm_reloc.rst; RFC 9669 section 5.4 for src_reg of 64-bit immediates.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { TypeId } from "../common/object/btf.ts";
import type { ObjectRelocation, ObjectSymbol, SectionIndex } from "../common/object/object-file.ts";
import type { ObjectView } from "./object-view.ts";
import type { KernelReference, ProgramFunction, ProgramLine } from "./program.ts";

const LD_IMM64 = 0x18;
const CALL = 0x85;
const PSEUDO_MAP_FD = 1;
const PSEUDO_MAP_VALUE = 2;
const PSEUDO_BTF_ID = 3;
const PSEUDO_FUNC = 4;
const PSEUDO_CALL = 1;
const PSEUDO_KFUNC_CALL = 2;

/** How references out of the code are resolved. */
export interface ReferenceResolver {
  /** A map definition at that place, or a data section: map index and offset in its value. */
  readonly data: (
    section: SectionIndex,
    offset: number,
  ) =>
    | { readonly map: number; readonly kind: "map" }
    | { readonly map: number; readonly kind: "value"; readonly offset: number }
    | undefined;
  /** An extern variable of .kconfig. */
  readonly kconfig: (name: string) => { readonly map: number; readonly offset: number } | undefined;
}

export interface FlatProgram {
  readonly insns: Uint8Array;
  readonly functions: readonly ProgramFunction[];
  readonly lines: readonly ProgramLine[];
  readonly kernelReferences: readonly KernelReference[];
}

/** A function's code in its section, in slots. */
interface CodeRange {
  readonly section: SectionIndex;
  readonly symbol: ObjectSymbol;
  readonly start: number;
  readonly end: number;
}

/** Per-object indexes that every program of the object shares. */
export interface CodeIndex {
  readonly view: ObjectView;
  readonly ranges: ReadonlyMap<SectionIndex, readonly CodeRange[]>;
  readonly relocations: ReadonlyMap<SectionIndex, ReadonlyMap<number, ObjectRelocation>>;
}

/**
 * Function ranges of the section; a function of unknown size ends where the next one starts. Symbols
 * that reach beyond the section are no functions.
 */
function functionRanges(view: ObjectView, section: SectionIndex, size: number): CodeRange[] {
  const symbols = view.symbolsOf(section).filter((s) => s.type === "func" || s.type === "notype");
  const whole = size - (size % 8);
  const functions = symbols.filter((s) => s.type === "func" && s.value + s.size <= whole);
  return functions.map((symbol, i) => {
    const next = functions[i + 1]?.value ?? whole;
    const end = symbol.size > 0 ? symbol.value + symbol.size : next;
    return { section, symbol, start: symbol.value >> 3, end: end >> 3 };
  });
}

/** Indexes functions and relocations of the code sections. */
export function indexCode(view: ObjectView, codeSections: readonly SectionIndex[]): CodeIndex {
  const ranges = new Map<SectionIndex, readonly CodeRange[]>();
  const relocations = new Map<SectionIndex, ReadonlyMap<number, ObjectRelocation>>();
  for (const index of codeSections) {
    const section = view.object.sections[index];
    if (section === undefined) continue;
    ranges.set(index, functionRanges(view, index, section.size));
    relocations.set(index, new Map(section.relocations.map((r) => [r.offset >> 3, r])));
  }
  return { view, ranges, relocations };
}

function rangeAt(code: CodeIndex, section: SectionIndex, slot: number): CodeRange | undefined {
  return code.ranges.get(section)?.find((range) => range.start === slot);
}

const exceptionTag = "exception_callback:";

/** What the kernel calls for exceptions: no call names it, only a tag of the program. */
function exceptionHandler(code: CodeIndex, main: CodeRange): CodeRange | undefined {
  const { view } = code;
  const id = view.btfIdOf("func", main.symbol.name);
  if (id === 0) return undefined;
  const tag = view.btf?.types.find(
    (type) =>
      type.kind === "decl_tag" &&
      type.type === id &&
      type.componentIndex === -1 &&
      type.name.startsWith(exceptionTag),
  );
  if (tag?.kind !== "decl_tag") return undefined;
  const name = tag.name.slice(exceptionTag.length);
  const ranges = [...code.ranges.values()].flat();
  return ranges.find(({ symbol }) => symbol.name === name && symbol.binding !== "local");
}

/** A reference from a slot of the flat program to a function that may be appended later. */
interface PendingCall {
  readonly slot: number;
  readonly kind: "call" | "address";
  readonly callee: CodeRange;
}

class Flattener {
  readonly #code: CodeIndex;
  readonly #resolver: ReferenceResolver;
  readonly #diagnostics: Diagnostics;
  readonly #starts = new Map<CodeRange, number>();
  readonly #order: CodeRange[] = [];
  readonly #pending: PendingCall[] = [];
  readonly #chunks: Uint8Array[] = [];
  readonly #kernelReferences: KernelReference[] = [];
  #slots = 0;

  constructor(code: CodeIndex, resolver: ReferenceResolver, diagnostics: Diagnostics) {
    this.#code = code;
    this.#resolver = resolver;
    this.#diagnostics = diagnostics;
  }

  run(main: CodeRange): FlatProgram {
    this.#appendAll(main);
    const handler = exceptionHandler(this.#code, main);
    if (handler !== undefined && !this.#starts.has(handler)) this.#appendAll(handler);
    const insns = this.#join();
    this.#patchCalls(insns);
    return {
      insns,
      functions: this.#functions(),
      lines: this.#lines(),
      kernelReferences: this.#kernelReferences,
    };
  }

  /** A function, then what it reaches, callees before the caller's next callee, as libbpf does. */
  #appendAll(main: CodeRange): void {
    const first = this.#pending.length;
    this.#append(main);
    const open = [{ next: 0, callees: this.#pending.slice(first).map(({ callee }) => callee) }];
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const callee = top.callees[top.next];
      top.next += 1;
      if (callee === undefined) open.pop();
      else if (!this.#starts.has(callee)) {
        const before = this.#pending.length;
        this.#append(callee);
        open.push({ next: 0, callees: this.#pending.slice(before).map((call) => call.callee) });
      }
    }
  }

  get #little(): boolean {
    return this.#code.view.object.endian === "little";
  }

  #error(message: string): void {
    this.#diagnostics.error("bad-relocation", `${this.#code.view.path}: ${message}`);
  }

  #append(range: CodeRange): void {
    const data = this.#code.view.object.sections[range.section]?.data ?? new Uint8Array();
    const chunk = data.slice(range.start * 8, range.end * 8);
    const base = this.#slots;
    this.#starts.set(range, base);
    this.#order.push(range);
    this.#chunks.push(chunk);
    this.#slots += chunk.length >> 3;
    const view = new DataView(chunk.buffer);
    const relocations = this.#code.relocations.get(range.section);
    for (let i = 0; i < chunk.length >> 3; i++) {
      const opcode = chunk[i * 8] ?? 0;
      const relocation = relocations?.get(range.start + i);
      if (relocation !== undefined) this.#relocate(range, view, i, base + i, relocation);
      else if (opcode === CALL && this.#sourceRegister(view, i) === PSEUDO_CALL) {
        const target = range.start + i + 1 + view.getInt32(i * 8 + 4, this.#little);
        this.#refer(base + i, "call", range.section, target);
      }
      if (opcode === LD_IMM64) i += 1;
    }
  }

  #sourceRegister(view: DataView, slot: number): number {
    const registers = view.getUint8(slot * 8 + 1);
    return this.#little ? registers >> 4 : registers & 15;
  }

  #setSourceRegister(view: DataView, slot: number, source: number): void {
    const registers = view.getUint8(slot * 8 + 1);
    view.setUint8(
      slot * 8 + 1,
      this.#little ? (registers & 0x0f) | (source << 4) : (registers & 0xf0) | source,
    );
  }

  #refer(slot: number, kind: PendingCall["kind"], section: SectionIndex, target: number): void {
    const callee = rangeAt(this.#code, section, target);
    if (callee === undefined) {
      const name = this.#code.view.object.sections[section]?.name ?? "?";
      this.#error(`no function at instruction ${target} of section '${name}'`);
    } else this.#pending.push({ slot, kind, callee });
  }

  #relocate(range: CodeRange, view: DataView, i: number, slot: number, r: ObjectRelocation): void {
    const symbol = this.#code.view.object.symbols[r.symbol];
    const opcode = view.getUint8(i * 8);
    if (symbol === undefined) this.#error(`relocation of a symbol that does not exist`);
    else if (opcode === CALL) this.#relocateCall(view, i, slot, symbol);
    else if (opcode === LD_IMM64 && (i + 2) * 8 <= view.byteLength) {
      this.#relocateImmediate(view, i, slot, symbol, r.addend ?? 0);
    } else this.#error(`relocation at instruction ${range.start + i}, which takes none`);
  }

  #relocateCall(view: DataView, i: number, slot: number, symbol: ObjectSymbol): void {
    if (typeof symbol.section === "number") {
      const imm = view.getInt32(i * 8 + 4, this.#little);
      this.#setSourceRegister(view, i, PSEUDO_CALL);
      this.#refer(slot, "call", symbol.section, (symbol.value >> 3) + imm + 1);
      return;
    }
    this.#setSourceRegister(view, i, PSEUDO_KFUNC_CALL);
    view.setInt32(i * 8 + 4, 0, this.#little);
    this.#kernelReferences.push(this.#kernelReference("kfunc", slot, symbol));
  }

  #kernelReference(
    kind: KernelReference["kind"],
    slot: number,
    symbol: ObjectSymbol,
  ): KernelReference {
    const type: TypeId = this.#code.view.btfIdOf(kind === "kfunc" ? "func" : "var", symbol.name);
    const weak = symbol.binding === "weak";
    const untyped = kind === "ksym" && this.#code.view.isUntyped(type);
    return { slot, kind, name: symbol.name, weak, type, untyped };
  }

  #relocateImmediate(
    view: DataView,
    i: number,
    slot: number,
    symbol: ObjectSymbol,
    addend: number,
  ): void {
    const little = this.#little;
    const offset = view.getInt32(i * 8 + 4, little) + addend;
    const set = (source: number, low: number, high: number): void => {
      this.#setSourceRegister(view, i, source);
      view.setInt32(i * 8 + 4, low, little);
      view.setInt32(i * 8 + 12, high, little);
    };
    if (typeof symbol.section !== "number") {
      this.#relocateExtern(set, slot, symbol, offset);
      return;
    }
    if (this.#code.ranges.has(symbol.section)) {
      set(PSEUDO_FUNC, 0, 0);
      this.#refer(slot, "address", symbol.section, (symbol.value + offset) >> 3);
      return;
    }
    const target = this.#resolver.data(symbol.section, symbol.value + offset);
    if (target === undefined) {
      const name = this.#code.view.object.sections[symbol.section]?.name ?? "?";
      this.#error(
        `reference to '${symbol.name || name}' in section '${name}', which is neither map nor data`,
      );
    } else if (target.kind === "map") set(PSEUDO_MAP_FD, target.map, 0);
    else set(PSEUDO_MAP_VALUE, target.map, target.offset);
  }

  #relocateExtern(
    set: (source: number, low: number, high: number) => void,
    slot: number,
    symbol: ObjectSymbol,
    offset: number,
  ): void {
    const config = this.#resolver.kconfig(symbol.name);
    if (config !== undefined) {
      set(PSEUDO_MAP_VALUE, config.map, config.offset + offset);
      return;
    }
    const isFunction = this.#code.view.btfIdOf("func", symbol.name) !== 0;
    set(PSEUDO_BTF_ID, 0, 0);
    const reference = this.#kernelReference(isFunction ? "kfunc" : "ksym", slot, symbol);
    this.#kernelReferences.push(reference);
  }

  #join(): Uint8Array {
    const insns = new Uint8Array(this.#slots * 8);
    let at = 0;
    for (const chunk of this.#chunks) {
      insns.set(chunk, at);
      at += chunk.length;
    }
    return insns;
  }

  #patchCalls(insns: Uint8Array): void {
    const view = new DataView(insns.buffer);
    for (const { slot, callee } of this.#pending) {
      const target = this.#starts.get(callee) ?? 0;
      view.setInt32(slot * 8 + 4, target - slot - 1, this.#little);
    }
  }

  #functions(): ProgramFunction[] {
    return this.#order.map((range) => ({
      name: range.symbol.name,
      start: this.#starts.get(range) ?? 0,
      type: this.#code.view.btfIdOf("func", range.symbol.name),
      linkage:
        range.symbol.binding === "local" || range.symbol.visibility === "hidden"
          ? "static"
          : "global",
    }));
  }

  #lines(): ProgramLine[] {
    const { btfExt, object } = this.#code.view;
    if (btfExt === undefined) return [];
    return this.#order.flatMap((range) => {
      const name = object.sections[range.section]?.name;
      const base = this.#starts.get(range) ?? 0;
      return btfExt.lineInfo
        .filter((section) => section.section === name)
        .flatMap((section) => section.records)
        .filter((r) => r.insnOffset >= range.start * 8 && r.insnOffset < range.end * 8)
        .map(({ insnOffset, ...line }) => ({
          ...line,
          slot: base + (insnOffset >> 3) - range.start,
        }));
    });
  }
}

/** Flattens the program whose function starts at that slot of the section. */
export function flattenProgram(
  code: CodeIndex,
  section: SectionIndex,
  slot: number,
  resolver: ReferenceResolver,
  diagnostics: Diagnostics,
): FlatProgram | undefined {
  const main = rangeAt(code, section, slot);
  return main === undefined ? undefined : new Flattener(code, resolver, diagnostics).run(main);
}
