/** `@file` on a command line: the file's words stand for it. */

/** A word up to a blank; quotes and backslashes keep blanks in it. */
const word = /(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?)+/g;
const quoted = /\\([\s\S])|"((?:[^"\\]|\\[\s\S])*)"?|'((?:[^'\\]|\\[\s\S])*)'?/g;

function unquote(text: string): string {
  return text.replace(quoted, (_, escaped?: string, double?: string, single?: string) =>
    escaped === undefined ? (double ?? single ?? "").replace(/\\([\s\S])/g, "$1") : escaped,
  );
}

/** Files that name each other end somewhere. */
const deepest = 16;

/** The words with those of response files in place; what is no file stays as it is. */
export function expandResponseFiles(
  words: readonly string[],
  read: (path: string) => string | undefined,
  depth = 0,
): readonly string[] {
  if (depth === deepest || !words.some((each) => each.startsWith("@"))) return words;
  return words.flatMap((each) => {
    const text = each.startsWith("@") ? read(each.slice(1)) : undefined;
    if (text === undefined) return [each];
    return expandResponseFiles((text.match(word) ?? []).map(unquote), read, depth + 1);
  });
}
