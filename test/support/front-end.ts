/** Runs phases 1 and 2 over texts held in memory. */
import { type Diagnostic, Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { lineColumnAt, type Span } from "../../common/diagnostics/source.ts";
import { memoryFileSystem } from "../../common/file-system.ts";
import {
  defaultPreprocessOptions,
  type PreprocessOptions,
} from "../../compiler/1-preprocess/options.ts";
import { preprocess } from "../../compiler/1-preprocess/preprocess.ts";
import type { PreprocessedUnit } from "../../compiler/1-preprocess/stream.ts";
import type { TranslationUnit } from "../../compiler/2-parse/ast.ts";
import { parseTranslationUnit } from "../../compiler/2-parse/parse.ts";

/**
 * The files of a case: its text up to the first `//// name` line is `case.c`, and what follows such
 * a line is the file of that name.
 */
export function splitCase(text: string): Record<string, string> {
  const [main = "", ...rest] = text.split(/^\/\/\/\/ (.+)\n/m);
  const files: Record<string, string> = { "case.c": main };
  for (let index = 0; index + 1 < rest.length; index += 2) files[rest[index]!] = rest[index + 1]!;
  return files;
}

export interface FrontEndResult {
  readonly unit: PreprocessedUnit;
  readonly diagnostics: Diagnostics;
}

export function preprocessText(
  text: string,
  options: Partial<PreprocessOptions> = {},
): FrontEndResult {
  const diagnostics = new Diagnostics();
  const all = { ...defaultPreprocessOptions, ...options };
  const unit = preprocess("case.c", all, memoryFileSystem(splitCase(text)), diagnostics);
  if (unit === undefined) throw new Error("case.c was not read");
  return { unit, diagnostics };
}

export function parseText(
  text: string,
  options: Partial<PreprocessOptions> = {},
): FrontEndResult & { readonly tree: TranslationUnit } {
  const { unit, diagnostics } = preprocessText(text, options);
  return { unit, diagnostics, tree: parseTranslationUnit(unit, diagnostics) };
}

/** Line of a place, seen from outside all macros. */
export function lineOf(span: Span): number {
  let place = span;
  while (place.expandedFrom !== undefined) place = place.expandedFrom;
  return lineColumnAt(place.file, place.start).line;
}

/** `line: severity: message`, one a line. */
export function printDiagnostics(list: readonly Diagnostic[]): string {
  return list
    .map((d) => `${d.span === undefined ? "-" : lineOf(d.span)}: ${d.severity}: ${d.message}\n`)
    .join("");
}
