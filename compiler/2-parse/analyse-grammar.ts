/**
 * Has chevrotain analyse the grammar, for the generator of the lookahead tables and its test only:
 * the rules are run once with a recorder in the place of the rule engine, which gives chevrotain's
 * description of the grammar; its LL(k) strategy checks it and decides from it.
 */
import {
  Alternation,
  Alternative,
  type TokenType as ChevrotainTokenType,
  createToken,
  EOF,
  type IProduction,
  LLkLookaheadStrategy,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  Rule,
  Terminal,
} from "chevrotain";
import type { SourceFile } from "../../common/diagnostics/source.ts";
import { Token } from "../1-preprocess/token.ts";
import { endOfFile, type TokenType, vocabulary } from "../1-preprocess/token-types.ts";
import { CParser } from "./c-parser.ts";
import { encodeDecision, type RuleTables, type TableKind } from "./lookahead-tables.ts";
import type { Alternative as EngineAlternative, GrammarRule, Part } from "./rule-engine.ts";

const MAX_LOOKAHEAD = 1;

const typesOfChevrotain = new Map<TokenType, ChevrotainTokenType>([
  [endOfFile, EOF],
  ...vocabulary.map((type) => [type, createToken({ name: type.name })] as const),
]);

const file: SourceFile = { path: "", text: "", isSystem: false };
const anyToken = new Token(endOfFile, "", file, 0, 0, 0, undefined);

/** A decision that was met while recording. */
interface RecordedDecision {
  readonly rule: Rule;
  readonly kind: TableKind;
  readonly method: "OR" | "OPTION" | "MANY" | "AT_LEAST_ONE";
  readonly occurrence: number;
}

/** What rules get back from the parts that they ask for; there is no tree while recording. */
function nothing<Result>(): Result {
  return {} as Result;
}

class GrammarRecorder extends CParser {
  override readonly RECORDING_PHASE = true;
  readonly decisions: RecordedDecision[] = [];
  readonly rules = new Map<string, Rule>();
  readonly #references: NonTerminal[] = [];
  #rule: Rule | undefined;
  #target: IProduction[] = [];

  /** Runs every rule once. */
  record(): void {
    const rules = Object.values(this).filter(isGrammarRule);
    for (const { name } of rules) {
      if (this.rules.has(name)) throw new Error(`two rules are named ${name}`);
      this.rules.set(name, new Rule({ name, definition: [] }));
    }
    for (const { name, body } of rules) {
      this.#rule = this.rules.get(name)!;
      this.#target = this.#rule.definition;
      // What rules are given is only passed on.
      (body as () => unknown)();
    }
    for (const reference of this.#references)
      reference.referencedRule = this.rules.get(reference.nonTerminalName)!;
  }

  protected override SUBRULE<Args extends readonly unknown[], Result>(
    rule: GrammarRule<Args, Result>,
  ): Result {
    const reference = new NonTerminal({ nonTerminalName: rule.name, idx: this.#references.length });
    this.#references.push(reference);
    this.#target.push(reference);
    return nothing();
  }

  protected override CONSUME(type: TokenType): Token {
    this.#target.push(new Terminal({ terminalType: typesOfChevrotain.get(type)! }));
    return anyToken;
  }

  protected override ACTION(): void {}

  protected override peek(): Token {
    return anyToken;
  }

  protected override get previous(): Token {
    return anyToken;
  }

  protected override choose<Result>(
    kind: TableKind,
    alternatives: readonly EngineAlternative<Result>[],
  ): Result {
    const idx = this.#decide(kind);
    const definition = alternatives.map(
      ({ ALT }) => new Alternative({ definition: this.#contents(ALT) }),
    );
    this.#target.push(new Alternation({ definition, idx }));
    return nothing();
  }

  protected override option<Result>(kind: TableKind, part: Part<Result>): Result | undefined {
    const idx = this.#decide(kind);
    this.#target.push(new Option({ definition: this.#contents(actionOf(part)), idx }));
    return nothing();
  }

  protected override repeat(kind: TableKind, part: Part<unknown>): boolean {
    const idx = this.#decide(kind);
    const Production = kind === "AT_LEAST_ONE" ? RepetitionMandatory : Repetition;
    this.#target.push(new Production({ definition: this.#contents(actionOf(part)), idx }));
    return true;
  }

  /** Notes a decision; two of one rule must not go by the same name. */
  #decide(kind: TableKind): number {
    const rule = this.#rule!;
    if (this.decisions.some((other) => other.rule === rule && other.kind === kind))
      throw new Error(`two decisions of the rule ${rule.name} are named ${kind}`);
    const [, method, digits] = /^([A-Z_]+)(\d?)$/.exec(kind)!;
    const occurrence = Number(digits);
    this.decisions.push({
      rule,
      kind,
      method: method as RecordedDecision["method"],
      occurrence,
    });
    return occurrence;
  }

  #contents(action: () => unknown): IProduction[] {
    const outer = this.#target;
    const contents: IProduction[] = [];
    this.#target = contents;
    action();
    this.#target = outer;
    return contents;
  }
}

function isGrammarRule(value: unknown): value is GrammarRule<readonly unknown[], unknown> {
  return typeof value === "object" && value !== null && "body" in value && "tables" in value;
}

function actionOf<Result>(part: Part<Result>): () => Result {
  return typeof part === "function" ? part : part.DEF;
}

const productionTypes = {
  OPTION: "Option",
  MANY: "Repetition",
  AT_LEAST_ONE: "RepetitionMandatory",
} as const;

/** The tables of every rule that decides anything; throws where chevrotain finds the grammar wrong. */
export function analyseGrammar(): ReadonlyMap<string, RuleTables> {
  const recorder = new GrammarRecorder();
  recorder.record();
  const strategy = new LLkLookaheadStrategy({ maxLookahead: MAX_LOOKAHEAD });
  const rules = [...recorder.rules.values()];
  const tokenTypes = [...typesOfChevrotain.values()];
  const errors = strategy.validate({ rules, tokenTypes, grammarName: "C" });
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join("\n"));
  const tables = new Map<string, Partial<Record<TableKind, string>>>();
  for (const { rule, kind, method, occurrence } of recorder.decisions) {
    const options = {
      prodOccurrence: occurrence,
      rule,
      maxLookahead: MAX_LOOKAHEAD,
      dynamicTokensEnabled: false,
    };
    const decide =
      method === "OR"
        ? strategy.buildLookaheadForAlternation({ ...options, hasPredicates: false })
        : strategy.buildLookaheadForOptional({ ...options, prodType: productionTypes[method] });
    const ofRule = tables.get(rule.name) ?? {};
    tables.set(rule.name, ofRule);
    ofRule[kind] = encodeDecision((index) => {
      const { tokenTypeIdx } = typesOfChevrotain.get(vocabulary[index]!)!;
      const window = { LA: () => ({ tokenTypeIdx }), LA_FAST: () => ({ tokenTypeIdx }) };
      return (decide as () => number | boolean | undefined).call(window);
    });
  }
  return tables;
}

/** The text of generated/lookahead.ts. */
export function lookaheadSource(): string {
  const rows = [...analyseGrammar()].map(([rule, tables]) => {
    const columns = Object.entries(tables).map(([kind, table]) => `    ${kind}: "${table}",\n`);
    return `  ${rule}: {\n${columns.join("")}  },\n`;
  });
  return [
    "/** Generated by scripts/generate-lookahead.ts; do not edit. */\n",
    'import type { RuleTables } from "../lookahead-tables.ts";\n\n',
    "export const lookaheadTables: Readonly<Record<string, RuleTables>> = {\n",
    ...rows,
    "};\n",
  ].join("");
}
