/**
 * Finds the value of an enumerator in its enum's text where that is a number. A program reaches a few of
 * an enum's names, and parsing enums whole was a tenth of the checker's work in a small one.
 */
import type { HeaderText } from "../1-preprocess/stream.ts";

/** An enum alone, maybe with a tag or as a typedef: attributes and fixed types make its constants others. */
const head = /^\s*(?:typedef\s+)?enum(?:\s+[A-Za-z_]\w*)?\s*\{/;
/** Decimal or hexadecimal; what starts with 0 otherwise is octal or binary. */
const literal = /\s*=\s*(-?(?:0|[1-9]\d*|0[xX][\da-fA-F]+))[uU]?\s*[,}]/y;

const LEAST = -(2n ** 31n);
const MOST = 2n ** 31n - 1n;

/** A blank, a brace or a comma. */
const isBoundary = (unit: number): boolean => unit <= 32 || unit === 123 || unit === 44;

/** The value and the offset of the name in the file; undefined where the enum has to be parsed. */
export function plainEnumerator(
  { file, start, end }: HeaderText,
  name: string,
): { readonly value: bigint; readonly start: number } | undefined {
  const text = file.text.slice(start, end);
  // Comments may have anything in them.
  if (!head.test(text) || text.includes("/")) return undefined;
  let at = text.indexOf(name);
  // Names of others may have this one in them.
  while (at > 0 && !isBoundary(text.charCodeAt(at - 1))) at = text.indexOf(name, at + 1);
  if (at < 0) return undefined;
  literal.lastIndex = at + name.length;
  const digits = literal.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const value = digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
  return value < LEAST || value > MOST ? undefined : { value, start: start + at };
}
