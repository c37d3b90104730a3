/** What a `bpfc cc` command line asks for, after parsing. Plain data. */

import type { Endian } from "../../common/object/object-file.ts";
import type { CpuVersion, OptimizationLevel } from "../../compiler/options.ts";
import type { WarningOption } from "../../compiler/warning-options.ts";

/** How far to go: the whole way to an object is `object`. */
export type CcOutput =
  | "object"
  | "assembly"
  | "preprocess"
  | "macros"
  | "syntax"
  | "dependencies"
  | { readonly print: "tokens" | "ast" | "checked" | "ir" | "machine" };

export interface MacroOption {
  readonly kind: "define" | "undefine";
  /** `NAME`, `NAME=VALUE` or `NAME(args)=VALUE`. */
  readonly text: string;
}

export interface DependencyOptions {
  /** -MD / -MMD / -MM / -M; system headers are left out by -MM and -MMD. */
  readonly userHeadersOnly: boolean;
  readonly phonyTargets: boolean;
  readonly file?: string;
  readonly targets: readonly string[];
}

export type DiagnosticsFormat = "clang" | "json" | "sarif";

export interface CcOptions {
  readonly inputs: readonly string[];
  readonly outputFile?: string;
  /** BTF, or a file with BTF, from which vmlinux.h is made where no directory has one. */
  readonly btf?: string;
  readonly output: CcOutput;
  readonly cpu: CpuVersion;
  readonly endian: Endian;
  readonly optimize: OptimizationLevel;
  readonly debug: boolean;
  readonly strictAlign: boolean;
  readonly quoteDirs: readonly string[];
  readonly includeDirs: readonly string[];
  readonly systemDirs: readonly string[];
  readonly afterDirs: readonly string[];
  readonly noStandardIncludes: boolean;
  readonly macros: readonly MacroOption[];
  readonly forcedIncludes: readonly string[];
  readonly warnings: readonly WarningOption[];
  readonly suppressWarnings: boolean;
  readonly msExtensions: boolean;
  readonly strictAliasing: boolean;
  readonly freestanding: boolean;
  readonly unsignedChar: boolean;
  readonly shortEnums: boolean;
  /** -ftrivial-auto-var-init: the byte that fills what is not initialised. */
  readonly autoInit?: number;
  readonly errorLimit: number;
  readonly dependencies?: DependencyOptions;
  readonly prefixMaps: readonly { readonly from: string; readonly to: string }[];
  readonly compilationDir?: string;
  readonly diagnosticsFormat: DiagnosticsFormat;
  readonly color: boolean | "auto";
  readonly verify: boolean;
  /** With --verify: more processed instructions than this are an error. */
  readonly maxProcessed?: number;
  readonly verbose: boolean;
  readonly lineMarkers: boolean;
  readonly gnuLanguage: string;
  readonly stats?: "text" | "json";
  /** With -S: where to write the Source Map from the text to C. */
  readonly sourceMap?: string;
  /** The map holds the text of its sources. */
  readonly sourceMapContent: boolean;
}

/** Questions that build systems ask of a compiler; answered without compiling. */
export type Probe =
  | "version"
  | "print-targets"
  | "cpu-help"
  | "help"
  | "dumpversion"
  | "resource-dir"
  | "search-dirs"
  | "libgcc-file-name"
  | "multi-lib"
  | "target-triple"
  /** -print-file-name=, -print-prog-name=: the name itself where there is no such file. */
  | { readonly file: string };

export type ParsedCommandLine =
  | { readonly kind: "compile"; readonly options: CcOptions; readonly warnings: readonly string[] }
  | { readonly kind: "probe"; readonly probe: Probe; readonly target: string }
  | { readonly kind: "error"; readonly message: string };
