/** The library: what `import … from "bpfc"` gives. Runs in Node and in a browser. */
import { type Diagnostic, Diagnostics } from "./common/diagnostics/diagnostic.ts";
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
export type { RecordedRun, RecordOptions, Stop } from "./vm/debug/recorded-run.ts";
export type { RunOptions, RunResult } from "./vm/programs/run.ts";
export type { BpfAttr } from "./vm/system/attr.ts";
export { SimulatedKernel as Kernel, type SystemOptions } from "./vm/system/simulated-kernel.ts";
export {
  type Input,
  type OpenSkeleton,
  openSkeleton,
  type Skeleton,
  type SkeletonMap,
  type SkeletonProgram,
  type SkeletonTypes,
} from "./vm/system/skeleton.ts";
export type { Stream } from "./vm/system/streams.ts";
export type { Verdict } from "./vm/verifier/input.ts";
export { verifyObjectProgram } from "./vm/verifier/verify-program.ts";

/** Options of a plain compilation: -O2 -mcpu=v3, BTF, no include directories besides the shipped headers. */
export const defaultCompileOptions: CompileOptions = defaultPreprocessOptions;

export interface CompileResult {
  /** Undefined where there were errors. */
  readonly object: Uint8Array | undefined;
  /** Errors, and the warnings that are on by default. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles one C file to the bytes of an ELF object. */
export function compileToObject(
  path: string,
  files: FileSystem,
  options: Partial<CompileOptions> = {},
): CompileResult {
  const all = new Diagnostics();
  const { object } = compile(path, { ...defaultCompileOptions, ...options }, files, all);
  return { object: object && writeElf(object), diagnostics: all.list };
}
