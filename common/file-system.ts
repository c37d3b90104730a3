/**
 * How files come in. Outside `cli/` nothing touches the machine's files: a browser, a test or a
 * bundler hands in its own implementation.
 */
export interface FileSystem {
  /** The bytes of a file, or undefined where there is none that can be read. */
  readFile(path: string): Uint8Array | undefined;
  /**
   * A name that all paths of one file share, for `#pragma once`; the machine's links are followed.
   * Without it paths are compared with their `.` and `..` resolved.
   */
  identityOf?(path: string): string;
  /** A file that ships with the toolchain; `readFile` gives it too. */
  shipped?(path: string): ShippedFile | undefined;
}

export interface ShippedFile {
  readonly text: string;
  /** What the preprocessor knows of a header beforehand: a `HeaderIndex`, read when asked for. */
  index(): object | undefined;
}

/** A path without `.`, and without `..` where a folder stands before it. */
export function normalisedPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "." || part === "") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !path.startsWith("/")) parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}

/** A file system of texts held in memory, by exact path. */
export function memoryFileSystem(files: Readonly<Record<string, string | Uint8Array>>): FileSystem {
  const table = new Map(Object.entries(files));
  return {
    readFile: (path) => {
      const content = table.get(path);
      return typeof content === "string" ? new TextEncoder().encode(content) : content;
    },
  };
}
