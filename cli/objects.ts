/** Objects from files, for the subcommands that read them. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { nodeFileSystem } from "./node-file-system.ts";

export interface ReadObject {
  readonly object: ObjectFile | undefined;
  readonly diagnostics: Diagnostics;
}

/** Reads and parses an ELF file; what is wrong with it is in `diagnostics`. */
export function readObjectFile(path: string): ReadObject {
  const diagnostics = new Diagnostics();
  const bytes = nodeFileSystem.readFile(path);
  if (bytes === undefined) {
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
    return { object: undefined, diagnostics };
  }
  return { object: readElf(bytes, path, diagnostics), diagnostics };
}
