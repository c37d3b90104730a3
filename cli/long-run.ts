/** How the command line tool tells scripts/loader.cjs that a run is no short one. */
import type { FileSystem } from "../common/file-system.ts";

/** The user's own text from which on optimised machine code pays, in bytes. */
const LONG_TEXT = 6_000;

/** V8 is set up anew for a run of some length; without the loader nothing happens. */
export function beginLongRun(): void {
  const begin: unknown = Reflect.get(globalThis, Symbol.for("bpfc.beginLongRun"));
  if (typeof begin === "function") begin();
}

/** The same files; a long run begins when much was read of them. */
export function watchingLength(files: FileSystem): FileSystem {
  let length = 0;
  return {
    ...files,
    readFile(path) {
      const bytes = files.readFile(path);
      length += bytes?.length ?? 0;
      if (length > LONG_TEXT) beginLongRun();
      return bytes;
    },
  };
}
