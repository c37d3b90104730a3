/**
 * `#include "vmlinux.h"` where no directory has one: the header comes from the BTF that --btf names,
 * or from the one that ships. Nothing is read before the compiler asks for it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { FileSystem } from "../../common/file-system.ts";
import { shippedHeaderDirectory } from "../../compiler/shipped-header-directory.ts";
import { readShipped } from "./shipped-btf.ts";

const headerPath = `${shippedHeaderDirectory}/vmlinux.h`;

/** Gives the header's bytes when asked; undefined after a report. */
export type HeaderSource = (diagnostics: Diagnostics) => Uint8Array | undefined;

/** Where the header comes from. A build holds the shipped one as text, as making it takes long. */
export async function headerSource(btf: string | undefined): Promise<HeaderSource> {
  const built = join(import.meta.dirname, "vmlinux.h.br");
  if (btf === undefined && existsSync(built)) return () => readShipped([built]);
  const { headerOfFile, headerOfShippedBtf } = await import("./vmlinux-header.ts");
  return btf === undefined ? headerOfShippedBtf : (diagnostics) => headerOfFile(btf, diagnostics);
}

/** Adds the header to the directory of the shipped ones. */
export function withVmlinux(
  files: FileSystem,
  source: HeaderSource,
  diagnostics: Diagnostics,
): FileSystem {
  return {
    ...files,
    readFile: (path) => (path === headerPath ? source(diagnostics) : files.readFile(path)),
  };
}
