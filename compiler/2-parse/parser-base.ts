/** Errors in clang's words, and how the parser goes on after them. */
import type { Span } from "../../common/diagnostics/source.ts";
import { afterToken, type Token, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, type TokenType, tokenTypes as t } from "../1-preprocess/token-types.ts";
import type { Attribute } from "./ast.ts";
import { messageForRule } from "./messages.ts";
import { SyntaxAbort } from "./rule-engine.ts";
import { isClosing, isOpening, TokenWindow } from "./token-window.ts";

/** clang's -fbracket-depth. */
const MAX_BRACKET_DEPTH = 256;

export abstract class ParserBase extends TokenWindow {
  protected report(code: string, message: string, span: Span, note?: [string, Span]): void {
    if (this.RECORDING_PHASE) return;
    const extra = note && { notes: [{ message: note[0], span: note[1] }] };
    this.diagnostics.error(code, message, span, extra);
  }

  /** Reports an error that its `-W` name turns off. */
  protected reportByDefault(code: string, message: string, span: Span): void {
    if (this.RECORDING_PHASE) return;
    this.diagnostics.add({ severity: "error", code, message, span, defaultError: true });
  }

  /** Gives up the construct: control returns to the nearest place that can go on. */
  protected fail(): never {
    throw new SyntaxAbort();
  }

  /** Reports at the next token, and gives up. */
  protected failHere(code: string, message: string): never {
    this.report(code, message, tokenSpan(this.peek()));
    this.fail();
  }

  protected mismatch(expected: TokenType | undefined): never {
    this.failHere(...messageForRule(this.ruleName, this.peek(), expected));
  }

  /** Consumes `;`; where it is missing says so behind the previous token and goes on. */
  protected semicolon(after: string): void {
    if (this.RECORDING_PHASE || this.isNext(t.Semicolon)) {
      this.CONSUME(t.Semicolon);
      return;
    }
    this.report("expected-semicolon", `expected ';' ${after}`, afterToken(this.previous));
  }

  /** Consumes a closing bracket, or blames the one that was opened. */
  protected close(type: TokenType, image: string, open: Token, recorded: () => void): void {
    if (this.RECORDING_PHASE || this.isNext(type)) {
      recorded();
      return;
    }
    const note: [string, Span] = [`to match this '${open.image}'`, tokenSpan(open)];
    this.report("expected-token", `expected '${image}'`, tokenSpan(this.peek()), note);
    this.fail();
  }

  /** Enters one more level of brackets. */
  protected enterBracket(): void {
    this.depth += 1;
    if (this.depth <= MAX_BRACKET_DEPTH || this.RECORDING_PHASE) return;
    const message = `bracket nesting level exceeded maximum of ${MAX_BRACKET_DEPTH}`;
    this.report("bracket-depth", message, tokenSpan(this.peek()));
    this.fail();
  }

  /**
   * Runs a part of a rule; on a syntax error inside, resynchronises and gives undefined. `moves`:
   * where nothing was read a token is skipped, so that a loop comes to an end.
   */
  protected recovering<T>(
    parse: () => T,
    resync: (start: number) => unknown,
    moves = true,
  ): T | undefined {
    if (this.RECORDING_PHASE) return parse();
    const { depth } = this;
    const scopeDepth = this.scopes.depth;
    const before = this.currIdx;
    return this.TRY(parse, () => {
      this.depth = depth;
      while (this.scopes.depth > scopeDepth) this.scopes.pop();
      this.pendingUnroll = undefined;
      resync(before);
      if (moves && this.currIdx === before && !this.isNext(endOfFile)) this.consumeToken();
      this.reclassify();
      return undefined;
    });
  }

  /** Skips to behind the next `;`; false where a `}` that closes the block around came first. */
  protected skipStatement(): boolean {
    for (;;) {
      const { tokenType } = this.peek();
      if (tokenType === endOfFile || tokenType === t.RBrace) return false;
      if (tokenType === t.LBrace) {
        this.skipBrackets();
        return true;
      }
      if (isOpening(tokenType)) {
        this.skipBrackets();
        continue;
      }
      this.consumeToken();
      if (tokenType === t.Semicolon) return true;
    }
  }

  /** Skips to the `;` or `}` that ends a declaration, past the braces that opened since `start`. */
  protected skipToSemicolon(start: number): void {
    let open = 0;
    for (const { tokenType } of this.tokVector.slice(start + 1, this.currIdx + 1)) {
      if (tokenType === t.LBrace) open += 1;
      else if (tokenType === t.RBrace) open -= 1;
    }
    for (;;) {
      const { tokenType } = this.peek();
      if (tokenType === endOfFile || tokenType === t.Semicolon) return;
      if (tokenType === t.RBrace) {
        open -= 1;
        if (open < 0) return;
      }
      if (isOpening(tokenType) || tokenType === t.LBrace) this.skipBrackets();
      else this.consumeToken();
    }
  }

  /** Steps over a bracketed group; stops early at a brace that does not match. */
  protected skipBrackets(): void {
    const closers: TokenType[] = [];
    for (;;) {
      const { tokenType } = this.peek();
      if (tokenType === endOfFile) return;
      if (tokenType === t.LBrace) closers.push(t.RBrace);
      else if (isOpening(tokenType)) closers.push(t.RParen);
      else if (tokenType === t.RBrace) {
        const brace = closers.lastIndexOf(t.RBrace);
        if (brace < 0) return;
        closers.length = brace;
      } else if (isClosing(tokenType) && closers.at(-1) === t.RParen) closers.pop();
      else if (tokenType === t.Semicolon && !closers.includes(t.RBrace)) return;
      this.consumeToken();
      if (closers.length === 0) return;
    }
  }

  /** After the stack overflowed: the parser's own state is put in order, and the place kept. */
  protected resetAfterOverflow(): void {
    this.depth = 0;
    this.unaryDepth = 0;
    while (this.scopes.depth > 0) this.scopes.pop();
  }

  /** Attributes that pushed pragmas give to a declaration of this kind. */
  protected abstract pushedAttributes(subject: string): readonly Attribute[];
}
