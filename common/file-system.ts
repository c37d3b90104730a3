/**
 * How files come in. Outside `cli/` nothing touches the machine's files: a browser, a test or a
 * bundler hands in its own implementation.
 */
export interface FileSystem {
  /** The bytes of a file, or undefined where there is none that can be read. */
  readFile(path: string): Uint8Array | undefined;
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
