/** The text of the TypeScript module at `path` without private names. */
export function plainPrivates(text: string, path: string): string;
