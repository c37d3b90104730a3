/** Fixes of rejections that are mechanical: the change of the source that cures them. */
import type { FixIt } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { ProgramSpec } from "../../linker/program.ts";
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

const assignedCall = /^([ \t]*)(?:[\w \t]+[ \t*]+)?(\w+)[ \t]*=[ \t]*\w+\(.*\);[ \t]*$/;

/** `v = bpf_map_lookup_elem(…);` → the same with `if (!v) return 0;` on the next line. */
const testForNull: Fixer = (program, { notes }, read) => {
  const origin = notes.find((note) => note.insn !== undefined)?.insn;
  const line = origin === undefined ? undefined : program.lines.findLast((l) => l.slot <= origin);
  const file = line && read(line.file);
  if (line === undefined || file === undefined) return undefined;
  const start = lineStart(file.text, line.line);
  const end = file.text.indexOf("\n", start);
  const match = assignedCall.exec(file.text.slice(start, end < 0 ? undefined : end));
  if (match === null) return undefined;
  const at = start + match[0].trimEnd().length;
  const [, indent = "", name = ""] = match;
  return { span: { file, start: at, end: at }, replacement: `\n${indent}if (!${name}) return 0;` };
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
};

/** The mechanical fix of a rejection; undefined where there is none, or no source to change. */
export function fixOf(
  program: ProgramSpec,
  explanation: Explanation,
  read: ReadSource,
): FixIt | undefined {
  return fixers[explanation.code]?.(program, explanation, read);
}
