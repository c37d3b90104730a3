/** Sorts out `long unsigned int` and the like. */
import type { BuiltinTypeName } from "./ast.ts";

const unsignedWords = ["unsigned"];
const signedWords = ["signed"];

/** Sorted words → type. Built once from the combinations that C 6.7.2 lists. */
const combinations: ReadonlyMap<string, BuiltinTypeName> = new Map(
  (
    [
      ["void", "void"],
      ["_Bool", "_Bool"],
      ["char", "char"],
      ["signed char", "signed char"],
      ["unsigned char", "unsigned char"],
      ["short", "short"],
      ["short int", "short"],
      ["signed short", "short"],
      ["signed short int", "short"],
      ["unsigned short", "unsigned short"],
      ["unsigned short int", "unsigned short"],
      ["int", "int"],
      ["signed", "int"],
      ["signed int", "int"],
      ["unsigned", "unsigned int"],
      ["unsigned int", "unsigned int"],
      ["long", "long"],
      ["long int", "long"],
      ["signed long", "long"],
      ["signed long int", "long"],
      ["unsigned long", "unsigned long"],
      ["unsigned long int", "unsigned long"],
      ["long long", "long long"],
      ["long long int", "long long"],
      ["signed long long", "long long"],
      ["signed long long int", "long long"],
      ["unsigned long long", "unsigned long long"],
      ["unsigned long long int", "unsigned long long"],
      ["__int128", "__int128"],
      ["signed __int128", "__int128"],
      ["unsigned __int128", "unsigned __int128"],
      ["__int128_t", "__int128"],
      ["__uint128_t", "unsigned __int128"],
      ["float", "float"],
      ["double", "double"],
      ["long double", "long double"],
      ["__builtin_va_list", "__builtin_va_list"],
      ["_Float16", "float"],
      ["__float128", "long double"],
    ] as const
  ).map(([words, name]) => [sortWords(words.split(" ")), name] as const),
);

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
  const found = combinations.get(sortWords(words));
  if (found !== undefined) return { name: found };
  const previous = words.slice(0, -1).find((word) => combinations.has(word)) ?? words[0] ?? "int";
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
    name: combinations.get(previous) ?? "int",
    problem: `cannot combine with previous '${previous}' declaration specifier`,
  };
}
