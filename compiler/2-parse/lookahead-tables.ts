/**
 * Lookahead by table. chevrotain derives its decisions by recording and analysing the grammar, which
 * takes longer than parsing a small program; so that is done when the project is built, and the
 * result is installed here.
 */
import { vocabulary } from "../1-preprocess/token-types.ts";

/** A decision's key in chevrotain's cache, and its table (see {@link encodeDecision}). */
export type LookaheadRow = readonly [key: number, table: string];

/** chevrotain's decision functions: an alternative's index, or whether to go on. */
export type Decision = (this: { LA_FAST(n: number): { tokenTypeIdx: number } }) =>
  | number
  | boolean
  | undefined;

const NONE = ".";
const YES = "+";

/** Letter for the i-th alternative: 0–9, a–z. */
function letter(alternative: number): string {
  return alternative.toString(36);
}

/**
 * One character per token type in vocabulary order: `.` for no, `+` for yes, or the alternative's
 * number in base 36.
 */
export function encodeDecision(decide: (tokenTypeIdx: number) => ReturnType<Decision>): string {
  return vocabulary
    .map((type) => {
      const answer = decide(type.tokenTypeIdx as number);
      if (typeof answer === "number") return letter(answer);
      return answer === true ? YES : NONE;
    })
    .join("");
}

/** The decision function of a row. */
export function decodeDecision(table: string): Decision {
  const base = vocabulary[0]!.tokenTypeIdx as number;
  if (!/^[.+]*$/.test(table) || !table.includes(YES)) return alternativeDecision(table, base);
  const yes = Uint8Array.from(table, (character) => (character === YES ? 1 : 0));
  return function goesOn() {
    return yes[this.LA_FAST(1).tokenTypeIdx - base] === 1;
  };
}

function alternativeDecision(table: string, base: number): Decision {
  const alternatives = Array.from(table, (character) =>
    character === NONE ? undefined : Number.parseInt(character, 36),
  );
  return function alternative() {
    return alternatives[this.LA_FAST(1).tokenTypeIdx - base];
  };
}
