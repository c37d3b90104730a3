/** What is known while assembly text is read: the current section, symbols, constants. */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Span } from "../common/diagnostics/source.ts";
import type {
  Endian,
  SymbolBinding,
  SymbolType,
  SymbolVisibility,
} from "../common/object/object-file.ts";
import { type ExpressionScope, type ExpressionValue, parseExpression } from "./expression.ts";
import { LocalLabels } from "./parse-instruction.ts";
import type { PendingItem, SectionBuilder } from "./section-builder.ts";
import type { TokenCursor } from "./tokens.ts";

export interface SymbolFacts {
  binding?: SymbolBinding;
  visibility?: SymbolVisibility;
  type?: SymbolType;
  size?: ExpressionValue;
}

/** Flags of sections that are known by name. */
const knownSections: Readonly<Record<string, number>> = {
  ".text": 6,
  ".data": 3,
  ".bss": 3,
  ".rodata": 2,
};

export class ParseState {
  readonly cursor: TokenCursor;
  readonly endian: Endian;
  readonly diagnostics: Diagnostics;
  readonly labels = new LocalLabels("local");
  readonly sections: SectionBuilder[] = [];
  /** By name, in the order of their first mention. */
  readonly symbols = new Map<string, SymbolFacts>();
  /** Names that were set to a symbol. */
  readonly aliases = new Map<string, { readonly target: string; readonly span: Span }>();
  /** `.text` where the text never names it. */
  implicitText: SectionBuilder | undefined;
  readonly scope: ExpressionScope;
  readonly #constants = new Map<string, bigint>();
  readonly #stack: SectionBuilder[] = [];
  #current: SectionBuilder;
  #previous: SectionBuilder;
  #anonymous = 0;
  /** Room of the data item that was last added to. */
  #growing: Uint8Array = new Uint8Array(0);

  constructor(cursor: TokenCursor, endian: Endian, diagnostics: Diagnostics) {
    this.cursor = cursor;
    this.endian = endian;
    this.diagnostics = diagnostics;
    this.#current = this.#section(".text", undefined);
    this.#previous = this.#current;
    this.implicitText = this.#current;
    this.scope = {
      localLabel: (text) => (text === "." ? this.#here() : this.labels.localLabel(text)),
      constant: (name) => this.#constants.get(name),
    };
  }

  /** `.`: a label at the current place. */
  #here(): string {
    this.#anonymous += 1;
    const name = `.Lhere${this.#anonymous}`;
    const span = this.cursor.spanOf(this.cursor.token);
    this.add({ kind: "item", item: { kind: "label", name }, span });
    return name;
  }

  #section(
    name: string,
    facts: Pick<SectionBuilder, "kind" | "flags" | "entrySize"> | undefined,
  ): SectionBuilder {
    const known = this.sections.find((section) => section.name === name);
    if (known !== undefined) return known;
    const kind = name === ".bss" || name.startsWith(".bss.") ? "nobits" : "progbits";
    const flags = knownSections[name] ?? 0;
    const section = { name, kind, flags, entrySize: 0, ...facts, items: [] } as SectionBuilder;
    this.sections.push(section);
    return section;
  }

  /** Whether the current section takes memory but no bytes of the file. */
  get isZeroFilled(): boolean {
    return this.#current.kind === "nobits";
  }

  /** Facts count at a section's first mention; later ones may leave them out. */
  switchSection(name: string, facts?: Pick<SectionBuilder, "kind" | "flags" | "entrySize">): void {
    this.#previous = this.#current;
    this.#current = this.#section(name, facts);
    if (this.#current === this.implicitText) this.implicitText = undefined;
  }

  pushSection(): void {
    this.#stack.push(this.#current);
  }

  popSection(): boolean {
    const section = this.#stack.pop();
    if (section === undefined) return false;
    this.#previous = this.#current;
    this.#current = section;
    return true;
  }

  swapSections(): void {
    [this.#current, this.#previous] = [this.#previous, this.#current];
  }

  add(item: PendingItem): void {
    this.#current.items.push(item);
  }

  /** Adjacent data is one item. Its buffer grows by doubling: debug sections are long. */
  addData(bytes: Uint8Array, span: Span): void {
    const last = this.#current.items.at(-1);
    if (last?.kind !== "item" || last.item.kind !== "data") {
      this.add({ kind: "item", item: { kind: "data", bytes }, span });
      return;
    }
    const known = last.item.bytes;
    const size = known.length + bytes.length;
    let room = this.#growing;
    if (known.buffer !== room.buffer || size > room.length) {
      room = new Uint8Array(size * 2);
      room.set(known);
      this.#growing = room;
    }
    room.set(bytes, known.length);
    this.#current.items.pop();
    this.add({ ...last, item: { kind: "data", bytes: room.subarray(0, size) } });
  }

  /** Notes a symbol that is used or described, and gives its facts. */
  mention(name: string): SymbolFacts {
    const known = this.symbols.get(name);
    if (known !== undefined) return known;
    const facts: SymbolFacts = {};
    this.symbols.set(name, facts);
    return facts;
  }

  define(name: string): void {
    this.mention(name);
  }

  /** `name = expression`, after the `=`. */
  set(name: string): void {
    const value = parseExpression(this.cursor, this.scope, this.diagnostics);
    if (value === undefined) return;
    if (value.plus !== undefined && value.minus === undefined && value.value === 0n) {
      this.aliases.set(name, { target: value.plus, span: value.span });
      this.mention(name);
      return;
    }
    if (value.plus !== undefined || value.minus !== undefined) {
      const message = `'${name}' can only be set to a number or a symbol`;
      this.diagnostics.error("bad-expression", message, value.span);
      return;
    }
    this.#constants.set(name, value.value);
  }
}
