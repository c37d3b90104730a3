/** Sorts out `long unsigned int` and the like. */
import type { BuiltinTypeName } from "./ast.ts";

const unsignedWords = ["unsigned"];
const signedWords = ["signed"];

/** The combinations that C 6.7.2 lists, words in the order of the alphabet. */
const combinations: Readonly<Record<string, BuiltinTypeName>> = {
  void: "void",
  _Bool: "_Bool",
  char: "char",
  "char signed": "signed char",
  "char unsigned": "unsigned char",
  short: "short",
  "int short": "short",
  "short signed": "short",
  "int short signed": "short",
  "short unsigned": "unsigned short",
  "int short unsigned": "unsigned short",
  int: "int",
  signed: "int",
  "int signed": "int",
  unsigned: "unsigned int",
  "int unsigned": "unsigned int",
  long: "long",
  "int long": "long",
  "long signed": "long",
  "int long signed": "long",
  "long unsigned": "unsigned long",
  "int long unsigned": "unsigned long",
  "long long": "long long",
  "int long long": "long long",
  "long long signed": "long long",
  "int long long signed": "long long",
  "long long unsigned": "unsigned long long",
  "int long long unsigned": "unsigned long long",
  __int128: "__int128",
  "__int128 signed": "__int128",
  "__int128 unsigned": "unsigned __int128",
  __int128_t: "__int128",
  __uint128_t: "unsigned __int128",
  float: "float",
  double: "double",
  "double long": "long double",
  __builtin_va_list: "__builtin_va_list",
  _Float16: "float",
  __float128: "long double",
};

function typeOf(sortedWords: string): BuiltinTypeName | undefined {
  return Object.hasOwn(combinations, sortedWords) ? combinations[sortedWords] : undefined;
}

function sortWords(words: readonly string[]): string {
  return [...words].sort().join(" ");
}

/** `__signed__` and the like without underscores. */
function plain(word: string): string {
  // Most words have no underscore: a pattern costs more than asking for it.
  if (!word.startsWith("__") || !/^__(un)?signed(__)?$/.test(word)) return word;
  return word.replace(/_/g, "");
}

export interface TypeWords {
  readonly name: BuiltinTypeName;
  /** What is wrong with the combination, in clang's words. */
  readonly problem?: string;
}

/** By the words as written: a header has the same few combinations again and again. */
const known = new Map<string, TypeWords>();

/** The type that words written together mean. */
export function typeOfWords(written: readonly string[]): TypeWords {
  const key = written.join(" ");
  let found = known.get(key);
  if (found === undefined) {
    found = sortedOut(written);
    known.set(key, found);
  }
  return found;
}

/** `unsigned char unsigned`: clang warns of it and goes on. */
function isRepeatedSign(word: string, at: number, words: readonly string[]): boolean {
  return (word === "signed" || word === "unsigned") && words.indexOf(word) < at;
}

function sortedOut(written: readonly string[]): TypeWords {
  const words = written
    .map(plain)
    .filter((word, at, all) => !word.includes("omplex") && !isRepeatedSign(word, at, all));
  const found = typeOf(sortWords(words));
  if (found !== undefined) return { name: found };
  const previous =
    words.slice(0, -1).find((word) => typeOf(word) !== undefined) ?? words[0] ?? "int";
  const count = words.filter((word) => word === "long").length;
  if (count > 2)
    return {
      name: "long long",
      problem: "cannot combine with previous 'long long' declaration specifier",
    };
  const both =
    words.some((word) => signedWords.includes(word)) &&
    words.some((word) => unsignedWords.includes(word));
  if (both)
    return {
      name: "int",
      problem: `cannot combine with previous '${previous}' declaration specifier`,
    };
  return {
    name: typeOf(previous) ?? "int",
    problem: `cannot combine with previous '${previous}' declaration specifier`,
  };
}
