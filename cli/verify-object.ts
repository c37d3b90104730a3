/** Verdicts as diagnostics at the C line. */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../common/diagnostics/source.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { loadObject } from "../linker/load.ts";
import type { ProgramSpec } from "../linker/program.ts";
import { type ProgramVerdict, verifyObjectProgram } from "../vm/verifier/verify-program.ts";
import { nodeFileSystem } from "./node-file-system.ts";

/** The C line of an instruction, as a span in the source file where it can be read. */
function spanOf(program: ProgramSpec, insn: number | undefined): Span | undefined {
  const line = insn === undefined ? undefined : program.lines.findLast((l) => l.slot <= insn);
  if (line === undefined) return undefined;
  const bytes = nodeFileSystem.readFile(line.file);
  // Without the file the recorded line stands alone, at its number.
  const text = bytes ? new TextDecoder().decode(bytes) : "\n".repeat(line.line - 1) + line.text;
  const file: SourceFile = { path: line.file, text, isSystem: false };
  let start = 0;
  for (let i = 1; i < line.line; i++) start = text.indexOf("\n", start) + 1;
  start += Math.max(0, line.column - 1);
  return { file, start, end: start + 1 };
}

/** A rejection as an error at its C line: what is wrong, where it came from, what cures it. */
export function addRejection(diagnostics: Diagnostics, judged: ProgramVerdict): void {
  const { program, verdict, explanation } = judged;
  if (explanation === undefined) return;
  const where = verdict.insn === undefined ? "" : ` (instruction ${verdict.insn})`;
  const kind = verdict.verdict === "reject" ? "rejected: " : "";
  const message = `program '${program.name}' ${kind}${explanation.message}${where}`;
  const notes = explanation.notes.map(({ message: text, insn }) => {
    const span = insn === undefined ? undefined : spanOf(program, insn);
    return { message: text, ...(span && { span }) };
  });
  diagnostics.error(explanation.code, message, spanOf(program, verdict.insn), {
    notes,
    help: explanation.help,
  });
}

/** Verifies every program of a fresh object, for `cc --verify`; rejections become errors. */
export function verifyCompiled(object: ObjectFile, path: string, diagnostics: Diagnostics): void {
  const loaded = loadObject(object, path, diagnostics);
  for (const program of loaded?.programs ?? []) {
    if (loaded === undefined) return;
    addRejection(diagnostics, verifyObjectProgram(loaded, program));
  }
}
