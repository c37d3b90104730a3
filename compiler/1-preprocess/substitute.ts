/**
 * Replaces a macro's parameters: C17 6.10.3.1–3 (`#`, `##`), `__VA_OPT__`, and GNU's
 * `, ## __VA_ARGS__`. Rescanning the result is up to the expander.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { IdentifierTable } from "./identifiers.ts";
import { isPaste, isStringify, type Macro, type MacroContent } from "./macro.ts";
import { RawLexer } from "./raw-lexer.ts";
import { copyToken, LEADING_SPACE, LINE_START, PLACEMARKER, Token } from "./token.ts";
import { endOfFile, type TokenType, tokenTypes } from "./token-types.ts";

/** One argument of a macro call. */
export interface MacroArgument {
  readonly tokens: readonly Token[];
  /** Fully macro-expanded; computed when first needed. */
  readonly expanded: () => readonly Token[];
  /** False for the variable argument that is not there at all. */
  readonly present: boolean;
}

export interface SubstitutionContext {
  readonly identifiers: IdentifierTable;
  /** `#pragma`-free report of pastes that give no token. */
  readonly report: (message: string, at: Token) => void;
  /** Asks whether so many more tokens may be made; false once there are too many. */
  readonly spend: (tokens: number) => boolean;
}

/** The tokens that replace a macro call, before rescanning. `call` is the macro's name in the text. */
export function substitute(
  macro: Macro,
  args: readonly MacroArgument[],
  place: Span,
  context: SubstitutionContext,
): Token[] {
  const content = macro.content;
  const substitution = new Substitution(content, args, place, context);
  return substitution.run(0, content.body.length).filter((t) => (t.flags & PLACEMARKER) === 0);
}

const SPACING = LEADING_SPACE | LINE_START;

class Substitution {
  readonly #content: MacroContent;
  readonly #args: readonly MacroArgument[];
  readonly #place: Span;
  readonly #context: SubstitutionContext;

  constructor(
    content: MacroContent,
    args: readonly MacroArgument[],
    place: Span,
    context: SubstitutionContext,
  ) {
    this.#content = content;
    this.#args = args;
    this.#place = place;
    this.#context = context;
  }

  /** Substitutes body tokens `from` to `to`; placemarkers are kept. */
  run(from: number, to: number): Token[] {
    const { body, parameterAt } = this.#content;
    const out: Token[] = [];
    let pasting = false;
    for (let index = from; index < to; index += 1) {
      const token = body[index]!;
      if (isPaste(token) && index > from && index + 1 < to) {
        pasting = true;
        continue;
      }
      const pasteNext = index + 2 < to && isPaste(body[index + 1]!);
      const parameter = parameterAt[index]!;
      let piece: Token[];
      if (isStringify(token) && this.#isOperand(index + 1, to)) {
        index += 1;
        const operandEnd = this.#operandEnd(index, to);
        piece = [this.#stringify(this.#operandTokens(index, operandEnd), token)];
        index = operandEnd - 1;
      } else if (this.#isOptional(index, to)) {
        const end = this.#operandEnd(index, to);
        piece = this.#optional(index, end, token);
        index = end - 1;
      } else if (parameter >= 0) {
        if (pasting && this.#isCommaPaste(parameter, out, body[index - 2])) {
          pasting = false;
          if (!this.#args[parameter]!.present) {
            out.pop();
            piece = [this.#placemarker(token)];
          } else {
            // Unexpanded, as in clang: the rescan expands it with this macro disabled.
            piece = this.#argument(parameter, token, true);
          }
        } else {
          piece = this.#argument(parameter, token, pasting || pasteNext);
        }
      } else {
        piece = [this.#bodyToken(token)];
      }
      if (pasting) {
        this.#paste(out, piece);
        pasting = false;
      } else {
        for (const item of piece) out.push(item);
      }
    }
    return out;
  }

  #isOperand(index: number, to: number): boolean {
    if (index >= to) return false;
    return this.#content.parameterAt[index]! >= 0 || this.#isOptional(index, to);
  }

  #isOptional(index: number, to: number): boolean {
    const { body, variadic } = this.#content;
    if (!variadic || body[index]?.image !== "__VA_OPT__") return false;
    return index + 1 < to && body[index + 1]!.tokenType === tokenTypes.LParen;
  }

  /** Behind the operand of `#`: one parameter, or `__VA_OPT__ ( … )`. */
  #operandEnd(index: number, to: number): number {
    if (!this.#isOptional(index, to)) return index + 1;
    let depth = 0;
    for (let at = index + 1; at < to; at += 1) {
      const type = this.#content.body[at]!.tokenType;
      if (type === tokenTypes.LParen) depth += 1;
      if (type === tokenTypes.RParen) depth -= 1;
      if (depth === 0) return at + 1;
    }
    return to;
  }

  #operandTokens(index: number, end: number): readonly Token[] {
    const parameter = this.#content.parameterAt[index]!;
    if (parameter >= 0) return this.#args[parameter]!.tokens;
    return this.#optional(index, end, this.#content.body[index]!);
  }

  #optional(index: number, end: number, token: Token): Token[] {
    const rest = this.#args[this.#content.parameters.length - 1];
    const present = rest !== undefined && rest.expanded().length > 0;
    const result = present ? this.run(index + 2, end - 1) : [];
    const first = result[0];
    if (first === undefined) return [this.#placemarker(token)];
    first.flags = (first.flags & ~SPACING) | (token.flags & SPACING);
    return result;
  }

  /** `, ## args` of GNU C: `##` stands between a comma and the variable argument. */
  #isCommaPaste(parameter: number, out: readonly Token[], beforePaste: Token | undefined): boolean {
    const { variadic, parameters } = this.#content;
    return (
      variadic &&
      parameter === parameters.length - 1 &&
      beforePaste?.tokenType === tokenTypes.Comma &&
      out.at(-1)?.tokenType === tokenTypes.Comma
    );
  }

  #bodyToken(token: Token): Token {
    const copy = copyToken(token);
    copy.expandedFrom = this.#place;
    return copy;
  }

  #placemarker(like: Token): Token {
    const { file, startOffset, endOffset } = like;
    const flags = (like.flags & SPACING) | PLACEMARKER;
    return new Token(tokenTypes.Stray, "", file, startOffset, endOffset, flags, undefined);
  }

  #argument(parameter: number, token: Token, raw: boolean): Token[] {
    const argument = this.#args[parameter]!;
    const source = raw ? argument.tokens : argument.expanded();
    if (!this.#context.spend(source.length)) return [];
    if (source.length === 0) return raw ? [this.#placemarker(token)] : [];
    return source.map((item, index) => {
      const copy = copyToken(item);
      if (index === 0) copy.flags = (copy.flags & ~SPACING) | (token.flags & SPACING);
      return copy;
    });
  }

  #stringify(tokens: readonly Token[], at: Token): Token {
    const text = stringifyTokens(tokens);
    const { file, startOffset, endOffset } = at;
    const type = tokenTypes.StringLiteral;
    const flags = at.flags & SPACING;
    const token = new Token(type, text, file, startOffset, endOffset, flags, undefined);
    token.expandedFrom = this.#place;
    return token;
  }

  /** Joins the last token of `out` with the first of `piece`, and appends the rest. */
  #paste(out: Token[], piece: readonly Token[]): void {
    const left = out.pop();
    const right = piece[0];
    if (left === undefined || right === undefined) {
      if (left !== undefined) out.push(left);
      for (const item of piece) out.push(item);
      return;
    }
    for (const item of this.#join(left, right)) out.push(item);
    for (let index = 1; index < piece.length; index += 1) out.push(piece[index]!);
  }

  #join(left: Token, right: Token): Token[] {
    if ((right.flags & PLACEMARKER) !== 0) return [left];
    if ((left.flags & PLACEMARKER) !== 0) {
      right.flags = (right.flags & ~SPACING) | (left.flags & SPACING);
      return [right];
    }
    const joined = lexOne(left.image + right.image, this.#context.identifiers);
    if (joined === undefined) {
      const text = left.image + right.image;
      this.#context.report(`pasting formed '${text}', an invalid preprocessing token`, left);
      return [left, right];
    }
    const { type, identifier } = joined;
    const { file, startOffset, endOffset } = left;
    const flags = left.flags & SPACING;
    const image = left.image + right.image;
    const token = new Token(type, image, file, startOffset, endOffset, flags, identifier);
    token.expandedFrom = left.expandedFrom ?? this.#place;
    return [token];
  }
}

/** The one token that a text is; undefined where it is none or several. */
function lexOne(
  text: string,
  identifiers: IdentifierTable,
): { readonly type: TokenType; readonly identifier: Token["identifier"] } | undefined {
  if (text.startsWith("//") || text.startsWith("/*")) return undefined;
  let valid = true;
  const scratch = { path: "<scratch space>", text, isSystem: false };
  const lexer = new RawLexer(scratch, identifiers, () => {
    valid = false;
  });
  const token = lexer.next();
  if (!valid || token.tokenType === endOfFile || token.endOffset !== text.length) return undefined;
  const isOperator = isPaste(token) || isStringify(token);
  if (token.tokenType === tokenTypes.Stray && !isOperator) return undefined;
  return { type: token.tokenType, identifier: token.identifier };
}

/** `#` applied to tokens: their spelling as a string literal. */
export function stringifyTokens(tokens: readonly Token[]): string {
  let text = '"';
  tokens.forEach((token, index) => {
    if ((token.flags & PLACEMARKER) !== 0) return;
    if (index > 0 && (token.flags & SPACING) !== 0) text += " ";
    const literal =
      token.tokenType === tokenTypes.StringLiteral || token.tokenType === tokenTypes.Character;
    text += literal ? token.image.replace(/["\\]/g, "\\$&") : token.image;
  });
  // A backslash that would escape the closing quote is dropped, as in clang.
  const trailing = /\\*$/.exec(text)?.[0].length ?? 0;
  return `${trailing % 2 === 1 ? text.slice(0, -1) : text}"`;
}
