/**
 * Assembly text → AsmModule: labels, directives and instructions in LLVM's syntax, as clang -S
 * writes it. Directives for DWARF's line table, unwinding and linker hints are read and dropped.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../common/diagnostics/source.ts";
import type { Endian } from "../common/object/object-file.ts";
import type { AsmItem, AsmModule, AsmSection, AsmSymbol } from "./asm-module.ts";
import { canonicalModule, largestAlignment } from "./canonical.ts";
import { directives } from "./directives.ts";
import { parseInstruction } from "./parse-instruction.ts";
import { ParseState } from "./parse-state.ts";
import {
  constantOf,
  lebBytes,
  type PendingItem,
  type Place,
  placeLabels,
  type SectionBuilder,
  wordBytes,
} from "./section-builder.ts";
import { isTemporaryName } from "./symbols.ts";
import { type Token, TokenCursor, tokenize } from "./tokens.ts";

export interface ParsedAssembly {
  readonly module: AsmModule;
  /** Where an item of the module stands in the text. */
  readonly spanOf: (item: AsmItem) => Span | undefined;
}

/** Errors go to `diagnostics`; the module then holds what could be read. */
export function parseAssembly(
  file: SourceFile,
  endian: Endian,
  diagnostics: Diagnostics,
): ParsedAssembly {
  const cursor = new TokenCursor(file, tokenize(file, diagnostics));
  const state = new ParseState(cursor, endian, diagnostics);
  while (!cursor.isAtLast) {
    parseStatement(state);
  }
  return finish(state);
}

function parseStatement(state: ParseState): void {
  const { cursor, diagnostics } = state;
  const { token } = cursor;
  if (token.kind === "end") {
    cursor.skipStatement();
    return;
  }
  if (cursor.peek(1).text === ":" && token.kind !== "punctuation") {
    defineLabel(state, token);
    return;
  }
  if (token.kind === "name" && token.text.startsWith(".")) {
    const directive = directives[token.text];
    if (directive === undefined) {
      const message = `unknown directive '${token.text}'`;
      diagnostics.error("unknown-directive", message, cursor.spanOf(token));
    } else {
      cursor.next();
      directive(state, token);
    }
  } else if (
    token.kind === "name" &&
    cursor.peek(1).text === "=" &&
    !/^[rw]\d+$/.test(token.text)
  ) {
    cursor.next();
    cursor.next();
    state.set(token.text);
  } else {
    const parsed = parseInstruction(cursor, state.scope, diagnostics);
    if (parsed !== undefined) {
      const { insn, target } = parsed;
      const item: AsmItem = { kind: "instruction", insn, ...(target && { target }) };
      if (target !== undefined) state.mention(target.symbol);
      state.add({ kind: "item", item, span: cursor.spanFrom(token) });
    }
  }
  cursor.skipStatement();
}

function defineLabel(state: ParseState, token: Token): void {
  const { cursor } = state;
  cursor.next();
  cursor.next();
  const name = token.kind === "number" ? state.labels.define(token.text) : token.text;
  state.add({ kind: "item", item: { kind: "label", name }, span: cursor.spanOf(token) });
  state.define(name);
}

/** Other names of a label become labels beside it, with what is known of it. */
function placeAliases(state: ParseState): void {
  const { aliases, sections, diagnostics } = state;
  const waiting = new Map<string, string[]>();
  for (const [name, { target }] of aliases) {
    waiting.set(target, [...(waiting.get(target) ?? []), name]);
  }
  if (waiting.size === 0) return;
  const labelled = (pending: PendingItem): PendingItem[] => {
    if (pending.kind !== "item" || pending.item.kind !== "label") return [pending];
    const { span } = pending;
    // Aliases may have aliases: the list grows while it is read.
    const names = [pending.item.name];
    for (const known of names) {
      const { size, type } = state.mention(known);
      for (const name of waiting.get(known) ?? []) {
        names.push(name);
        state.symbols.set(name, {
          ...(size && { size }),
          ...(type && { type }),
          ...state.mention(name),
        });
      }
      waiting.delete(known);
    }
    return names.map((name) => ({ kind: "item", item: { kind: "label", name }, span }));
  };
  for (const section of sections) {
    section.items = section.items.flatMap(labelled);
  }
  for (const [target, names] of waiting) {
    const span = aliases.get(names[0]!)!.span;
    const message = `'${names[0]}' is set to '${target}', which is no label of this file`;
    diagnostics.error("bad-expression", message, span);
  }
}

function finish(state: ParseState): ParsedAssembly {
  placeAliases(state);
  const labels = placeLabels(state.sections);
  const spans = new Map<AsmItem, Span>();
  const resolver = new Resolver(state, labels, spans);
  const sections = state.sections
    .filter((section) => section.items.length > 0 || section !== state.implicitText)
    .map((builder) => resolver.section(builder));
  const module: AsmModule = {
    endian: state.endian,
    sections,
    symbols: resolver.symbols(),
    functions: [],
  };
  return canonicalWithSpans(module, spans);
}

/** Canonical form keeps instructions and most other items; the rest loses its span. */
function canonicalWithSpans(module: AsmModule, spans: Map<AsmItem, Span>): ParsedAssembly {
  const byInsn = new Map<unknown, Span>();
  for (const [item, span] of spans) if (item.kind === "instruction") byInsn.set(item.insn, span);
  return {
    module: canonicalModule(module),
    spanOf: (item) =>
      spans.get(item) ?? (item.kind === "instruction" ? byInsn.get(item.insn) : undefined),
  };
}

/** Turns pending items into final ones once all labels have places. */
class Resolver {
  readonly #state: ParseState;
  readonly #labels: ReadonlyMap<string, Place>;
  readonly #spans: Map<AsmItem, Span>;
  readonly #defined: ReadonlySet<string>;

  constructor(state: ParseState, labels: ReadonlyMap<string, Place>, spans: Map<AsmItem, Span>) {
    this.#state = state;
    this.#labels = labels;
    this.#spans = spans;
    this.#defined = new Set([...labels.keys(), ...state.sections.map((section) => section.name)]);
  }

  section(builder: SectionBuilder): AsmSection {
    const { name, kind, flags, entrySize } = builder;
    const items = builder.items.map((pending) => this.#item(pending));
    const align = largestAlignment(items);
    return { name, kind, flags, entrySize, align, items };
  }

  #item(pending: PendingItem): AsmItem {
    if (pending.kind === "item") {
      const item = this.#markExtern(pending.item);
      this.#spans.set(item, pending.span);
      return item;
    }
    const { value } = pending;
    const number = constantOf(value, this.#labels);
    if (pending.kind === "leb") {
      if (number === undefined) this.#fail("needs a number or labels of one section", value.span);
      return { kind: "data", bytes: lebBytes(number ?? 0n, pending.signed) };
    }
    const { size } = pending;
    if (number !== undefined) {
      const limit = 1n << BigInt(size * 8);
      if (number < -limit / 2n || number >= limit) {
        this.#fail(`${number} does not fit ${size} bytes`, value.span);
      }
      return { kind: "data", bytes: wordBytes(number, size, this.#state.endian) };
    }
    const symbol = value.plus;
    if (symbol === undefined || value.minus !== undefined || (size !== 4 && size !== 8)) {
      this.#fail("this expression cannot be put into the object", value.span);
      return { kind: "data", bytes: new Uint8Array(size) };
    }
    const type = size === 8 ? "R_BPF_64_ABS64" : this.#wordRelocation(symbol);
    const target = { symbol, addend: Number(value.value) };
    const item: AsmItem = { kind: "reference", type, target };
    this.#spans.set(item, value.span);
    return item;
  }

  #fail(message: string, span: Span): void {
    this.#state.diagnostics.error("bad-expression", message, span);
  }

  /** Calls of symbols that no section defines are for the loader or linker to resolve. */
  #markExtern(item: AsmItem): AsmItem {
    if (item.kind !== "instruction" || item.insn.kind !== "call") return item;
    if (item.target === undefined || this.#defined.has(item.target.symbol)) return item;
    return { ...item, insn: { ...item.insn, target: "kfunc" } };
  }

  /**
   * LLVM's rule: offsets in code (temporary labels) and in writable data (symbols), as BTF has
   * them, are NODYLD32, everything else ABS32.
   */
  #wordRelocation(symbol: string): "R_BPF_64_NODYLD32" | "R_BPF_64_ABS32" {
    const place = this.#labels.get(symbol);
    const flags = place === undefined ? 0 : (this.#state.sections[place.section]?.flags ?? 0);
    const writable = 1 | 2;
    const executable = 2 | 4;
    const wanted = isTemporaryName(symbol) ? executable : writable;
    return (flags & wanted) === wanted ? "R_BPF_64_NODYLD32" : "R_BPF_64_ABS32";
  }

  symbols(): AsmSymbol[] {
    const symbols: AsmSymbol[] = [];
    for (const [name, facts] of this.#state.symbols) {
      const defined = this.#labels.has(name) || facts.type === "file";
      const isSection = this.#state.sections.some((section) => section.name === name);
      if (!defined && (isSection || isTemporaryName(name))) continue;
      if (defined && isTemporaryName(name) && facts.binding === undefined) continue;
      const size = facts.size && constantOf(facts.size, this.#labels);
      if (facts.size !== undefined && size === undefined) {
        this.#fail("a symbol's size must be a number", facts.size.span);
      }
      const isUnsized = size === undefined && facts.type === "func" && defined;
      symbols.push({
        name,
        binding: facts.binding ?? (defined ? "local" : "global"),
        visibility: facts.visibility ?? "default",
        type: facts.type ?? "notype",
        ...(size !== undefined && { size: Number(size) }),
        ...(isUnsized && { size: 0 }),
        defined,
      });
    }
    return symbols;
  }
}
