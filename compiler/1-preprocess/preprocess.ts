/**
 * Phase 1: C text → tokens. The user's own file comes as one run of tokens; the declarations of
 * headers are split off and indexed by name, to be parsed when a name reaches them.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { FileSystem } from "../../common/file-system.ts";
import { Directives } from "./directives.ts";
import { dynamicMacros, expandDynamicMacro } from "./dynamic-macros.ts";
import { MacroExpander } from "./expander.ts";
import { type HeaderIndex, RUN_COUNT, RUN_DIRECTIVE, RUN_FIRST, RUN_NEXT } from "./header-index.ts";
import { HeaderTable } from "./header-table.ts";
import { IdentifierTable } from "./identifiers.ts";
import { type FoundFile, IncludeSearch } from "./include-search.ts";
import { LazyMacros } from "./lazy-macros.ts";
import type { PreprocessOptions } from "./options.ts";
import { destringize, Pragmas } from "./pragma.ts";
import { predefinedMacros } from "./predefined.ts";
import { RawLexer } from "./raw-lexer.ts";
import { type FileFrame, noteContent, Session } from "./session.ts";
import type { PreprocessedUnit } from "./stream.ts";
import { SplitterArrays, split, TextSplitter } from "./text-splitter.ts";
import { LINE_START, Token, tokenSpan } from "./token.ts";
import { BoundaryTracker, summarizeTokens } from "./token-splitter.ts";
import { endOfFile } from "./token-types.ts";

/** After so many errors the rest of the text has nothing to say. */
const MAX_ERRORS = 1000;

/** Preprocesses the file at `path`; undefined where it cannot be read (and says so). */
export function preprocess(
  path: string,
  options: PreprocessOptions,
  fileSystem: FileSystem,
  diagnostics: Diagnostics,
): PreprocessedUnit | undefined {
  const search = new IncludeSearch(fileSystem, options);
  const main = search.read(path, false);
  if (main === undefined) {
    diagnostics.error("no-such-file", `no such file or directory: '${path}'`);
    return undefined;
  }
  return new Preprocessor(main, options, search, diagnostics).run();
}

class Preprocessor {
  readonly #main: SourceFile;
  readonly #session: Session;
  readonly #expander: MacroExpander;
  readonly #directives: Directives;
  readonly #headers: HeaderTable;
  #splitterArrays: SplitterArrays | undefined;
  readonly #tracker = new BoundaryTracker();
  readonly #mainOutput: Session["output"];

  constructor(
    main: SourceFile,
    options: PreprocessOptions,
    search: IncludeSearch,
    diagnostics: Diagnostics,
  ) {
    const identifiers = new IdentifierTable(options.standard.startsWith("gnu"));
    const session = new Session({ options, diagnostics, identifiers, search });
    const expander: MacroExpander = new MacroExpander(
      { next: () => this.#nextFromFile() },
      {
        identifiers,
        error: (code, message, span, note) => {
          session.error(code, message, span, note);
          // Nothing sensible follows an expansion that was cut off.
          if (code === "macro-expansion") session.aborted = true;
        },
        expandDynamic: (macro, name, on) => expandDynamicMacro(session, macro, name, on),
        pragmaOperator: (literal, name) => this.#pragmaOperator(literal, name),
      },
    );
    const pragmas = new Pragmas(session, expander);
    this.#main = main;
    this.#headers = new HeaderTable(identifiers, (file) => session.lexerReport(file));
    this.#session = session;
    this.#expander = expander;
    this.#pragmas = pragmas;
    this.#directives = new Directives(session, expander, pragmas, (found) => this.#enter(found));
    this.#mainOutput = session.output;
  }

  readonly #pragmas: Pragmas;
  #macros: LazyMacros | undefined;

  run(): PreprocessedUnit {
    const session = this.#session;
    const { options } = session;
    this.#definePredefined();
    session.dependencies.set(this.#main.path, { path: this.#main.path, isSystem: false });
    this.#enter({ file: this.#main, directory: -1 });
    for (const name of [...options.includes].reverse()) this.#enterCommandLineInclude(name);
    while (session.frames.length > 0 && !session.aborted) {
      this.#step();
      if (session.diagnostics.errorCount > MAX_ERRORS) session.aborted = true;
    }
    this.#finishHeader();
    // As in clang a line break that ends the file is where the file ends.
    const end = this.#main.text.replace(/\r?\n$/, "").length;
    const output = this.#mainOutput;
    output.tokens.push(new Token(endOfFile, "", this.#main, end, end, LINE_START, undefined));
    return {
      main: this.#main,
      run: output,
      headers: this.#headers,
      layout: session.layout,
      dependencies: [...session.dependencies.values()],
      identifiers: session.identifiers.all(),
    };
  }

  // Macros of the command line and of the target

  #definePredefined(): void {
    const { options, identifiers } = this.#session;
    const lines = options.macros.map((macro) => commandLineDirective(macro));
    const builtin = { path: "<built-in>", text: predefinedMacros(options), isSystem: true };
    // C23 has macros of ours that do not start with an underscore.
    if (options.indexHeaders && !options.standard.endsWith("23"))
      this.#macros = new LazyMacros(builtin, this.#session);
    else this.#readDirectives(builtin);
    const span = { file: builtin, start: 0, end: 0 };
    for (const name of dynamicMacros) {
      const identifier = identifiers.get(name);
      this.#session.define(identifier, false, span, 0, 0, name);
    }
    this.#readDirectives({ path: "<command line>", text: lines.join(""), isSystem: true });
  }

  /** Reads a text of directives alone. */
  #readDirectives(file: SourceFile): void {
    this.#push({ file, directory: -1 });
    const { lexer } = this.#session.frame;
    while (this.#directives.runPlainDefine()) lexer.resumeAt(lexer.position + 1, true);
    if (lexer.position < file.text.length) this.#nextFromFile();
    this.#session.frames.pop();
  }

  #enterCommandLineInclude(name: string): void {
    const { search } = this.#session;
    const found = search.find(name, false, {
      file: { path: "", text: "", isSystem: false },
      directory: -1,
    });
    if (found === undefined) {
      this.#session.fatal("include-not-found", `'${name}' file not found`);
      return;
    }
    const { path, isSystem } = found.file;
    this.#session.dependencies.set(path, { path, isSystem });
    this.#enter(found);
  }

  // Files

  #push(found: FoundFile): void {
    const { file } = found;
    const frame: FileFrame = {
      found,
      index: this.#session.indexOf(file),
      lexer: new RawLexer(file, this.#session.identifiers, this.#session.lexerReport(file)),
      conditionals: [],
      isSystem: file.isSystem,
      strayContent: false,
      guard: undefined,
      splitter: undefined,
    };
    this.#session.frames.push(frame);
  }

  #enter(found: FoundFile): void {
    this.#push(found);
    this.#session.addLayout({ kind: "enter", file: found.file });
  }

  #leave(): void {
    const session = this.#session;
    const frame = session.frames.pop()!;
    for (const conditional of frame.conditionals)
      session.error("pp-conditional", "unterminated conditional directive", conditional.span);
    if (frame.guard !== undefined) session.guards.set(frame.found.file, frame.guard);
    const outer = session.frames.at(-1);
    if (outer === undefined) return;
    const { lexer, found } = outer;
    session.addLayout({ kind: "return", file: found.file, line: lexer.position });
  }

  /** The next token of the current file, directives carried out on the way. */
  #nextFromFile(): Token {
    for (;;) {
      const token = this.#readFromFile();
      if (token !== undefined) return token;
      if (this.#session.aborted) return this.#endToken(this.#session.frame);
    }
  }

  /** The next token of the current file; undefined where a directive was carried out instead. */
  #readFromFile(): Token | undefined {
    const { frame } = this.#session;
    const token = frame.lexer.next();
    if ((token.flags & LINE_START) !== 0 && (token.image === "#" || token.image === "%:")) {
      this.#directives.run(token);
      return undefined;
    }
    if (token.tokenType !== endOfFile) noteContent(frame);
    return token;
  }

  #endToken(frame: FileFrame): Token {
    const { file } = frame.found;
    const at = frame.lexer.position;
    return new Token(endOfFile, "", file, at, at, LINE_START, undefined);
  }

  #pragmaOperator(literal: Token, name: Token): void {
    const text = destringize(literal.image);
    const file: SourceFile = { path: "<_Pragma>", text, isSystem: false };
    const lexer = new RawLexer(file, this.#session.identifiers, this.#session.lexerReport(file));
    const place = tokenSpan(name);
    const tokens: Token[] = [];
    for (let token = lexer.next(); token.tokenType !== endOfFile; token = lexer.next()) {
      token.expandedFrom = place;
      tokens.push(token);
    }
    this.#pragmas.run(tokens, place);
  }

  // Output

  #step(): void {
    const session = this.#session;
    if (this.#mayTakeText() && this.#takeText()) return;
    const expander = this.#expander;
    // After a directive a header may have begun, which is looked at as text first.
    const read = expander.idle ? this.#readFromFile() : expander.raw();
    if (read === undefined) return;
    const token = expander.expand(read);
    if (token.tokenType === endOfFile) {
      this.#leave();
      return;
    }
    if (session.warnings !== undefined) token.warnings = session.warnings;
    if (!session.options.indexHeaders) {
      session.output.tokens.push(token);
      return;
    }
    if (this.#tracker.atBoundary && session.frames.length > 1) this.#beginHeader();
    session.output.tokens.push(token);
    if (this.#tracker.take(token)) this.#finishHeader();
  }

  /** Nothing is pending, and the next thing stands at file scope of a header. */
  #mayTakeText(): boolean {
    const { options, frames } = this.#session;
    if (!options.indexHeaders || frames.length < 2) return false;
    return this.#tracker.atBoundary && this.#expander.idle;
  }

  /** Takes declarations as text up to a directive, carries that out; false for the ordinary path. */
  #takeText(): boolean {
    const session = this.#session;
    const { frame } = session;
    const { lexer, found, index, strayContent } = frame;
    const headers = this.#headers;
    const mainIndex = this.#mainOutput.tokens.length;
    headers.addPlace({ file: found.file, state: session.pragmaState, warnings: session.warnings });
    let at = lexer.position;
    const run = index === undefined ? -1 : index.run(at);
    const first = run < 0 ? undefined : index!.first(run, at);
    if (first !== undefined) return this.#takeRun(frame, index!.index, run, first, mainIndex);
    const splitter = frame.splitter ?? this.#makeSplitter(frame);
    let atLineStart = lexer.atLineStart || at === 0;
    let result = splitter.next(at, atLineStart);
    while (result === split.declaration) {
      at = splitter.end;
      atLineStart = false;
      if (splitter.count > 1) {
        const declaration = headers.addText(mainIndex, splitter.start, at);
        if (splitter.addNames(headers, declaration)) headers.unconditional.push(declaration);
      }
      frame.strayContent = strayContent || frame.conditionals.length === 0;
      result = splitter.next(at, false);
    }
    if (result === split.other) {
      lexer.resumeAt(at, atLineStart);
      return false;
    }
    this.#runDirectiveAt(lexer, splitter.start);
    return true;
  }

  /** The same for declarations that were split beforehand. */
  #takeRun(
    frame: FileFrame,
    index: HeaderIndex,
    run: number,
    first: number,
    mainIndex: number,
  ): boolean {
    const next = index.runs[run + RUN_NEXT]!;
    const end = index.runs[run + RUN_FIRST]! + index.runs[run + RUN_COUNT]!;
    const isEmpty = first === end;
    if (!isEmpty) {
      this.#headers.addIndexed(mainIndex, index, first, end);
      frame.strayContent ||= frame.conditionals.length === 0;
    }
    if (index.runs[run + RUN_DIRECTIVE] === 0) {
      if (!isEmpty) frame.lexer.resumeAt(next, false);
      return false;
    }
    this.#runDefines(frame, next);
    return true;
  }

  /** Carries out a directive; true for a plain `#define`. */
  #runDirectiveAt(lexer: RawLexer, position: number): boolean {
    lexer.resumeAt(position, true);
    if (this.#directives.runPlainDefine()) return true;
    this.#directives.run(lexer.next());
    return false;
  }

  /** Carries out the macro definitions that follow each other from a run's end on. */
  #runDefines(frame: FileFrame, start: number): void {
    let position: number | undefined = start;
    while (position !== undefined && this.#runDefinesAt(frame, position))
      position = frame.index?.nextDirective(frame.lexer.position);
  }

  /** Carries out a directive, or a row of macro definitions; true for definitions. */
  #runDefinesAt(frame: FileFrame, position: number): boolean {
    const block = frame.index?.macros(position);
    if (block === undefined || this.#macros === undefined)
      return this.#runDirectiveAt(frame.lexer, position);
    noteContent(frame);
    this.#macros.add(frame.found.file, block);
    frame.lexer.resumeAt(block.end, false);
    return true;
  }

  #makeSplitter(frame: FileFrame): TextSplitter {
    const { file } = frame.found;
    const { search, filter } = this.#session;
    this.#headers.reserve(file.text.length);
    this.#macros?.defineAll();
    this.#splitterArrays ??= new SplitterArrays();
    frame.splitter = new TextSplitter(file, search.unitsOf(file), filter, this.#splitterArrays);
    return frame.splitter;
  }

  /** Tokens from here to the declaration's end go to a run of their own. */
  #beginHeader(): void {
    const session = this.#session;
    if (session.output !== this.#mainOutput) return;
    session.output = { tokens: [], events: [], state: session.pragmaState };
  }

  #finishHeader(): void {
    const session = this.#session;
    const run = session.output;
    if (run === this.#mainOutput) return;
    session.output = this.#mainOutput;
    // The pragmas inside a header declaration go on acting on the main file.
    for (const event of run.events)
      if (event.kind === "state") session.emit({ kind: "state", state: event.state });
    const last = run.tokens.at(-1);
    if (last === undefined || (run.tokens.length === 1 && last.image === ";")) return;
    const found: { index: number; kind: number }[] = [];
    const unconditional = summarizeTokens(run.tokens, (index, kind) => found.push({ index, kind }));
    const { file, endOffset } = last;
    const names = found.map(({ index, kind }) => ({ image: run.tokens[index]!.image, kind }));
    run.tokens.push(new Token(endOfFile, "", file, endOffset, endOffset, LINE_START, undefined));
    const mainIndex = this.#mainOutput.tokens.length;
    const declaration = this.#headers.addRun(mainIndex, run);
    // What runs on into the user's own file is looked at, so that its errors are seen.
    if (unconditional || last.file === this.#main) this.#headers.unconditional.push(declaration);
    for (const { image, kind } of names)
      this.#headers.addName(image, 0, image.length, kind, declaration);
  }
}

function commandLineDirective(macro: PreprocessOptions["macros"][number]): string {
  if (macro.kind === "undefine") return `#undef ${macro.name}\n`;
  const equals = macro.text.indexOf("=");
  if (equals < 0) return `#define ${macro.text} 1\n`;
  return `#define ${macro.text.slice(0, equals)} ${macro.text.slice(equals + 1)}\n`;
}
