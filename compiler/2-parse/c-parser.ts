/** The C parser: the grammar rules over one run of tokens. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { PushedAttribute, TokenRun } from "../1-preprocess/stream.ts";
import { copyToken, type Token, tokenSpan } from "../1-preprocess/token.ts";
import { endOfFile, tokenTypes as t } from "../1-preprocess/token-types.ts";
import type { Attribute, ExternalDeclaration } from "./ast.ts";
import type { TypeNameOracle } from "./scopes.ts";
import { StatementRules } from "./statement-rules.ts";

/** After so many errors the rest of the text has nothing to say. */
const MAX_ERRORS = 1000;

/** Which pushed attributes go to which declarations: the subject rule's name before `(`. */
const subjectsOf: Readonly<Record<string, readonly string[]>> = {
  struct: ["record", "record(unless(is_union))"],
  union: ["record"],
  enum: ["enum"],
  function: ["function"],
  variable: ["variable", "variable(is_global)"],
  type_alias: ["type_alias"],
};

export class CParser extends StatementRules {
  readonly #attributes = new WeakMap<PushedAttribute, readonly Attribute[]>();

  /** The entry rule: one declaration at file scope; undefined after a syntax error. */
  readonly entry = this.RULE("entry", (): ExternalDeclaration | undefined =>
    this.recovering(
      () => this.SUBRULE(this.externalDeclaration),
      () => this.#resync(),
    ),
  );

  /**
   * Parses a run from its start to its end. `each` gets every declaration with the index of its
   * first token, as soon as it is complete.
   */
  parse(
    run: TokenRun,
    diagnostics: Diagnostics,
    oracle: TypeNameOracle,
    each: (declaration: ExternalDeclaration, firstToken: number) => void,
    begin: (firstToken: number) => void = () => undefined,
  ): void {
    this.load(run, diagnostics, oracle);
    for (;;) {
      this.#skipStray();
      if (this.isNext(endOfFile) || diagnostics.errorCount > MAX_ERRORS) return;
      const start = this.currIdx + 1;
      begin(start);
      this.reclassify();
      const declaration = this.#guarded();
      if (declaration !== undefined) each(declaration, start);
    }
  }

  /** The entry rule; text nested so deeply that the stack overflows is refused. */
  #guarded(): ExternalDeclaration | undefined {
    try {
      return this.SUBRULE(this.entry);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.resetAfterOverflow();
      this.report("nesting", "this is nested too deeply", tokenSpan(this.peek()));
      this.#resync();
      return undefined;
    }
  }

  /** Lone semicolons, `__extension__`, and closing braces that nothing opened. */
  #skipStray(): void {
    for (;;) {
      this.skipExtensionBeforeDeclaration();
      if (this.isNext(t.RBrace)) {
        const message = "extraneous closing brace ('}')";
        this.report("extraneous-brace", message, tokenSpan(this.peek()));
      } else if (!this.isNext(t.Semicolon)) return;
      this.consumeToken();
    }
  }

  /** After an error: behind the `;` or the `}` that ends the declaration. */
  #resync(): void {
    if (!this.skipStatement() && this.isNext(t.RBrace)) this.consumeToken();
    if (this.isNext(t.Semicolon)) this.consumeToken();
  }

  protected override pushedAttributes(subject: string): readonly Attribute[] {
    if (this.RECORDING_PHASE || this.pragmaState.attributes.length === 0) return [];
    const names = subjectsOf[subject] ?? [];
    return this.pragmaState.attributes
      .filter((pushed) => pushed.subjects.some((name) => names.includes(name)))
      .flatMap((pushed) => this.#parsePushed(pushed));
  }

  /** The attribute of a pragma, parsed once. */
  #parsePushed(pushed: PushedAttribute): readonly Attribute[] {
    const known = this.#attributes.get(pushed);
    if (known !== undefined) return known;
    const saved = { vector: this.tokVector, index: this.currIdx };
    const tokens = pushed.tokens.map(copyToken);
    const last = tokens.at(-1);
    if (last === undefined) return [];
    const end = copyToken(last);
    end.image = "";
    end.tokenType = endOfFile;
    end.tokenTypeIdx = endOfFile.tokenTypeIdx;
    const result = this.withTokens([...tokens, end], () => this.SUBRULE(this.attributeSpecifier));
    this.tokVector = saved.vector;
    this.currIdx = saved.index;
    this.#attributes.set(pushed, result);
    return result;
  }

  /** Parses other tokens in between; a syntax error there gives no attribute. */
  private withTokens(tokens: Token[], parse: () => readonly Attribute[]): readonly Attribute[] {
    this.tokVector = tokens;
    this.currIdx = -1;
    return this.recovering(parse, () => undefined) ?? [];
  }
}
