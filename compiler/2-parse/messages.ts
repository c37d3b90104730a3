/** Syntax errors in clang's words, by the grammar rule that met an unexpected token. */
import type { Token } from "../1-preprocess/token.ts";
import { type TokenType, tokenTypes as t } from "../1-preprocess/token-types.ts";

/** Code and text. */
export type SyntaxMessage = readonly [string, string];

/** What a rule that found no alternative was looking for. */
const expectedByRule: Readonly<Record<string, SyntaxMessage>> = {
  expression: ["expected-expression", "expected expression"],
  unary: ["expected-expression", "expected expression"],
  primary: ["expected-expression", "expected expression"],
  parenthesized: ["expected-expression", "expected expression"],
  initializer: ["expected-expression", "expected expression"],
  statement: ["expected-expression", "expected expression"],
  directDeclarator: ["expected-identifier", "expected identifier or '('"],
  specifiers: ["expected-type", "expected a type"],
  fileDeclaration: ["expected-identifier", "expected identifier or '('"],
  gotoStatement: ["expected-identifier", "expected identifier"],
  typeName: ["expected-type", "expected a type"],
};

const spellings: ReadonlyMap<TokenType, string> = new Map([
  [t.LParen, "("],
  [t.RParen, ")"],
  [t.LBracket, "["],
  [t.RBracket, "]"],
  [t.LBrace, "{"],
  [t.RBrace, "}"],
  [t.Semicolon, ";"],
  [t.Comma, ","],
  [t.Colon, ":"],
  [t.Assign, "="],
]);

const keywordOfRule: Readonly<Record<string, string>> = {
  ifStatement: "if",
  switchStatement: "switch",
  whileStatement: "while",
  forStatement: "for",
};

/** The message for an unexpected token; `expected` is what CONSUME wanted. */
export function messageForRule(
  rule: string,
  found: Token,
  expected?: TokenType,
): readonly [string, string] {
  if (expected === undefined)
    return expectedByRule[rule] ?? ["expected-expression", "expected expression"];
  if (expected === t.LParen && keywordOfRule[rule] !== undefined)
    return ["expected-token", `expected '(' after '${keywordOfRule[rule]}'`];
  if (expected === t.LParen && rule === "doStatement")
    return ["expected-token", "expected '(' after 'do/while'"];
  if (expected === t.While) return ["expected-token", "expected 'while' in do/while loop"];
  if (expected === t.Identifier) return ["expected-identifier", "expected identifier"];
  if (expected === t.StringLiteral)
    return [
      "expected-string",
      `expected string literal in ${found.image === "" ? "file" : "'asm'"}`,
    ];
  const spelling = spellings.get(expected);
  return ["expected-token", spelling === undefined ? "syntax error" : `expected '${spelling}'`];
}
