/** Macro definitions. A body is lexed when the macro is first used: headers define thousands. */
import type { SourceFile, Span } from "../../common/diagnostics/source.ts";
import type { Identifier, IdentifierTable } from "./identifiers.ts";
import { type LexerReport, RawLexer } from "./raw-lexer.ts";
import { LEADING_SPACE, LINE_START, type Token } from "./token.ts";
import { endOfFile, tokenTypes } from "./token-types.ts";

/** Built-in macros whose expansion depends on the place. */
export type DynamicMacro =
  | "__FILE__"
  | "__FILE_NAME__"
  | "__LINE__"
  | "__COUNTER__"
  | "__BASE_FILE__"
  | "__INCLUDE_LEVEL__"
  | "__DATE__"
  | "__TIME__"
  | "__TIMESTAMP__"
  | "__has_include"
  | "__has_include_next"
  | "__has_embed"
  | "__has_attribute"
  | "__has_c_attribute"
  | "__has_declspec_attribute"
  | "__has_builtin"
  | "__has_constexpr_builtin"
  | "__has_feature"
  | "__has_extension"
  | "__has_warning"
  | "__is_identifier"
  | "__is_target_arch"
  | "__is_target_vendor"
  | "__is_target_os"
  | "__is_target_environment"
  | "__building_module";

/** The definition, lexed. */
export interface MacroContent {
  readonly parameters: readonly string[];
  /** The last parameter takes the remaining arguments. */
  readonly variadic: boolean;
  readonly body: readonly Token[];
  /** For each body token the index of the parameter it is, or -1. */
  readonly parameterAt: readonly number[];
}

export class Macro {
  readonly identifier: Identifier;
  readonly functionLike: boolean;
  readonly dynamic: DynamicMacro | undefined;
  readonly span: Span;
  /** Where the parameters (of a function-like macro) or the body start, and where the line ends. */
  readonly #start: number;
  readonly #end: number;
  readonly #identifiers: IdentifierTable;
  readonly #report: LexerReport;
  #content: MacroContent | undefined;
  /** Its expansion is being rescanned. */
  disabled = false;

  /** `start` and `end`: parameters and body in the text of the name's file. */
  constructor(
    identifier: Identifier,
    identifiers: IdentifierTable,
    functionLike: boolean,
    span: Span,
    start: number,
    end: number,
    report: LexerReport,
    dynamic?: DynamicMacro,
  ) {
    this.identifier = identifier;
    this.functionLike = functionLike;
    this.dynamic = dynamic;
    this.span = span;
    this.#start = start;
    this.#end = end;
    this.#identifiers = identifiers;
    this.#report = report;
  }

  get name(): string {
    return this.identifier.text;
  }

  get file(): SourceFile {
    return this.span.file;
  }

  get content(): MacroContent {
    this.#content ??= this.#lex();
    return this.#content;
  }

  #lex(): MacroContent {
    const lexer = new RawLexer(this.file, this.#identifiers, this.#report, this.#start, this.#end);
    lexer.inDirective = true;
    const parameters: string[] = [];
    let variadic = false;
    if (this.functionLike) {
      variadic = this.#parameters(lexer, parameters);
      if (variadic && parameters.at(-1) === "...") parameters.splice(-1, 1, "__VA_ARGS__");
    }
    const body: Token[] = [];
    for (let token = lexer.next(); token.tokenType !== endOfFile; token = lexer.next())
      body.push(token);
    const first = body[0];
    if (first !== undefined) first.flags &= ~(LEADING_SPACE | LINE_START);
    const parameterAt = body.map((token) =>
      token.identifier === undefined ? -1 : parameters.indexOf(token.image),
    );
    this.#checkOperators(body, parameterAt, variadic);
    return { parameters, variadic, body, parameterAt };
  }

  #error(message: string, token: Token): void {
    this.#report("error", "macro-definition", message, token.startOffset, token.endOffset);
  }

  /** Reads `( a, b, ... )`; true if variadic. */
  #parameters(lexer: RawLexer, names: string[]): boolean {
    let token = lexer.next();
    token = lexer.next();
    if (token.tokenType === tokenTypes.RParen) return false;
    for (;;) {
      if (token.tokenType === tokenTypes.Ellipsis) {
        names.push("...");
        token = lexer.next();
        if (token.tokenType !== tokenTypes.RParen)
          this.#error("missing ')' in macro parameter list", token);
        return true;
      }
      if (token.identifier === undefined) {
        this.#error(
          token.tokenType === endOfFile
            ? "missing ')' in macro parameter list"
            : "invalid token in macro parameter list",
          token,
        );
        return false;
      }
      if (names.includes(token.image))
        this.#error(`duplicate macro parameter name '${token.image}'`, token);
      names.push(token.image);
      token = lexer.next();
      if (token.tokenType === tokenTypes.RParen) return false;
      if (token.tokenType === tokenTypes.Ellipsis) {
        token = lexer.next();
        if (token.tokenType !== tokenTypes.RParen)
          this.#error("missing ')' in macro parameter list", token);
        return true;
      }
      if (token.tokenType !== tokenTypes.Comma) {
        this.#error(
          token.tokenType === endOfFile
            ? "missing ')' in macro parameter list"
            : "expected comma in macro parameter list",
          token,
        );
        return false;
      }
      token = lexer.next();
    }
  }

  #checkOperators(body: readonly Token[], parameterAt: readonly number[], variadic: boolean): void {
    const first = body[0];
    const last = body.at(-1);
    if (first !== undefined && isPaste(first))
      this.#error("'##' cannot appear at start of macro expansion", first);
    if (last !== undefined && body.length > 1 && isPaste(last))
      this.#error("'##' cannot appear at end of macro expansion", last);
    if (!this.functionLike) return;
    body.forEach((token, index) => {
      if (!isStringify(token)) return;
      const next = body[index + 1];
      const optional = variadic && next?.image === "__VA_OPT__";
      if (!optional && (next === undefined || parameterAt[index + 1] === -1))
        this.#error("'#' is not followed by a macro parameter", token);
    });
  }

  /** True where two definitions are the same but for white space. */
  sameAs(other: Macro): boolean {
    if (this.functionLike !== other.functionLike || this.dynamic !== other.dynamic) return false;
    const a = this.content;
    const b = other.content;
    return (
      a.variadic === b.variadic &&
      a.body.length === b.body.length &&
      a.parameters.length === b.parameters.length &&
      a.parameters.every((name, index) => name === b.parameters[index]) &&
      a.body.every((token, index) => {
        const peer = b.body[index]!;
        const spaced = (token.flags & LEADING_SPACE) === (peer.flags & LEADING_SPACE);
        return token.image === peer.image && spaced;
      })
    );
  }

  /** The definition as `-dM` prints it, without `#define `. */
  toString(): string {
    const { parameters, variadic, body } = this.content;
    const names = parameters.map((name, index) => {
      if (!variadic || index < parameters.length - 1) return name;
      return name === "__VA_ARGS__" ? "..." : `${name}...`;
    });
    const head = this.functionLike ? `${this.name}(${names.join(",")})` : this.name;
    const text = body.map((token) => (token.flags & LEADING_SPACE ? " " : "") + token.image);
    return `${head} ${text.join("")}`;
  }
}

/** The current definition of an identifier. */
export function macroOf(identifier: Identifier | undefined): Macro | undefined {
  return identifier?.macro as Macro | undefined;
}

export function isPaste(token: Token): boolean {
  return token.tokenType === tokenTypes.Stray && (token.image === "##" || token.image === "%:%:");
}

export function isStringify(token: Token): boolean {
  return token.tokenType === tokenTypes.Stray && (token.image === "#" || token.image === "%:");
}
