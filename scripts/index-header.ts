/**
 * Finds the declarations of a header that ships with us as the preprocessor's text splitter would,
 * once and for all programs: see compiler/1-preprocess/header-index.ts.
 */
import type { SourceFile } from "../common/diagnostics/source.ts";
import { dynamicMacros } from "../compiler/1-preprocess/dynamic-macros.ts";
import type { HeaderIndexData, MacroBlock } from "../compiler/1-preprocess/header-index.ts";
import type { NameTable } from "../compiler/1-preprocess/header-table.ts";
import { IdentifierTable } from "../compiler/1-preprocess/identifiers.ts";
import { predefinedMacros } from "../compiler/1-preprocess/predefined.ts";
import { SplitterArrays, split, TextSplitter } from "../compiler/1-preprocess/text-splitter.ts";
import { WordFilter } from "../compiler/1-preprocess/word-filter.ts";

const cpus = ["v1", "v2", "v3", "v4"] as const;
const endians = ["little", "big"] as const;
const levels = ["0", "2", "s"] as const;

/** Every name that some compilation defines before it reads a line of the user's. */
function predefinedNames(): Set<string> {
  const names = new Set<string>(dynamicMacros);
  for (const cpu of cpus)
    for (const endian of endians)
      for (const optimization of levels) {
        const target = { cpu, endian, strictAlign: false };
        const text = predefinedMacros({ target, optimization, debugInfo: true, standard: "gnu17" });
        for (const name of definedNames(text)) names.add(name);
      }
  return names;
}

/** But those that stand for themselves, as names of enumerators that `#ifdef` asks for do. */
function definedNames(text: string): string[] {
  const define = /^[ \t]*#[ \t]*define[ \t]+(\w+)(?![ \t]+\1$)/gm;
  return [...text.matchAll(define)].map(([, name]) => name!);
}

/** A filter that takes all these words for macros. */
function filterOf(macros: Iterable<string>): WordFilter {
  const identifiers = new IdentifierTable(true);
  const filter = new WordFilter((text) => identifiers.get(text));
  for (const name of macros) {
    const identifier = identifiers.get(name);
    identifier.macro = {};
    filter.add(identifier);
  }
  return filter;
}

export interface IndexedHeader {
  readonly data: HeaderIndexData;
  /** Of each name `declaration * 4 + kind`, in order of place. */
  readonly names: ReadonlyMap<string, readonly number[]>;
}

class Indexer {
  readonly #file: SourceFile;
  readonly #units: Uint16Array;
  readonly #arrays = new SplitterArrays();
  readonly #splitter: TextSplitter;
  /** Finds the end of a declaration with macros in it. */
  readonly #skipper: TextSplitter;
  readonly #runs: number[] = [];
  readonly #declarations: number[] = [];
  readonly #unconditional: number[] = [];
  readonly #names = new Map<string, number[]>();
  readonly #macros: MacroBlock[] = [];

  constructor(file: SourceFile, macros: WordFilter, keywords: WordFilter) {
    this.#file = file;
    this.#units = Uint16Array.from(file.text, (character) => character.charCodeAt(0));
    this.#splitter = new TextSplitter(file, this.#units, macros, this.#arrays);
    this.#skipper = new TextSplitter(file, this.#units, keywords, new SplitterArrays());
  }

  index(header: number): IndexedHeader {
    let at = 0;
    let lineStart = true;
    while (at < this.#file.text.length) {
      const result = this.#run(at, lineStart);
      if (result === split.directive) {
        at = this.#macroBlock(this.#splitter.start) ?? this.#lineEnd(this.#splitter.start);
        lineStart = true;
        continue;
      }
      lineStart = false;
      const isDeclaration = this.#skipper.next(this.#splitter.end, lineStart) === split.declaration;
      at = isDeclaration ? this.#skipper.end : this.#bracedEnd(this.#splitter.end);
    }
    const data = {
      header,
      runs: this.#runs,
      declarations: this.#declarations,
      unconditional: this.#unconditional,
      macros: this.#macros,
    };
    return { data, names: this.#names };
  }

  /** Notes the row of macro definitions that starts at an offset, if there is one; gives its end. */
  #macroBlock(start: number): number | undefined {
    const names: string[] = [];
    const places: number[] = [];
    let end: number | undefined;
    for (let at = start; ; at = this.#splitter.start) {
      const match = this.#plainDefineAt(at);
      if (match === undefined) break;
      end = this.#lineEnd(at);
      names.push(match.name);
      places.push(match.start, end);
      if (this.#splitter.next(end, false) !== split.directive) break;
    }
    if (end !== undefined) this.#macros.push({ start, end, names, places });
    return end;
  }

  /** A definition as `RawLexer.plainDefine` takes it. */
  #plainDefineAt(at: number): { name: string; start: number } | undefined {
    const define = /(#define[ \t]+)([A-Za-z_]\w*)(?![\w\\]|[^\0-\x7f])/y;
    define.lastIndex = at;
    const match = define.exec(this.#file.text);
    if (match === null || match[2] === "defined") return undefined;
    return { name: match[2]!, start: at + match[1]!.length };
  }

  /** Notes the declarations from an offset on; tells what stands behind them. */
  #run(entry: number, atLineStart: boolean): number {
    const splitter = this.#splitter;
    const first = this.#declarations.length / 2;
    let result = splitter.next(entry, atLineStart);
    let end = entry;
    while (result === split.declaration) {
      // As the preprocessor does, which leaves stray semicolons out.
      if (splitter.count > 1) this.#add();
      end = splitter.end;
      result = splitter.next(end, false);
    }
    const count = this.#declarations.length / 2 - first;
    const isDirective = result === split.directive;
    const next = isDirective ? splitter.start : end;
    this.#runs.push(entry, next, isDirective ? 1 : 0, first, count);
    return result;
  }

  #add(): void {
    const declaration = this.#declarations.length / 2;
    this.#declarations.push(this.#splitter.start, this.#splitter.end);
    const addName: NameTable["addName"] = (text, start, length, kind, of) => {
      const name = text.slice(start, start + length);
      const list = this.#names.get(name) ?? [];
      this.#names.set(name, list);
      list.push(of * 4 + kind);
    };
    const addNames: NameTable["addNames"] = (text, _, found, count, of) => {
      for (let at = 0; at < count; at += 1)
        addName(text, found.nameStarts[at]!, found.nameLengths[at]!, found.nameKinds[at]!, of);
    };
    const sink = { addName, addNames };
    if (this.#splitter.addNames(sink, declaration)) this.#unconditional.push(declaration);
  }

  /** The end of a record with directives among its members. */
  #bracedEnd(from: number): number {
    const { text } = this.#file;
    const close = text.indexOf("\n}", from);
    const end = close < 0 ? -1 : text.indexOf(";", close);
    return end < 0 ? text.length : end + 1;
  }

  /** The end of a directive's line, continuation lines and comments included. */
  #lineEnd(from: number): number {
    const { text } = this.#file;
    for (let at = from; at < text.length; at += 1) {
      if (text.startsWith("/*", at)) at = text.indexOf("*/", at + 2) + 1;
      else if (text[at] === "\n" && text[at - 1] !== "\\") return at;
    }
    return text.length;
  }
}

/** The index of each header, by its name. */
export function indexHeaders(
  headers: ReadonlyMap<string, string>,
): ReadonlyMap<string, IndexedHeader> {
  const macros = predefinedNames();
  for (const text of headers.values()) for (const name of definedNames(text)) macros.add(name);
  const filter = filterOf(macros);
  const keywords = filterOf([]);
  return new Map(
    [...headers].map(([path, text], at) => {
      const file = { path, text, isSystem: true };
      return [path, new Indexer(file, filter, keywords).index(at)];
    }),
  );
}
