/**
 * What the grammar rules stand on: the token window, retyping of tokens by context, scopes of
 * typedef names, and pragmas.
 *
 * The grammar is LL(1) throughout. Where C needs to know more than the next token (is this
 * identifier a type? does this parenthesis open a declarator?), the token's type is changed to one
 * that says so before the decision is made; so lookahead tables by token type suffice.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Span } from "../../common/diagnostics/source.ts";
import type { PragmaState, StreamEvent, TokenRun, UnrollPragma } from "../1-preprocess/stream.ts";
import { initialPragmaState } from "../1-preprocess/stream.ts";
import { spanBetween, type Token, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, type TokenType, tokenTypes as t } from "../1-preprocess/token-types.ts";
import { outside, RuleEngine } from "./rule-engine.ts";
import { ScopeStack, type TypeNameOracle } from "./scopes.ts";

/** Token types that start a type name or declaration specifiers. */
const typeStarts = new Set<number>(
  [
    t.StorageClass,
    t.FunctionSpecifier,
    t.Qualifier,
    t.Atomic,
    t.TypeWord,
    t.StructUnion,
    t.Enum,
    t.Typeof,
    t.AutoType,
    t.Alignas,
    t.TypedefName,
  ].map((type) => type.tokenTypeIdx),
);

/** Stands in while the grammar is recorded. */
const recordingSpan: Span = { file: { path: "", text: "", isSystem: false }, start: 0, end: 0 };

export abstract class TokenWindow extends RuleEngine {
  protected diagnostics!: Diagnostics;
  protected scopes!: ScopeStack;
  protected oracle!: TypeNameOracle;
  #events: readonly StreamEvent[] = [];
  #nextEvent = 0;
  #nextEventIndex = Number.POSITIVE_INFINITY;
  protected pragmaState: PragmaState = initialPragmaState;
  /** `#pragma unroll` that waits for its loop, and where it stands. */
  protected pendingUnroll: UnrollPragma | undefined;
  protected unrollSpan: Span | undefined;
  protected depth = 0;
  protected unaryDepth = 0;

  /** Makes the parser ready to read a run. */
  protected load(run: TokenRun, diagnostics: Diagnostics, oracle: TypeNameOracle): void {
    this.tokVector = run.tokens;
    this.currIdx = -1;
    this.diagnostics = diagnostics;
    this.oracle = oracle;
    this.scopes = new ScopeStack();
    this.#events = run.events;
    this.#nextEvent = 0;
    this.pragmaState = run.state;
    this.pendingUnroll = undefined;
    this.depth = 0;
    this.#scheduleEvent();
    this.#arrive();
  }

  /** The token that comes next gets the type that it has here. */
  protected consumeToken(): void {
    this.currIdx += 1;
    this.#arrive();
  }

  /** Makes the token at an index the next one; false, and nothing done, where a pragma stands before it. */
  protected skipTo(index: number): boolean {
    if (index >= this.#nextEventIndex) return false;
    this.currIdx = index - 2;
    this.consumeToken();
    return true;
  }

  #arrive(): void {
    const index = this.currIdx + 1;
    if (index >= this.#nextEventIndex) this.#runEvents(index);
    const token = this.tokVector[index];
    if (token === undefined) return;
    if (token.tokenTypeIdx === t.Identifier.tokenTypeIdx) {
      if (this.isTypeName(token.image)) retype(token, t.TypedefName);
    } else if (token.tokenTypeIdx === t.LBracket.tokenTypeIdx) {
      if (this.tokVector[index + 1]?.tokenTypeIdx === t.LBracket.tokenTypeIdx)
        retype(token, t.AttributeOpen);
    }
  }

  #scheduleEvent(): void {
    this.#nextEventIndex = this.#events[this.#nextEvent]?.index ?? Number.POSITIVE_INFINITY;
  }

  #runEvents(index: number): void {
    for (;;) {
      const event = this.#events[this.#nextEvent];
      if (event === undefined || event.index > index) break;
      this.#nextEvent += 1;
      if (event.kind === "state") this.pragmaState = event.state;
      else {
        this.pendingUnroll = event.hint;
        this.unrollSpan = event.span;
      }
    }
    this.#scheduleEvent();
  }

  /** Computes the type of the next token anew, after scopes changed. */
  protected reclassify(): void {
    const token = this.peek();
    if (token.tokenType === t.TypedefName && !this.isTypeName(token.image))
      retype(token, t.Identifier);
    else if (token.tokenType === t.Identifier && this.isTypeName(token.image))
      retype(token, t.TypedefName);
  }

  protected isTypeName(name: string): boolean {
    const local = this.scopes.lookup(name);
    return local ?? this.oracle.isTypeName(name);
  }

  /** Declares an ordinary name in the innermost scope. */
  protected declareName(name: string | undefined, isTypedef: boolean): void {
    if (this.RECORDING_PHASE || name === undefined) return;
    if (this.scopes.isFileScope) this.oracle.declare(name, isTypedef);
    else this.scopes.declare(name, isTypedef);
  }

  protected pushScope(): void {
    if (!this.RECORDING_PHASE) this.scopes.push();
  }

  protected popScope(): void {
    if (this.RECORDING_PHASE) return;
    this.scopes.pop();
    this.reclassify();
  }

  // The token window

  /** The n-th token ahead; end-of-file past the end. */
  protected peek(n = 1): Token {
    return this.tokVector[this.currIdx + n] ?? outside;
  }

  protected isNext(type: TokenType, n = 1): boolean {
    return (this.tokVector[this.currIdx + n] ?? outside).tokenType === type;
  }

  protected get previous(): Token {
    return this.tokVector[this.currIdx] ?? outside;
  }

  /** From a token up to the last one consumed. */
  protected spanFrom(first: Token): Span {
    if (this.RECORDING_PHASE) return recordingSpan;
    return this.currIdx < 0 ? tokenSpan(first) : spanBetween(first, this.previous);
  }

  // Retyping

  /** The next token, if it is a word, is to be read as a plain identifier. */
  protected asIdentifier(): void {
    const token = this.peek();
    if (token.tokenType === t.TypedefName) retype(token, t.Identifier);
  }

  protected retypeNext(from: TokenType, to: TokenType): void {
    const token = this.peek();
    if (token.tokenType === from) retype(token, to);
  }

  /** True where the n-th token ahead starts a type name or a declaration. */
  protected startsType(n = 1): boolean {
    const token = this.peek(n);
    if (token.tokenType === t.Identifier) return this.isTypeName(token.image);
    return typeStarts.has(token.tokenTypeIdx);
  }

  /** `name :` at the start of a statement or initialiser item. */
  protected markLabel(): void {
    const token = this.peek();
    const isName = token.tokenType === t.Identifier || token.tokenType === t.TypedefName;
    if (isName && this.isNext(t.Colon, 2)) retype(token, t.LabelName);
  }

  /**
   * `(` where a declarator may stand: a nested declarator, or (of an abstract one) parameters?
   */
  protected markDeclaratorParen(mayBeAbstract: boolean): void {
    const token = this.peek();
    if (token.tokenType !== t.LParen) return;
    const next = this.peek(2);
    const opensParameters =
      mayBeAbstract &&
      (next.tokenType === t.RParen || next.tokenType === t.Ellipsis || this.startsType(2));
    if (!opensParameters) retype(token, t.DeclaratorParen);
  }

  /**
   * `a, b) int a;` and `a) {` at file scope, behind the parenthesis of a function's parameters: the
   * names of parameters that are declared in front of the body, as before C89.
   */
  protected markOldParameters(): void {
    if (this.RECORDING_PHASE || this.scopes.depth !== 1) return;
    let n = 1;
    for (; this.isNext(t.Identifier, n) && !this.startsType(n); n += 2) {
      if (!this.isNext(t.Comma, n + 1)) break;
    }
    const isList = this.isNext(t.Identifier, n) && this.isNext(t.RParen, n + 1);
    if (!isList || this.startsType(n)) return;
    if (!this.startsType(n + 2) && !this.isNext(t.LBrace, n + 2)) return;
    for (; n > 0; n -= 2) retype(this.peek(n), t.OldParameter);
  }

  /** Steps over `__extension__` before a declaration; in an expression it is an operator. */
  protected skipExtensionBeforeDeclaration(): void {
    let n = 1;
    while (this.isNext(t.Extension, n)) n += 1;
    const isDeclaration = n > 1 && (this.startsType(n) || this.isNext(t.Attribute, n));
    if (isDeclaration) for (; n > 1; n -= 1) this.consumeToken();
  }

  /** `__attribute__` at the start of a block item: of a declaration, or of a statement? */
  protected markStatementAttribute(): void {
    const token = this.peek();
    if (token.tokenType !== t.Attribute && token.tokenType !== t.AttributeOpen) return;
    let n = 1;
    for (;;) {
      const { tokenType } = this.peek(n);
      if (tokenType === t.Attribute) n = this.afterBrackets(n + 1);
      else if (tokenType === t.AttributeOpen || this.opensStandardAttribute(n))
        n = this.afterBrackets(n);
      else break;
    }
    if (!this.startsType(n) && !this.isNext(t.Extension, n)) retype(token, t.StatementAttribute);
  }

  private opensStandardAttribute(n: number): boolean {
    return this.isNext(t.LBracket, n) && this.isNext(t.LBracket, n + 1);
  }

  /** Lookahead index behind the bracketed group that opens at `n`. */
  protected afterBrackets(n: number): number {
    let depth = 0;
    for (let at = n; ; at += 1) {
      const { tokenType } = this.peek(at);
      if (tokenType === endOfFile) return at;
      if (isOpening(tokenType)) depth += 1;
      else if (isClosing(tokenType)) depth -= 1;
      if (depth <= 0) return at + 1;
    }
  }
}

export function retype(token: Token, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx;
}

export function isOpening(type: TokenType): boolean {
  return (
    type === t.LParen ||
    type === t.DeclaratorParen ||
    type === t.LBracket ||
    type === t.AttributeOpen ||
    type === t.LBrace
  );
}

export function isClosing(type: TokenType): boolean {
  return type === t.RParen || type === t.RBracket || type === t.RBrace;
}
