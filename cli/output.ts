/**
 * Writing results: a file is written whole or not at all, and a failed run leaves none behind (an
 * older one is removed, as clang does).
 */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/** Errors of the machine's file system, in words. */
function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    EISDIR: "Is a directory",
    EROFS: "Read-only file system",
    ENOSPC: "No space left on device",
    ENOTDIR: "Not a directory",
  };
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}

function isSpecialFile(path: string): boolean {
  try {
    return !statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Writes the file; returns a message where that failed. `-` is standard output. */
export function writeOutput(path: string, content: string | Uint8Array): string | undefined {
  try {
    if (path === "-") {
      writeFileSync(1, content);
      return undefined;
    }
    if (isSpecialFile(path)) {
      writeFileSync(path, content);
      return undefined;
    }
    const partial = `${path}.tmp${process.pid}`;
    try {
      writeFileSync(partial, content);
      renameSync(partial, path);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    return undefined;
  } catch (error) {
    return `unable to open output file '${path}': '${reason(error)}'`;
  }
}

/** Removes what an earlier run left under the output's name. */
export function removeOutput(path: string): void {
  if (path !== "-" && !isSpecialFile(path)) rmSync(path, { force: true });
}
