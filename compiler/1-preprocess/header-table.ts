/**
 * The declarations of all headers, and an index of their names. Kept in typed arrays: a vmlinux.h
 * has 16,000 declarations and 34,000 names, of which a program reaches a hundred.
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { IdentifierTable } from "./identifiers.ts";
import { type LexerReport, RawLexer } from "./raw-lexer.ts";
import type {
  DeclaredKind,
  HeaderDeclarations,
  HeaderName,
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

const UNCONDITIONAL = 1;
const INITIAL = 1 << 13;

/** Typed arrays that grow together. */
function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

export class HeaderTable implements HeaderDeclarations {
  readonly #identifiers: IdentifierTable;
  readonly #report: (file: SourceFile) => LexerReport;

  // Declarations: three numbers each (main index, start, end), an index into #places, flags.
  #count = 0;
  #mainIndex = new Int32Array(INITIAL);
  #start = new Int32Array(INITIAL);
  #end = new Int32Array(INITIAL);
  #place = new Int32Array(INITIAL);
  #flags = new Int32Array(INITIAL);
  readonly #places: TextPlace[] = [];
  /** Runs of declarations that had to be expanded at once, by declaration. */
  readonly #runs = new Map<number, TokenRun>();

  // Names: a hash table with chains.
  #nameCount = 0;
  #buckets = new Int32Array(1 << 15).fill(-1);
  #nameNext = new Int32Array(INITIAL);
  #nameHash = new Int32Array(INITIAL);
  #nameStart = new Int32Array(INITIAL);
  #nameLength = new Int32Array(INITIAL);
  #nameText = new Int32Array(INITIAL);
  #nameDeclaration = new Int32Array(INITIAL);
  #nameKind = new Int32Array(INITIAL);
  readonly #texts: string[] = [];

  constructor(identifiers: IdentifierTable, report: (file: SourceFile) => LexerReport) {
    this.#identifiers = identifiers;
    this.#report = report;
  }

  get count(): number {
    return this.#count;
  }

  mainIndex(declaration: number): number {
    return this.#mainIndex[declaration]!;
  }

  isUnconditional(declaration: number): boolean {
    return (this.#flags[declaration]! & UNCONDITIONAL) !== 0;
  }

  // Adding

  #add(mainIndex: number, start: number, end: number, unconditional: boolean): number {
    const declaration = this.#count;
    if (declaration === this.#start.length) {
      this.#mainIndex = grown(this.#mainIndex);
      this.#start = grown(this.#start);
      this.#end = grown(this.#end);
      this.#place = grown(this.#place);
      this.#flags = grown(this.#flags);
    }
    this.#mainIndex[declaration] = mainIndex;
    this.#start[declaration] = start;
    this.#end[declaration] = end;
    this.#flags[declaration] = unconditional ? UNCONDITIONAL : 0;
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
    const declaration = this.#add(mainIndex, start, end, false);
    this.#place[declaration] = this.#places.length - 1;
    return declaration;
  }

  setUnconditional(declaration: number): void {
    this.#flags[declaration] = UNCONDITIONAL;
  }

  /** A declaration whose tokens were expanded already; gives its number. */
  addRun(mainIndex: number, run: TokenRun, unconditional: boolean): number {
    const declaration = this.#add(mainIndex, 0, 0, unconditional);
    this.#runs.set(declaration, run);
    return declaration;
  }

  /** A name that stands in `text` at an offset. */
  addName(text: string, start: number, length: number, kind: number, declaration: number): void {
    const entry = this.#nameCount;
    if (entry === this.#nameHash.length) this.#growNames();
    if (entry * 2 > this.#buckets.length) this.#rehash();
    const hash = hashOf(text, start, length);
    const bucket = hash & (this.#buckets.length - 1);
    this.#nameHash[entry] = hash;
    this.#nameStart[entry] = start;
    this.#nameLength[entry] = length;
    this.#nameText[entry] = this.#textId(text);
    this.#nameDeclaration[entry] = declaration;
    this.#nameKind[entry] = kind;
    this.#nameNext[entry] = this.#buckets[bucket]!;
    this.#buckets[bucket] = entry;
    this.#nameCount += 1;
  }

  /** Names come in runs from one file: only the last text is looked at. */
  #textId(text: string): number {
    const last = this.#texts.length - 1;
    if (last >= 0 && this.#texts[last] === text) return last;
    this.#texts.push(text);
    return last + 1;
  }

  #growNames(): void {
    this.#nameNext = grown(this.#nameNext);
    this.#nameHash = grown(this.#nameHash);
    this.#nameStart = grown(this.#nameStart);
    this.#nameLength = grown(this.#nameLength);
    this.#nameText = grown(this.#nameText);
    this.#nameDeclaration = grown(this.#nameDeclaration);
    this.#nameKind = grown(this.#nameKind);
  }

  #rehash(): void {
    const buckets = new Int32Array(this.#buckets.length * 4).fill(-1);
    const mask = buckets.length - 1;
    for (let entry = 0; entry < this.#nameCount; entry += 1) {
      const bucket = this.#nameHash[entry]! & mask;
      this.#nameNext[entry] = buckets[bucket]!;
      buckets[bucket] = entry;
    }
    this.#buckets = buckets;
  }

  // Asking

  /** Declarations of a name, in source order. */
  lookup(name: string): readonly HeaderName[] {
    const found: HeaderName[] = [];
    const hash = hashOf(name, 0, name.length);
    let entry = this.#buckets[hash & (this.#buckets.length - 1)]!;
    for (; entry >= 0; entry = this.#nameNext[entry]!) {
      if (this.#nameHash[entry] !== hash || this.#nameLength[entry] !== name.length) continue;
      const text = this.#texts[this.#nameText[entry]!]!;
      if (!text.startsWith(name, this.#nameStart[entry]!)) continue;
      const declaration = this.#nameDeclaration[entry]!;
      found.push({ declaration, kind: kinds[this.#nameKind[entry]!]! });
    }
    return found.reverse();
  }

  run(declaration: number): TokenRun {
    const known = this.#runs.get(declaration);
    if (known !== undefined) return known;
    const { file, state, warnings } = this.#places[this.#place[declaration]!]!;
    const start = this.#start[declaration]!;
    const end = this.#end[declaration]!;
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

/** Looks at up to eight characters, spread evenly: enough to tell names apart. */
function hashOf(text: string, start: number, length: number): number {
  let hash = length;
  const step = length <= 8 ? 1 : length / 8;
  for (let offset = 0; offset < length; offset += step)
    hash = (Math.imul(hash, 31) + text.charCodeAt(start + Math.trunc(offset))) | 0;
  hash = (Math.imul(hash, 31) + text.charCodeAt(start + length - 1)) | 0;
  return hash ^ (hash >>> 15);
}
