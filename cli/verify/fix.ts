/** Fixes of rejections that are mechanical: the change of the source that cures them. */
import type { FixIt } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { ProgramLine, ProgramSpec } from "../../linker/program.ts";
import type { Explanation } from "../../vm/verifier/explain.ts";

/** Reads a source file; undefined where there is none. */
export type ReadSource = (path: string) => SourceFile | undefined;

type Fixer = (
  program: ProgramSpec,
  explanation: Explanation,
  read: ReadSource,
) => FixIt | undefined;

/** Offset of the first character of a 1-based line. */
function lineStart(text: string, line: number): number {
  let start = 0;
  for (let i = 1; i < line; i += 1) start = text.indexOf("\n", start) + 1;
  return start;
}

interface Place {
  readonly file: SourceFile;
  readonly line: ProgramLine;
  readonly start: number;
  /** The whole line as it is in the file. */
  readonly text: string;
}

/** The source line of an instruction, where it can be read. */
function placeOf(
  { lines }: ProgramSpec,
  insn: number | undefined,
  read: ReadSource,
): Place | undefined {
  const line = insn === undefined ? undefined : lines.findLast((l) => l.slot <= insn);
  const file = line && read(line.file);
  if (line === undefined || file === undefined) return undefined;
  const start = lineStart(file.text, line.line);
  const end = file.text.indexOf("\n", start);
  return { file, line, start, text: file.text.slice(start, end < 0 ? undefined : end) };
}

/** A statement of its own before the line; none where the line is the body of an `if` or `else`. */
function insertBefore(place: Place | undefined, statement: string): FixIt | undefined {
  if (place === undefined) return undefined;
  const { file, start, text } = place;
  const before = file.text.slice(0, start).trimEnd();
  const indent = /^[ \t]*/.exec(text)?.[0] ?? "";
  const isStatement = place.line.column === indent.length + 1 || /^\s*(?:if|return)\b/.test(text);
  if (!isStatement || !/[;{}]$/.test(before)) return undefined;
  return { span: { file, start, end: start }, replacement: `${indent}${statement}\n` };
}

const assignedCall = /^([ \t]*)(?:[\w \t]+[ \t*]+)?(\w+)[ \t]*=[ \t]*\w+\(.*\);[ \t]*$/;

/** `v = bpf_map_lookup_elem(…);` → the same with `if (!v) return 0;` on the next line. */
const testForNull: Fixer = (program, { notes }, read) => {
  const origin = notes.findLast((note) => note.insn !== undefined)?.insn;
  const place = placeOf(program, origin, read);
  const match = place && assignedCall.exec(place.text);
  if (place === undefined || !match) return undefined;
  const { file, start } = place;
  const at = start + match[0].trimEnd().length;
  const [, indent = "", name = ""] = match;
  return { span: { file, start: at, end: at }, replacement: `\n${indent}if (!${name}) return 0;` };
};

/** The index is bounded right before the line that uses it. */
const boundIndex: Fixer = (program, { insn, index }, read) => {
  if (index === undefined) return undefined;
  const { name, most, isSigned } = index;
  const test = isSigned ? `${name} < 0 || ${name} > ${most}` : `${name} > ${most}`;
  return insertBefore(placeOf(program, insn, read), `if (${test}) return 0;`);
};

/** `p->field` gets `if ((void *)(p + 1) > data_end)` before it, where the end has a name. */
const testPacket: Fixer = (program, { insn }, read) => {
  const place = placeOf(program, insn, read);
  if (place === undefined) return undefined;
  const pointer = /^(\w+)->/.exec(place.text.slice(place.line.column - 1))?.[1];
  const ends = [
    ...place.file.text.slice(0, place.start).matchAll(/\b(\w+)\s*=[^;=]*->\s*data_end\b/g),
  ];
  const end = ends.at(-1)?.[1];
  if (pointer === undefined || end === undefined) return undefined;
  const statement = `if ((void *)(${pointer} + 1) > (void *)${end}) return 0;`;
  return insertBefore(place, statement);
};

/** `int n = …;` → `unsigned int n = …;`, where a negative number passed the test for the upper bound. */
const makeUnsigned: Fixer = (program, { signedName: name, notes }, read) => {
  const origin = notes.findLast((note) => note.insn !== undefined)?.insn;
  const place = name === undefined ? undefined : placeOf(program, origin, read);
  if (place === undefined) return undefined;
  const declared = new RegExp(`^[ \\t]*(?:(?:int|long|short)[ \\t]+)+(?=${name}[ \\t]*=)`);
  const match = declared.exec(place.text);
  if (match === null) return undefined;
  const start = place.start + (/^[ \t]*/.exec(place.text)?.[0].length ?? 0);
  return { span: { file: place.file, start, end: start }, replacement: "unsigned " };
};

const licenseText = /(SEC\(\s*"license"\s*\)[^;=]*=\s*)"[^"]*"/;

/** The licence becomes GPL, or is added at the end of the file. */
const useGpl: Fixer = (program, _explanation, read) => {
  const path = program.lines[0]?.file;
  const file = path === undefined ? undefined : read(path);
  if (file === undefined) return undefined;
  const match = licenseText.exec(file.text);
  if (match === null) {
    const end = file.text.length;
    const replacement = '\nchar LICENSE[] SEC("license") = "GPL";\n';
    return { span: { file, start: end, end }, replacement };
  }
  const start = match.index + (match[1] ?? "").length;
  return { span: { file, start, end: match.index + match[0].length }, replacement: '"GPL"' };
};

const fixers: Readonly<Record<string, Fixer>> = {
  "verifier-maybe-null": testForNull,
  "verifier-gpl-only": useGpl,
  "verifier-map-value-bounds": boundIndex,
  "verifier-memory-bounds": boundIndex,
  "verifier-stack-access": boundIndex,
  "verifier-packet-bounds": testPacket,
  "verifier-unbounded-size": makeUnsigned,
};

/** The mechanical fix of a rejection; undefined where there is none, or no source to change. */
export function fixOf(
  program: ProgramSpec,
  explanation: Explanation,
  read: ReadSource,
): FixIt | undefined {
  return fixers[explanation.code]?.(program, explanation, read);
}
