/** Grammar rules of declarations (C17 6.7, 6.9): in blocks and at file scope. */
import { afterToken, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  Attribute,
  BlockItem,
  CompoundStatement,
  Declaration,
  DeclarationSpecifiers,
  Declarator,
  DeclaratorPart,
  ExternalDeclaration,
  ParameterDeclaration,
  StaticAssert,
} from "./ast.ts";
import { InitializerRules } from "./initializer-rules.ts";
import { textOf } from "./literal-nodes.ts";
import { ASSIGNMENT } from "./operand-rules.ts";
import type { Rule } from "./rule-engine.ts";
import { isTagDefinition, NO_IMPLICIT_INT } from "./specifier-rules.ts";

type InitDeclarator = Declaration["declarators"][number];
type FunctionPart = Extract<DeclaratorPart, { readonly kind: "function" }>;

export abstract class DeclarationRules extends InitializerRules {
  abstract readonly fileAsm: Rule<ExternalDeclaration>;

  readonly staticAssert: Rule<StaticAssert> = this.RULE("staticAssert", (): StaticAssert => {
    const word = this.CONSUME(t.StaticAssert);
    const open = this.CONSUME(t.LParen);
    const condition = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
    const message = this.OPTION(() => {
      this.CONSUME(t.Comma);
      return this.SUBRULE(this.stringLiterals);
    });
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.semicolon("after '_Static_assert'");
    return {
      kind: "static_assert",
      condition,
      ...(message?.kind === "string" && { message: textOf(message.bytes) }),
      span: this.spanFrom(word),
    };
  });

  /** A declaration in a block, with its semicolon. A function body there is refused. */
  readonly blockDeclaration = this.RULE("blockDeclaration", (): BlockItem => {
    const first = this.peek();
    const specifiers = this.SUBRULE(this.specifiers, { ARGS: ["block"] });
    const declarators = this.SUBRULE(this.initDeclarators, { ARGS: [specifiers] });
    const isFunction = this.#refuseNestedFunction();
    if (!isFunction) this.#needDeclarator(specifiers, declarators);
    if (!isFunction)
      this.semicolon(declarators?.length === 0 ? afterType(specifiers) : "at end of declaration");
    return { kind: "declaration", specifiers, declarators, span: this.spanFrom(first) };
  });

  /** `int 3x;` */
  #needDeclarator(
    { type }: DeclarationSpecifiers,
    declarators: readonly InitDeclarator[] | undefined,
  ): void {
    if (this.RECORDING_PHASE || declarators?.length !== 0 || this.isNext(t.Semicolon)) return;
    if (type?.kind === "record" || type?.kind === "enum") return;
    this.failHere("expected-identifier", "expected identifier or '('");
  }

  /** Steps over the body of a nested function, and says so. */
  #refuseNestedFunction(): boolean {
    if (this.RECORDING_PHASE || !this.isNext(t.LBrace)) return false;
    const message = "function definition is not allowed here";
    this.report("nested-function", message, tokenSpan(this.peek()));
    this.skipBrackets();
    return true;
  }

  /** `a = 1, *b` up to the semicolon; empty where only a type is declared. */
  readonly initDeclarators = this.RULE(
    "initDeclarators",
    (specifiers: DeclarationSpecifiers): readonly InitDeclarator[] => {
      const list: InitDeclarator[] = [];
      this.markDeclaratorParen(false);
      this.OPTION(() => {
        list.push(this.SUBRULE(this.initDeclarator, { ARGS: [specifiers] }));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          // clang's headers give attributes to the next declarator: `int a, __attribute__((x)) b`.
          const leading: Attribute[] = [];
          this.MANY1(() => {
            const attributes = this.SUBRULE(this.attributeSpecifier);
            this.ACTION(() => leading.push(...attributes));
          });
          const next = this.SUBRULE(this.initDeclarator, { ARGS: [specifiers] });
          list.push(leading.length === 0 ? next : withAttributes(next, leading));
        });
      });
      return list;
    },
  );

  readonly initDeclarator = this.RULE(
    "initDeclarator",
    (specifiers: DeclarationSpecifiers): InitDeclarator => {
      const declarator = this.SUBRULE(this.declarator);
      const isTypedef = !this.RECORDING_PHASE && specifiers.storage === "typedef";
      this.declareName(declarator.name, isTypedef);
      const problem = { broken: false };
      const initializer = this.OPTION(() => {
        this.CONSUME(t.Assign);
        // The name is declared all the same, so that its uses are no errors.
        return this.recovering(
          () => this.SUBRULE(this.initializer),
          (start) => {
            problem.broken = true;
            this.skipToSemicolon(start);
          },
          false,
        );
      });
      const pushed = this.RECORDING_PHASE
        ? []
        : this.pushedAttributes(subjectOf(declarator, isTypedef));
      const whole =
        pushed.length === 0
          ? declarator
          : { ...declarator, attributes: [...declarator.attributes, ...pushed] };
      return {
        declarator: whole,
        ...(initializer && { initializer }),
        ...(problem.broken && problem),
      };
    },
  );

  abstract readonly functionBody: Rule<CompoundStatement>;

  /** One declaration or definition at file scope. */
  readonly externalDeclaration = this.RULE(
    "externalDeclaration",
    (): ExternalDeclaration => this.OR(this.#externals),
  );

  readonly #externals = [
    { ALT: (): ExternalDeclaration => this.SUBRULE(this.staticAssert) },
    { ALT: (): ExternalDeclaration => this.SUBRULE(this.fileAsm) },
    { ALT: (): ExternalDeclaration => this.SUBRULE(this.fileDeclaration) },
  ];

  readonly fileDeclaration = this.RULE("fileDeclaration", (): ExternalDeclaration => {
    const first = this.peek();
    this.markUnknownType();
    const written = this.OPTION(() => this.SUBRULE(this.specifiers, { ARGS: ["file"] }));
    const specifiers = written ?? this.implicitInt();
    const named = this.SUBRULE(this.initDeclarators, { ARGS: [specifiers] });
    const declarators = this.SUBRULE(this.oldParameterTypes, { ARGS: [named] });
    const whole = (): ExternalDeclaration => {
      return { kind: "declaration", specifiers, declarators, span: this.spanFrom(first) };
    };
    if (this.#endIsMissing(specifiers, declarators)) return whole();
    return this.OR<ExternalDeclaration>([
      {
        ALT: () => {
          this.ACTION(() => this.#checkFunction(declarators));
          const declarator = declarators[0]?.declarator as Declarator;
          this.pushScope();
          this.ACTION(() => {
            for (const param of functionParams(declarator))
              this.declareName(param.declarator.name, false);
          });
          const body = this.SUBRULE(this.functionBody);
          const span = this.spanFrom(first);
          return { kind: "function_definition", specifiers, declarator, body, span };
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Semicolon);
          return whole();
        },
      },
    ]);
  });

  /** `int a; long b;` between `f(a, b)` and its body: gives the parameters their types. */
  readonly oldParameterTypes = this.RULE(
    "oldParameterTypes",
    (declarators: readonly InitDeclarator[]): readonly InitDeclarator[] => {
      const types: BlockItem[] = [];
      this.pushScope();
      this.MANY({
        GATE: () => oldParameterPart(declarators) !== undefined,
        DEF: () => types.push(this.SUBRULE(this.blockDeclaration)),
      });
      this.popScope();
      if (this.RECORDING_PHASE) return [];
      const [first] = declarators;
      const part = oldParameterPart(declarators);
      if (first === undefined || part === undefined) return declarators;
      const params = this.#typedParameters(part.params, types);
      const parts = [{ ...part, params }, ...first.declarator.parts.slice(1)];
      return [{ ...first, declarator: { ...first.declarator, parts } }];
    },
  );

  #typedParameters(
    params: readonly ParameterDeclaration[],
    types: readonly BlockItem[],
  ): ParameterDeclaration[] {
    const declared = new Map<string, ParameterDeclaration>();
    for (const item of types) {
      if (item.kind !== "declaration") continue;
      const { specifiers, span } = item;
      for (const { declarator } of item.declarators)
        declared.set(declarator.name ?? "", { specifiers, declarator, span });
    }
    const typed = params.map((param) => {
      const name = param.declarator.name ?? "";
      const type = declared.get(name);
      declared.delete(name);
      if (type !== undefined) return { ...type, span: param.span };
      const message = `parameter '${name}' was not declared, defaults to 'int'`;
      this.reportByDefault("implicit-int", `${message}; ${NO_IMPLICIT_INT}`, param.span);
      return param;
    });
    for (const [name, { declarator }] of declared) {
      if (name !== "")
        this.report("no-parameter", `parameter named '${name}' is missing`, declarator.nameSpan);
    }
    return typed;
  }

  /** A body needs exactly one declarator, and that of a function. */
  #checkFunction(declarators: readonly InitDeclarator[]): void {
    const [only] = declarators;
    const isFunction =
      declarators.length === 1 &&
      only?.initializer === undefined &&
      only?.declarator.parts[0]?.kind === "function";
    if (isFunction) return;
    if (declarators.length === 0)
      this.failHere("expected-identifier", "expected identifier or '('");
    this.report(
      "expected-semicolon",
      "expected ';' after top level declarator",
      afterToken(this.previous),
    );
    this.fail();
  }

  /** Where neither `;` nor a body follows: says so; true if one can go on as if there were a `;`. */
  #endIsMissing(
    specifiers: DeclarationSpecifiers,
    declarators: readonly InitDeclarator[],
  ): boolean {
    if (this.RECORDING_PHASE || this.isNext(t.Semicolon) || this.isNext(t.LBrace)) return false;
    const next = this.peek();
    if (declarators.length === 0 && !isTagDefinition(specifiers.type))
      this.failHere("expected-identifier", "expected identifier or '('");
    const after = declarators.length === 0 ? afterType(specifiers) : "after top level declarator";
    this.report("expected-semicolon", `expected ';' ${after}`, afterToken(this.previous));
    if (!this.startsType() && next.tokenType !== endOfFile) this.fail();
    return true;
  }
}

/** What `#pragma clang attribute` calls a declaration. */
function subjectOf(declarator: Declarator, isTypedef: boolean): string {
  if (isTypedef) return "type_alias";
  return declarator.parts[0]?.kind === "function" ? "function" : "variable";
}

/** What a missing semicolon should have followed. */
function afterType(specifiers: DeclarationSpecifiers): string {
  const { type } = specifiers;
  if (type?.kind === "record") return `after ${type.union ? "union" : "struct"}`;
  return type?.kind === "enum" ? "after enum" : "at end of declaration";
}

/** The parameters of the only declarator if they are names alone. */
function oldParameterPart(declarators: readonly InitDeclarator[]): FunctionPart | undefined {
  const [part] = declarators[0]?.declarator.parts ?? [];
  const isOld = declarators.length === 1 && part?.kind === "function" && part.identifiers === true;
  return isOld ? part : undefined;
}

function functionParams(declarator: Declarator): readonly ParameterDeclaration[] {
  const [part] = declarator.parts;
  return part?.kind === "function" ? part.params : [];
}

function withAttributes(item: InitDeclarator, leading: readonly Attribute[]): InitDeclarator {
  const { declarator } = item;
  return {
    ...item,
    declarator: { ...declarator, attributes: [...leading, ...declarator.attributes] },
  };
}
