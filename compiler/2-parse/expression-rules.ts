/** Grammar rules of expressions (C17 6.5, GNU extensions): precedence climbing over one rule. */
import type { ParserMethod } from "chevrotain";
import type { Span } from "../../common/diagnostics/source.ts";
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  AssignmentOperator,
  BinaryOperator,
  CompoundStatement,
  Designator,
  Expression,
  InitializerList,
  TypeName,
  UnaryOperator,
} from "./ast.ts";
import { characterLiteral, numberLiteral, stringLiteral } from "./literal-nodes.ts";
import { ParserBase, retype } from "./parser-base.ts";

export type Rule<T> = ParserMethod<[], T>;

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

/** Tokens that start an operand and cannot continue an expression. */
const operandStarts = new Set([
  t.Identifier,
  t.TypedefName,
  t.Number,
  t.Character,
  t.StringLiteral,
  t.Not,
  t.SizeofKeyword,
]);

const COMMA = 1;
export const ASSIGNMENT = 2;
const CONDITIONAL = 3;

/** A unary expression may be nested this deeply by prefixes and casts. */
const MAX_UNARY_DEPTH = 1000;

export abstract class ExpressionRules extends ParserBase {
  abstract readonly typeName: Rule<TypeName>;
  abstract readonly compoundStatement: Rule<CompoundStatement>;
  abstract readonly initializerList: Rule<InitializerList>;

  /** An expression down to a binding strength: 1 takes commas, 2 (the argument form) does not. */
  readonly expression = this.RULE("expression", (minimum = COMMA): Expression => {
    const first = this.peek();
    let left = this.SUBRULE(this.unary);
    this.MANY({
      GATE: () => this.#binds(minimum),
      DEF: () => {
        const condition = left;
        left = this.OR([
          {
            ALT: () => {
              const op = this.CONSUME(t.BinaryOperator) as Token;
              const right = this.SUBRULE1(this.expression, { ARGS: [precedenceOf(op) + 1] });
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
              const op = this.CONSUME(t.AssignOperator) as Token;
              const value = this.SUBRULE2(this.expression, { ARGS: [ASSIGNMENT] });
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
  });

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
      const otherwise = this.SUBRULE1(this.expression, { ARGS: [CONDITIONAL] });
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
        prefixes.push(this.OR(this.#prefixes) as Token);
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

  readonly primary = this.RULE("primary", (): Expression => {
    const first = this.peek();
    return this.OR<Expression>([
      {
        ALT: () => {
          const { image: name } = this.CONSUME(t.Identifier);
          const span = tokenSpan(first);
          return this.SUBRULE(this.postfix, { ARGS: [{ kind: "identifier", name, span }, first] });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Number);
          const value = numberLiteral(first, (message) => this.#literalError(message, first));
          return this.SUBRULE1(this.postfix, { ARGS: [value, first] });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Character);
          return characterLiteral(first, (message) => this.#literalError(message, first));
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.stringLiterals);
          return this.SUBRULE2(this.postfix, { ARGS: [value, first] });
        },
      },
      { ALT: () => this.SUBRULE(this.parenthesized) },
      { ALT: () => this.SUBRULE(this.sizeofExpression) },
      {
        ALT: () => {
          const value = this.SUBRULE(this.genericSelection);
          return this.SUBRULE3(this.postfix, { ARGS: [value, first] });
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.builtinExpression);
          return this.SUBRULE4(this.postfix, { ARGS: [value, first] });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.AndAnd);
          const { image: name } = this.SUBRULE(this.name);
          return { kind: "label_address", name, span: this.spanFrom(first) };
        },
      },
    ]);
  });

  #literalError(message: string, token: Token): void {
    this.report("invalid-literal", message, tokenSpan(token));
  }

  /** An identifier where none names a type: members, labels, tags. */
  readonly name: Rule<Token> = this.RULE("name", (): Token => {
    this.asIdentifier();
    return this.CONSUME(t.Identifier) as Token;
  });

  /** Adjacent string literals, joined. */
  readonly stringLiterals: Rule<Expression> = this.RULE("stringLiterals", (): Expression => {
    const literals = [this.CONSUME(t.StringLiteral) as Token];
    this.MANY(() => {
      literals.push(this.CONSUME1(t.StringLiteral) as Token);
    });
    const first = literals[0]!;
    const report = (message: string): void => this.#literalError(message, first);
    return stringLiteral(this.RECORDING_PHASE ? [] : literals, this.spanFrom(first), report);
  });

  /** Calls, subscripts, members, `++` and `--` behind an operand. */
  readonly postfix = this.RULE("postfix", (operand: Expression, first: Token): Expression => {
    let value = operand;
    this.MANY(() => {
      const object = value;
      value = this.OR<Expression>([
        { ALT: () => this.SUBRULE(this.callTail, { ARGS: [object, first] }) },
        { ALT: () => this.SUBRULE(this.indexTail, { ARGS: [object, first] }) },
        { ALT: () => this.SUBRULE(this.memberTail, { ARGS: [object, first] }) },
        {
          ALT: () => {
            const op = this.CONSUME(t.IncrementDecrement).image as "++" | "--";
            return { kind: "postfix", op, operand: object, span: this.spanFrom(first) };
          },
        },
      ]);
    });
    return value;
  });

  readonly callTail = this.RULE("callTail", (callee: Expression, first: Token): Expression => {
    const args: Expression[] = [];
    const open = this.CONSUME(t.LParen) as Token;
    this.enterBracket();
    this.OPTION(() => {
      args.push(this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] }));
      this.MANY(() => {
        this.CONSUME(t.Comma);
        args.push(this.SUBRULE1(this.expression, { ARGS: [ASSIGNMENT] }));
      });
    });
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.depth -= 1;
    return { kind: "call", callee, args, span: this.spanFrom(first) };
  });

  readonly indexTail = this.RULE("indexTail", (array: Expression, first: Token): Expression => {
    const open = this.CONSUME(t.LBracket) as Token;
    this.enterBracket();
    const index = this.SUBRULE(this.expression, { ARGS: [COMMA] });
    this.close(t.RBracket, "]", open, () => this.CONSUME(t.RBracket));
    this.depth -= 1;
    return { kind: "index", array, index, span: this.spanFrom(first) };
  });

  readonly memberTail = this.RULE("memberTail", (object: Expression, first: Token): Expression => {
    const arrow = this.OR([
      { ALT: () => this.CONSUME(t.Dot) && false },
      { ALT: () => this.CONSUME(t.Arrow) && true },
    ]);
    const name = this.SUBRULE(this.name);
    return {
      kind: "member",
      object,
      name: name.image,
      nameSpan: tokenSpan(name),
      arrow,
      span: this.spanFrom(first),
    };
  });

  /** `( … )`: a cast, a compound literal, a statement expression or an expression in brackets. */
  readonly parenthesized = this.RULE("parenthesized", (): Expression => {
    const open = this.CONSUME(t.LParen) as Token;
    this.enterBracket();
    return this.OR<Expression>([
      {
        ALT: () => {
          const type = this.SUBRULE(this.typeName);
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
          this.depth -= 1;
          return this.OR1<Expression>([
            { ALT: () => this.SUBRULE(this.compoundLiteral, { ARGS: [type, open] }) },
            {
              ALT: () => {
                const operand = this.SUBRULE(this.unary);
                return { kind: "cast", type, operand, span: this.spanFrom(open) };
              },
            },
          ]);
        },
      },
      {
        ALT: () => {
          const body = this.SUBRULE(this.compoundStatement);
          this.close(t.RParen, ")", open, () => this.CONSUME1(t.RParen));
          this.depth -= 1;
          const span = this.spanFrom(open);
          const value: Expression = { kind: "statement_expression", body, span };
          return this.SUBRULE(this.postfix, { ARGS: [value, open] });
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression, { ARGS: [COMMA] });
          this.close(t.RParen, ")", open, () => this.CONSUME2(t.RParen));
          this.depth -= 1;
          this.#checkUnknownCast(value);
          return this.SUBRULE1(this.postfix, { ARGS: [value, open] });
        },
      },
    ]);
  });

  /** `(foo_t)1` with no such type: what follows can only be the operand of a cast. */
  #checkUnknownCast(value: Expression): void {
    if (this.RECORDING_PHASE || value.kind !== "identifier") return;
    if (!operandStarts.has(this.peek().tokenType)) return;
    const message = `use of undeclared identifier '${value.name}'`;
    this.report("undeclared-identifier", message, value.span);
    this.fail();
  }

  readonly compoundLiteral = this.RULE(
    "compoundLiteral",
    (type: TypeName, open: Token): Expression => {
      const initializer = this.SUBRULE(this.initializerList);
      const value: Expression = {
        kind: "compound_literal",
        type,
        initializer,
        span: this.spanFrom(open),
      };
      return this.SUBRULE(this.postfix, { ARGS: [value, open] });
    },
  );

  /** `sizeof x`, `sizeof (T)`, and `_Alignof`; `sizeof (T){…}` measures a compound literal. */
  readonly sizeofExpression = this.RULE("sizeofExpression", (): Expression => {
    const word = this.CONSUME(t.SizeofKeyword) as Token;
    const kind = word.image === "sizeof" ? "sizeof" : "alignof";
    const open = this.peek();
    const isType = this.isNext(t.LParen) && this.startsType(2);
    if (isType) retype(open, t.DeclaratorParen);
    const operand = this.OR<Expression | TypeName>([
      {
        ALT: () => {
          this.CONSUME(t.DeclaratorParen);
          const type = this.SUBRULE(this.typeName);
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
          const literal = this.OPTION(() =>
            this.SUBRULE(this.compoundLiteral, { ARGS: [type, open] }),
          );
          return literal ?? type;
        },
      },
      { ALT: () => this.SUBRULE(this.unary) },
    ]);
    return { kind, operand, span: this.spanFrom(word) };
  });

  readonly genericSelection = this.RULE("genericSelection", (): Expression => {
    const word = this.CONSUME(t.Generic) as Token;
    const open = this.CONSUME(t.LParen) as Token;
    const control = this.SUBRULE(this.typeOrExpression);
    const associations: { type?: TypeName; value: Expression }[] = [];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      const type = this.OR([
        { ALT: () => this.CONSUME(t.Default) && undefined },
        { ALT: () => this.SUBRULE(this.typeName) },
      ]);
      this.CONSUME(t.Colon);
      const value = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
      associations.push({ ...(type && { type }), value });
    });
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    return { kind: "generic", control, associations, span: this.spanFrom(word) };
  });

  /** A type where one starts, else an expression without commas. */
  readonly typeOrExpression: Rule<Expression | TypeName> = this.RULE(
    "typeOrExpression",
    (): Expression | TypeName =>
      this.OR<Expression | TypeName>([
        { ALT: () => this.SUBRULE(this.typeName) },
        { ALT: () => this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] }) },
      ]),
  );

  /** Builtins that take types: they cannot be parsed as calls. */
  readonly builtinExpression = this.RULE("builtinExpression", (): Expression => {
    const first = this.peek();
    return this.OR<Expression>([
      {
        ALT: () => {
          this.CONSUME(t.Offsetof);
          const open = this.CONSUME(t.LParen) as Token;
          const type = this.SUBRULE(this.typeName);
          this.CONSUME(t.Comma);
          const designators = this.SUBRULE(this.offsetofPath);
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
          return { kind: "offsetof", type, designators, span: this.spanFrom(first) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.TypesCompatible);
          const open = this.CONSUME1(t.LParen) as Token;
          const left = this.SUBRULE1(this.typeName);
          this.CONSUME1(t.Comma);
          const right = this.SUBRULE2(this.typeName);
          this.close(t.RParen, ")", open, () => this.CONSUME1(t.RParen));
          return { kind: "types_compatible", left, right, span: this.spanFrom(first) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.VaArg);
          const open = this.CONSUME2(t.LParen) as Token;
          const list = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
          this.CONSUME2(t.Comma);
          const type = this.SUBRULE3(this.typeName);
          this.close(t.RParen, ")", open, () => this.CONSUME2(t.RParen));
          return { kind: "va_arg", list, type, span: this.spanFrom(first) };
        },
      },
    ]);
  });

  /** `a.b[3].c` in `__builtin_offsetof`. */
  readonly offsetofPath: Rule<readonly Designator[]> = this.RULE(
    "offsetofPath",
    (): readonly Designator[] => {
      const head = this.SUBRULE(this.name);
      const path: Designator[] = [fieldDesignator(head, tokenSpan(head))];
      this.MANY(() => {
        const first = this.peek();
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.Dot);
              path.push(fieldDesignator(this.SUBRULE1(this.name), this.spanFrom(first)));
            },
          },
          {
            ALT: () => {
              const open = this.CONSUME(t.LBracket) as Token;
              const index = this.SUBRULE(this.expression, { ARGS: [COMMA] });
              this.close(t.RBracket, "]", open, () => this.CONSUME(t.RBracket));
              path.push({ kind: "index", index, span: this.spanFrom(first) });
            },
          },
        ]);
      });
      return path;
    },
  );
}

export function fieldDesignator(name: Token, span: Span): Designator {
  return { kind: "field", name: name.image, span };
}

function precedenceOf(op: Token): number {
  return precedence.get(op.image) ?? 0;
}
