/**
 * Source text and places in it. Every phase speaks of places as {@link Span}s; only the renderer
 * turns them into lines and columns.
 */

/** One text that was read: the user's file, a header, assembly text. */
export interface SourceFile {
  /** The path as the user gave it, or as it was built from an include directory. */
  readonly path: string;
  readonly text: string;
  /** Headers that shipped with bpfc or were found by `-isystem`: warnings in them are not shown. */
  readonly isSystem: boolean;
}

/** A half-open range of UTF-16 offsets in one file. */
export interface Span {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
  /** Where a macro was expanded to give this text; outermost last. Absent outside macros. */
  readonly expandedFrom?: Span;
  /** Warnings that `#pragma GCC diagnostic` switched at this place; absent where none were. */
  readonly warnings?: WarningState;
}

/** Warning name (without `-W`) → what a pragma made of it. */
export type WarningState = ReadonlyMap<string, "ignored" | "warning" | "error">;

/** 1-based line and column, counted in UTF-16 units, tabs as one. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/** What `#line` or a line marker of preprocessed text says about the lines behind it. */
export interface LineMarker {
  /** Where the next physical line begins, and its number. */
  readonly offset: number;
  readonly physicalLine: number;
  /** What that line is called. */
  readonly path: string;
  readonly line: number;
  readonly isSystem: boolean;
  /** The marker enters an included file, or returns to the one that included it. */
  readonly change?: "enter" | "return";
}

/** A place as the user knows it: `#line` applied. */
export interface PresumedPlace extends LineColumn {
  readonly path: string;
}

const lineMarkers = new WeakMap<SourceFile, LineMarker[]>();
const includers = new WeakMap<SourceFile, Span>();

/** Notes a marker; those of one file come in order, and again where the file is read again. */
export function addLineMarker(file: SourceFile, marker: LineMarker): void {
  const known = lineMarkers.get(file) ?? [];
  lineMarkers.set(file, known);
  if ((known.at(-1)?.offset ?? -1) < marker.offset) known.push(marker);
}

/** Notes which directive brought a file in first. */
export function noteIncluder(file: SourceFile, directive: Span): void {
  if (!includers.has(file)) includers.set(file, directive);
}

function markerAt(file: SourceFile, offset: number): LineMarker | undefined {
  return lineMarkers.get(file)?.findLast((marker) => marker.offset <= offset);
}

/** The place that `#line` and line markers make of an offset. */
export function presumedPlace(file: SourceFile, offset: number): PresumedPlace {
  const { line, column } = lineColumnAt(file, offset);
  const marker = markerAt(file, offset);
  if (marker === undefined) return { path: file.path, line, column };
  return { path: marker.path, line: marker.line + line - marker.physicalLine, column };
}

/** Whether the place is in a system header, by its file or by a line marker. */
export function isSystemPlace(file: SourceFile, offset: number): boolean {
  return markerAt(file, offset)?.isSystem ?? file.isSystem;
}

/** The `#include` lines that lead to a place, innermost first. */
export function includeStack(file: SourceFile, offset: number): PresumedPlace[] {
  const stack: PresumedPlace[] = [];
  for (const marker of lineMarkers.get(file) ?? []) {
    if (marker.offset > offset) break;
    if (marker.change === "enter") stack.unshift(presumedPlace(file, marker.offset - 1));
    if (marker.change === "return") stack.shift();
  }
  const includer = includers.get(file);
  if (includer === undefined) return stack;
  const place = presumedPlace(includer.file, includer.start);
  return [...stack, place, ...includeStack(includer.file, includer.start)];
}

const lineStarts = new WeakMap<SourceFile, readonly number[]>();

function lineStartsOf(file: SourceFile): readonly number[] {
  const known = lineStarts.get(file);
  if (known !== undefined) return known;
  const starts = [0];
  for (let at = file.text.indexOf("\n"); at >= 0; at = file.text.indexOf("\n", at + 1)) {
    starts.push(at + 1);
  }
  lineStarts.set(file, starts);
  return starts;
}

/** Finds line and column of an offset by binary search over the file's line starts. */
export function lineColumnAt(file: SourceFile, offset: number): LineColumn {
  const starts = lineStartsOf(file);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** The text of a 1-based line without its line break; empty where there is no such line. */
export function lineText(file: SourceFile, line: number): string {
  const starts = lineStartsOf(file);
  const start = starts[line - 1];
  if (start === undefined) return "";
  const end = starts[line] ?? file.text.length + 1;
  const isCarriageReturn = file.text.charCodeAt(end - 2) === 13 && end - 1 > start;
  return file.text.slice(start, isCarriageReturn ? end - 2 : end - 1);
}

/** The span from the start of one to the end of the other; they must be in the same file. */
export function joinSpans(first: Span, last: Span): Span {
  if (first.file !== last.file) return first;
  return { ...first, end: Math.max(first.end, last.end) };
}
