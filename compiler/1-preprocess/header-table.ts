/**
 * The declarations of all headers, and an index of their names. Kept in typed arrays: a vmlinux.h
 * has 16,000 declarations and 34,000 names, of which a program reaches a hundred.
 */
import { pushTo } from "../../common/append.ts";
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { HeaderIndex } from "./header-index.ts";
import type { HeaderNames } from "./header-names.ts";
import type { IdentifierTable } from "./identifiers.ts";
import { type LexerReport, RawLexer } from "./raw-lexer.ts";
import type {
  DeclaredKind,
  HeaderDeclarations,
  HeaderName,
  HeaderText,
  PragmaState,
  TokenRun,
} from "./stream.ts";
import { LINE_START, Token } from "./token.ts";
import { endOfFile } from "./token-types.ts";
import type { WarningState } from "./warning-state.ts";

const kinds: readonly DeclaredKind[] = ["typedef", "enumerator", "object", "tag"];
export const declaredKind = { typedef: 0, enumerator: 1, object: 2, tag: 3 } as const;

/** Where a declaration's text lies, and what was in force there. */
interface TextPlace {
  readonly file: SourceFile;
  readonly state: PragmaState;
  readonly warnings: WarningState | undefined;
}

/** UTF-16 units of a text; the bytes of the file themselves where it is ASCII. */
export type TextUnits = Uint8Array | Uint16Array;

/** Names as a text splitter notes them: place, length and {@link declaredKind}. */
export interface FoundNames {
  readonly nameStarts: Int32Array;
  readonly nameLengths: Int32Array;
  readonly nameKinds: Uint8Array;
}

/** Takes the names of declarations. */
export interface NameTable {
  /** A name that stands in `text` at an offset. */
  addName(text: string, start: number, length: number, kind: number, declaration: number): void;
  /** The first `count` of some names of a declaration. */
  addNames(text: string, units: TextUnits, found: FoundNames, count: number, of: number): void;
}

const INITIAL = 1 << 10;
const INITIAL_BUCKETS = 1 << 14;

// A declaration's numbers in #declarations.
const MAIN_INDEX = 0;
const START = 1;
const END = 2;
const PLACE = 3;
const DECLARATION_SIZE = 4;

// A name's numbers in #names.
const NEXT = 0;
const HASH = 1;
const NAME_START = 2;
const LENGTH = 3;
const TEXT = 4;
const DECLARATION = 5;
const KIND = 6;
const NAME_SIZE = 7;

function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}

/** Declarations of a {@link HeaderIndex} that were read; `shift` makes their numbers ours. */
interface IndexedSpan {
  readonly from: number;
  readonly to: number;
  readonly shift: number;
}

export class HeaderTable implements HeaderDeclarations, NameTable {
  readonly #identifiers: IdentifierTable;
  readonly #report: (file: SourceFile) => LexerReport;

  #count = 0;
  #declarations = new Int32Array(INITIAL * DECLARATION_SIZE);
  readonly #places: TextPlace[] = [];
  /** Runs of declarations that had to be expanded at once, by declaration. */
  readonly #runs = new Map<number, TokenRun>();
  readonly unconditional: number[] = [];

  /** Headers that were split beforehand, by their number in their table of names. */
  readonly #indexed = new Map<number, IndexedSpan[]>();
  #indexedNames: HeaderNames | undefined;

  /** A hash table with chains. */
  #nameCount = 0;
  #names = new Int32Array(NAME_SIZE);
  /** One until the first names come: those of headers that ship are in their index. */
  #buckets = new Int32Array(1).fill(-1);
  readonly #texts: string[] = [];
  /** What was found, by name; nothing is added any more once names are asked for. */
  readonly #found = new Map<string, readonly HeaderName[]>();

  constructor(identifiers: IdentifierTable, report: (file: SourceFile) => LexerReport) {
    this.#identifiers = identifiers;
    this.#report = report;
  }

  get count(): number {
    return this.#count;
  }

  mainIndex(declaration: number): number {
    return this.#declarations[declaration * DECLARATION_SIZE + MAIN_INDEX]!;
  }

  countUpTo(mainIndex: number, atLeast: number): number {
    const declarations = this.#declarations;
    const count = this.#count;
    let at = atLeast;
    while (at < count && declarations[at * DECLARATION_SIZE + MAIN_INDEX]! <= mainIndex) at += 1;
    return at;
  }

  // Adding

  /** Makes room for what a text of this length may declare, so that the arrays grow once. */
  reserve(length: number): void {
    const declarations = (this.#count + (length >> 7)) * DECLARATION_SIZE;
    if (declarations > this.#declarations.length)
      this.#declarations = grown(this.#declarations, declarations);
    const names = this.#nameCount + (length >> 6);
    if (names * NAME_SIZE > this.#names.length) this.#names = grown(this.#names, names * NAME_SIZE);
    if (names > this.#buckets.length) this.#rehash(names);
  }

  #add(mainIndex: number, start: number, end: number, place: number): number {
    const declaration = this.#count;
    const at = declaration * DECLARATION_SIZE;
    if (at === this.#declarations.length) this.#declarations = grown(this.#declarations, at * 2);
    const declarations = this.#declarations;
    declarations[at + MAIN_INDEX] = mainIndex;
    declarations[at + START] = start;
    declarations[at + END] = end;
    declarations[at + PLACE] = place;
    this.#count += 1;
    return declaration;
  }

  /** Notes what is in force where declarations of a file are about to be added. */
  addPlace(place: TextPlace): void {
    const last = this.#places.at(-1);
    const isSame =
      last?.file === place.file && last.state === place.state && last.warnings === place.warnings;
    if (!isSame) this.#places.push(place);
  }

  /** A declaration at the place added last, lexed when it is asked for. */
  addText(mainIndex: number, start: number, end: number): number {
    return this.#add(mainIndex, start, end, this.#places.length - 1);
  }

  /** Declarations `from` to before `to` of a header that was split beforehand, at the place added last. */
  addIndexed(mainIndex: number, index: HeaderIndex, from: number, to: number): void {
    const { unconditional } = index;
    const shift = this.#count - from;
    this.#addSpans(mainIndex, index.declarations, from, to);
    for (const at of unconditional) if (at >= from && at < to) this.unconditional.push(at + shift);
    pushTo(this.#indexed, index.header, { from, to, shift });
    this.#indexedNames = index.names;
  }

  /** In one loop: calls for each were a noticeable part of a small compilation. */
  #addSpans(mainIndex: number, spans: readonly number[], from: number, to: number): void {
    const count = this.#count + to - from;
    const wanted = count * DECLARATION_SIZE;
    if (wanted > this.#declarations.length)
      this.#declarations = grown(this.#declarations, wanted * 2);
    const declarations = this.#declarations;
    const place = this.#places.length - 1;
    let at = this.#count * DECLARATION_SIZE;
    for (let span = from * 2; span < to * 2; span += 2) {
      declarations[at + MAIN_INDEX] = mainIndex;
      declarations[at + START] = spans[span]!;
      declarations[at + END] = spans[span + 1]!;
      declarations[at + PLACE] = place;
      at += DECLARATION_SIZE;
    }
    this.#count = count;
  }

  /** A declaration whose tokens were expanded already; gives its number. */
  addRun(mainIndex: number, run: TokenRun): number {
    const declaration = this.#add(mainIndex, 0, 0, -1);
    this.#runs.set(declaration, run);
    return declaration;
  }

  /** A name that stands in `text` at an offset. */
  addName(text: string, start: number, length: number, kind: number, declaration: number): void {
    const entry = this.#nameCount;
    const at = entry * NAME_SIZE;
    if (at === this.#names.length)
      this.#names = grown(this.#names, Math.max(at * 2, INITIAL * NAME_SIZE));
    if (entry === this.#buckets.length) this.#rehash(entry * 4);
    const names = this.#names;
    const hash = hashOf(text, start, length);
    const bucket = hash & (this.#buckets.length - 1);
    names[at + NEXT] = this.#buckets[bucket]!;
    names[at + HASH] = hash;
    names[at + NAME_START] = start;
    names[at + LENGTH] = length;
    names[at + TEXT] = this.#textId(text);
    names[at + DECLARATION] = declaration;
    names[at + KIND] = kind;
    this.#buckets[bucket] = entry;
    this.#nameCount += 1;
  }

  /**
   * The first `count` of some names of a declaration. The loop is all in one place: a vmlinux.h has
   * 34,000 of them, and calls cost most before the engine has optimised them.
   */
  addNames(text: string, units: TextUnits, found: FoundNames, count: number, of: number): void {
    const { nameStarts, nameLengths, nameKinds } = found;
    const size = (this.#nameCount + count) * NAME_SIZE;
    if (size > this.#names.length)
      this.#names = grown(this.#names, Math.max(size, this.#names.length * 2));
    if (this.#nameCount + count > this.#buckets.length) this.#rehash((this.#nameCount + count) * 4);
    const names = this.#names;
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    const id = this.#textId(text);
    let entry = this.#nameCount;
    for (let index = 0; index < count; index += 1) {
      const start = nameStarts[index]!;
      const length = nameLengths[index]!;
      const end = start + length;
      // As in hashOf.
      let hash = units[end - 1]! + length;
      const step = length <= 8 ? 1 : (length + 7) >> 3;
      for (let at = start; at < end; at += step) hash = (Math.imul(hash, 31) + units[at]!) | 0;
      hash ^= hash >>> 15;
      const at = entry * NAME_SIZE;
      names[at + NEXT] = buckets[hash & mask]!;
      names[at + HASH] = hash;
      names[at + NAME_START] = start;
      names[at + LENGTH] = length;
      names[at + TEXT] = id;
      names[at + DECLARATION] = of;
      names[at + KIND] = nameKinds[index]!;
      buckets[hash & mask] = entry;
      entry += 1;
    }
    this.#nameCount = entry;
  }

  /** Names come in runs from one file: only the last text is looked at. */
  #textId(text: string): number {
    const last = this.#texts.length - 1;
    if (last >= 0 && this.#texts[last] === text) return last;
    this.#texts.push(text);
    return last + 1;
  }

  #rehash(wanted: number): void {
    let size = Math.max(this.#buckets.length, INITIAL_BUCKETS);
    while (size < wanted) size *= 2;
    const buckets = new Int32Array(size).fill(-1);
    const names = this.#names;
    for (let entry = 0; entry < this.#nameCount; entry += 1) {
      const bucket = names[entry * NAME_SIZE + HASH]! & (size - 1);
      names[entry * NAME_SIZE + NEXT] = buckets[bucket]!;
      buckets[bucket] = entry;
    }
    this.#buckets = buckets;
  }

  // Asking

  /** Declarations of a name, in source order. */
  lookup(name: string): readonly HeaderName[] {
    let found = this.#found.get(name);
    if (found === undefined) {
      found = this.#find(name);
      this.#found.set(name, found);
    }
    return found;
  }

  #find(name: string): readonly HeaderName[] {
    const names = this.#names;
    const found: HeaderName[] = [];
    const hash = hashOf(name, 0, name.length);
    let entry = this.#buckets[hash & (this.#buckets.length - 1)]!;
    while (entry >= 0) {
      const at = entry * NAME_SIZE;
      entry = names[at + NEXT]!;
      if (names[at + HASH] !== hash || names[at + LENGTH] !== name.length) continue;
      const text = this.#texts[names[at + TEXT]!]!;
      const start = names[at + NAME_START]!;
      if (!text.startsWith(name, start)) continue;
      const kind = kinds[names[at + KIND]!]!;
      const record = kind === "tag" ? recordWord(text, start, start + name.length) : undefined;
      found.push({ declaration: names[at + DECLARATION]!, kind, ...(record && { record }) });
    }
    found.reverse();
    const isIndexed = this.#findIndexed(name, found);
    if (isIndexed && found.length > 1) found.sort((a, b) => a.declaration - b.declaration);
    return found;
  }

  /** Adds what headers that were split beforehand declare; true where they may. */
  #findIndexed(name: string, found: HeaderName[]): boolean {
    const places = this.#indexedNames?.find(name);
    if (places === undefined) return false;
    for (let at = 0; at < places.length; at += 2) {
      const spans = this.#indexed.get(places[at]!);
      if (spans !== undefined) addIndexedName(places[at + 1]!, spans, found);
    }
    return true;
  }

  text(declaration: number): HeaderText | undefined {
    if (this.#runs.has(declaration)) return undefined;
    const at = declaration * DECLARATION_SIZE;
    const { file } = this.#places[this.#declarations[at + PLACE]!]!;
    return {
      file,
      start: this.#declarations[at + START]!,
      end: this.#declarations[at + END]!,
    };
  }

  run(declaration: number): TokenRun {
    const known = this.#runs.get(declaration);
    if (known !== undefined) return known;
    const at = declaration * DECLARATION_SIZE;
    const start = this.#declarations[at + START]!;
    const end = this.#declarations[at + END]!;
    const { file, state, warnings } = this.#places[this.#declarations[at + PLACE]!]!;
    const lexer = new RawLexer(file, this.#identifiers, this.#report(file), start, end);
    const tokens: Token[] = [];
    for (let token = lexer.next(); token.tokenType !== endOfFile; token = lexer.next()) {
      token.warnings = warnings;
      tokens.push(token);
    }
    tokens.push(new Token(endOfFile, "", file, end, end, LINE_START, undefined));
    return { tokens, events: [], state };
  }
}

/** `struct` or `union` where a declaration of just that or a definition has its tag at `start`. */
function recordWord(text: string, start: number, end: number): "struct" | "union" | undefined {
  if (!/^ ?[{;]/.test(text.slice(end, end + 2))) return undefined;
  const before = text.slice(Math.max(start - 8, 0), start);
  if (/(?:^|\W)struct $/.test(before)) return "struct";
  return /(?:^|\W)union $/.test(before) ? "union" : undefined;
}

/** Adds a name's declaration where it was read. */
function addIndexedName(entry: number, spans: readonly IndexedSpan[], found: HeaderName[]): void {
  const at = entry >> 2;
  for (const { from, to, shift } of spans)
    if (at >= from && at < to) found.push({ declaration: at + shift, kind: kinds[entry & 3]! });
}

/** Looks at up to nine characters, spread evenly: enough to tell names apart. */
function hashOf(text: string, start: number, length: number): number {
  let hash = text.charCodeAt(start + length - 1) + length;
  const step = length <= 8 ? 1 : (length + 7) >> 3;
  for (let at = start; at < start + length; at += step)
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash ^ (hash >>> 15);
}
