/**
 * Grammar rules of statements (C17 6.8; GNU local labels, case ranges, attributes).
 * One class, as the parser that runs them wants it: they call one another.
 */
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, tokenTypes as t } from "../1-preprocess/token-types.ts";
import { AsmRules } from "./asm-rules.ts";
import type {
  Attribute,
  BlockItem,
  CompoundStatement,
  Declaration,
  Expression,
  Statement,
  UnrollHint,
} from "./ast.ts";
import type { Rule } from "./rule-engine.ts";

/** A label in front of a statement, innermost last. */
type Label = (body: Statement) => Statement;

export abstract class StatementRules extends AsmRules {
  /** A function's body; its parameters are in the scope that is already open. */
  readonly functionBody: Rule<CompoundStatement> = this.RULE(
    "functionBody",
    (): CompoundStatement => this.SUBRULE(this.block),
  );

  readonly compoundStatement: Rule<CompoundStatement> = this.RULE(
    "compoundStatement",
    (): CompoundStatement => {
      this.pushScope();
      return this.SUBRULE(this.block);
    },
  );

  /** `{ … }`; closes the scope that its caller opened. */
  readonly block: Rule<CompoundStatement> = this.RULE("block", (): CompoundStatement => {
    const open = this.CONSUME(t.LBrace);
    this.enterBracket();
    const localLabels: string[] = [];
    const items: BlockItem[] = [];
    this.MANY(() => this.SUBRULE(this.localLabels, { ARGS: [localLabels] }));
    this.#prepareItem();
    this.MANY1({
      GATE: () => this.#itemFollows(),
      DEF: () => {
        const item = this.recovering(
          () => this.SUBRULE(this.blockItem),
          () => this.skipStatement(),
        );
        if (item !== undefined) items.push(item);
        this.#prepareItem();
      },
    });
    this.popScope();
    this.close(t.RBrace, "}", open, () => this.CONSUME(t.RBrace));
    this.depth -= 1;
    return { kind: "compound", localLabels, items, span: this.spanFrom(open) };
  });

  readonly localLabels = this.RULE("localLabels", (names: string[]): void => {
    this.CONSUME(t.LabelKeyword);
    const first = this.SUBRULE(this.name);
    this.ACTION(() => names.push(first.image));
    this.MANY(() => {
      this.CONSUME(t.Comma);
      const next = this.SUBRULE(this.name);
      this.ACTION(() => names.push(next.image));
    });
    this.semicolon("after '__label__' declaration");
  });

  /** `#pragma unroll` stands before a loop, or is an error. */
  #checkUnroll(): void {
    if (this.pendingUnroll === undefined || this.unrollSpan === undefined) return;
    const token = this.peek();
    if (loopStarts.has(token.tokenType) || token.tokenType === t.LabelName) return;
    const message = "expected a for, while, or do-while loop to follow '#pragma unroll'";
    this.report("pragma-unroll", message, tokenSpan(token));
    this.pendingUnroll = undefined;
  }

  /** Types that depend on what comes behind the next token. */
  #prepareItem(): void {
    if (this.RECORDING_PHASE) return;
    this.markLabel();
    this.#checkUnroll();
    this.markStatementAttribute();
    this.skipExtensionBeforeDeclaration();
    // `foo_t x;` with no such type: parsed as a declaration, where it is reported.
    if (this.isNext(t.Identifier) && this.isNext(t.Identifier, 2))
      this.retypeNext(t.Identifier, t.TypedefName);
  }

  /** Steps over tokens that can start no item, so that one wrong token does not lose the block. */
  #itemFollows(): boolean {
    if (this.RECORDING_PHASE) return true;
    for (;;) {
      const token = this.peek();
      const { tokenType } = token;
      if (tokenType === t.RBrace || tokenType === endOfFile) return false;
      if (!neverStartsItem.has(tokenType)) return true;
      this.report("expected-expression", "expected expression", tokenSpan(token));
      this.consumeToken();
      if (tokenType !== t.Else) this.skipStatement();
      this.#prepareItem();
    }
  }

  readonly #blockItems = [
    { ALT: (): BlockItem => this.SUBRULE(this.staticAssert) },
    { ALT: (): BlockItem => this.SUBRULE(this.blockDeclaration) },
    { ALT: (): BlockItem => this.SUBRULE(this.statement) },
  ];

  readonly blockItem = this.RULE("blockItem", (): BlockItem => this.OR(this.#blockItems));

  readonly statement: Rule<Statement> = this.RULE("statement", (): Statement => {
    this.markLabel();
    this.markStatementAttribute();
    const labels: Label[] = [];
    this.MANY(() => {
      labels.push(this.SUBRULE(this.label));
      this.markLabel();
      this.markStatementAttribute();
    });
    const body =
      labels.length > 0 && this.#nothingToLabel()
        ? this.#emptyStatement()
        : this.SUBRULE(this.unlabeledStatement);
    if (this.RECORDING_PHASE) return body;
    return labels.reduceRight((statement, label) => label(statement), body);
  });

  /** A label before `}` or a declaration labels nothing (allowed by C23, and by clang before it). */
  #nothingToLabel(): boolean {
    if (this.RECORDING_PHASE) return false;
    this.skipExtensionBeforeDeclaration();
    return this.isNext(t.RBrace) || this.startsType() || this.isNext(t.StaticAssert);
  }

  #emptyStatement(): Statement {
    return { kind: "empty", attributes: [], span: this.spanFrom(this.previous) };
  }

  readonly label = this.RULE("label", (): Label => {
    const first = this.peek();
    return this.OR<Label>([
      {
        ALT: () => {
          const name = this.CONSUME(t.LabelName).image;
          this.CONSUME(t.Colon);
          const attributes: Attribute[] = [];
          this.MANY(() => {
            const list = this.SUBRULE(this.attributeSpecifier);
            this.ACTION(() => attributes.push(...list));
          });
          const span = this.spanFrom(first);
          return (body) => ({ kind: "labeled", name, body, attributes, span });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Case);
          const low = this.SUBRULE(this.expression);
          const high = this.OPTION(() => {
            this.CONSUME(t.Ellipsis);
            return this.SUBRULE(this.expression);
          });
          this.#labelColon("'case'", () => this.CONSUME(t.Colon));
          const span = this.spanFrom(first);
          return (body) => ({ kind: "case", low, ...(high && { high }), body, span });
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Default);
          this.#labelColon("'default'", () => this.CONSUME(t.Colon));
          const span = this.spanFrom(first);
          return (body) => ({ kind: "default", body, span });
        },
      },
    ]);
  });

  #labelColon(after: string, consume: () => void): void {
    if (this.RECORDING_PHASE || this.isNext(t.Colon)) {
      consume();
      return;
    }
    const span = tokenSpan(this.previous);
    this.report("expected-token", `expected ':' after ${after}`, { ...span, start: span.end });
  }

  readonly #statements = [
    { ALT: (): Statement => this.SUBRULE(this.expressionStatement) },
    { ALT: (): Statement => this.SUBRULE(this.compoundStatement) },
    { ALT: (): Statement => this.SUBRULE(this.ifStatement) },
    { ALT: (): Statement => this.SUBRULE(this.switchStatement) },
    { ALT: (): Statement => this.SUBRULE(this.whileStatement) },
    { ALT: (): Statement => this.SUBRULE(this.doStatement) },
    { ALT: (): Statement => this.SUBRULE(this.forStatement) },
    { ALT: (): Statement => this.SUBRULE(this.jumpStatement) },
    { ALT: (): Statement => this.SUBRULE(this.asmStatement) },
    {
      ALT: (): Statement => {
        const first = this.CONSUME(t.Semicolon);
        return { kind: "empty", attributes: [], span: tokenSpan(first) };
      },
    },
    { ALT: (): Statement => this.SUBRULE(this.attributedStatement) },
  ];

  readonly unlabeledStatement = this.RULE(
    "unlabeledStatement",
    (): Statement => this.OR(this.#statements),
  );

  /** `__attribute__((fallthrough));`, or attributes before another statement. */
  readonly attributedStatement = this.RULE("attributedStatement", (): Statement => {
    const first = this.peek();
    const attributes: Attribute[] = [];
    this.CONSUME(t.StatementAttribute);
    const list = this.SUBRULE(this.attributeGroup);
    this.ACTION(() => attributes.push(...list));
    this.MANY(() => {
      const more = this.SUBRULE(this.attributeSpecifier);
      this.ACTION(() => attributes.push(...more));
    });
    const body = this.SUBRULE(this.statement);
    if (body?.kind === "empty") return { ...body, attributes, span: this.spanFrom(first) };
    return body;
  });

  readonly expressionStatement = this.RULE("expressionStatement", (): Statement => {
    const first = this.peek();
    const value = this.SUBRULE(this.expression);
    this.semicolon("after expression");
    return { kind: "expression", value, span: this.spanFrom(first) };
  });

  /** `( condition )` behind a keyword. */
  readonly condition: Rule<Expression> = this.RULE("condition", (): Expression => {
    const open = this.CONSUME(t.LParen);
    this.enterBracket();
    const value = this.SUBRULE(this.expression);
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.depth -= 1;
    return value;
  });

  #expectCondition(keyword: string): void {
    if (this.RECORDING_PHASE || this.isNext(t.LParen)) return;
    this.failHere("expected-token", `expected '(' after '${keyword}'`);
  }

  /** Chains of `else if` are read in a loop: they may be long. */
  readonly ifStatement = this.RULE("ifStatement", (): Statement => {
    const arms: { first: Token; condition: Expression; then: Statement }[] = [];
    const first = this.CONSUME(t.If);
    this.#expectCondition("if");
    const condition = this.SUBRULE(this.condition);
    arms.push({ first, condition, then: this.SUBRULE(this.statement) });
    this.#markElse();
    this.MANY(() => {
      this.CONSUME(t.ElseIf);
      const next = this.CONSUME(t.If);
      this.#expectCondition("if");
      const test = this.SUBRULE(this.condition);
      arms.push({ first: next, condition: test, then: this.SUBRULE(this.statement) });
      this.#markElse();
    });
    let otherwise = this.OPTION(() => {
      this.CONSUME(t.Else);
      return this.SUBRULE(this.statement);
    });
    for (const arm of arms.reverse()) {
      const { condition: test, then } = arm;
      const span = this.spanFrom(arm.first);
      otherwise = { kind: "if", condition: test, then, ...(otherwise && { otherwise }), span };
    }
    return otherwise as Statement;
  });

  #markElse(): void {
    if (this.isNext(t.If, 2)) this.retypeNext(t.Else, t.ElseIf);
  }

  readonly switchStatement = this.RULE("switchStatement", (): Statement => {
    const first = this.CONSUME(t.Switch);
    this.#expectCondition("switch");
    const value = this.SUBRULE(this.condition);
    const body = this.SUBRULE(this.statement);
    return { kind: "switch", value, body, span: this.spanFrom(first) };
  });

  #takeUnroll(): { readonly unroll?: UnrollHint } {
    const unroll = this.pendingUnroll;
    this.pendingUnroll = undefined;
    return unroll === undefined ? {} : { unroll };
  }

  readonly whileStatement = this.RULE("whileStatement", (): Statement => {
    const hint = this.#takeUnroll();
    const first = this.CONSUME(t.While);
    this.#expectCondition("while");
    const condition = this.SUBRULE(this.condition);
    const body = this.SUBRULE(this.statement);
    return { kind: "while", condition, body, ...hint, span: this.spanFrom(first) };
  });

  readonly doStatement = this.RULE("doStatement", (): Statement => {
    const hint = this.#takeUnroll();
    const first = this.CONSUME(t.Do);
    const body = this.SUBRULE(this.statement);
    this.CONSUME(t.While);
    this.#expectCondition("while");
    const condition = this.SUBRULE(this.condition);
    this.semicolon("after do/while statement");
    return { kind: "do", condition, body, ...hint, span: this.spanFrom(first) };
  });

  readonly forStatement = this.RULE("forStatement", (): Statement => {
    const hint = this.#takeUnroll();
    const first = this.CONSUME(t.For);
    this.#expectCondition("for");
    this.pushScope();
    const open = this.CONSUME(t.LParen);
    this.skipExtensionBeforeDeclaration();
    const init = this.OR<Declaration | Expression | undefined>([
      { ALT: () => this.SUBRULE(this.blockDeclaration) as Declaration },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression);
          this.semicolon("in 'for' statement specifier");
          return value;
        },
      },
      { ALT: () => this.CONSUME(t.Semicolon) && undefined },
    ]);
    const condition = this.OPTION(() => this.SUBRULE(this.expression));
    this.#forSemicolon();
    const step = this.OPTION1(() => this.SUBRULE(this.expression));
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    const body = this.SUBRULE(this.statement);
    this.popScope();
    return {
      kind: "for",
      ...(init && { init }),
      ...(condition && { condition }),
      ...(step && { step }),
      body,
      ...hint,
      span: this.spanFrom(first),
    };
  });

  #forSemicolon(): void {
    if (this.RECORDING_PHASE || this.isNext(t.Semicolon)) {
      this.CONSUME(t.Semicolon);
      return;
    }
    this.failHere("expected-semicolon", "expected ';' in 'for' statement specifier");
  }

  readonly jumpStatement = this.RULE(
    "jumpStatement",
    (): Statement =>
      this.OR<Statement>([
        { ALT: () => this.SUBRULE(this.gotoStatement) },
        { ALT: () => this.SUBRULE(this.breakStatement) },
        { ALT: () => this.SUBRULE(this.returnStatement) },
      ]),
  );

  readonly gotoStatement = this.RULE("gotoStatement", (): Statement => {
    const first = this.CONSUME(t.Goto);
    let target: Expression | undefined;
    let label = "";
    this.asIdentifier();
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Star);
          target = this.SUBRULE(this.expression);
        },
      },
      {
        ALT: () => {
          label = this.CONSUME(t.Identifier).image;
        },
      },
    ]);
    this.semicolon("after goto statement");
    const span = this.spanFrom(first);
    return target === undefined
      ? { kind: "goto", label, span }
      : { kind: "computed_goto", target, span };
  });

  readonly breakStatement = this.RULE("breakStatement", (): Statement => {
    const first = this.peek();
    const kind = this.OR<"break" | "continue">([
      { ALT: () => this.CONSUME(t.Break) && "break" },
      { ALT: () => this.CONSUME(t.Continue) && "continue" },
    ]);
    this.semicolon(`after ${kind} statement`);
    return { kind, span: this.spanFrom(first) };
  });

  readonly returnStatement = this.RULE("returnStatement", (): Statement => {
    const first = this.CONSUME(t.Return);
    if (!this.RECORDING_PHASE && this.isNext(t.TypedefName)) {
      const { image } = this.peek();
      this.failHere("unexpected-type", `unexpected type name '${image}': expected expression`);
    }
    const value = this.OPTION(() => this.SUBRULE(this.expression));
    this.semicolon("after return statement");
    return { kind: "return", ...(value && { value }), span: this.spanFrom(first) };
  });
}

const loopStarts = new Set([t.For, t.While, t.Do, t.StatementAttribute, t.Attribute]);

const neverStartsItem = new Set([
  t.RParen,
  t.RBracket,
  t.Comma,
  t.Colon,
  t.Question,
  t.Ellipsis,
  t.Dot,
  t.Arrow,
  t.Assign,
  t.CompoundAssign,
  t.BinaryOperator,
  t.Stray,
  t.Else,
]);
