/** The constant expressions of `#if` (C17 6.10.1), over expanded tokens, in 64 bits. */
import type { Span } from "../../common/diagnostics/source.ts";
import { characterValue, decodeQuoted, isFloatLiteral, parseInteger } from "./literals.ts";
import { type Token, tokenSpan } from "./token.ts";
import { tokenTypes } from "./token-types.ts";

interface Value {
  readonly value: bigint;
  readonly unsigned: boolean;
}

type Report = (message: string, span: Span) => void;

const precedence: ReadonlyMap<string, number> = new Map([
  ["||", 2],
  ["&&", 3],
  ["|", 4],
  ["^", 5],
  ["&", 6],
  ["==", 7],
  ["!=", 7],
  ["<", 8],
  [">", 8],
  ["<=", 8],
  [">=", 8],
  ["<<", 9],
  [">>", 9],
  ["+", 10],
  ["-", 10],
  ["*", 11],
  ["/", 11],
  ["%", 11],
]);

const MAX_DEPTH = 256;

class ConditionError extends Error {}

/**
 * The value of the expression; undefined after a report. `end` is the place to blame where the
 * expression stops too early.
 */
export function evaluateCondition(
  tokens: readonly Token[],
  end: Span,
  report: Report,
): bigint | undefined {
  const evaluation = new Evaluation(tokens, end, report);
  try {
    return evaluation.whole();
  } catch (error) {
    if (error instanceof ConditionError) return undefined;
    throw error;
  }
}

class Evaluation {
  readonly #tokens: readonly Token[];
  readonly #end: Span;
  readonly #report: Report;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: Span, report: Report) {
    this.#tokens = tokens;
    this.#end = end;
    this.#report = report;
  }

  whole(): bigint {
    const { value } = this.#conditional(true);
    const rest = this.#tokens[this.#at];
    if (rest === undefined) return value;
    if (rest.image === "(" && this.#tokens[this.#at - 1]?.identifier !== undefined)
      this.#fail(`function-like macro '${this.#tokens[this.#at - 1]!.image}' is not defined`, rest);
    return this.#fail("token is not a valid binary operator in a preprocessor subexpression", rest);
  }

  #fail(message: string, token?: Token): never {
    this.#report(message, token === undefined ? this.#end : tokenSpan(token));
    throw new ConditionError();
  }

  #isNext(image: string): boolean {
    return this.#tokens[this.#at]?.image === image;
  }

  /** `live` is false where the value cannot matter: no division by zero there. */
  #conditional(live: boolean): Value {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH)
      this.#fail("expression is nested too deeply", this.#tokens[this.#at]);
    let result = this.#binary(1, live);
    if (this.#isNext("?")) {
      this.#at += 1;
      const taken = result.value !== 0n;
      const then = this.#comma(live && taken);
      if (!this.#isNext(":")) this.#fail("expected ':'", this.#tokens[this.#at]);
      this.#at += 1;
      const otherwise = this.#conditional(live && !taken);
      const unsigned = then.unsigned || otherwise.unsigned;
      result = { value: wrap((taken ? then : otherwise).value, unsigned), unsigned };
    }
    this.#depth -= 1;
    return result;
  }

  #comma(live: boolean): Value {
    let value = this.#conditional(live);
    while (this.#isNext(",")) {
      this.#at += 1;
      value = this.#conditional(live);
    }
    return value;
  }

  #binary(minimum: number, live: boolean): Value {
    let left = this.#unary(live);
    for (;;) {
      const operator = this.#tokens[this.#at];
      const level = operator === undefined ? undefined : precedence.get(operator.image);
      if (operator === undefined || level === undefined || level < minimum) return left;
      this.#at += 1;
      const image = operator.image;
      const decided =
        (image === "&&" && left.value === 0n) || (image === "||" && left.value !== 0n);
      const right = this.#binary(level + 1, live && !decided);
      left = this.#apply(operator, left, right, live);
    }
  }

  #unary(live: boolean): Value {
    const prefix: string[] = [];
    for (;;) {
      const image = this.#tokens[this.#at]?.image;
      if (image !== "!" && image !== "-" && image !== "+" && image !== "~") break;
      prefix.push(image);
      this.#at += 1;
    }
    let value = this.#primary(live);
    for (const image of prefix.reverse()) {
      if (image === "-") value = { ...value, value: wrap(-value.value, value.unsigned) };
      if (image === "~") value = { ...value, value: wrap(~value.value, value.unsigned) };
      if (image === "!") value = { value: value.value === 0n ? 1n : 0n, unsigned: false };
    }
    return value;
  }

  #primary(live: boolean): Value {
    const token = this.#tokens[this.#at];
    if (token === undefined) return this.#fail("expected value in expression");
    this.#at += 1;
    if (token.tokenType === tokenTypes.LParen) {
      const inner = this.#comma(live);
      const close = this.#tokens[this.#at];
      if (close?.tokenType !== tokenTypes.RParen)
        this.#fail("expected ')' in preprocessor expression", close);
      this.#at += 1;
      return inner;
    }
    if (token.tokenType === tokenTypes.Number) return this.#number(token);
    if (token.tokenType === tokenTypes.Character) {
      const value = BigInt(characterValue(decodeQuoted(token.image)));
      return { value, unsigned: false };
    }
    if (token.identifier !== undefined) return { value: 0n, unsigned: false };
    return this.#fail("invalid token at start of a preprocessor expression", token);
  }

  #number(token: Token): Value {
    const parsed = parseInteger(token.image);
    if (!("problem" in parsed)) {
      const unsigned = parsed.unsigned || parsed.value > 0x7fff_ffff_ffff_ffffn;
      return { value: parsed.value, unsigned };
    }
    if (isFloatLiteral(token.image))
      return this.#fail("floating point literal in preprocessor expression", token);
    return this.#fail(parsed.problem, token);
  }

  #apply(operator: Token, left: Value, right: Value, live: boolean): Value {
    const unsigned = left.unsigned || right.unsigned;
    const a = wrap(left.value, unsigned);
    const b = wrap(right.value, unsigned);
    const truth = (test: boolean): Value => ({ value: test ? 1n : 0n, unsigned: false });
    const number = (value: bigint): Value => ({ value: wrap(value, unsigned), unsigned });
    switch (operator.image) {
      case "||":
        return truth(left.value !== 0n || right.value !== 0n);
      case "&&":
        return truth(left.value !== 0n && right.value !== 0n);
      case "==":
        return truth(a === b);
      case "!=":
        return truth(a !== b);
      case "<":
        return truth(a < b);
      case ">":
        return truth(a > b);
      case "<=":
        return truth(a <= b);
      case ">=":
        return truth(a >= b);
      case "|":
        return number(a | b);
      case "^":
        return number(a ^ b);
      case "&":
        return number(a & b);
      case "+":
        return number(a + b);
      case "-":
        return number(a - b);
      case "*":
        return number(a * b);
      case "<<":
        return shift(left, right.value);
      case ">>":
        return shift(left, -right.value);
      default:
        if (b === 0n && live) this.#fail("division by zero in preprocessor expression", operator);
        if (b === 0n) return number(0n);
        return number(operator.image === "/" ? a / b : a % b);
    }
  }
}

function shift(left: Value, by: bigint): Value {
  const { value, unsigned } = left;
  if (by >= 64n) return { value: 0n, unsigned };
  if (by <= -64n) return { value: value < 0n ? -1n : 0n, unsigned };
  return { value: wrap(by >= 0n ? value << by : value >> -by, unsigned), unsigned };
}

function wrap(value: bigint, unsigned: boolean): bigint {
  return unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
}
