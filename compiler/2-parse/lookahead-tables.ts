/**
 * Lookahead by table. chevrotain derives the decisions of the grammar by recording and analysing it,
 * which takes longer than parsing a small program; so that is done when the project is built. A
 * table has one character per token type, in vocabulary order: `.` for no, `+` for yes, or the
 * number of an alternative in base 36.
 */
import { vocabulary } from "../1-preprocess/token-types.ts";

/** A decision within a rule, by the method that asks for it. */
export type TableKind =
  | "OR"
  | "OR1"
  | "OPTION"
  | "OPTION1"
  | "OPTION2"
  | "OPTION3"
  | "MANY"
  | "MANY1"
  | "AT_LEAST_ONE";

/** The tables of one rule. */
export type RuleTables = Readonly<Partial<Record<TableKind, string>>>;

const NO = ".";
const YES = "+";
/** What a table has where a token of the type starts its part. */
export const YES_CODE = 43;
const ZERO = 48;
const NINE = 57;
const LETTER_A = 97;

/** `decide` gives, per token type, an alternative's number or whether to go on. */
export function encodeDecision(
  decide: (tokenTypeIdx: number) => number | boolean | undefined,
): string {
  return vocabulary
    .map((type) => {
      const answer = decide(type.tokenTypeIdx);
      if (typeof answer === "number") return answer.toString(36);
      return answer === true ? YES : NO;
    })
    .join("");
}

/** The number of the alternative that a token of this type starts; -1 for none. */
export function alternativeOf(table: string | undefined, tokenTypeIdx: number): number {
  if (table === undefined) return -1;
  const code = table.charCodeAt(tokenTypeIdx);
  if (code >= LETTER_A) return code - LETTER_A + 10;
  return code >= ZERO && code <= NINE ? code - ZERO : -1;
}
