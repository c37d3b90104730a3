/**
 * Runs grammar rules. The rules are written in chevrotain's notation (RULE, SUBRULE, CONSUME, OR,
 * OPTION, MANY, AT_LEAST_ONE with embedded actions), and chevrotain analyses them: that happens when
 * the project is built (see analyse-grammar.ts), and what it decides by is installed here as tables.
 * chevrotain itself is not loaded at run time: loading it and parsing through its layers cost more
 * than the rest of a small compilation. The next token is looked at in place: these methods are a tenth
 * of the calls of a small compilation.
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import { Token } from "../1-preprocess/token.ts";
import { endOfFile, type TokenType } from "../1-preprocess/token-types.ts";
import { lookaheadTables } from "./generated/lookahead.ts";
import { alternativeOf, type RuleTables, type TableKind, YES_CODE } from "./lookahead-tables.ts";

/** A rule as a parser keeps it; `SUBRULE` runs it. */
export interface GrammarRule<Args extends readonly unknown[], Result> {
  readonly name: string;
  readonly body: (...args: Args) => Result;
  readonly tables: RuleTables;
}

export type Rule<Result> = GrammarRule<[], Result>;

/** A part of a rule, or that part with a condition beside the next token. */
export type Part<Result> =
  | (() => Result)
  | { readonly GATE: () => boolean; readonly DEF: () => Result };

export interface Alternative<Result> {
  readonly ALT: () => Result;
}

/** Thrown where a construct is given up; what is wrong was reported. */
export class SyntaxAbort extends Error {}

const nowhere: SourceFile = { path: "", text: "", isSystem: false };
/** What lies before and behind a run. */
export const outside = new Token(endOfFile, "", nowhere, 0, 0, 0, undefined);
const noTables: RuleTables = {};

export abstract class RuleEngine {
  /** Index of the last consumed token. */
  protected currIdx = -1;
  protected tokVector: readonly Token[] = [];
  /** True only while the grammar is read for analysis: then no token is real. */
  readonly RECORDING_PHASE: boolean = false;
  #ruleName = "";
  #tables = noTables;

  /** Another token than `expected` came: throws. */
  protected abstract mismatch(expected: TokenType | undefined): never;

  /** Steps to the next token. */
  protected abstract consumeToken(): void;

  protected get ruleName(): string {
    return this.#ruleName;
  }

  protected RULE<Args extends readonly unknown[], Result>(
    name: string,
    body: (...args: Args) => Result,
  ): GrammarRule<Args, Result> {
    return { name, body, tables: lookaheadTables[name] ?? noTables };
  }

  protected SUBRULE<Args extends readonly unknown[], Result>(
    rule: GrammarRule<Args, Result>,
    options?: { readonly ARGS: Args },
  ): Result {
    const name = this.#ruleName;
    const tables = this.#tables;
    this.#ruleName = rule.name;
    this.#tables = rule.tables;
    // A call without a list of arguments to be spread costs half.
    const result =
      options === undefined ? (rule as unknown as Rule<Result>).body() : rule.body(...options.ARGS);
    this.#ruleName = name;
    this.#tables = tables;
    return result;
  }

  /** Runs a part that may throw {@link SyntaxAbort}; after that, this rule goes on with `recover`. */
  protected TRY<Result, Recovered>(
    part: () => Result,
    recover: () => Recovered,
  ): Result | Recovered {
    const name = this.#ruleName;
    const tables = this.#tables;
    try {
      return part();
    } catch (error) {
      if (!(error instanceof SyntaxAbort)) throw error;
      this.#ruleName = name;
      this.#tables = tables;
      return recover();
    }
  }

  /** An action that the analysis must not run. */
  protected ACTION(action: () => unknown): void {
    action();
  }

  protected CONSUME(type: TokenType): Token {
    const token = this.tokVector[this.currIdx + 1] ?? outside;
    if (token.tokenType !== type) this.mismatch(type);
    this.consumeToken();
    return token;
  }

  // Decisions. The number in a method's name tells those of one rule apart.

  protected OR<Result>(alternatives: readonly Alternative<Result>[]): Result {
    return this.choose("OR", alternatives);
  }

  protected OR1<Result>(alternatives: readonly Alternative<Result>[]): Result {
    return this.choose("OR1", alternatives);
  }

  protected OPTION<Result>(part: Part<Result>): Result | undefined {
    return this.option("OPTION", part);
  }

  protected OPTION1<Result>(part: Part<Result>): Result | undefined {
    return this.option("OPTION1", part);
  }

  protected OPTION2<Result>(part: Part<Result>): Result | undefined {
    return this.option("OPTION2", part);
  }

  protected OPTION3<Result>(part: Part<Result>): Result | undefined {
    return this.option("OPTION3", part);
  }

  protected MANY(part: Part<unknown>): void {
    this.repeat("MANY", part);
  }

  protected MANY1(part: Part<unknown>): void {
    this.repeat("MANY1", part);
  }

  protected AT_LEAST_ONE(part: Part<unknown>): void {
    if (!this.repeat("AT_LEAST_ONE", part)) this.mismatch(undefined);
  }

  protected choose<Result>(kind: TableKind, alternatives: readonly Alternative<Result>[]): Result {
    const { tokenTypeIdx } = this.tokVector[this.currIdx + 1] ?? outside;
    const index = alternativeOf(this.#tables[kind], tokenTypeIdx);
    if (index < 0) this.mismatch(undefined);
    return alternatives[index]!.ALT();
  }

  protected option<Result>(kind: TableKind, part: Part<Result>): Result | undefined {
    return this.#admitted(kind, part)?.();
  }

  /** True where the part came at least once. */
  protected repeat(kind: TableKind, part: Part<unknown>): boolean {
    let before = this.currIdx;
    let action = this.#admitted(kind, part);
    if (action === undefined) return false;
    for (;;) {
      action();
      // What consumed nothing would consume nothing for ever.
      if (this.currIdx <= before) return true;
      before = this.currIdx;
      action = this.#admitted(kind, part);
      if (action === undefined) return true;
    }
  }

  /** The part's action where its condition and the next token admit it. */
  #admitted<Result>(kind: TableKind, part: Part<Result>): (() => Result) | undefined {
    let action: () => Result;
    if (typeof part === "function") action = part;
    else if (part.GATE()) action = part.DEF;
    else return undefined;
    const { tokenTypeIdx } = this.tokVector[this.currIdx + 1] ?? outside;
    return this.#tables[kind]?.charCodeAt(tokenTypeIdx) === YES_CODE ? action : undefined;
  }
}
