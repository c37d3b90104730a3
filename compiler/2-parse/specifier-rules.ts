/**
 * Grammar rules of declaration specifiers: storage, qualifiers, types, attributes (C17 6.7.1–6.7.5).
 * One class, as the parser that runs them wants it: they call one another.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import { type Token, tokenSpan } from "../1-preprocess/token.ts";
import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  Attribute,
  DeclarationSpecifiers,
  EnumSpecifier,
  Expression,
  Qualifiers,
  RecordSpecifier,
  StorageClass,
  TypeName,
  TypeSpecifier,
} from "./ast.ts";
import { ExpressionRules } from "./expression-rules.ts";
import type { Rule } from "./rule-engine.ts";
import { retype } from "./token-window.ts";
import { typeOfWords } from "./type-words.ts";

/** Where specifiers stand: decides what is said when there is no type. */
export type SpecifierPlace = "file" | "block" | "member" | "parameter" | "type";

export const NO_IMPLICIT_INT = "ISO C99 and later do not support implicit int";
const IMPLICIT_INT = `type specifier missing, defaults to 'int'; ${NO_IMPLICIT_INT}`;

export const noQualifiers: Qualifiers = {
  const: false,
  volatile: false,
  restrict: false,
  atomic: false,
};

/** Specifiers as they are collected. */
interface Collected {
  storage: Token | undefined;
  inline: boolean;
  noreturn: boolean;
  threadLocal: boolean;
  qualifiers: Qualifiers;
  words: Token[];
  type: TypeSpecifier | undefined;
  alignas: (Expression | TypeName)[];
  attributes: Attribute[];
  /** A name that is no type but was meant as one; reported already. */
  unknown: Token | undefined;
  /** Another type follows a definition: the specifiers end here. */
  complete: boolean;
}

const secondTypes = new Set([t.TypeWord, t.StructUnion, t.Enum, t.Typeof]);

/** A struct, union or enum with its body. */
export function isTagDefinition(type: TypeSpecifier | undefined): boolean {
  return (
    (type?.kind === "record" && type.members !== undefined) ||
    (type?.kind === "enum" && type.enumerators !== undefined)
  );
}

export abstract class SpecifierRules extends ExpressionRules {
  abstract readonly recordSpecifier: Rule<RecordSpecifier>;
  abstract readonly enumSpecifier: Rule<EnumSpecifier>;

  readonly specifiers = this.RULE(
    "specifiers",
    (place: SpecifierPlace = "type"): DeclarationSpecifiers => {
      const first = this.peek();
      const found: Collected = {
        storage: undefined,
        inline: false,
        noreturn: false,
        threadLocal: false,
        qualifiers: noQualifiers,
        words: [],
        type: undefined,
        alignas: [],
        attributes: [],
        unknown: undefined,
        complete: false,
      };
      this.#checkUnknownType(place, found);
      this.AT_LEAST_ONE({
        GATE: () => !found.complete,
        DEF: () => {
          this.SUBRULE(this.specifier, { ARGS: [found] });
          this.#prepareNext(place, found);
        },
      });
      return this.#finishSpecifiers(found, first, place);
    },
  );

  /** An unknown name where a declaration starts and another name follows is meant as a type. */
  protected markUnknownType(): void {
    const token = this.peek();
    if (this.RECORDING_PHASE || token.tokenType !== t.Identifier) return;
    const next = this.peek(2).tokenType;
    if (next === t.Identifier || next === t.Star || next === t.Qualifier)
      retype(token, t.TypedefName);
  }

  /** The specifiers of a declaration that has none. */
  protected implicitInt(): DeclarationSpecifiers {
    const token = this.peek();
    const span = tokenSpan(token);
    if (!this.RECORDING_PHASE && token.tokenType !== t.Identifier)
      this.failHere("expected-identifier", "expected identifier or '('");
    this.reportByDefault("implicit-int", IMPLICIT_INT, span);
    return untyped(span);
  }

  /** Once there is a type, an identifier is the declarator even if it names a type. */
  #prepareNext(place: SpecifierPlace, found: Collected): void {
    if (this.RECORDING_PHASE) return;
    const hasType = found.type !== undefined || found.words.length > 0;
    if (hasType) {
      this.asIdentifier();
      // `struct s { … } int x;` lacks a semicolon rather than having two types, as does
      // `struct s { … } static int x;`, but `struct { … } typedef s;` is whole.
      const isLate = this.peek().tokenType === t.StorageClass;
      const next = this.peek(isLate ? 2 : 1).tokenType;
      found.complete = isTagDefinition(found.type) && secondTypes.has(next);
    } else this.#checkUnknownType(place, found);
  }

  /** `foo_t x` with no such type: says so, and takes it for one. */
  #checkUnknownType(place: SpecifierPlace, found: Collected): void {
    const token = this.peek();
    const { tokenType } = token;
    // A name that was let through as a type, because a declaration seems to start here.
    const isMarked = tokenType === t.TypedefName && !this.isTypeName(token.image);
    if ((tokenType !== t.Identifier && !isMarked) || place === "type" || this.RECORDING_PHASE)
      return;
    const next = this.peek(2);
    const nameFollows =
      next.tokenType === t.Identifier ||
      next.tokenType === t.Star ||
      next.tokenType === t.Qualifier ||
      isMarked ||
      (place === "parameter" && (next.tokenType === t.Comma || next.tokenType === t.RParen));
    if (!nameFollows) return;
    const [code, message] =
      place === "block"
        ? ["undeclared-identifier", `use of undeclared identifier '${token.image}'`]
        : ["unknown-type-name", `unknown type name '${token.image}'`];
    this.report(code!, message!, tokenSpan(token));
    retype(token, t.TypedefName);
    found.unknown = token;
  }

  #finishSpecifiers(found: Collected, first: Token, place: SpecifierPlace): DeclarationSpecifiers {
    const span = this.spanFrom(first);
    const { inline, noreturn, threadLocal, qualifiers, alignas, attributes, storage } = found;
    const type = found.type ?? this.#typeOfWords(found.words, place, span, found);
    const common = { inline, noreturn, threadLocal, qualifiers, type, alignas, attributes, span };
    return storage === undefined ? common : { storage: storage.image as StorageClass, ...common };
  }

  #typeOfWords(
    words: readonly Token[],
    place: SpecifierPlace,
    span: Span,
    found: Collected,
  ): TypeSpecifier {
    const [first] = words;
    if (first === undefined) return this.#missingType(place, span, found);
    const { name, problem } = typeOfWords(words.map((word) => word.image));
    const last = words.at(-1)!;
    if (problem !== undefined) this.report("type-specifiers", problem, tokenSpan(last));
    return { kind: "builtin", name, span: tokenSpan(first) };
  }

  #missingType(place: SpecifierPlace, span: Span, found: Collected): TypeSpecifier {
    const token = this.peek();
    const isTypedef = found.storage?.image === "typedef";
    if (isTypedef && token.tokenType === t.Identifier && this.isNext(t.Semicolon, 2)) {
      this.report("unknown-type-name", `unknown type name '${token.image}'`, tokenSpan(token));
    } else if (place === "type" || token.tokenType === t.Identifier) {
      this.reportByDefault("implicit-int", IMPLICIT_INT, tokenSpan(token));
    }
    return { kind: "missing", span };
  }

  /** Where the next specifier goes. An alternative reads it before a rule inside can change it. */
  #found!: Collected;

  /** Made once: a header asks for them at every word. */
  readonly #specifierParts = [
    { ALT: (): void => this.#addWord(this.#found, this.CONSUME(t.TypeWord)) },
    { ALT: (): void => this.#addQualifier(this.#found, this.CONSUME(t.Qualifier)) },
    { ALT: (): void => this.#addStorage(this.#found, this.CONSUME(t.StorageClass)) },
    {
      ALT: (): void => this.#addFunctionSpecifier(this.#found, this.CONSUME(t.FunctionSpecifier)),
    },
    {
      ALT: (): void => {
        const name = this.CONSUME(t.TypedefName);
        this.ACTION(() => this.#setType(this.#found, namedType(name, this.#found)));
      },
    },
    { ALT: (): void => this.#setType(this.#found, this.SUBRULE(this.recordSpecifier)) },
    { ALT: (): void => this.#setType(this.#found, this.SUBRULE(this.enumSpecifier)) },
    { ALT: (): void => this.#setType(this.#found, this.SUBRULE(this.typeofSpecifier)) },
    {
      ALT: (): void => {
        const word = this.CONSUME(t.AutoType);
        this.#setType(this.#found, { kind: "auto_type", span: tokenSpan(word) });
      },
    },
    { ALT: (): void => this.SUBRULE(this.atomicSpecifier, { ARGS: [this.#found] }) },
    { ALT: (): void => this.SUBRULE(this.alignasSpecifier, { ARGS: [this.#found] }) },
    {
      ALT: (): void => {
        const found = this.#found;
        const list = this.SUBRULE(this.attributeSpecifier);
        this.ACTION(() => found.attributes.push(...list));
      },
    },
  ];

  readonly specifier = this.RULE("specifier", (found: Collected): void => {
    this.#found = found;
    this.OR(this.#specifierParts);
  });

  #addWord(found: Collected, word: Token): void {
    if (this.RECORDING_PHASE) return;
    if (found.type !== undefined) this.#secondType(found, word);
    else found.words.push(word);
  }

  #setType(found: Collected, type: TypeSpecifier): void {
    if (this.RECORDING_PHASE) return;
    if (found.type !== undefined || found.words.length > 0) this.#secondType(found, this.previous);
    else found.type = type;
  }

  #secondType(found: Collected, token: Token): void {
    const previous = found.words.map((word) => word.image).join(" ") || specifierName(found.type);
    const message = `cannot combine with previous '${previous}' declaration specifier`;
    this.report("type-specifiers", message, tokenSpan(token));
  }

  #addStorage(found: Collected, word: Token): void {
    if (this.RECORDING_PHASE) return;
    const previous = found.storage;
    if (previous !== undefined && previous.image !== word.image) {
      const message = `cannot combine with previous '${previous.image}' declaration specifier`;
      this.report("storage-class", message, tokenSpan(word));
      return;
    }
    found.storage = word;
  }

  #addFunctionSpecifier(found: Collected, word: Token): void {
    if (this.RECORDING_PHASE) return;
    if (word.image === "_Noreturn") found.noreturn = true;
    else if (word.image.includes("inline")) found.inline = true;
    else found.threadLocal = true;
  }

  #addQualifier(found: Collected, word: Token): void {
    if (!this.RECORDING_PHASE) found.qualifiers = withQualifier(found.qualifiers, word.image);
  }

  /** `_Atomic` as a qualifier, or `_Atomic(type)`. */
  readonly atomicSpecifier = this.RULE("atomicSpecifier", (found: Collected): void => {
    this.CONSUME(t.Atomic);
    this.ACTION(() => {
      found.qualifiers = { ...found.qualifiers, atomic: true };
    });
    this.OPTION(() => {
      const open = this.CONSUME(t.LParen);
      const operand = this.SUBRULE(this.typeName);
      this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
      const span = this.spanFrom(open);
      this.#setType(found, { kind: "typeof", operand, unqualified: false, span });
    });
  });

  readonly alignasSpecifier = this.RULE("alignasSpecifier", (found: Collected): void => {
    this.CONSUME(t.Alignas);
    const open = this.CONSUME(t.LParen);
    const operand = this.SUBRULE(this.typeOrExpression);
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.ACTION(() => found.alignas.push(operand));
  });

  readonly typeofSpecifier = this.RULE("typeofSpecifier", (): TypeSpecifier => {
    const word = this.CONSUME(t.Typeof);
    const open = this.CONSUME(t.LParen);
    const operand = this.OR<Expression | TypeName>([
      { ALT: () => this.SUBRULE(this.typeName) },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    const unqualified = word.image.includes("unqual");
    return { kind: "typeof", operand, unqualified, span: this.spanFrom(word) };
  });

  // Attributes

  /** `__attribute__((a, b(1)))` or `[[a, ns::b]]`. */
  readonly attributeSpecifier: Rule<readonly Attribute[]> = this.RULE(
    "attributeSpecifier",
    (): readonly Attribute[] => {
      this.OR([
        { ALT: () => this.CONSUME(t.Attribute) },
        { ALT: () => this.CONSUME(t.AttributeOpen) },
      ]);
      return this.SUBRULE(this.attributeGroup);
    },
  );

  /** What follows `__attribute__`, or the first bracket of `[[`. */
  readonly attributeGroup: Rule<readonly Attribute[]> = this.RULE(
    "attributeGroup",
    (): readonly Attribute[] => {
      const list: Attribute[] = [];
      this.OR([
        {
          ALT: () => {
            const outer = this.CONSUME(t.LParen);
            const inner = this.CONSUME(t.LParen);
            this.SUBRULE(this.attributeList, { ARGS: [list] });
            this.close(t.RParen, ")", inner, () => this.CONSUME(t.RParen));
            this.close(t.RParen, ")", outer, () => this.CONSUME(t.RParen));
          },
        },
        {
          ALT: () => {
            const open = this.CONSUME(t.LBracket);
            this.SUBRULE(this.attributeList, { ARGS: [list] });
            this.close(t.RBracket, "]", open, () => this.CONSUME(t.RBracket));
            this.close(t.RBracket, "]", open, () => this.CONSUME(t.RBracket));
          },
        },
      ]);
      return list;
    },
  );

  /** Attributes between commas; slots may be empty. Any word can name an attribute. */
  readonly attributeList = this.RULE("attributeList", (list: Attribute[]): void => {
    this.#markAttributeName();
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.Comma);
          },
        },
        {
          ALT: () => {
            const attribute = this.SUBRULE(this.attribute);
            this.ACTION(() => list.push(attribute));
          },
        },
      ]);
      this.#markAttributeName();
    });
  });

  /** Keywords like `const` are attribute names too. */
  #markAttributeName(): void {
    const token = this.peek();
    if (token.identifier !== undefined) retype(token, t.LabelName);
  }

  readonly attribute: Rule<Attribute> = this.RULE("attribute", (): Attribute => {
    const first = this.CONSUME(t.LabelName);
    let name = first.image;
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.CONSUME(t.Colon);
      this.#markAttributeName();
      name = this.CONSUME(t.LabelName).image;
    });
    const args: (Expression | TypeName)[] = [];
    this.OPTION1(() => {
      const open = this.CONSUME(t.LParen);
      this.OPTION2(() => {
        args.push(this.SUBRULE(this.typeOrExpression));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          args.push(this.SUBRULE(this.typeOrExpression));
        });
      });
      this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    });
    return { name: name.replace(/^__(.+)__$/, "$1"), args, span: this.spanFrom(first) };
  });
}

export function withQualifier(qualifiers: Qualifiers, word: string): Qualifiers {
  // Whether a pointer may be null is for readers and analysers.
  if (word.startsWith("_N")) return qualifiers;
  const name = word.replace(/_/g, "") as "const" | "volatile" | "restrict";
  return { ...qualifiers, [name]: true };
}

function namedType(name: Token, found: Collected): TypeSpecifier {
  const span = tokenSpan(name);
  if (name === found.unknown) return { kind: "missing", span };
  return { kind: "typedef_name", name: name.image, span };
}

function specifierName(type: TypeSpecifier | undefined): string {
  if (type === undefined) return "int";
  if (type.kind === "typedef_name" || type.kind === "builtin") return type.name;
  return type.kind === "record" ? (type.union ? "union" : "struct") : type.kind;
}

/** The specifiers of a name that nothing gives a type. */
export function untyped(span: Span): DeclarationSpecifiers {
  return {
    inline: false,
    noreturn: false,
    threadLocal: false,
    qualifiers: noQualifiers,
    type: { kind: "missing", span },
    alignas: [],
    attributes: [],
    span,
  };
}
