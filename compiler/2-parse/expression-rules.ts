/** Grammar rules of expressions (C17 6.5, GNU extensions): precedence climbing over one rule. */
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type { AssignmentOperator, BinaryOperator, Expression, UnaryOperator } from "./ast.ts";
import { ASSIGNMENT, COMMA, OperandRules } from "./operand-rules.ts";
import type { GrammarRule, Rule } from "./rule-engine.ts";
import { retype } from "./token-window.ts";

/** Binding strength; assignment and `?:` are handled by the rule itself. */
const precedence: ReadonlyMap<string, number> = new Map([
  [",", 1],
  ...["=", "*=", "/=", "%=", "+=", "-=", "<<=", ">>=", "&=", "^=", "|="].map(
    (image) => [image, 2] as const,
  ),
  ["?", 3],
  ["||", 4],
  ["&&", 5],
  ["|", 6],
  ["^", 7],
  ["&", 8],
  ["==", 9],
  ["!=", 9],
  ["<", 10],
  [">", 10],
  ["<=", 10],
  [">=", 10],
  ["<<", 11],
  [">>", 11],
  ["+", 12],
  ["-", 12],
  ["*", 13],
  ["/", 13],
  ["%", 13],
]);

const CONDITIONAL = 3;

/** A unary expression may be nested this deeply by prefixes and casts. */
const MAX_UNARY_DEPTH = 1000;

export abstract class ExpressionRules extends OperandRules {
  /** An expression down to a binding strength: 1 takes commas, 2 (the argument form) does not. */
  readonly expression: GrammarRule<[number?], Expression> = this.RULE(
    "expression",
    (minimum = COMMA): Expression => {
      const first = this.peek();
      let left = this.SUBRULE(this.unary);
      this.MANY({
        GATE: () => this.#binds(minimum),
        DEF: () => {
          const condition = left;
          left = this.OR([
            {
              ALT: () => {
                const op = this.CONSUME(t.BinaryOperator);
                const right = this.SUBRULE(this.expression, { ARGS: [precedenceOf(op) + 1] });
                return {
                  kind: "binary",
                  op: op.image as BinaryOperator,
                  left: condition,
                  right,
                  opSpan: tokenSpan(op),
                  span: this.spanFrom(first),
                };
              },
            },
            {
              ALT: () => {
                const op = this.CONSUME(t.AssignOperator);
                const value = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
                return {
                  kind: "assign",
                  op: op.image as AssignmentOperator,
                  target: condition,
                  value,
                  opSpan: tokenSpan(op),
                  span: this.spanFrom(first),
                };
              },
            },
            { ALT: () => this.SUBRULE(this.conditionalTail, { ARGS: [condition, first] }) },
          ]);
        },
      });
      return left;
    },
  );

  /** True where the next token is an operator that binds at least so strongly. */
  #binds(minimum: number): boolean {
    const token = this.peek();
    const strength = precedence.get(token.image);
    if (strength === undefined || strength < minimum) return false;
    if (strength === ASSIGNMENT) retype(token, t.AssignOperator);
    else if (strength !== CONDITIONAL) retype(token, t.BinaryOperator);
    return true;
  }

  readonly conditionalTail = this.RULE(
    "conditionalTail",
    (condition: Expression, first: Token): Expression => {
      let then: Expression | undefined;
      this.CONSUME(t.Question);
      this.OPTION(() => {
        then = this.SUBRULE(this.expression, { ARGS: [COMMA] });
      });
      this.CONSUME(t.Colon);
      const otherwise = this.SUBRULE(this.expression, { ARGS: [CONDITIONAL] });
      const span = this.spanFrom(first);
      return { kind: "conditional", condition, ...(then && { then }), otherwise, span };
    },
  );

  /** Made once: an expression asks for them at every operand. */
  readonly #prefixes = [
    { ALT: () => this.CONSUME(t.Star) },
    { ALT: () => this.CONSUME(t.Ampersand) },
    { ALT: () => this.CONSUME(t.Sign) },
    { ALT: () => this.CONSUME(t.Not) },
    { ALT: () => this.CONSUME(t.IncrementDecrement) },
    { ALT: () => this.CONSUME(t.Extension) },
  ];

  readonly unary: Rule<Expression> = this.RULE("unary", (): Expression => {
    const prefixes: Token[] = [];
    this.unaryDepth += 1;
    if (this.unaryDepth > MAX_UNARY_DEPTH)
      this.failHere("nesting", "expression is nested too deeply");
    try {
      this.MANY(() => {
        prefixes.push(this.OR(this.#prefixes));
      });
      const operand = this.SUBRULE(this.primary);
      return this.#applyPrefixes(prefixes, operand);
    } finally {
      this.unaryDepth -= 1;
    }
  });

  #applyPrefixes(prefixes: readonly Token[], operand: Expression): Expression {
    let value = operand;
    for (let index = prefixes.length - 1; index >= 0; index -= 1) {
      const op = prefixes[index]!;
      const operator = op.identifier === undefined ? op.image : "__extension__";
      const span = this.spanFrom(op);
      value = { kind: "unary", op: operator as UnaryOperator, operand: value, span };
    }
    return value;
  }
}

function precedenceOf(op: Token): number {
  return precedence.get(op.image) ?? 0;
}
