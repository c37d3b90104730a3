/** How a subcommand that makes one file ends: messages, then the file whole or not at all. */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { removeOutput, writeOutput } from "./output.ts";
import { plainReport, print, printError, type ReportOptions, report } from "./report.ts";

/** The report options of a `--diagnostics` word; unknown words mean clang's format. */
export function reportOptions(format: string): ReportOptions {
  return { ...plainReport, format: format === "json" || format === "sarif" ? format : "clang" };
}

/** Reports, then writes `content`, or removes an older file where there is none; the exit code. */
export function finish(
  output: string,
  content: string | Uint8Array | undefined,
  diagnostics: Diagnostics,
  format = "clang",
): number {
  const failed = report(diagnostics.list, reportOptions(format));
  if (failed || content === undefined) {
    removeOutput(output);
    return 1;
  }
  // What reads a pipe may have enough of it; that is not our failure.
  if (output === "-" && typeof content === "string") {
    print(content);
    return 0;
  }
  const problem = writeOutput(output, content);
  if (problem === undefined) return 0;
  printError(`${plainReport.tool}: error: ${problem}`);
  return 1;
}
