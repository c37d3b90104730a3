/** The machine's files, as the toolchain's {@link FileSystem}. */
import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import type { FileSystem } from "../common/file-system.ts";

/** The same bytes as no Buffer: code that meets both kinds of arrays is optimised twice. */
function plainBytes({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes of a device: what has more (`/dev/zero`) has no end. */
const MAX_DEVICE = 1 << 24;

function readDevice(path: string): Uint8Array | undefined {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(MAX_DEVICE);
    let size = 0;
    for (;;) {
      const count = readSync(file, bytes, size, MAX_DEVICE - size, null);
      if (count === 0) return size < MAX_DEVICE ? bytes.slice(0, size) : undefined;
      size += count;
    }
  } finally {
    closeSync(file);
  }
}

export const nodeFileSystem: FileSystem = {
  readFile(path) {
    try {
      // Header searches miss more often than they hit, and an exception costs more than the call.
      const found = statSync(path, { throwIfNoEntry: false });
      // Devices and pipes too: `/dev/null`, `<(command)` of a shell.
      const isReadable = found !== undefined && !found.isDirectory();
      if (found?.isCharacterDevice() === true) return readDevice(path);
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
