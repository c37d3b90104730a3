/**
 * Grammar rules of declarators, parameters and type names (C17 6.7.6, 6.7.7).
 * One class, as the parser that runs them wants it: they call one another.
 */
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  Attribute,
  Declarator,
  DeclaratorPart,
  ParameterDeclaration,
  Qualifiers,
  TypeName,
} from "./ast.ts";
import { textOf } from "./literal-nodes.ts";
import { ASSIGNMENT } from "./operand-rules.ts";
import { RecordRules } from "./record-rules.ts";
import type { GrammarRule, Rule } from "./rule-engine.ts";
import { noQualifiers, untyped, withQualifier } from "./specifier-rules.ts";

/** May a declarator have a name? */
type Naming = "optional" | "none";

const noAttributes: readonly Attribute[] = [];

interface DeclaratorTail {
  readonly asmLabel?: string;
  readonly attributes: readonly Attribute[];
}

export abstract class DeclaratorRules extends RecordRules {
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
  readonly looseDeclarator: GrammarRule<[Naming?], Declarator> = this.RULE(
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
    const { name, nameSpan } = inner;
    const asmLabel = tail.asmLabel ?? inner.asmLabel;
    if (asmLabel !== undefined || name === undefined)
      return { ...inner, ...tail, attributes, parts, span };
    return { name, nameSpan, parts, attributes, span };
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
    this.asIdentifier();
    this.markDeclaratorParen(false);
    const nested = this.OR(this.#namedOrNested);
    const suffixes: DeclaratorPart[] = [];
    this.MANY(() => suffixes.push(this.SUBRULE(this.declaratorSuffix)));
    return this.#direct(first, first.image, nested, suffixes);
  });

  readonly #namedOrNested = [
    {
      ALT: (): Declarator | undefined => {
        this.CONSUME(t.Identifier);
        return undefined;
      },
    },
    { ALT: (): Declarator | undefined => this.SUBRULE(this.nestedDeclarator) },
  ];

  readonly looseDirectDeclarator: GrammarRule<[Naming?], Declarator> = this.RULE(
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
      // Written out, as thousands are made: to copy properties costs more than all the rest.
      const common = { nameSpan, parts: suffixes, attributes: noAttributes, span: nameSpan };
      if (name === undefined) return common;
      return { name, nameSpan, parts: suffixes, attributes: noAttributes, span: nameSpan };
    }
    return {
      ...nested,
      parts: suffixes.length > 0 ? [...nested.parts, ...suffixes] : nested.parts,
    };
  }

  readonly nestedDeclarator: Rule<Declarator> = this.RULE("nestedDeclarator", (): Declarator => {
    const open = this.CONSUME(t.DeclaratorParen);
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

  readonly nestedLooseDeclarator: GrammarRule<[Naming?], Declarator> = this.RULE(
    "nestedLooseDeclarator",
    (naming: Naming = "none"): Declarator => {
      const open = this.CONSUME(t.DeclaratorParen);
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

  readonly #suffixes = [
    { ALT: (): DeclaratorPart => this.SUBRULE(this.arraySuffix) },
    { ALT: (): DeclaratorPart => this.SUBRULE(this.parameterList) },
  ];

  readonly declaratorSuffix = this.RULE(
    "declaratorSuffix",
    (): DeclaratorPart => this.OR(this.#suffixes),
  );

  readonly arraySuffix = this.RULE("arraySuffix", (): DeclaratorPart => {
    const open = this.CONSUME(t.LBracket);
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
    const star = this.OPTION1({
      GATE: () => this.tokVector[this.currIdx + 2]?.tokenType === t.RBracket,
      DEF: () => this.CONSUME(t.Star),
    });
    const length = this.OPTION(() => this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] }));
    this.close(t.RBracket, "]", open, () => this.CONSUME(t.RBracket));
    this.depth -= 1;
    const span = this.spanFrom(open);
    if (star !== undefined)
      return { kind: "array", qualifiers, static: isStatic, star: true, span };
    return length === undefined
      ? { kind: "array", qualifiers, static: isStatic, span }
      : { kind: "array", length, qualifiers, static: isStatic, span };
  });

  /** `( parameters )`; `(void)` is none, `()` says nothing about them. */
  readonly parameterList = this.RULE("parameterList", (): DeclaratorPart => {
    const open = this.CONSUME(t.LParen);
    const params: ParameterDeclaration[] = [];
    let variadic = false;
    this.enterBracket();
    this.pushScope();
    this.markOldParameters();
    const isOld = this.isNext(t.OldParameter);
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
                      params.push(this.SUBRULE(this.parameter));
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
            this.CONSUME(t.Ellipsis);
            variadic = true;
          },
        },
        {
          ALT: () => {
            const names = this.SUBRULE(this.oldParameters);
            this.ACTION(() => params.push(...names));
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
      ...(isOld && { identifiers: true }),
      span: this.spanFrom(open),
    };
  });

  /** `a, b`: parameters without types, which the declarations in front of the body give. */
  readonly oldParameters = this.RULE("oldParameters", (): ParameterDeclaration[] => {
    const names = [this.CONSUME(t.OldParameter)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      names.push(this.CONSUME(t.OldParameter));
    });
    return names.map((token) => {
      const span = this.spanFrom(token);
      const nameSpan = this.RECORDING_PHASE ? span : tokenSpan(token);
      const declarator = { nameSpan, parts: [], attributes: noAttributes, span: nameSpan };
      return {
        specifiers: untyped(nameSpan),
        declarator: { name: token.image, ...declarator },
        span: nameSpan,
      };
    });
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
    let attributes = noAttributes;
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.Asm);
            const open = this.CONSUME(t.LParen);
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
    return asmLabel === undefined ? { attributes } : { asmLabel, attributes };
  });

  readonly typeName: Rule<TypeName> = this.RULE("typeName", (): TypeName => {
    const first = this.peek();
    const specifiers = this.SUBRULE(this.specifiers, { ARGS: ["type"] });
    const declarator = this.SUBRULE(this.looseDeclarator, { ARGS: ["none"] });
    return { kind: "type_name", specifiers, declarator, span: this.spanFrom(first) };
  });
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
