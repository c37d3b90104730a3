/** Gives the text of a module, of those that `entries` (absolute paths) reach, with loops by index. */
export function indexLoops(entries: readonly string[]): (path: string) => string | undefined;
