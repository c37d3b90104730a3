/** Reads the parts of the directive's line that the current file's lexer stands in. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Session } from "./session.ts";
import { type Token, tokenSpan } from "./token.ts";
import { endOfFile } from "./token-types.ts";

export class DirectiveLine {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  error(code: string, message: string, at: Token): void {
    this.#session.error(code, message, tokenSpan(at));
  }

  /** The unexpanded rest of the line. */
  rest(): Token[] {
    const { lexer } = this.#session.frame;
    const tokens: Token[] = [];
    for (let token = lexer.next(); token.tokenType !== endOfFile; token = lexer.next())
      tokens.push(token);
    return tokens;
  }

  /** Where the current line ends: blamed where something is missing. */
  here(): Span {
    const { lexer, found } = this.#session.frame;
    return { file: found.file, start: lexer.position, end: lexer.position };
  }

  macroName(what: string): Token | undefined {
    const { lexer } = this.#session.frame;
    const name = lexer.next();
    if (name.tokenType === endOfFile) {
      this.#session.error("macro-name", "macro name missing", this.here());
      return undefined;
    }
    if (name.identifier === undefined) {
      this.error("macro-name", "macro name must be an identifier", name);
      return undefined;
    }
    if (name.image === "defined" && what !== "test") {
      this.error("macro-name", "'defined' cannot be used as a macro name", name);
      return undefined;
    }
    return name;
  }

  extraTokens(directive: string): void {
    const session = this.#session;
    const extra = session.frame.lexer.next();
    if (extra.tokenType === endOfFile || session.frame.isSystem) return;
    session.warn("extra-tokens", `extra tokens at end of ${directive} directive`, tokenSpan(extra));
  }
}
