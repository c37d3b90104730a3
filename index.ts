/** The library: what `import … from "bpfc"` gives. Runs in Node and in a browser. */
import { Diagnostics } from "./common/diagnostics/diagnostic.ts";
import type { FileSystem } from "./common/file-system.ts";
import { writeElf } from "./common/object/write-elf.ts";
import { defaultPreprocessOptions } from "./compiler/1-preprocess/options.ts";
import { type CompileOptions, compile } from "./compiler/compile.ts";

export type { Diagnostic } from "./common/diagnostics/diagnostic.ts";
export { Diagnostics } from "./common/diagnostics/diagnostic.ts";
export { renderDiagnostic } from "./common/diagnostics/render.ts";
export type { FileSystem } from "./common/file-system.ts";
export { memoryFileSystem } from "./common/file-system.ts";
export type { ObjectFile } from "./common/object/object-file.ts";
export { readElf } from "./common/object/read-elf.ts";
export { writeElf } from "./common/object/write-elf.ts";
export type { CompileOptions } from "./compiler/compile.ts";
export { compile } from "./compiler/compile.ts";
export { loadObject } from "./linker/load.ts";
export type { LoadedObject, MapSpec, ProgramSpec } from "./linker/program.ts";

/** Options of a plain compilation: -O2 -mcpu=v3, BTF, no include directories besides the shipped headers. */
export const defaultCompileOptions: CompileOptions = defaultPreprocessOptions;

/** Compiles one C file to the bytes of an ELF object; undefined where there were errors. */
export function compileToObject(
  path: string,
  files: FileSystem,
  options: Partial<CompileOptions> = {},
): { readonly object: Uint8Array | undefined; readonly diagnostics: Diagnostics } {
  const diagnostics = new Diagnostics();
  const { object } = compile(path, { ...defaultCompileOptions, ...options }, files, diagnostics);
  return { object: object && writeElf(object), diagnostics };
}
