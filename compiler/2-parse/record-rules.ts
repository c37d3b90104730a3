/** Grammar rules of structs, unions and enumerations (C17 6.7.2.1, 6.7.2.2). */
import type { Span } from "../../common/diagnostics/source.ts";
import { afterToken, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  Attribute,
  Declarator,
  EnumSpecifier,
  Expression,
  MemberDeclaration,
  RecordSpecifier,
  StaticAssert,
  TypeName,
} from "./ast.ts";
import { ASSIGNMENT } from "./operand-rules.ts";
import { plainMember } from "./plain-members.ts";
import type { Rule } from "./rule-engine.ts";
import { SpecifierRules } from "./specifier-rules.ts";
import { retype } from "./token-window.ts";

export abstract class RecordRules extends SpecifierRules {
  abstract readonly declarator: Rule<Declarator>;
  abstract readonly staticAssert: Rule<StaticAssert>;

  readonly recordSpecifier: Rule<RecordSpecifier> = this.RULE(
    "recordSpecifier",
    (): RecordSpecifier => {
      const word = this.CONSUME(t.StructUnion);
      const union = word.image === "union";
      const attributes: Attribute[] = [];
      this.MANY(() => {
        const list = this.SUBRULE(this.attributeSpecifier);
        this.ACTION(() => attributes.push(...list));
      });
      let tag: string | undefined;
      this.asIdentifier();
      this.OPTION(() => {
        tag = this.CONSUME(t.Identifier).image;
      });
      const pack = this.pragmaState.pack;
      let members: readonly MemberDeclaration[] | undefined;
      this.OPTION1(() => {
        members = this.SUBRULE(this.memberList);
        this.MANY1(() => {
          const list = this.SUBRULE(this.attributeSpecifier);
          this.ACTION(() => attributes.push(...list));
        });
        attributes.push(...this.pushedAttributes(union ? "union" : "struct"));
      });
      if (members === undefined && tag === undefined && !this.RECORDING_PHASE)
        this.failHere(
          "anonymous-record",
          `declaration of anonymous ${word.image} must be a definition`,
        );
      return {
        kind: "record",
        union,
        ...(tag !== undefined && { tag }),
        ...(members && { members, ...(pack !== undefined && { pack }) }),
        attributes,
        span: this.spanFrom(word),
      };
    },
  );

  readonly memberList: Rule<readonly MemberDeclaration[]> = this.RULE(
    "memberList",
    (): readonly MemberDeclaration[] => {
      const members: MemberDeclaration[] = [];
      const open = this.CONSUME(t.LBrace);
      this.enterBracket();
      this.skipExtensionBeforeDeclaration();
      this.MANY({
        GATE: () => this.#memberFollows(),
        DEF: () => {
          const member =
            this.plainMember() ??
            this.recovering(
              () => this.SUBRULE(this.memberDeclaration),
              () => this.skipStatement(),
            );
          if (member !== undefined) members.push(member);
          this.skipExtensionBeforeDeclaration();
        },
      });
      this.close(t.RBrace, "}", open, () => this.CONSUME(t.RBrace));
      this.depth -= 1;
      return members;
    },
  );

  /** A member that does not need the grammar. */
  protected plainMember(): MemberDeclaration | undefined {
    if (this.RECORDING_PHASE) return undefined;
    const found = plainMember(this.tokVector, this.currIdx + 1, (name) => this.isTypeName(name));
    if (found === undefined || !this.skipTo(found.next)) return undefined;
    return found.member;
  }

  /** Steps over stray tokens, so that one wrong member does not lose the rest. */
  #memberFollows(): boolean {
    if (this.RECORDING_PHASE) return true;
    while (this.isNext(t.Semicolon)) this.consumeToken();
    const token = this.peek();
    if (token.tokenType === t.RBrace || token.tokenType === endOfFile) return false;
    if (token.tokenType === t.Identifier) {
      // A member of a type that does not exist; the specifiers say so.
      retype(token, t.TypedefName);
      return true;
    }
    if (this.startsType() || token.tokenType === t.StaticAssert) return true;
    if (token.tokenType === t.Attribute || token.tokenType === t.AttributeOpen) return true;
    this.report(
      "expected-member",
      "expected member name or ';' after declaration specifiers",
      tokenSpan(token),
    );
    this.skipStatement();
    return this.#memberFollows();
  }

  readonly #members = [
    { ALT: (): MemberDeclaration => this.SUBRULE(this.staticAssert) },
    { ALT: (): MemberDeclaration => this.SUBRULE(this.fieldDeclaration) },
  ];

  readonly memberDeclaration: Rule<MemberDeclaration> = this.RULE(
    "memberDeclaration",
    (): MemberDeclaration => this.OR(this.#members),
  );

  readonly fieldDeclaration: Rule<MemberDeclaration> = this.RULE(
    "fieldDeclaration",
    (): MemberDeclaration => {
      const first = this.peek();
      this.reclassify();
      const specifiers = this.SUBRULE(this.specifiers, { ARGS: ["member"] });
      const declarators: { declarator: Declarator; bitWidth?: Expression }[] = [];
      this.markDeclaratorParen(false);
      this.OPTION(() => {
        declarators.push(this.SUBRULE(this.fieldDeclarator));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          declarators.push(this.SUBRULE(this.fieldDeclarator));
        });
      });
      this.#endOfMember();
      return { kind: "members", specifiers, declarators, span: this.spanFrom(first) };
    },
  );

  /** clang only warns where the last member lacks its semicolon. */
  #endOfMember(): void {
    if (!this.RECORDING_PHASE && this.isNext(t.RBrace)) {
      const message = "expected ';' at end of declaration list";
      this.diagnostics.warning("missing-semicolon", message, afterToken(this.previous));
      return;
    }
    if (!this.RECORDING_PHASE && !this.isNext(t.Semicolon)) {
      const message = "expected ';' at end of declaration list";
      this.report("expected-semicolon", message, afterToken(this.previous));
      this.fail();
    }
    this.semicolon("at end of declaration list");
  }

  /** A member's declarator, its bit-field width, or both. */
  readonly fieldDeclarator = this.RULE(
    "fieldDeclarator",
    (): { declarator: Declarator; bitWidth?: Expression } => {
      let declarator: Declarator | undefined;
      let bitWidth: Expression | undefined;
      const first = this.peek();
      this.asIdentifier();
      this.markDeclaratorParen(false);
      const trailing: Attribute[] = [];
      this.OR([
        {
          ALT: () => {
            declarator = this.SUBRULE(this.declarator);
            this.OPTION(() => {
              this.CONSUME(t.Colon);
              bitWidth = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Colon);
            bitWidth = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
          },
        },
      ]);
      this.MANY(() => {
        const list = this.SUBRULE(this.attributeSpecifier);
        this.ACTION(() => trailing.push(...list));
      });
      const span = this.spanFrom(first);
      const plain = declarator ?? {
        nameSpan: tokenSpan(first),
        parts: [],
        attributes: [],
        span,
      };
      const whole =
        trailing.length === 0
          ? plain
          : { ...plain, attributes: [...plain.attributes, ...trailing] };
      return bitWidth === undefined ? { declarator: whole } : { declarator: whole, bitWidth };
    },
  );

  // Enumerations

  readonly enumSpecifier: Rule<EnumSpecifier> = this.RULE("enumSpecifier", (): EnumSpecifier => {
    const word = this.CONSUME(t.Enum);
    const attributes: Attribute[] = [];
    this.MANY(() => {
      const list = this.SUBRULE(this.attributeSpecifier);
      this.ACTION(() => attributes.push(...list));
    });
    let tag: string | undefined;
    this.asIdentifier();
    this.OPTION(() => {
      tag = this.CONSUME(t.Identifier).image;
    });
    let underlying: TypeName | undefined;
    this.OPTION1({
      GATE: () => this.RECORDING_PHASE || this.startsType(2),
      DEF: () => {
        this.CONSUME(t.Colon);
        underlying = this.SUBRULE(this.typeName);
      },
    });
    let enumerators: EnumSpecifier["enumerators"];
    this.OPTION2(() => {
      enumerators = this.SUBRULE(this.enumeratorList);
      this.MANY1(() => {
        const list = this.SUBRULE(this.attributeSpecifier);
        this.ACTION(() => attributes.push(...list));
      });
      attributes.push(...this.pushedAttributes("enum"));
    });
    if (enumerators === undefined && tag === undefined && !this.RECORDING_PHASE)
      this.failHere("expected-identifier", "expected identifier or '{'");
    return {
      kind: "enum",
      ...(tag !== undefined && { tag }),
      ...(enumerators && { enumerators }),
      ...(underlying && { underlying }),
      attributes,
      span: this.spanFrom(word),
    };
  });

  readonly enumeratorList = this.RULE(
    "enumeratorList",
    (): NonNullable<EnumSpecifier["enumerators"]> => {
      const list: { name: string; value?: Expression; span: Span }[] = [];
      const open = this.CONSUME(t.LBrace);
      this.asIdentifier();
      this.MANY(() => {
        list.push(this.SUBRULE(this.enumerator));
        this.#enumeratorSeparator();
        this.OPTION(() => this.CONSUME(t.Comma));
        this.asIdentifier();
      });
      if (list.length === 0 && !this.RECORDING_PHASE && this.isNext(t.RBrace))
        this.report("empty-enum", "use of empty enum", tokenSpan(open));
      this.close(t.RBrace, "}", open, () => this.CONSUME(t.RBrace));
      return list;
    },
  );

  #enumeratorSeparator(): void {
    if (this.RECORDING_PHASE || !this.isNext(t.Identifier)) return;
    this.report("expected-token", "missing ',' between enumerators", afterToken(this.previous));
  }

  readonly enumerator = this.RULE(
    "enumerator",
    (): { name: string; value?: Expression; span: Span } => {
      const name = this.CONSUME(t.Identifier);
      this.MANY(() => this.SUBRULE(this.attributeSpecifier));
      const value = this.OPTION(() => {
        this.CONSUME(t.Assign);
        return this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
      });
      this.declareName(name.image, false);
      return { name: name.image, ...(value && { value }), span: tokenSpan(name) };
    },
  );
}
