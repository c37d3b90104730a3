/**
 * Expressions in assembly text: `8`, `(1 << 4) - 1`, `map + 8`, `.Lend - start`. The value is a
 * number plus at most one symbol, minus at most one other.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Span } from "../common/diagnostics/source.ts";
import type { TokenCursor } from "./tokens.ts";

export interface ExpressionValue {
  readonly value: bigint;
  readonly plus?: string;
  readonly minus?: string;
  readonly span: Span;
}

/** How names in expressions are understood. */
export interface ExpressionScope {
  /** The symbol of `1f`, `1b` and `.`. */
  readonly localLabel: (text: string) => string | undefined;
  /** The number that a name was set to. */
  readonly constant?: (name: string) => bigint | undefined;
}

const levels: readonly (readonly string[])[] = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

const operations: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "&": (a, b) => a & b,
  "<<": (a, b) => BigInt.asIntN(128, a << (b & 127n)),
  ">>": (a, b) => a >> (b & 127n),
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

const maximumDepth = 200;

class ExpressionParser {
  readonly #cursor: TokenCursor;
  readonly #scope: ExpressionScope;
  readonly #diagnostics: Diagnostics;

  constructor(cursor: TokenCursor, scope: ExpressionScope, diagnostics: Diagnostics) {
    this.#cursor = cursor;
    this.#scope = scope;
    this.#diagnostics = diagnostics;
  }

  parse(level: number, depth: number): ExpressionValue | undefined {
    const operators = levels[level];
    if (operators === undefined) return this.#unary(depth);
    let left = this.parse(level + 1, depth);
    while (left !== undefined) {
      const operator = operators.find((text) => this.#cursor.is(text));
      if (operator === undefined) return left;
      const token = this.#cursor.next();
      const right = this.parse(level + 1, depth);
      if (right === undefined) return undefined;
      left = this.#combine(operator, left, right, this.#cursor.spanOf(token));
    }
    return undefined;
  }

  #fail(message: string, span: Span): undefined {
    this.#diagnostics.error("bad-expression", message, span);
    return undefined;
  }

  #combine(
    operator: string,
    left: ExpressionValue,
    right: ExpressionValue,
    place: Span,
  ): ExpressionValue | undefined {
    const span = { ...left.span, end: right.span.end };
    if (operator === "+" || operator === "-") {
      const negative = operator === "-";
      const [plus, minus] = negative ? [right.minus, right.plus] : [right.plus, right.minus];
      if ((left.plus && plus) || (left.minus && minus)) {
        return this.#fail("symbols can only be subtracted from each other", place);
      }
      const value = negative ? left.value - right.value : left.value + right.value;
      const [allPlus, allMinus] = [left.plus ?? plus, left.minus ?? minus];
      return {
        value,
        span,
        ...(allPlus && { plus: allPlus }),
        ...(allMinus && { minus: allMinus }),
      };
    }
    if (left.plus || left.minus || right.plus || right.minus) {
      return this.#fail(`operator '${operator}' needs numbers`, place);
    }
    if ((operator === "/" || operator === "%") && right.value === 0n) {
      return this.#fail("division by zero", place);
    }
    const operation = operations[operator] as (a: bigint, b: bigint) => bigint;
    return { value: operation(left.value, right.value), span };
  }

  #unary(depth: number): ExpressionValue | undefined {
    const start = this.#cursor.token;
    if (depth > maximumDepth) {
      return this.#fail("expression nested too deeply", this.#cursor.spanOf(start));
    }
    for (const operator of ["-", "~", "+"]) {
      if (!this.#cursor.accept(operator)) continue;
      const operand = this.#unary(depth + 1);
      if (operand === undefined || operator === "+") return operand;
      const span = this.#cursor.spanFrom(start);
      if (operand.plus || operand.minus) return this.#fail("operand must be a number", span);
      return { value: operator === "-" ? -operand.value : ~operand.value, span };
    }
    return this.#primary(depth);
  }

  #primary(depth: number): ExpressionValue | undefined {
    const cursor = this.#cursor;
    const { token } = cursor;
    const span = cursor.spanOf(token);
    if (token.kind === "number") {
      cursor.next();
      return { value: token.value, span };
    }
    if (cursor.accept("(")) {
      const inner = this.parse(0, depth + 1);
      if (inner === undefined) return undefined;
      if (!cursor.accept(")")) return this.#fail("expected ')'", cursor.spanOf(cursor.token));
      return { ...inner, span: cursor.spanFrom(token) };
    }
    if (token.kind === "local" || (token.kind === "name" && token.text === ".")) {
      cursor.next();
      const symbol = this.#scope.localLabel(token.text);
      if (symbol === undefined) return this.#fail(`no label for '${token.text}'`, span);
      return { value: 0n, plus: symbol, span };
    }
    if (token.kind === "name" || token.kind === "string") {
      cursor.next();
      const constant = token.kind === "name" ? this.#scope.constant?.(token.text) : undefined;
      if (constant !== undefined) return { value: constant, span };
      return { value: 0n, plus: token.text, span };
    }
    return this.#fail("expected an expression", span);
  }
}

/** One expression; undefined after a report. */
export function parseExpression(
  cursor: TokenCursor,
  scope: ExpressionScope,
  diagnostics: Diagnostics,
): ExpressionValue | undefined {
  return new ExpressionParser(cursor, scope, diagnostics).parse(0, 0);
}
