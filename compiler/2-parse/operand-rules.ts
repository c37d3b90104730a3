/**
 * Grammar rules of operands: primary and postfix expressions, casts, literals (C17 6.5.1–6.5.4).
 * One class, as the parser that runs them wants it: they call one another.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  CompoundStatement,
  Designator,
  Expression,
  InitializerList,
  TypeName,
} from "./ast.ts";
import { characterLiteral, numberLiteral, stringLiteral } from "./literal-nodes.ts";
import { ParserBase } from "./parser-base.ts";
import type { GrammarRule, Rule } from "./rule-engine.ts";
import { retype } from "./token-window.ts";

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

/** Least binding strength of an expression: with commas, and without as in arguments. */
export const COMMA = 1;
export const ASSIGNMENT = 2;

export abstract class OperandRules extends ParserBase {
  abstract readonly typeName: Rule<TypeName>;
  abstract readonly compoundStatement: Rule<CompoundStatement>;
  abstract readonly initializerList: Rule<InitializerList>;
  abstract readonly expression: GrammarRule<[number?], Expression>;
  abstract readonly unary: Rule<Expression>;

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
          return this.SUBRULE(this.postfix, { ARGS: [value, first] });
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
          return this.SUBRULE(this.postfix, { ARGS: [value, first] });
        },
      },
      { ALT: () => this.SUBRULE(this.parenthesized) },
      { ALT: () => this.SUBRULE(this.sizeofExpression) },
      {
        ALT: () => {
          const value = this.SUBRULE(this.genericSelection);
          return this.SUBRULE(this.postfix, { ARGS: [value, first] });
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.builtinExpression);
          return this.SUBRULE(this.postfix, { ARGS: [value, first] });
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
    return this.CONSUME(t.Identifier);
  });

  /** Adjacent string literals, joined. */
  readonly stringLiterals: Rule<Expression> = this.RULE("stringLiterals", (): Expression => {
    const literals = [this.CONSUME(t.StringLiteral)];
    this.MANY(() => {
      literals.push(this.CONSUME(t.StringLiteral));
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
    const open = this.CONSUME(t.LParen);
    this.enterBracket();
    this.OPTION(() => {
      args.push(this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] }));
      this.MANY(() => {
        this.CONSUME(t.Comma);
        args.push(this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] }));
      });
    });
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.depth -= 1;
    return { kind: "call", callee, args, span: this.spanFrom(first) };
  });

  readonly indexTail = this.RULE("indexTail", (array: Expression, first: Token): Expression => {
    const open = this.CONSUME(t.LBracket);
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
    const open = this.CONSUME(t.LParen);
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
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
          this.depth -= 1;
          const span = this.spanFrom(open);
          const value: Expression = { kind: "statement_expression", body, span };
          return this.SUBRULE(this.postfix, { ARGS: [value, open] });
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression, { ARGS: [COMMA] });
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
          this.depth -= 1;
          this.#checkUnknownCast(value);
          return this.SUBRULE(this.postfix, { ARGS: [value, open] });
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
    const word = this.CONSUME(t.SizeofKeyword);
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
    const word = this.CONSUME(t.Generic);
    const open = this.CONSUME(t.LParen);
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
          const open = this.CONSUME(t.LParen);
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
          const open = this.CONSUME(t.LParen);
          const left = this.SUBRULE(this.typeName);
          this.CONSUME(t.Comma);
          const right = this.SUBRULE(this.typeName);
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
          return { kind: "types_compatible", left, right, span: this.spanFrom(first) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.VaArg);
          const open = this.CONSUME(t.LParen);
          const list = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
          this.CONSUME(t.Comma);
          const type = this.SUBRULE(this.typeName);
          this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
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
              path.push(fieldDesignator(this.SUBRULE(this.name), this.spanFrom(first)));
            },
          },
          {
            ALT: () => {
              const open = this.CONSUME(t.LBracket);
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
