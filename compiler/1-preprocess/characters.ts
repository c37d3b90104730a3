/** Character classes of C source, one table lookup per character. */

/** Letter, `_`, `$` or anything beyond ASCII: may start an identifier. */
export const IDENTIFIER_START = 1;
/** May continue an identifier (starts and digits). */
export const IDENTIFIER_PART = 2;
export const DIGIT = 4;
/** Blank within a line: space, tab, vertical tab, form feed, carriage return. */
export const BLANK = 8;

function classOf(code: number): number {
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  if (isLetter || code === 95 || code === 36 || code >= 128)
    return IDENTIFIER_START | IDENTIFIER_PART;
  if (code >= 48 && code <= 57) return IDENTIFIER_PART | DIGIT;
  if (code === 32 || code === 9 || code === 11 || code === 12 || code === 13) return BLANK;
  return 0;
}

/** Classes of the characters 0–255; larger ones are identifier letters. */
export const characterClass: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  classOf(code),
);

/** The class of any UTF-16 unit; NaN (past the end) has none. */
export function classAt(code: number): number {
  if (code < 256) return characterClass[code]!;
  return code >= 256 ? IDENTIFIER_START | IDENTIFIER_PART : 0;
}
