/** Lines that start with `#`: C17 6.10 and the GNU ones. */
import { lineColumnAt, type SourceFile, type Span } from "../../common/diagnostics/source.ts";
import { evaluateCondition } from "./condition.ts";
import type { MacroExpander } from "./expander.ts";
import type { Identifier } from "./identifiers.ts";
import type { FoundFile } from "./include-search.ts";
import { parseInteger } from "./literals.ts";
import { type Macro, macroOf } from "./macro.ts";
import { destringize, type Pragmas } from "./pragma.ts";
import { RawLexer } from "./raw-lexer.ts";
import type { Conditional, Session } from "./session.ts";
import { LEADING_SPACE, type Token, tokenSpan } from "./token.ts";
import { endOfFile, tokenTypes } from "./token-types.ts";

/** Files nested deeper than this are refused, as in clang. */
const MAX_INCLUDE_DEPTH = 200;

const conditionalNames = new Set([
  "if",
  "ifdef",
  "ifndef",
  "elif",
  "elifdef",
  "elifndef",
  "else",
  "endif",
]);

export class Directives {
  readonly #session: Session;
  readonly #expander: MacroExpander;
  readonly #pragmas: Pragmas;
  readonly #enter: (found: FoundFile) => void;

  constructor(
    session: Session,
    expander: MacroExpander,
    pragmas: Pragmas,
    enter: (found: FoundFile) => void,
  ) {
    this.#session = session;
    this.#expander = expander;
    this.#pragmas = pragmas;
    this.#enter = enter;
  }

  /** Carries out the directive whose `#` was just read from the current file. */
  run(hash: Token): void {
    const { lexer } = this.#session.frame;
    lexer.inDirective = true;
    const name = lexer.next();
    if (name.tokenType === endOfFile) {
      lexer.inDirective = false;
      return;
    }
    this.#noteContent(name);
    const outer = this.#expander.inDirective;
    this.#expander.inDirective = true;
    const handler = this.#handlers[name.image];
    if (handler !== undefined && name.identifier !== undefined) {
      handler(hash, name);
    } else if (name.tokenType === tokenTypes.Number) {
      this.#lineMarker(name);
    } else {
      this.#error("pp-directive", "invalid preprocessing directive", name);
    }
    this.#expander.inDirective = outer;
    lexer.skipDirectiveLine();
    lexer.inDirective = false;
  }

  readonly #handlers: Readonly<Record<string, ((hash: Token, name: Token) => void) | undefined>> = {
    define: () => this.#define(),
    undef: () => this.#undefine(),
    include: (_, name) => this.#include(name, false),
    include_next: (_, name) => this.#include(name, true),
    import: (_, name) => this.#include(name, false),
    if: (hash) => this.#if(hash),
    ifdef: (hash, name) => this.#ifdef(hash, name, true),
    ifndef: (hash, name) => this.#ifdef(hash, name, false),
    elif: (_, name) => this.#otherBranch(name),
    elifdef: (_, name) => this.#otherBranch(name),
    elifndef: (_, name) => this.#otherBranch(name),
    else: (_, name) => this.#otherBranch(name),
    endif: (_, name) => this.#endif(name),
    line: (_, name) => this.#line(name),
    error: (_, name) => this.#message(name, true),
    warning: (_, name) => this.#message(name, false),
    pragma: (hash) => this.#pragma(hash),
    ident: () => undefined,
    sccs: () => undefined,
    assert: () => undefined,
    unassert: () => undefined,
  };

  #error(code: string, message: string, at: Token): void {
    this.#session.error(code, message, tokenSpan(at));
  }

  /** The unexpanded rest of the line. */
  #rest(): Token[] {
    const { lexer } = this.#session.frame;
    const tokens: Token[] = [];
    for (let token = lexer.next(); token.tokenType !== endOfFile; token = lexer.next())
      tokens.push(token);
    return tokens;
  }

  /** Where the current line ends: blamed where something is missing. */
  #here(): Span {
    const { lexer, found } = this.#session.frame;
    return { file: found.file, start: lexer.position, end: lexer.position };
  }

  /** Anything but the conditionals themselves outside a guard makes it none. */
  #noteContent(name: Token): void {
    const { frame } = this.#session;
    if (frame.conditionals.length > 0) return;
    const opens = name.image === "ifndef" || name.image === "if";
    if (opens && frame.guard === undefined && !frame.strayContent) return;
    frame.strayContent = true;
    frame.guard = undefined;
  }

  #macroName(what: string): Token | undefined {
    const { lexer } = this.#session.frame;
    const name = lexer.next();
    if (name.tokenType === endOfFile) {
      this.#session.error("macro-name", "macro name missing", this.#here());
      return undefined;
    }
    if (name.identifier === undefined) {
      this.#error("macro-name", "macro name must be an identifier", name);
      return undefined;
    }
    if (name.image === "defined" && what !== "test") {
      this.#error("macro-name", "'defined' cannot be used as a macro name", name);
      return undefined;
    }
    return name;
  }

  #define(): void {
    const name = this.#macroName("define");
    if (name?.identifier !== undefined) this.#defineNamed(name.identifier, tokenSpan(name));
  }

  /** The lexer is behind the name. */
  #defineNamed(identifier: Identifier, span: Span): void {
    const session = this.#session;
    const { lexer, found } = session.frame;
    const start = lexer.position;
    const functionLike = found.file.text.charCodeAt(start) === 40;
    const end = lexer.skipDirectiveLine();
    if (identifier.poisoned)
      session.error("poisoned-identifier", "attempt to use a poisoned identifier", span);
    const previous = macroOf(identifier);
    const macro = session.define(identifier, functionLike, span, start, end);
    // Headers define thousands of macros; only the user's own are checked where they are not used.
    if (session.frames.length === 1 && !session.frame.isSystem) void macro.content;
    if (previous !== undefined) this.#checkRedefinition(previous, macro);
  }

  /**
   * Carries out the directive at the lexer's position if it is a plain `#define name …`, without
   * making tokens: most lines of many headers are such.
   */
  runPlainDefine(): boolean {
    const { frame, identifiers } = this.#session;
    const { lexer, found } = frame;
    const name = lexer.plainDefine();
    if (name === undefined) return false;
    if (frame.conditionals.length === 0) {
      frame.strayContent = true;
      frame.guard = undefined;
    }
    const identifier = identifiers.get(name);
    const end = lexer.position;
    this.#defineNamed(identifier, { file: found.file, start: end - name.length, end });
    return true;
  }

  #checkRedefinition(previous: Macro, macro: Macro): void {
    const session = this.#session;
    if (session.frame.isSystem || previous.sameAs(macro)) return;
    const builtin = previous.file.path === "<built-in>";
    const { warnings } = session;
    session.diagnostics.warning(
      builtin ? "builtin-macro-redefined" : "macro-redefined",
      builtin ? "redefining builtin macro" : `'${macro.name}' macro redefined`,
      warnings === undefined ? macro.span : { ...macro.span, warnings },
      builtin ? {} : { notes: [{ message: "previous definition is here", span: previous.span }] },
    );
  }

  #undefine(): void {
    const name = this.#macroName("undef");
    if (name?.identifier === undefined) return;
    name.identifier.macro = undefined;
    this.#extraTokens("#undef");
  }

  #extraTokens(directive: string): void {
    const session = this.#session;
    const extra = session.frame.lexer.next();
    if (extra.tokenType === endOfFile || session.frame.isSystem) return;
    session.warn("extra-tokens", `extra tokens at end of ${directive} directive`, tokenSpan(extra));
  }

  // Inclusion

  #include(directive: Token, next: boolean): void {
    const session = this.#session;
    const { frame } = session;
    const start = frame.lexer.position;
    const header = frame.lexer.headerName() ?? this.#computedHeader(directive);
    if (header === undefined) return;
    const span: Span = { file: frame.found.file, start, end: frame.lexer.position };
    const at = tokenLikeSpan(span);
    if (header.name === "") {
      session.error("include", "empty filename", at);
      return;
    }
    frame.lexer.skipDirectiveLine();
    if (session.frames.length > MAX_INCLUDE_DEPTH) {
      session.error("include-depth", "#include nested too deeply", at);
      session.aborted = true;
      return;
    }
    const found = next
      ? session.search.findNext(header.name, header.angled, frame.found)
      : session.search.find(header.name, header.angled, frame.found);
    if (found === undefined) {
      session.error("include-not-found", `'${header.name}' file not found`, at);
      session.aborted = true;
      return;
    }
    const { file } = found;
    session.dependencies.set(file.path, { path: file.path, isSystem: file.isSystem });
    if (session.once.has(file) || session.guards.get(file)?.macro !== undefined) return;
    frame.lexer.inDirective = false;
    this.#enter(found);
  }

  #computedHeader(directive: Token): { name: string; angled: boolean } | undefined {
    const tokens = this.#expander.expandAlone(this.#rest());
    const [first] = tokens;
    if (first?.tokenType === tokenTypes.StringLiteral)
      return { name: first.image.slice(1, -1), angled: false };
    const close = tokens.findIndex((token) => token.image === ">");
    if (first?.image !== "<" || close < 0) {
      this.#error("include", 'expected "FILENAME" or <FILENAME>', first ?? directive);
      return undefined;
    }
    const parts = tokens.slice(1, close).map((token, index) => {
      const spaced = index > 0 && (token.flags & LEADING_SPACE) !== 0;
      return (spaced ? " " : "") + token.image;
    });
    return { name: parts.join(""), angled: true };
  }

  // Conditionals

  #if(hash: Token): void {
    const tokens = this.#rest();
    const guard = guardOfCondition(tokens);
    this.#open(hash, this.#evaluate(tokens), guard);
  }

  #evaluate(tokens: readonly Token[]): boolean {
    this.#expander.inCondition = true;
    const expanded = this.#expander.expandAlone(tokens);
    this.#expander.inCondition = false;
    const value = evaluateCondition(expanded, this.#here(), (message, span) =>
      this.#session.error("pp-expression", message, span),
    );
    return value !== undefined && value !== 0n;
  }

  #ifdef(hash: Token, directive: Token, wanted: boolean): void {
    const name = this.#macroName("test");
    if (name !== undefined) this.#extraTokens(`#${directive.image}`);
    const defined = name?.identifier?.macro !== undefined;
    this.#open(
      hash,
      name !== undefined && defined === wanted,
      wanted ? undefined : name?.identifier,
    );
  }

  #open(hash: Token, taken: boolean, guard: Identifier | undefined): void {
    const { frame } = this.#session;
    const outermost = frame.conditionals.length === 0 && !frame.strayContent;
    frame.conditionals.push({
      span: tokenSpan(hash),
      taken,
      elseSeen: false,
      guard: outermost ? guard : undefined,
    });
    if (!taken) this.#skip();
  }

  /** `#else` or `#elif` reached from a branch that was taken: the rest is skipped. */
  #otherBranch(name: Token): void {
    const conditional = this.#session.frame.conditionals.at(-1);
    if (conditional === undefined) {
      this.#error("pp-conditional", `#${name.image} without #if`, name);
      return;
    }
    this.#checkElse(conditional, name);
    conditional.guard = undefined;
    this.#skip();
  }

  #checkElse(conditional: Conditional, name: Token): void {
    if (conditional.elseSeen) this.#error("pp-conditional", `#${name.image} after #else`, name);
    if (name.image === "else") conditional.elseSeen = true;
  }

  #endif(name: Token): void {
    const { frame } = this.#session;
    const conditional = frame.conditionals.pop();
    if (conditional === undefined) {
      this.#error("pp-conditional", "#endif without #if", name);
      return;
    }
    this.#extraTokens("#endif");
    if (frame.conditionals.length === 0) frame.guard = conditional.guard;
  }

  /** Skips groups until a branch of the innermost conditional is taken, or it ends. */
  #skip(): void {
    const { frame } = this.#session;
    const { lexer } = frame;
    let depth = 0;
    for (;;) {
      lexer.skipDirectiveLine();
      lexer.inDirective = false;
      if (!lexer.skipToDirective()) return;
      lexer.inDirective = true;
      const name = lexer.next();
      if (name.identifier === undefined || !conditionalNames.has(name.image)) continue;
      if (name.image.startsWith("if")) depth += 1;
      else if (name.image === "endif" && depth > 0) depth -= 1;
      else if (depth === 0 && this.#leavesSkipping(name)) return;
    }
  }

  #leavesSkipping(name: Token): boolean {
    const conditional = this.#session.frame.conditionals.at(-1)!;
    if (name.image === "endif") {
      this.#endif(name);
      return true;
    }
    this.#checkElse(conditional, name);
    conditional.guard = undefined;
    if (conditional.taken) return false;
    conditional.taken = this.#branchHolds(name);
    return conditional.taken;
  }

  #branchHolds(name: Token): boolean {
    if (name.image === "else") return true;
    if (name.image === "elif") return this.#evaluate(this.#rest());
    const macro = this.#macroName("test");
    const defined = macro?.identifier?.macro !== undefined;
    return macro !== undefined && defined === (name.image === "elifdef");
  }

  // The rest

  #message(name: Token, isError: boolean): void {
    const { lexer, found } = this.#session.frame;
    const start = lexer.position;
    const end = lexer.skipDirectiveLine();
    const text = found.file.text
      .slice(start, end)
      .replace(/\\\s*\n/g, " ")
      .trim();
    if (isError) this.#error("#error", text, name);
    else this.#session.warn("#warnings", text, tokenSpan(name));
  }

  #pragma(hash: Token): void {
    const tokens = this.#rest();
    this.#pragmas.run(tokens, tokenSpan(tokens[0] ?? hash));
  }

  #line(name: Token): void {
    const [number, file] = this.#expander.expandAlone(this.#rest());
    if (number?.tokenType !== tokenTypes.Number || !/^[0-9]+$/.test(number.image)) {
      this.#error("line-directive", "#line directive requires a positive integer argument", name);
      return;
    }
    this.#setLine(name, number, file);
  }

  /** `# 12 "file" flags`, as `-E` writes it. */
  #lineMarker(number: Token): void {
    const parsed = parseInteger(number.image);
    if ("problem" in parsed) {
      this.#error("line-marker", "invalid line marker", number);
      return;
    }
    const [file] = this.#rest();
    this.#setLine(number, number, file);
  }

  #setLine(at: Token, number: Token, file: Token | undefined): void {
    const { frame } = this.#session;
    const physical = lineColumnAt(at.file, at.startOffset).line;
    frame.lineShift = Number.parseInt(number.image, 10) - (physical + 1);
    if (file?.tokenType === tokenTypes.StringLiteral) frame.presumedPath = destringize(file.image);
  }
}

/** `!defined X` or `!defined(X)` as a whole condition: the test of an include guard. */
function guardOfCondition(tokens: readonly Token[]): Identifier | undefined {
  const images = tokens.map((token) => token.image);
  if (images[0] !== "!" || images[1] !== "defined") return undefined;
  if (tokens.length === 3) return tokens[2]!.identifier;
  const bracketed = tokens.length === 5 && images[2] === "(" && images[4] === ")";
  return bracketed ? tokens[3]!.identifier : undefined;
}

/** Trims the blanks before a header name. */
function tokenLikeSpan(span: Span): Span {
  const text = span.file.text.slice(span.start, span.end);
  return { ...span, start: span.start + (text.length - text.trimStart().length) };
}

/** A text of our own that is read like a file. */
export function scratchLexer(session: Session, path: string, text: string): RawLexer {
  const file: SourceFile = { path, text, isSystem: false };
  return new RawLexer(file, session.identifiers, session.lexerReport(file));
}
