/** The machine's files, as the toolchain's {@link FileSystem}. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import type { FileSystem } from "../common/file-system.ts";

/** The same bytes as no Buffer: code that meets both kinds of arrays is optimised twice. */
function plainBytes({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export const nodeFileSystem: FileSystem = {
  readFile(path) {
    try {
      // Header searches miss more often than they hit, and an exception costs more than the call.
      const found = statSync(path, { throwIfNoEntry: false });
      // Devices and pipes too: `/dev/null`, `<(command)` of a shell.
      const isReadable = found !== undefined && !found.isDirectory();
      return isReadable ? plainBytes(readFileSync(path)) : undefined;
    } catch {
      return undefined;
    }
  },
  identityOf(path) {
    try {
      return realpathSync.native(path);
    } catch {
      return path;
    }
  },
};
