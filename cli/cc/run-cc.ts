/**
 * `bpfc cc`: the compiler with clang's command line. Answers what build systems ask before they
 * compile without loading the compiler.
 */
import { shippedHeaderDirectory } from "../../compiler/shipped-header-directory.ts";
import { warningPolicy } from "../../compiler/warning-options.ts";
import { nodeFileSystem } from "../node-file-system.ts";
import { print, printError } from "../report.ts";
import { version } from "../version.ts";
import { parseCcArguments } from "./arguments.ts";
import type { CcOptions } from "./options.ts";
import { answerProbe, searchPathText } from "./probes.ts";
import { expandResponseFiles } from "./response-files.ts";
import { standardDirectories } from "./standard-directories.ts";

function showSearchPath(options: CcOptions): void {
  const angled = [...options.includeDirs, ...options.systemDirs, shippedHeaderDirectory];
  printError(answerProbe("version", version, "bpf"));
  printError(
    searchPathText(options.quoteDirs, [
      ...angled,
      ...standardDirectories(options),
      ...options.afterDirs,
    ]),
  );
}

function readText(path: string): string | undefined {
  const bytes = nodeFileSystem.readFile(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** Says which `-W` names nobody knows; true where that is an error. */
function reportUnknownWarnings(names: readonly string[], options: CcOptions): boolean {
  const policy = warningPolicy(options.warnings, options.suppressWarnings);
  const code = "unknown-warning-option";
  const kept = names.flatMap((name) => {
    const message = `unknown warning option '-W${name}'`;
    return policy.apply({ severity: "warning", code, message }) ?? [];
  });
  for (const { severity, message, promoted } of kept)
    printError(`${severity}: ${message} [${promoted === true ? "-Werror," : ""}-W${code}]`);
  return kept.some(({ severity }) => severity === "error");
}

/** Runs the compiler with the words of a command line; returns the exit code. */
export async function runCc(words: readonly string[], tool: string): Promise<number> {
  const parsed = parseCcArguments(expandResponseFiles(words, readText));
  switch (parsed.kind) {
    case "error":
      printError(`${tool}: error: ${parsed.message}`);
      return 1;
    case "probe":
      print(answerProbe(parsed.probe, version, parsed.target));
      return 0;
    case "compile":
      break;
  }
  const { options } = parsed;
  if (reportUnknownWarnings(parsed.warnings, options)) return 1;
  if (options.verbose) showSearchPath(options);
  if (options.inputs.length === 0) return 0;
  const { compileInputs } = await import("./compile-inputs.ts");
  return (await compileInputs(options, tool)) ? 0 : 1;
}
