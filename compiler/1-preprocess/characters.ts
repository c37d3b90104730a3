/** Character classes of C source, one table lookup per character. */

/** Letter, `_`, `$` or anything beyond ASCII: may start an identifier. */
export const IDENTIFIER_START = 1;
/** May continue an identifier (starts and digits). */
export const IDENTIFIER_PART = 2;
export const DIGIT = 4;
/** Blank within a line: space, tab, vertical tab, form feed, carriage return. */
export const BLANK = 8;

/** From and to before which code a class holds: letters, `$` and `_`, what is beyond ASCII, digits, blanks. */
const ranges: readonly (readonly [from: number, to: number, kind: number])[] = [
  [65, 91, IDENTIFIER_START | IDENTIFIER_PART],
  [97, 123, IDENTIFIER_START | IDENTIFIER_PART],
  [36, 37, IDENTIFIER_START | IDENTIFIER_PART],
  [95, 96, IDENTIFIER_START | IDENTIFIER_PART],
  [128, 256, IDENTIFIER_START | IDENTIFIER_PART],
  [48, 58, IDENTIFIER_PART | DIGIT],
  [9, 10, BLANK],
  [11, 14, BLANK],
  [32, 33, BLANK],
];

/** Classes of the characters 0–255; larger ones are identifier letters. */
export const characterClass = new Uint8Array(256);
for (const [from, to, kind] of ranges) characterClass.fill(kind, from, to);

/** The class of any UTF-16 unit; NaN (past the end) has none. */
export function classAt(code: number): number {
  if (code < 256) return characterClass[code]!;
  return code >= 256 ? IDENTIFIER_START | IDENTIFIER_PART : 0;
}
