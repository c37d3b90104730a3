/** Lines that start with `#`: C17 6.10 and the GNU ones. */
import {
  addLineMarker,
  isSystemPlace,
  type LineMarker,
  lineColumnAt,
  noteIncluder,
  presumedPlace,
  type SourceFile,
  type Span,
} from "../../common/diagnostics/source.ts";
import { Conditionals } from "./conditionals.ts";
import { DirectiveLine } from "./directive-line.ts";
import type { MacroExpander } from "./expander.ts";
import type { Identifier } from "./identifiers.ts";
import type { FoundFile } from "./include-search.ts";
import { parseInteger } from "./literals.ts";
import { type Macro, macroOf } from "./macro.ts";
import { destringize, type Pragmas } from "./pragma.ts";
import { RawLexer } from "./raw-lexer.ts";
import { noteContent, type Session } from "./session.ts";
import { LEADING_SPACE, type Token, tokenSpan } from "./token.ts";
import { endOfFile, tokenTypes } from "./token-types.ts";

/** Files nested deeper than this are refused, as in clang. */
const MAX_INCLUDE_DEPTH = 200;

export class Directives {
  readonly #session: Session;
  readonly #expander: MacroExpander;
  readonly #text: DirectiveLine;
  readonly #conditionals: Conditionals;
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
    this.#text = new DirectiveLine(session);
    this.#conditionals = new Conditionals(session, expander, this.#text);
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
    const handler = this.#handlers[name.image];
    if (handler !== undefined && name.identifier !== undefined) {
      handler(hash, name);
    } else if (name.tokenType === tokenTypes.Number) {
      this.#lineMarker(name);
    } else {
      this.#text.error("pp-directive", "invalid preprocessing directive", name);
    }
    lexer.skipDirectiveLine();
    lexer.inDirective = false;
  }

  readonly #handlers: Readonly<Record<string, ((hash: Token, name: Token) => void) | undefined>> = {
    define: () => this.#define(),
    undef: () => this.#undefine(),
    include: (_, name) => this.#include(name, false),
    include_next: (_, name) => this.#include(name, true),
    import: (_, name) => this.#include(name, false),
    if: (hash) => this.#conditionals.if(hash),
    ifdef: (hash, name) => this.#conditionals.ifdef(hash, name, true),
    ifndef: (hash, name) => this.#conditionals.ifdef(hash, name, false),
    elif: (_, name) => this.#conditionals.otherBranch(name),
    elifdef: (_, name) => this.#conditionals.otherBranch(name),
    elifndef: (_, name) => this.#conditionals.otherBranch(name),
    else: (_, name) => this.#conditionals.otherBranch(name),
    endif: (_, name) => this.#conditionals.endif(name),
    line: (_, name) => this.#line(name),
    error: (_, name) => this.#message(name, true),
    warning: (_, name) => this.#message(name, false),
    pragma: (hash) => this.#pragma(hash),
    ident: () => undefined,
    sccs: () => undefined,
    assert: () => undefined,
    unassert: () => undefined,
  };

  /** Anything but the conditionals themselves outside a guard makes it none. */
  #noteContent(name: Token): void {
    const { frame } = this.#session;
    if (frame.conditionals.length > 0) return;
    const opens = name.image === "ifndef" || name.image === "if";
    if (opens && frame.guard === undefined && !frame.strayContent) return;
    frame.strayContent = true;
    frame.guard = undefined;
  }

  #define(): void {
    const name = this.#text.macroName("define");
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
    if (session.frame.index === undefined) session.foreignMacros.push(identifier.text);
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
    noteContent(frame);
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
    const name = this.#text.macroName("undef");
    if (name?.identifier === undefined) return;
    name.identifier.macro = undefined;
    this.#text.extraTokens("#undef");
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
      session.fatal("include-not-found", `'${header.name}' file not found`, at);
      return;
    }
    const { file } = found;
    session.dependencies.set(file.path, { path: file.path, isSystem: file.isSystem });
    if (session.guards.get(file)?.macro !== undefined) return;
    if (session.once.size > 0 && session.once.has(session.search.identityOf(file))) return;
    frame.lexer.inDirective = false;
    noteIncluder(file, at);
    this.#enter(found);
  }

  #computedHeader(directive: Token): { name: string; angled: boolean } | undefined {
    const tokens = this.#expander.expandAlone(this.#text.rest());
    const [first] = tokens;
    if (first?.tokenType === tokenTypes.StringLiteral)
      return { name: first.image.slice(1, -1), angled: false };
    const close = tokens.findIndex((token) => token.image === ">");
    if (first?.image !== "<" || close < 0) {
      this.#text.error("include", 'expected "FILENAME" or <FILENAME>', first ?? directive);
      return undefined;
    }
    const parts = tokens.slice(1, close).map((token, index) => {
      const spaced = index > 0 && (token.flags & LEADING_SPACE) !== 0;
      return (spaced ? " " : "") + token.image;
    });
    return { name: parts.join(""), angled: true };
  }

  #message(name: Token, isError: boolean): void {
    const { lexer, found } = this.#session.frame;
    const start = lexer.position;
    const end = lexer.skipDirectiveLine();
    const text = found.file.text
      .slice(start, end)
      .replace(/\\\s*\n/g, " ")
      .trim();
    if (isError) this.#text.error("#error", text, name);
    else this.#session.warn("#warnings", text, tokenSpan(name));
  }

  #pragma(hash: Token): void {
    const tokens = this.#text.rest();
    this.#pragmas.run(tokens, tokenSpan(tokens[0] ?? hash));
  }

  #line(name: Token): void {
    const [number, file] = this.#expander.expandAlone(this.#text.rest());
    if (number?.tokenType !== tokenTypes.Number || !/^[0-9]+$/.test(number.image)) {
      this.#text.error(
        "line-directive",
        "#line directive requires a positive integer argument",
        name,
      );
      return;
    }
    this.#setLine(name, number, file, []);
  }

  /** `# 12 "file" flags`, as `-E` writes it. */
  #lineMarker(number: Token): void {
    const parsed = parseInteger(number.image);
    if ("problem" in parsed) {
      this.#text.error("line-marker", "invalid line marker", number);
      return;
    }
    const [file, ...flags] = this.#text.rest();
    this.#setLine(
      number,
      number,
      file,
      flags.map((flag) => flag.image),
    );
  }

  /** Flag 1 enters a file, 2 returns to one, 3 makes it a system header. */
  #setLine(at: Token, number: Token, file: Token | undefined, flags: readonly string[]): void {
    const session = this.#session;
    const { lexer } = session.frame;
    lexer.skipDirectiveLine();
    const physical = lineColumnAt(at.file, at.startOffset);
    const before = presumedPlace(at.file, at.startOffset);
    const isString = file?.tokenType === tokenTypes.StringLiteral;
    const change = flags.includes("1") ? "enter" : flags.includes("2") ? "return" : undefined;
    const marker: LineMarker = {
      offset: lexer.position + 1,
      physicalLine: physical.line + 1,
      path: isString ? destringize(file.image) : before.path,
      line: Number.parseInt(number.image, 10),
      isSystem: isString ? flags.includes("3") : isSystemPlace(at.file, at.startOffset),
      ...(change !== undefined && { change }),
    };
    addLineMarker(at.file, marker);
    session.addLayout({ kind: "line", file: at.file, marker });
  }
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
