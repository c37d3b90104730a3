/** Shows diagnostics on standard error in the format that was asked for. */
import { writeSync } from "node:fs";
import type { Diagnostic } from "../common/diagnostics/diagnostic.ts";
import {
  diagnosticsToSarif,
  diagnosticToJson,
  renderCount,
  renderDiagnostics,
} from "../common/diagnostics/render.ts";

export type DiagnosticsFormat = "clang" | "json" | "sarif";

export interface ReportOptions {
  readonly format: DiagnosticsFormat;
  readonly color: boolean;
  readonly tool: string;
  /** Errors shown at the most; 0 is no limit. */
  readonly errorLimit: number;
}

export const plainReport: ReportOptions = {
  format: "clang",
  color: false,
  tool: "bpfc",
  errorLimit: 20,
};

/** Standard error in one blocking write: process.exit may follow. */
export function printError(text: string): void {
  if (text !== "") writeAll(2, text.endsWith("\n") ? text : `${text}\n`);
}

/** Standard output, likewise. */
export function print(text: string): void {
  if (text !== "") writeAll(1, text.endsWith("\n") ? text : `${text}\n`);
}

function writeAll(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
    }
  }
}

function limited(diagnostics: readonly Diagnostic[], limit: number): readonly Diagnostic[] {
  if (limit === 0) return diagnostics;
  let errors = 0;
  const end = diagnostics.findIndex((d) => d.severity === "error" && ++errors > limit);
  return end < 0 ? diagnostics : diagnostics.slice(0, end);
}

function reportText(diagnostics: readonly Diagnostic[], options: ReportOptions): void {
  const shown = limited(diagnostics, options.errorLimit);
  const render = { color: options.color, tool: options.tool };
  const lines = renderDiagnostics(shown, render);
  if (shown.length < diagnostics.length) {
    lines.push("fatal error: too many errors emitted, stopping now [-ferror-limit=]");
  }
  const placed = shown.filter((d) => d.span !== undefined);
  const count = renderCount(placed);
  if (count !== undefined) lines.push(count);
  printError(lines.join("\n"));
}

/** Shows all of them; true where there was an error. */
export function report(diagnostics: readonly Diagnostic[], options: ReportOptions): boolean {
  if (options.format === "clang") reportText(diagnostics, options);
  else if (options.format === "json") printError(JSON.stringify(diagnostics.map(diagnosticToJson)));
  else printError(JSON.stringify(diagnosticsToSarif(diagnostics, options.tool)));
  return diagnostics.some((d) => d.severity === "error");
}
