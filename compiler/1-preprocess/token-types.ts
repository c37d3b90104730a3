/**
 * The token vocabulary, shared by the preprocessor and the parser.
 * Keywords and operators that the grammar treats alike share a type; the image tells them apart.
 * Order matters only in that the generated lookahead tables are keyed by position in
 * {@link vocabulary}.
 */

export interface TokenType {
  readonly name: string;
  /** Position in {@link vocabulary}. */
  readonly tokenTypeIdx: number;
}

const created: TokenType[] = [];

function define(name: string): TokenType {
  const type = { name, tokenTypeIdx: created.length };
  created.push(type);
  return type;
}

export const tokenTypes = {
  Identifier: define("Identifier"),
  /** An identifier that names a type here; the parser retypes identifiers as it reaches them. */
  TypedefName: define("TypedefName"),
  /** An identifier followed by `:` at the start of a statement or initialiser item. */
  LabelName: define("LabelName"),
  /** Types that the parser gives to tokens as it reaches them, where one token of context decides. */
  AssignOperator: define("AssignOperator"),
  /** `(` that opens a nested declarator rather than parameters. */
  DeclaratorParen: define("DeclaratorParen"),
  OldParameter: define("OldParameter"),
  /** `else` that `if` follows. */
  ElseIf: define("ElseIf"),
  /** `__attribute__` that stands before a statement. */
  StatementAttribute: define("StatementAttribute"),
  /** C23 attribute opening `[[`. */
  AttributeOpen: define("AttributeOpen"),
  Number: define("Number"),
  Character: define("Character"),
  StringLiteral: define("StringLiteral"),

  LParen: define("LParen"),
  RParen: define("RParen"),
  LBracket: define("LBracket"),
  RBracket: define("RBracket"),
  LBrace: define("LBrace"),
  RBrace: define("RBrace"),
  Semicolon: define("Semicolon"),
  Comma: define("Comma"),
  Colon: define("Colon"),
  Question: define("Question"),
  Ellipsis: define("Ellipsis"),
  Dot: define("Dot"),
  Arrow: define("Arrow"),
  Assign: define("Assign"),
  /** `+=` and the like. */
  CompoundAssign: define("CompoundAssign"),
  Star: define("Star"),
  Ampersand: define("Ampersand"),
  AndAnd: define("AndAnd"),
  /** `+` and `-`. */
  Sign: define("Sign"),
  /** `!` and `~`. */
  Not: define("Not"),
  IncrementDecrement: define("IncrementDecrement"),
  /** Operators that are only binary. */
  BinaryOperator: define("BinaryOperator"),
  /** `#`, `##`, `@`, backslash and other stray characters: never valid after preprocessing. */
  Stray: define("Stray"),

  /** `static`, `extern`, `typedef`, `auto`, `register`. */
  StorageClass: define("StorageClass"),
  /** `inline`, `_Noreturn`, `_Thread_local`. */
  FunctionSpecifier: define("FunctionSpecifier"),
  /** `const`, `volatile`, `restrict`. */
  Qualifier: define("Qualifier"),
  Atomic: define("Atomic"),
  /** `int`, `unsigned`, `void` … */
  TypeWord: define("TypeWord"),
  StructUnion: define("StructUnion"),
  Enum: define("Enum"),
  Typeof: define("Typeof"),
  AutoType: define("AutoType"),
  Alignas: define("Alignas"),
  Attribute: define("Attribute"),
  Asm: define("Asm"),
  StaticAssert: define("StaticAssert"),
  Extension: define("Extension"),
  SizeofKeyword: define("SizeofKeyword"),
  Generic: define("Generic"),
  Offsetof: define("Offsetof"),
  TypesCompatible: define("TypesCompatible"),
  VaArg: define("VaArg"),
  If: define("If"),
  Else: define("Else"),
  Switch: define("Switch"),
  Case: define("Case"),
  Default: define("Default"),
  While: define("While"),
  Do: define("Do"),
  For: define("For"),
  Goto: define("Goto"),
  Break: define("Break"),
  Continue: define("Continue"),
  Return: define("Return"),
  LabelKeyword: define("LabelKeyword"),
  /** Preprocessing only: the opening of a header name in `#include <`. */
  HeaderName: define("HeaderName"),
} as const;

/** All token types of C, in definition order; `tokenTypeIdx` grows by one along it. */
export const vocabulary: readonly TokenType[] = created;

/** Behind all others. */
export const endOfFile: TokenType = { name: "EOF", tokenTypeIdx: created.length };

type KeywordRow = readonly [TokenType, string];

/** The type of each of the rows' words. */
function typesByWord(rows: readonly KeywordRow[]): ReadonlyMap<string, TokenType> {
  const types = new Map<string, TokenType>();
  for (const [type, words] of rows) for (const word of words.split(" ")) types.set(word, type);
  return types;
}

const t = tokenTypes;

const keywordRows: readonly KeywordRow[] = [
  [t.StorageClass, "static extern typedef auto register"],
  [t.FunctionSpecifier, "inline __inline __inline__ _Noreturn _Thread_local __thread"],
  [
    t.Qualifier,
    "const __const __const__ volatile __volatile __volatile__ restrict __restrict __restrict__ " +
      "_Nonnull _Nullable _Null_unspecified",
  ],
  [t.Atomic, "_Atomic"],
  [
    t.TypeWord,
    "void char short int long float double signed __signed __signed__ unsigned _Bool " +
      "__int128 __int128_t __uint128_t __builtin_va_list _Complex __complex __complex__ _Float16 " +
      "__float128",
  ],
  [t.StructUnion, "struct union"],
  [t.Enum, "enum"],
  [t.Typeof, "typeof __typeof __typeof__ __typeof_unqual __typeof_unqual__"],
  [t.AutoType, "__auto_type"],
  [t.Alignas, "_Alignas"],
  [t.Attribute, "__attribute__ __attribute"],
  [t.Asm, "asm __asm __asm__"],
  [t.StaticAssert, "_Static_assert"],
  [t.Extension, "__extension__"],
  [t.SizeofKeyword, "sizeof _Alignof __alignof __alignof__"],
  [t.Generic, "_Generic"],
  [t.Offsetof, "__builtin_offsetof"],
  [t.TypesCompatible, "__builtin_types_compatible_p"],
  [t.VaArg, "__builtin_va_arg"],
  [t.If, "if"],
  [t.Else, "else"],
  [t.Switch, "switch"],
  [t.Case, "case"],
  [t.Default, "default"],
  [t.While, "while"],
  [t.Do, "do"],
  [t.For, "for"],
  [t.Goto, "goto"],
  [t.Break, "break"],
  [t.Continue, "continue"],
  [t.Return, "return"],
  [t.LabelKeyword, "__label__"],
];

/** Spellings that `-std=c…` (without GNU extensions) leaves to the user. */
export const gnuOnlyKeywords: readonly string[] = ["typeof", "asm"];

/** Keyword spelling → token type, in GNU mode. */
export const keywords: ReadonlyMap<string, TokenType> = typesByWord(keywordRows);

const punctuatorRows: readonly KeywordRow[] = [
  [t.LParen, "("],
  [t.RParen, ")"],
  [t.LBracket, "[ <:"],
  [t.RBracket, "] :>"],
  [t.LBrace, "{ <%"],
  [t.RBrace, "} %>"],
  [t.Semicolon, ";"],
  [t.Comma, ","],
  [t.Colon, ":"],
  [t.Question, "?"],
  [t.Ellipsis, "..."],
  [t.Dot, "."],
  [t.Arrow, "->"],
  [t.Assign, "="],
  [t.CompoundAssign, "*= /= %= += -= <<= >>= &= ^= |="],
  [t.Star, "*"],
  [t.Ampersand, "&"],
  [t.AndAnd, "&&"],
  [t.Sign, "+ -"],
  [t.Not, "! ~"],
  [t.IncrementDecrement, "++ --"],
  [t.BinaryOperator, "/ % << >> < > <= >= == != ^ | ||"],
  [t.Stray, "# ## %: %:%:"],
];

/** Punctuator spelling → token type. */
export const punctuators: ReadonlyMap<string, TokenType> = typesByWord(punctuatorRows);
