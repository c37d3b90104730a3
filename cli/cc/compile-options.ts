/** A parsed command line as the options of the compiler. */
import type { CompileOptions } from "../../compiler/compile.ts";
import { standardOf } from "./language-standard.ts";
import type { CcOptions } from "./options.ts";
import { recordedPath } from "./recorded-paths.ts";
import { standardDirectories } from "./standard-directories.ts";

function macrosOf({ macros, unsignedChar }: CcOptions): CompileOptions["macros"] {
  const written = macros.map(({ kind, text }) =>
    kind === "define" ? ({ kind, text } as const) : ({ kind, name: text } as const),
  );
  return unsignedChar ? [{ kind: "define", text: "__CHAR_UNSIGNED__" }, ...written] : written;
}

/** What `compile` takes. */
export function compileOptions(options: CcOptions): CompileOptions {
  return {
    target: { endian: options.endian, cpu: options.cpu, strictAlign: options.strictAlign },
    optimization: options.optimize,
    debugInfo: options.debug,
    stats: options.stats !== undefined,
    standard: standardOf(options.gnuLanguage) ?? "gnu17",
    quoteDirectories: options.quoteDirs,
    directories: options.includeDirs,
    systemDirectories: options.systemDirs,
    standardDirectories: standardDirectories(options),
    afterDirectories: options.afterDirs,
    macros: macrosOf(options),
    includes: options.forcedIncludes,
    indexHeaders: !["preprocess", "macros", "dependencies"].includes(String(options.output)),
    mapPath: recordedPath(options),
    warnings: options.warnings,
    suppressWarnings: options.suppressWarnings,
    msExtensions: options.msExtensions,
    strictAliasing: options.strictAliasing,
    freestanding: options.freestanding,
    unsignedChar: options.unsignedChar,
    shortEnums: options.shortEnums,
    ...(options.autoInit !== undefined && { autoInit: options.autoInit }),
  };
}
