/**
 * Diagnostics as text in clang's shape, as JSON and as SARIF 2.1.0.
 * Source of the text form: clang's `file:line:col: severity: message`, the line, a caret.
 */
import type { Diagnostic, FixIt, Severity } from "./diagnostic.ts";
import { includeStack, lineColumnAt, lineText, presumedPlace, type Span } from "./source.ts";

export interface RenderOptions {
  readonly color: boolean;
  /** Name of the tool for messages that have no place, e.g. `bpfc`. */
  readonly tool: string;
}

const colors: Readonly<Record<Severity, string>> = {
  error: "\u001b[0;1;31m",
  warning: "\u001b[0;1;35m",
  note: "\u001b[0;1;36m",
};
const bold = "\u001b[1m";
const green = "\u001b[0;1;32m";
const reset = "\u001b[0m";

function paint(text: string, style: string, options: RenderOptions): string {
  return options.color ? `${style}${text}${reset}` : text;
}

/** Where the user should look: the outermost macro expansion, else the span itself. */
function outermost(span: Span): Span {
  let place = span;
  while (place.expandedFrom !== undefined) place = place.expandedFrom;
  return place;
}

function caretLines(span: Span, options: RenderOptions): string[] {
  const { line, column } = lineColumnAt(span.file, span.start);
  const text = lineText(span.file, line);
  const gutter = String(presumedPlace(span.file, span.start).line).padStart(5);
  const length = Math.max(1, Math.min(span.end - span.start, text.length - column + 1));
  // Tabs before the caret stay tabs, so that it stands under its character.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  const marker = `^${"~".repeat(length - 1)}`;
  return [`${gutter} | ${text}`, `      | ${indent}${paint(marker, green, options)}`];
}

function renderOne(
  severity: Severity,
  message: string,
  span: Span | undefined,
  options: RenderOptions,
  isFatal = false,
): string[] {
  const label = paint(`${isFatal ? "fatal " : ""}${severity}:`, colors[severity], options);
  if (span === undefined) return [`${options.tool}: ${label} ${message}`];
  const place = outermost(span);
  const { path, line, column } = presumedPlace(place.file, place.start);
  const where = paint(`${path}:${line}:${column}:`, bold, options);
  const head = `${where} ${label} ${paint(message, bold, options)}`;
  const lines = [head, ...caretLines(place, options)];
  if (place !== span)
    lines.push(...renderOne("note", "expanded from here", innermost(span), options));
  return lines;
}

function innermost(span: Span): Span {
  return { file: span.file, start: span.start, end: span.end };
}

/** The options that have a say in it, as clang names them. */
function flagSuffix({ severity, code, defaultError, promoted }: Diagnostic): string {
  if (promoted === true) return ` [-Werror,-W${code}]`;
  return severity === "warning" || defaultError === true ? ` [-W${code}]` : "";
}

/** The diagnostic with its notes and help, as lines of text. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions): string[] {
  const suffix = flagSuffix(diagnostic);
  const lines = renderOne(
    diagnostic.severity,
    diagnostic.message + suffix,
    diagnostic.span,
    options,
    diagnostic.fatal === true,
  );
  for (const note of diagnostic.notes ?? []) {
    lines.push(...renderOne("note", note.message, note.span, options));
  }
  if (diagnostic.help !== undefined) lines.push(`  help: ${diagnostic.help}`);
  for (const fix of diagnostic.fixIts ?? []) lines.push(fixText(fix));
  return lines;
}

function fixText({ span, replacement }: FixIt): string {
  const place = outermost(span);
  const { path, line, column } = presumedPlace(place.file, place.start);
  const change = span.start === span.end ? "insert" : "replace by";
  return `  fix: ${path}:${line}:${column}: ${change} \`${replacement.trim()}\``;
}

/** `In file included from …` for each file on the way to a diagnostic. */
function includeLines({ span }: Diagnostic): string[] {
  if (span === undefined) return [];
  const place = outermost(span);
  return includeStack(place.file, place.start)
    .reverse()
    .map(({ path, line }) => `In file included from ${path}:${line}:`);
}

/** All of them in order; the way to a header is said once for diagnostics that stand together. */
export function renderDiagnostics(list: readonly Diagnostic[], options: RenderOptions): string[] {
  let shown = "";
  return list.flatMap((diagnostic) => {
    const way = includeLines(diagnostic);
    const isNew = way.join() !== shown;
    shown = way.join();
    return [...(isNew ? way : []), ...renderDiagnostic(diagnostic, options)];
  });
}

/** clang's closing line, e.g. `1 warning and 2 errors generated.`; undefined where there is nothing. */
export function renderCount(diagnostics: readonly Diagnostic[]): string | undefined {
  const count = (severity: Severity): number =>
    diagnostics.filter((d) => d.severity === severity).length;
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
  const parts: string[] = [];
  if (count("warning") > 0) parts.push(plural(count("warning"), "warning"));
  if (count("error") > 0) parts.push(plural(count("error"), "error"));
  return parts.length === 0 ? undefined : `${parts.join(" and ")} generated.`;
}

interface JsonPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

function jsonPlace(span: Span): JsonPlace {
  const place = outermost(span);
  const { path, line, column } = presumedPlace(place.file, place.start);
  const end = presumedPlace(place.file, place.end);
  return { file: path, line, column, endLine: end.line, endColumn: end.column };
}

/** Plain data for `--diagnostics=json`: one object per diagnostic. */
export function diagnosticToJson(diagnostic: Diagnostic): object {
  const { severity, code, message, span, notes, help, fixIts } = diagnostic;
  return {
    severity,
    code,
    message,
    ...(span && { location: jsonPlace(span) }),
    ...(notes && {
      notes: notes.map((n) => ({
        message: n.message,
        ...(n.span && { location: jsonPlace(n.span) }),
      })),
    }),
    ...(help !== undefined && { help }),
    ...(fixIts && {
      fixIts: fixIts.map((f) => ({ location: jsonPlace(f.span), replacement: f.replacement })),
    }),
  };
}

const sarifLevels: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  note: "note",
};

function sarifRegion(span: Span): object {
  const { file, line, column, endLine, endColumn } = jsonPlace(span);
  return {
    physicalLocation: {
      artifactLocation: { uri: file },
      region: { startLine: line, startColumn: column, endLine, endColumn },
    },
  };
}

/** The fix of one file: a deleted region and what takes its place (SARIF 2.1.0, section 3.55). */
function sarifFix({ span, replacement }: FixIt): object {
  const { file, line, column, endLine, endColumn } = jsonPlace(span);
  const deletedRegion = { startLine: line, startColumn: column, endLine, endColumn };
  const replacements = [{ deletedRegion, insertedContent: { text: replacement } }];
  return { artifactChanges: [{ artifactLocation: { uri: file }, replacements }] };
}

function sarifResult(diagnostic: Diagnostic): object {
  const { severity, code, message, help, span, notes, fixIts } = diagnostic;
  const related = (notes ?? []).map((note) => ({
    message: { text: note.message },
    ...(note.span && sarifRegion(note.span)),
  }));
  return {
    ruleId: code,
    level: sarifLevels[severity],
    message: { text: help === undefined ? message : `${message}\n${help}` },
    ...(span && { locations: [sarifRegion(span)] }),
    ...(related.length > 0 && { relatedLocations: related }),
    ...(fixIts && { fixes: fixIts.map(sarifFix) }),
  };
}

/** A SARIF 2.1.0 log with one run. */
export function diagnosticsToSarif(diagnostics: readonly Diagnostic[], tool: string): object {
  const codes = [...new Set(diagnostics.map((d) => d.code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: tool, rules: codes.map((id) => ({ id })) } },
        results: diagnostics.map(sarifResult),
      },
    ],
  };
}
