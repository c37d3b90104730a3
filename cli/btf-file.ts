/** BTF from a file: raw, as the kernel shows it, or the .BTF section of any ELF file. */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { isElf } from "../common/object/read-elf.ts";
import { foreignSection } from "../linker/foreign-elf.ts";
import { nodeFileSystem } from "./node-file-system.ts";

/** Undefined after an error has been reported. */
export function readBtfFile(path: string, diagnostics: Diagnostics): Btf | undefined {
  const bytes = nodeFileSystem.readFile(path);
  if (bytes === undefined) {
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
    return undefined;
  }
  const section = isElf(bytes) ? foreignSection(bytes, ".BTF") : bytes;
  if (section === undefined) {
    diagnostics.error("no-btf", `${path}: it has no .BTF section`);
    return undefined;
  }
  return readBtf(section, diagnostics, path);
}
