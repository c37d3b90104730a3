/** Diagnostics at places of the IR, which knows lines, not spans. */
import type {
  DiagnosticExtra,
  DiagnosticNote,
  Diagnostics,
} from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../../common/diagnostics/source.ts";
import type { DebugLocation } from "../4-lower/ir.ts";

/** A span that renders as the location: a file of empty lines up to the one that is known. */
export function spanOf(location: DebugLocation): Span {
  const text = "\n".repeat(Math.max(0, location.line - 1)) + location.text;
  const file: SourceFile = { path: location.file, text, isSystem: false };
  const start = text.length - location.text.length + Math.max(0, location.column - 1);
  return { file, start, end: Math.min(start + 1, text.length) };
}

/** Reports an error with one note per call that was inlined to bring the code there. */
export function reportAt(
  diagnostics: Diagnostics,
  code: string,
  message: string,
  location: DebugLocation | undefined,
  extra: DiagnosticExtra = {},
): void {
  const notes: DiagnosticNote[] = [...(extra.notes ?? [])];
  for (let site = location?.inlinedAt; site !== undefined; site = site.inlinedAt) {
    notes.push({ message: `inlined into '${site.scope}' here`, span: spanOf(site) });
  }
  const span = location && spanOf(location);
  diagnostics.error(code, message, span, { ...extra, ...(notes.length > 0 && { notes }) });
}
