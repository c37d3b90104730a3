/**
 * Macro expansion over a source of unexpanded tokens. Expansions are rescanned from a stack of
 * contexts; a macro is disabled while the tokens of its own expansion are being read.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { IdentifierTable } from "./identifiers.ts";
import { type Macro, macroOf } from "./macro.ts";
import { type MacroArgument, substitute } from "./substitute.ts";
import { copyToken, LEADING_SPACE, LINE_START, NO_EXPAND, Token, tokenSpan } from "./token.ts";
import { endOfFile, tokenTypes } from "./token-types.ts";

/** Unexpanded tokens, directives already carried out; ends with (and repeats) end-of-file tokens. */
export interface TokenSource {
  next(): Token;
}

/** What the expander needs from its surroundings. */
export interface ExpanderHost {
  readonly identifiers: IdentifierTable;
  error(code: string, message: string, span: Span, note?: { message: string; span: Span }): void;
  /** The expansion of a built-in macro that depends on the place. */
  expandDynamic(macro: Macro, name: Token, expander: MacroExpander): readonly Token[];
  /** Carries out `_Pragma(literal)`. */
  pragmaOperator(literal: Token, name: Token): void;
}

interface Context {
  readonly tokens: readonly Token[];
  index: number;
  readonly macro: Macro | undefined;
}

/** Deeper nesting of expansions than this is refused: it would not end. */
const MAX_CONTEXTS = 20_000;
/** More tokens than this from one macro call in the text are refused: it would fill the memory. */
const MAX_TOKENS_PER_EXPANSION = 500_000;

export class MacroExpander {
  #source: TokenSource;
  readonly #host: ExpanderHost;
  #contexts: Context[] = [];
  #argumentDepth = 0;
  #budget = MAX_TOKENS_PER_EXPANSION;
  #refused = false;
  /** In `#if`: `defined` is an operator. */
  inCondition = false;

  constructor(source: TokenSource, host: ExpanderHost) {
    this.#source = source;
    this.#host = host;
  }

  /** Nothing of an expansion is waiting to be read. */
  get idle(): boolean {
    return this.#contexts.length === 0;
  }

  /** The next token before expansion. */
  raw(): Token {
    for (;;) {
      const context = this.#contexts.at(-1);
      if (context === undefined) return this.#source.next();
      if (context.index < context.tokens.length) {
        const token = context.tokens[context.index]!;
        context.index += 1;
        return token;
      }
      this.#contexts.pop();
      if (context.macro !== undefined) context.macro.disabled = false;
    }
  }

  pushBack(token: Token): void {
    this.#contexts.push({ tokens: [token], index: 0, macro: undefined });
  }

  /** The next fully expanded token. */
  next(): Token {
    return this.expand(this.raw());
  }

  /** The same where the next token before expansion was read already. */
  expand(read: Token): Token {
    if (this.idle && this.#argumentDepth === 0) this.#budget = MAX_TOKENS_PER_EXPANSION;
    for (let token = read; ; token = this.raw()) {
      const identifier = token.identifier;
      if (identifier === undefined) return token;
      const macro = macroOf(identifier);
      if (macro === undefined) {
        if (this.#special(token)) continue;
        return token;
      }
      if ((token.flags & NO_EXPAND) !== 0) return token;
      if (macro.disabled) {
        const blocked = copyToken(token);
        blocked.flags |= NO_EXPAND;
        return blocked;
      }
      if (!this.#call(macro, token)) return token;
    }
  }

  /** `_Pragma` and `defined`; true where the token was dealt with. */
  #special(token: Token): boolean {
    if (token.image === "_Pragma" && this.#argumentDepth === 0) return this.#pragma(token);
    if (this.inCondition && token.image === "defined") {
      this.#defined(token);
      return true;
    }
    if (token.identifier?.poisoned === true)
      this.#host.error(
        "poisoned-identifier",
        `attempt to use a poisoned identifier '${token.image}'`,
        tokenSpan(token),
      );
    return false;
  }

  #pragma(name: Token): boolean {
    const open = this.raw();
    // Its operand may be a macro: libbpf's headers say so where an architecture is missing.
    const literal = open.tokenType === tokenTypes.LParen ? this.next() : open;
    const close = literal.tokenType === tokenTypes.StringLiteral ? this.next() : literal;
    if (close.tokenType !== tokenTypes.RParen) {
      const message = "_Pragma takes a parenthesized string literal";
      this.#host.error("pragma-operator", message, tokenSpan(name));
      if (close.tokenType === endOfFile) this.pushBack(close);
      return true;
    }
    this.#host.pragmaOperator(literal, name);
    return true;
  }

  #defined(operator: Token): void {
    let token = this.raw();
    const parenthesised = token.tokenType === tokenTypes.LParen;
    if (parenthesised) token = this.raw();
    const identifier = token.identifier;
    if (identifier === undefined) {
      this.#host.error("defined-operator", "macro name missing", tokenSpan(operator));
      if (token.tokenType === endOfFile) this.pushBack(token);
    } else if (parenthesised) {
      const close = this.raw();
      if (close.tokenType !== tokenTypes.RParen) {
        this.#host.error("defined-operator", "missing ')' after 'defined'", tokenSpan(close));
        this.pushBack(close);
      }
    }
    const value = identifier?.macro === undefined ? "0" : "1";
    this.pushBack(numberToken(value, operator));
  }

  /** Pushes the expansion; false where a function-like macro's name stands alone. */
  #call(macro: Macro, name: Token): boolean {
    if (this.#refusesMore(name)) return false;
    if (macro.dynamic !== undefined) {
      this.#push(this.#host.expandDynamic(macro, name, this), undefined, name);
      return true;
    }
    let args: readonly MacroArgument[] = [];
    let place = tokenSpan(name);
    if (macro.functionLike) {
      const opening = this.raw();
      if (opening.tokenType !== tokenTypes.LParen) {
        this.pushBack(opening);
        return false;
      }
      const collected = this.#collectArguments(macro, name);
      if (collected === undefined) return false;
      args = collected.args;
      const { close } = collected;
      const isTogether = close.file === name.file && close.expandedFrom === name.expandedFrom;
      if (isTogether && close.endOffset > place.end) place = { ...place, end: close.endOffset };
    }
    const tokens = substitute(macro, args, place, {
      identifiers: this.#host.identifiers,
      report: (message, at) => this.#host.error("token-paste", message, tokenSpan(at)),
      spend: (count) => {
        this.#budget -= count;
        return this.#budget > 0;
      },
    });
    if (this.#refusesMore(name)) return false;
    this.#push(tokens, macro, name);
    return true;
  }

  /** True, after a report, where an expansion has grown without measure. */
  #refusesMore(name: Token): boolean {
    if (this.#contexts.length <= MAX_CONTEXTS && this.#budget > 0) return false;
    if (!this.#refused)
      this.#host.error("macro-expansion", "macro expansion is too large", tokenSpan(name));
    this.#refused = true;
    for (const context of this.#contexts) if (context.macro) context.macro.disabled = false;
    this.#contexts = [];
    return true;
  }

  #push(tokens: readonly Token[], macro: Macro | undefined, name: Token): void {
    this.#budget -= tokens.length + 1;
    const first = tokens[0];
    if (first !== undefined) {
      const spacing = LEADING_SPACE | LINE_START;
      first.flags = (first.flags & ~spacing) | (name.flags & spacing);
    }
    if (macro !== undefined) macro.disabled = true;
    this.#contexts.push({ tokens, index: 0, macro });
  }

  /** Reads arguments up to the closing parenthesis; undefined after an error. */
  #collectArguments(
    macro: Macro,
    name: Token,
  ): { readonly args: readonly MacroArgument[]; readonly close: Token } | undefined {
    const { parameters, variadic } = macro.content;
    const lists: Token[][] = [[]];
    let depth = 0;
    let token: Token;
    for (;;) {
      token = this.raw();
      const type = token.tokenType;
      if (type === endOfFile) {
        this.#host.error(
          "unterminated-macro-call",
          "unterminated function-like macro invocation",
          tokenSpan(name),
          { message: `macro '${macro.name}' defined here`, span: macro.span },
        );
        this.pushBack(token);
        return undefined;
      }
      if (type === tokenTypes.LParen) depth += 1;
      if (type === tokenTypes.RParen) {
        if (depth === 0) break;
        depth -= 1;
      }
      const inRest = variadic && lists.length >= parameters.length;
      if (type === tokenTypes.Comma && depth === 0 && !inRest) {
        lists.push([]);
        continue;
      }
      lists.at(-1)!.push(this.#argumentToken(token));
    }
    const args = this.#matchArguments(macro, name, lists);
    return args && { args, close: token };
  }

  #argumentToken(token: Token): Token {
    if (macroOf(token.identifier)?.disabled !== true || (token.flags & NO_EXPAND) !== 0)
      return token;
    const blocked = copyToken(token);
    blocked.flags |= NO_EXPAND;
    return blocked;
  }

  #matchArguments(macro: Macro, name: Token, lists: Token[][]): MacroArgument[] | undefined {
    const { parameters, variadic } = macro.content;
    const wanted = parameters.length;
    const given = lists.length === 1 && lists[0]!.length === 0 && wanted === 0 ? 0 : lists.length;
    const restMissing = variadic && given === wanted - 1;
    if (given !== wanted && !restMissing) {
      const amount = given < wanted ? "few" : "many";
      this.#host.error(
        "macro-arguments",
        `too ${amount} arguments provided to function-like macro invocation`,
        tokenSpan(name),
        { message: `macro '${macro.name}' defined here`, span: macro.span },
      );
      return undefined;
    }
    if (given === 0 && wanted === 0) return [];
    const onlyEmpty = variadic && wanted === 1 && given === 1 && lists[0]!.length === 0;
    const args = lists.map((tokens) => this.#argument(tokens, !onlyEmpty));
    if (restMissing) args.push(this.#argument([], false));
    return args;
  }

  #argument(tokens: readonly Token[], present: boolean): MacroArgument {
    let expanded: readonly Token[] | undefined;
    return {
      tokens,
      present,
      expanded: () => {
        expanded ??= this.#needsExpansion(tokens) ? this.expandAlone(tokens) : tokens;
        return expanded;
      },
    };
  }

  #needsExpansion(tokens: readonly Token[]): boolean {
    return tokens.some((token) => token.identifier?.macro !== undefined || this.inCondition);
  }

  /** Expands a list by itself, as C 6.10.3.1 wants it for arguments. */
  expandAlone(tokens: readonly Token[]): Token[] {
    const saved = { contexts: this.#contexts, source: this.#source };
    const last = tokens.at(-1);
    if (last === undefined) return [];
    const end = new Token(endOfFile, "", last.file, last.endOffset, last.endOffset, 0, undefined);
    this.#source = { next: () => end };
    this.#contexts = [{ tokens, index: 0, macro: undefined }];
    this.#argumentDepth += 1;
    const result: Token[] = [];
    for (let token = this.next(); token.tokenType !== endOfFile; token = this.next()) {
      result.push(token);
      this.#budget -= 1;
    }
    this.#argumentDepth -= 1;
    this.#contexts = saved.contexts;
    this.#source = saved.source;
    return result;
  }
}

/** A number token that stands where another token stood. */
export function numberToken(value: string, at: Token): Token {
  const { file, startOffset, endOffset, flags } = at;
  return new Token(tokenTypes.Number, value, file, startOffset, endOffset, flags, undefined);
}
