/** The machine's files, as the toolchain's {@link FileSystem}. */
import { readFileSync, statSync } from "node:fs";
import type { FileSystem } from "../common/file-system.ts";

export const nodeFileSystem: FileSystem = {
  readFile(path) {
    try {
      return statSync(path).isFile() ? readFileSync(path) : undefined;
    } catch {
      return undefined;
    }
  },
};
