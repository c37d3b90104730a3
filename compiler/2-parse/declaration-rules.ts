/** Grammar rules of declarators, initialisers and declarations (C17 6.7.6–6.7.10, 6.9). */
import type { ParserMethod } from "chevrotain";
import { afterToken, type Token, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  Attribute,
  BlockItem,
  CompoundStatement,
  Declaration,
  DeclarationSpecifiers,
  Declarator,
  DeclaratorPart,
  Designator,
  ExternalDeclaration,
  Initializer,
  InitializerList,
  ParameterDeclaration,
  Qualifiers,
  StaticAssert,
  TypeName,
} from "./ast.ts";
import { ASSIGNMENT, fieldDesignator, type Rule } from "./expression-rules.ts";
import { isTagDefinition, noQualifiers, SpecifierRules, withQualifier } from "./specifier-rules.ts";

type InitDeclarator = Declaration["declarators"][number];

/** May a declarator have a name? */
type Naming = "optional" | "none";

interface DeclaratorTail {
  readonly asmLabel?: string;
  readonly attributes: readonly Attribute[];
}

export abstract class DeclarationRules extends SpecifierRules {
  abstract readonly fileAsm: Rule<ExternalDeclaration>;

  // Declarators

  /** A declarator that names something. */
  readonly declarator: Rule<Declarator> = this.RULE("declarator", (): Declarator => {
    const first = this.peek();
    const pointers: DeclaratorPart[] = [];
    this.MANY(() => pointers.push(this.SUBRULE(this.pointer)));
    const inner = this.SUBRULE(this.directDeclarator);
    const tail = this.SUBRULE(this.declaratorTail);
    return this.#assemble(first, pointers, inner, tail);
  });

  /** A declarator that may lack its name, as in parameters, or must, as in type names. */
  readonly looseDeclarator: ParserMethod<[Naming?], Declarator> = this.RULE(
    "looseDeclarator",
    (naming: Naming = "none"): Declarator => {
      const first = this.peek();
      const pointers: DeclaratorPart[] = [];
      this.MANY(() => pointers.push(this.SUBRULE(this.pointer)));
      const inner = this.SUBRULE(this.looseDirectDeclarator, { ARGS: [naming] });
      const tail = this.SUBRULE(this.declaratorTail);
      return this.#assemble(first, pointers, inner, tail);
    },
  );

  #assemble(
    first: Token,
    pointers: readonly DeclaratorPart[],
    inner: Declarator,
    tail: DeclaratorTail,
  ): Declarator {
    if (this.RECORDING_PHASE) return inner;
    const attributes =
      inner.attributes.length > 0 ? [...inner.attributes, ...tail.attributes] : tail.attributes;
    const parts = pointers.length > 0 ? [...inner.parts, ...[...pointers].reverse()] : inner.parts;
    // A type name's declarator may be empty: it then stands where the next token begins.
    const span =
      this.previous.endOffset < first.endOffset ? tokenSpan(first) : this.spanFrom(first);
    return { ...inner, ...tail, attributes, parts, span };
  }

  readonly pointer = this.RULE("pointer", (): DeclaratorPart => {
    this.CONSUME(t.Star);
    let qualifiers: Qualifiers = noQualifiers;
    const attributes: Attribute[] = [];
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const word = this.CONSUME(t.Qualifier).image;
            this.ACTION(() => {
              qualifiers = withQualifier(qualifiers, word);
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Atomic);
            this.ACTION(() => {
              qualifiers = { ...qualifiers, atomic: true };
            });
          },
        },
        {
          ALT: () => {
            const list = this.SUBRULE(this.attributeSpecifier);
            this.ACTION(() => attributes.push(...list));
          },
        },
      ]);
    });
    return { kind: "pointer", qualifiers, attributes };
  });

  /** A name or a bracketed declarator, with array and function parts behind it. */
  readonly directDeclarator: Rule<Declarator> = this.RULE("directDeclarator", (): Declarator => {
    const first = this.peek();
    let nested: Declarator | undefined;
    this.asIdentifier();
    this.markDeclaratorParen(false);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Identifier);
        },
      },
      {
        ALT: () => {
          nested = this.SUBRULE(this.nestedDeclarator);
        },
      },
    ]);
    const suffixes: DeclaratorPart[] = [];
    this.MANY(() => suffixes.push(this.SUBRULE(this.declaratorSuffix)));
    return this.#direct(first, first.image, nested, suffixes);
  });

  readonly looseDirectDeclarator: ParserMethod<[Naming?], Declarator> = this.RULE(
    "looseDirectDeclarator",
    (naming: Naming = "none"): Declarator => {
      const first = this.peek();
      let name: string | undefined;
      let nested: Declarator | undefined;
      if (naming !== "none") this.asIdentifier();
      this.markDeclaratorParen(true);
      this.OPTION(() =>
        this.OR([
          {
            ALT: () => {
              name = this.CONSUME(t.Identifier).image;
            },
          },
          {
            ALT: () => {
              nested = this.SUBRULE(this.nestedLooseDeclarator, { ARGS: [naming] });
            },
          },
        ]),
      );
      const suffixes: DeclaratorPart[] = [];
      this.MANY(() => suffixes.push(this.SUBRULE(this.declaratorSuffix)));
      return this.#direct(first, name, nested, suffixes);
    },
  );

  #direct(
    first: Token,
    name: string | undefined,
    nested: Declarator | undefined,
    suffixes: readonly DeclaratorPart[],
  ): Declarator {
    const nameSpan = tokenSpan(first);
    if (nested === undefined || this.RECORDING_PHASE) {
      const named = name === undefined ? {} : { name };
      return { ...named, nameSpan, parts: suffixes, attributes: [], span: nameSpan };
    }
    return {
      ...nested,
      parts: suffixes.length > 0 ? [...nested.parts, ...suffixes] : nested.parts,
    };
  }

  readonly nestedDeclarator: Rule<Declarator> = this.RULE("nestedDeclarator", (): Declarator => {
    const open = this.CONSUME(t.DeclaratorParen) as Token;
    this.enterBracket();
    const leading: Attribute[] = [];
    this.MANY(() => {
      const list = this.SUBRULE(this.attributeSpecifier);
      this.ACTION(() => leading.push(...list));
    });
    const inner = this.SUBRULE(this.declarator);
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.depth -= 1;
    return leading.length === 0
      ? inner
      : { ...inner, attributes: [...leading, ...inner.attributes] };
  });

  readonly nestedLooseDeclarator: ParserMethod<[Naming?], Declarator> = this.RULE(
    "nestedLooseDeclarator",
    (naming: Naming = "none"): Declarator => {
      const open = this.CONSUME(t.DeclaratorParen) as Token;
      this.enterBracket();
      const leading: Attribute[] = [];
      this.MANY(() => {
        const list = this.SUBRULE(this.attributeSpecifier);
        this.ACTION(() => leading.push(...list));
      });
      const inner = this.SUBRULE(this.looseDeclarator, { ARGS: [naming] });
      this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
      this.depth -= 1;
      if (leading.length === 0) return inner;
      return { ...inner, attributes: [...leading, ...inner.attributes] };
    },
  );

  readonly declaratorSuffix = this.RULE(
    "declaratorSuffix",
    (): DeclaratorPart =>
      this.OR<DeclaratorPart>([
        { ALT: () => this.SUBRULE(this.arraySuffix) },
        { ALT: () => this.SUBRULE(this.parameterList) },
      ]),
  );

  readonly arraySuffix = this.RULE("arraySuffix", (): DeclaratorPart => {
    const open = this.CONSUME(t.LBracket) as Token;
    let qualifiers: Qualifiers = noQualifiers;
    let isStatic = false;
    this.enterBracket();
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const word = this.CONSUME(t.Qualifier).image;
            this.ACTION(() => {
              qualifiers = withQualifier(qualifiers, word);
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.StorageClass);
            isStatic = true;
          },
        },
      ]);
    });
    const length = this.OPTION(() => this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] }));
    this.close(t.RBracket, "]", open, () => this.CONSUME(t.RBracket));
    this.depth -= 1;
    const span = this.spanFrom(open);
    return { kind: "array", ...(length && { length }), qualifiers, static: isStatic, span };
  });

  /** `( parameters )`; `(void)` is none, `()` says nothing about them. */
  readonly parameterList = this.RULE("parameterList", (): DeclaratorPart => {
    const open = this.CONSUME(t.LParen) as Token;
    const params: ParameterDeclaration[] = [];
    let variadic = false;
    this.enterBracket();
    this.pushScope();
    this.#nameAsType();
    this.OPTION(() => {
      this.OR([
        {
          ALT: () => {
            params.push(this.SUBRULE(this.parameter));
            this.MANY({
              GATE: () => !variadic,
              DEF: () => {
                this.CONSUME(t.Comma);
                this.#nameAsType();
                this.OR1([
                  {
                    ALT: () => {
                      params.push(this.SUBRULE1(this.parameter));
                    },
                  },
                  {
                    ALT: () => {
                      this.CONSUME(t.Ellipsis);
                      variadic = !this.RECORDING_PHASE;
                    },
                  },
                ]);
              },
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME1(t.Ellipsis);
            variadic = true;
          },
        },
      ]);
    });
    const hasNone = params.length === 0 && !variadic;
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.popScope();
    this.depth -= 1;
    const isVoid = !this.RECORDING_PHASE && params.length === 1 && isPlainVoid(params[0]!);
    return {
      kind: "function",
      params: isVoid ? [] : params,
      variadic,
      prototyped: !hasNone,
      span: this.spanFrom(open),
    };
  });

  /** An unknown name at the start of a parameter is meant as a type. */
  #nameAsType(): void {
    if (!this.RECORDING_PHASE) this.retypeNext(t.Identifier, t.TypedefName);
  }

  readonly parameter = this.RULE("parameter", (): ParameterDeclaration => {
    const first = this.peek();
    const specifiers = this.SUBRULE(this.specifiers, { ARGS: ["parameter"] });
    const declarator = this.SUBRULE(this.looseDeclarator, { ARGS: ["optional"] });
    this.declareName(declarator.name, false);
    return { specifiers, declarator, span: this.spanFrom(first) };
  });

  /** asm label and attributes behind a declarator. */
  readonly declaratorTail = this.RULE("declaratorTail", (): DeclaratorTail => {
    let asmLabel: string | undefined;
    let attributes: readonly Attribute[] = [];
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.Asm);
            const open = this.CONSUME(t.LParen) as Token;
            const label = this.SUBRULE(this.stringLiterals);
            this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
            if (label.kind === "string") asmLabel = textOf(label.bytes);
          },
        },
        {
          ALT: () => {
            const list = this.SUBRULE(this.attributeSpecifier);
            this.ACTION(() => {
              attributes = [...attributes, ...list];
            });
          },
        },
      ]);
    });
    return { ...(asmLabel !== undefined && { asmLabel }), attributes };
  });

  readonly typeName: Rule<TypeName> = this.RULE("typeName", (): TypeName => {
    const first = this.peek();
    const specifiers = this.SUBRULE(this.specifiers, { ARGS: ["type"] });
    const declarator = this.SUBRULE(this.looseDeclarator, { ARGS: ["none"] });
    return { kind: "type_name", specifiers, declarator, span: this.spanFrom(first) };
  });

  // Initialisers

  readonly initializer: Rule<Initializer> = this.RULE(
    "initializer",
    (): Initializer =>
      this.OR<Initializer>([
        { ALT: () => this.SUBRULE(this.initializerList) },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
            return { kind: "expression", value };
          },
        },
      ]),
  );

  readonly initializerList: Rule<InitializerList> = this.RULE(
    "initializerList",
    (): InitializerList => {
      const items: InitializerList["items"][number][] = [];
      const open = this.CONSUME(t.LBrace) as Token;
      this.enterBracket();
      this.markLabel();
      this.OPTION(() => {
        items.push(this.SUBRULE(this.initializerItem));
        this.MANY({
          GATE: () => !this.isNext(t.RBrace, 2) || this.RECORDING_PHASE,
          DEF: () => {
            this.CONSUME(t.Comma);
            this.markLabel();
            items.push(this.SUBRULE1(this.initializerItem));
          },
        });
        this.OPTION1(() => this.CONSUME1(t.Comma));
      });
      this.close(t.RBrace, "}", open, () => this.CONSUME(t.RBrace));
      this.depth -= 1;
      return { kind: "list", items, span: this.spanFrom(open) };
    },
  );

  readonly initializerItem = this.RULE("initializerItem", (): InitializerList["items"][number] => {
    let designators: readonly Designator[] = [];
    this.OPTION(() => {
      designators = this.SUBRULE(this.designation);
    });
    const value = this.SUBRULE(this.initializer);
    return { designators, value };
  });

  /** `.a[1 ... 2] =`, GNU's `a:` and `[1]` without `=`. */
  readonly designation = this.RULE("designation", (): readonly Designator[] => {
    const path: Designator[] = [];
    this.OR([
      {
        ALT: () => {
          const name = this.CONSUME(t.LabelName) as Token;
          this.CONSUME(t.Colon);
          path.push(fieldDesignator(name, tokenSpan(name)));
        },
      },
      {
        ALT: () => {
          path.push(this.SUBRULE(this.designator));
          this.MANY(() => path.push(this.SUBRULE1(this.designator)));
          this.OPTION(() => this.CONSUME(t.Assign));
        },
      },
    ]);
    return path;
  });

  readonly designator = this.RULE("designator", (): Designator => {
    const first = this.peek();
    return this.OR<Designator>([
      {
        ALT: () => {
          this.CONSUME(t.Dot);
          return fieldDesignator(this.SUBRULE(this.name), this.spanFrom(first));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LBracket);
          const index = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
          const last = this.OPTION(() => {
            this.CONSUME(t.Ellipsis);
            return this.SUBRULE1(this.expression, { ARGS: [ASSIGNMENT] });
          });
          this.close(t.RBracket, "]", first, () => this.CONSUME(t.RBracket));
          const span = this.spanFrom(first);
          return last === undefined
            ? { kind: "index", index, span }
            : { kind: "range", index, last, span };
        },
      },
    ]);
  });

  // Declarations

  readonly staticAssert: Rule<StaticAssert> = this.RULE("staticAssert", (): StaticAssert => {
    const word = this.CONSUME(t.StaticAssert) as Token;
    const open = this.CONSUME(t.LParen) as Token;
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
    if (!isFunction)
      this.semicolon(declarators?.length === 0 ? afterType(specifiers) : "at end of declaration");
    return { kind: "declaration", specifiers, declarators, span: this.spanFrom(first) };
  });

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
          const next = this.SUBRULE1(this.initDeclarator, { ARGS: [specifiers] });
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
      const initializer = this.OPTION(() => {
        this.CONSUME(t.Assign);
        return this.SUBRULE(this.initializer);
      });
      const pushed = this.RECORDING_PHASE
        ? []
        : this.pushedAttributes(subjectOf(declarator, isTypedef));
      const whole =
        pushed.length === 0
          ? declarator
          : { ...declarator, attributes: [...declarator.attributes, ...pushed] };
      return { declarator: whole, ...(initializer && { initializer }) };
    },
  );

  abstract readonly functionBody: Rule<CompoundStatement>;

  /** One declaration or definition at file scope. */
  readonly externalDeclaration = this.RULE(
    "externalDeclaration",
    (): ExternalDeclaration =>
      this.OR<ExternalDeclaration>([
        { ALT: () => this.SUBRULE(this.staticAssert) },
        { ALT: () => this.SUBRULE(this.fileAsm) },
        { ALT: () => this.SUBRULE(this.fileDeclaration) },
      ]),
  );

  readonly fileDeclaration = this.RULE("fileDeclaration", (): ExternalDeclaration => {
    const first = this.peek();
    this.markUnknownType();
    const written = this.OPTION(() => this.SUBRULE(this.specifiers, { ARGS: ["file"] }));
    const specifiers = written ?? this.implicitInt();
    const declarators = this.SUBRULE(this.initDeclarators, { ARGS: [specifiers] });
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

function isPlainVoid(param: ParameterDeclaration): boolean {
  const { specifiers, declarator } = param;
  return (
    specifiers?.type?.kind === "builtin" &&
    specifiers.type.name === "void" &&
    declarator.parts.length === 0 &&
    declarator.name === undefined
  );
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

/** Text of a narrow literal. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
