/** A parsed command line as the options of the compiler. */
import type { LanguageStandard } from "../../compiler/1-preprocess/predefined.ts";
import type { CompileOptions } from "../../compiler/compile.ts";
import type { CcOptions } from "./options.ts";
import { standardDirectories } from "./standard-directories.ts";

const standards: Readonly<Record<string, LanguageStandard>> = {
  c2x: "c23",
  gnu2x: "gnu23",
  c18: "c17",
  gnu18: "gnu17",
  c1x: "c11",
  gnu1x: "gnu11",
  c90: "c89",
  gnu90: "gnu89",
};
const knownStandards = [
  "c89",
  "c99",
  "c11",
  "c17",
  "c23",
  "gnu89",
  "gnu99",
  "gnu11",
  "gnu17",
  "gnu23",
] as const;

function standardOf(name: string): LanguageStandard {
  return standards[name] ?? knownStandards.find((known) => known === name) ?? "gnu17";
}

/** Longest prefix first, as the last matching option wins among equals. */
function pathMapper(options: CcOptions): (path: string) => string {
  const maps = [...options.prefixMaps].reverse();
  return (path) => {
    const map = maps.find(({ from }) => path.startsWith(from));
    return map === undefined ? path : map.to + path.slice(map.from.length);
  };
}

/** What `compile` takes. */
export function compileOptions(options: CcOptions): CompileOptions {
  return {
    target: { endian: options.endian, cpu: options.cpu, strictAlign: options.strictAlign },
    optimization: options.optimize,
    debugInfo: options.debug,
    stats: options.stats !== undefined,
    standard: standardOf(options.gnuLanguage),
    quoteDirectories: options.quoteDirs,
    directories: options.includeDirs,
    systemDirectories: options.systemDirs,
    standardDirectories: standardDirectories(options),
    afterDirectories: options.afterDirs,
    macros: options.macros.map((m) =>
      m.kind === "define" ? { kind: "define", text: m.text } : { kind: "undefine", name: m.text },
    ),
    includes: options.forcedIncludes,
    indexHeaders: !["preprocess", "macros", "dependencies"].includes(String(options.output)),
    mapPath: pathMapper(options),
    warnings: options.warnings,
    suppressWarnings: options.suppressWarnings,
    msExtensions: options.msExtensions,
  };
}
