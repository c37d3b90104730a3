/** State that the parts of the preprocessor share while one unit is read. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../../common/diagnostics/source.ts";
import { IndexReader } from "./header-index.ts";
import type { Identifier, IdentifierTable } from "./identifiers.ts";
import type { FoundFile, IncludeSearch } from "./include-search.ts";
import { type DynamicMacro, Macro } from "./macro.ts";
import type { PreprocessOptions } from "./options.ts";
import type { LexerReport, RawLexer } from "./raw-lexer.ts";
import type { LayoutEvent, PragmaState, StreamEvent } from "./stream.ts";
import { initialPragmaState } from "./stream.ts";
import type { TextSplitter } from "./text-splitter.ts";
import type { Token } from "./token.ts";
import type { WarningState } from "./warning-state.ts";
import { WordFilter } from "./word-filter.ts";

/** One `#if` … `#endif` that is open. */
export interface Conditional {
  readonly span: Span;
  /** A branch was taken already (or the whole is skipped). */
  taken: boolean;
  elseSeen: boolean;
  /** It may be an include guard: the macro it tests for being undefined. */
  guard: Identifier | undefined;
}

/** A file that is being read. */
export interface FileFrame {
  readonly found: FoundFile;
  readonly lexer: RawLexer;
  readonly conditionals: Conditional[];
  isSystem: boolean;
  /** Tokens or directives were seen outside the outermost conditional. */
  strayContent: boolean;
  /** Set when the conditional that may be a guard closed as the last thing so far. */
  guard: Identifier | undefined;
  /** What is known of the header beforehand; the indexes know of the macros of all that have one. */
  readonly index: IndexReader | undefined;
  /** Splits a header's text; made when the file proves to have text worth splitting. */
  splitter: TextSplitter | undefined;
}

/** Something stands here: outside of conditionals the file has no include guard around all of it. */
export function noteContent(frame: FileFrame): void {
  if (frame.conditionals.length > 0) return;
  frame.strayContent = true;
  frame.guard = undefined;
}

/** A parameterless event: the index is filled in by the session. */
export type Emitted<T> = T extends unknown ? Omit<T, "index"> : never;

export class Session {
  readonly options: PreprocessOptions;
  readonly diagnostics: Diagnostics;
  readonly identifiers: IdentifierTable;
  readonly search: IncludeSearch;
  readonly frames: FileFrame[] = [];
  /** Identities of the files with `#pragma once`. */
  readonly once = new Set<string>();
  /** Files that are wrapped in an include guard. */
  readonly guards = new Map<SourceFile, Identifier>();
  readonly dependencies = new Map<string, { path: string; isSystem: boolean }>();
  readonly layout: LayoutEvent[] = [];
  /** Tokens and events of the run being written. */
  output: { tokens: Token[]; events: StreamEvent[]; state: PragmaState };
  pragmaState: PragmaState = initialPragmaState;
  warnings: WarningState | undefined = undefined;
  counter = 0;
  /** Names of macros that neither the target nor a header that ships with us defines. */
  readonly foreignMacros: string[] = [];
  #filter: WordFilter | undefined;
  readonly #lexerReports = new Map<SourceFile, LexerReport>();
  /** Set after a fatal error: reading stops. */
  aborted = false;

  constructor(init: {
    readonly options: PreprocessOptions;
    readonly diagnostics: Diagnostics;
    readonly identifiers: IdentifierTable;
    readonly search: IncludeSearch;
  }) {
    this.options = init.options;
    this.diagnostics = init.diagnostics;
    this.identifiers = init.identifiers;
    this.search = init.search;
    this.output = { tokens: [], events: [], state: initialPragmaState };
  }

  /** What may be taken of a header as it was found beforehand. */
  indexOf(file: SourceFile): IndexReader | undefined {
    const { indexHeaders, standard } = this.options;
    // `-std=c…` has other keywords, C23 other macros.
    if (!indexHeaders || !standard.startsWith("gnu") || standard === "gnu23") return undefined;
    const index = this.search.indexOf(file);
    return index && new IndexReader(index, file.text, this.foreignMacros);
  }

  /** Words that the text splitter must look at; made when there is a text for it. */
  get filter(): WordFilter {
    if (this.#filter !== undefined) return this.#filter;
    const filter = new WordFilter((text) => this.identifiers.get(text));
    for (const identifier of this.identifiers.all())
      if (identifier.macro !== undefined || identifier.poisoned) filter.add(identifier);
    this.#filter = filter;
    return filter;
  }

  get frame(): FileFrame {
    return this.frames[this.frames.length - 1]!;
  }

  error(code: string, message: string, span: Span, note?: { message: string; span: Span }): void {
    this.diagnostics.error(code, message, span, note && { notes: [note] });
  }

  /** Nothing more is read after it. */
  fatal(code: string, message: string, span?: Span): void {
    this.diagnostics.error(code, message, span, { fatal: true });
    this.aborted = true;
  }

  warn(code: string, message: string, span: Span): void {
    const { warnings } = this;
    this.diagnostics.warning(code, message, warnings === undefined ? span : { ...span, warnings });
  }

  /** Reports of a lexer that reads `file`. */
  lexerReport(file: SourceFile): LexerReport {
    const known = this.#lexerReports.get(file);
    if (known !== undefined) return known;
    const report: LexerReport = (severity, code, message, start, end) => {
      if (severity === "error") this.error(code, message, { file, start, end });
      else this.warn(code, message, { file, start, end });
    };
    this.#lexerReports.set(file, report);
    return report;
  }

  emit(event: Emitted<StreamEvent>): void {
    this.output.events.push({ ...event, index: this.output.tokens.length });
  }

  setPragmaState(state: PragmaState): void {
    this.pragmaState = state;
    this.emit({ kind: "state", state });
  }

  addLayout(event: Emitted<LayoutEvent>): void {
    if (this.options.indexHeaders) return;
    this.layout.push({ ...event, index: this.output.tokens.length });
  }

  /** Installs a definition whose parameters and body are at `start` to `end` of the name's file. */
  define(
    identifier: Identifier,
    functionLike: boolean,
    span: Span,
    start: number,
    end: number,
    dynamic?: DynamicMacro,
  ): Macro {
    const report = this.lexerReport(span.file);
    const { identifiers } = this;
    const macro = new Macro(
      identifier,
      identifiers,
      functionLike,
      span,
      start,
      end,
      report,
      dynamic,
    );
    identifier.macro = macro;
    this.noteDefinition(identifier);
    return macro;
  }

  /** The identifier was given a macro. */
  noteDefinition(identifier: Identifier): void {
    if (this.#filter !== undefined) this.#filter.definitions += 1;
    this.watch(identifier);
  }

  /** The text splitter stops where this word is. */
  watch(identifier: Identifier): void {
    if (!identifier.isWatched) this.#filter?.add(identifier);
  }
}
