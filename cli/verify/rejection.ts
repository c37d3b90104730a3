/** Verdicts as diagnostics at the C line. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../../common/diagnostics/source.ts";
import type { ObjectFile } from "../../common/object/object-file.ts";
import { loadObject } from "../../linker/load.ts";
import type { ProgramSpec } from "../../linker/program.ts";
import { type ProgramVerdict, verifyObjectProgram } from "../../vm/verifier/verify-program.ts";
import { nodeFileSystem } from "../node-file-system.ts";
import { fixOf, type ReadSource } from "./fix.ts";

/** The source file, where it can be read. */
function sourceOf(path: string): SourceFile | undefined {
  const bytes = nodeFileSystem.readFile(path);
  return bytes && { path, text: new TextDecoder().decode(bytes), isSystem: false };
}

/** The C line of an instruction, as a span in the source file where it can be read. */
function spanOf(
  program: ProgramSpec,
  insn: number | undefined,
  read: ReadSource = sourceOf,
): Span | undefined {
  const line = insn === undefined ? undefined : program.lines.findLast((l) => l.slot <= insn);
  if (line === undefined) return undefined;
  // Without the file the recorded line stands alone, at its number.
  const alone = "\n".repeat(line.line - 1) + line.text;
  const file = read(line.file) ?? { path: line.file, text: alone, isSystem: false };
  const { text } = file;
  let start = 0;
  for (let i = 1; i < line.line; i++) start = text.indexOf("\n", start) + 1;
  start += Math.max(0, line.column - 1);
  return { file, start, end: start + 1 };
}

/** A rejection as an error at its C line: what is wrong, where it came from, what cures it. */
export function addRejection(
  diagnostics: Diagnostics,
  judged: ProgramVerdict,
  read: ReadSource = sourceOf,
): void {
  const { program, verdict, explanation } = judged;
  if (explanation === undefined) return;
  const { insn } = explanation;
  const where = insn === undefined ? "" : ` (instruction ${insn})`;
  const kind = verdict.verdict === "reject" ? "rejected: " : "";
  const message = `program '${program.name}' ${kind}${explanation.message}${where}`;
  const fix = fixOf(program, explanation, read);
  const notes = explanation.notes.map(({ message: text, insn: at }) => {
    const span = at === undefined ? undefined : spanOf(program, at, read);
    return { message: text, ...(span && { span }) };
  });
  diagnostics.error(explanation.code, message, spanOf(program, insn, read), {
    notes,
    help: explanation.help,
    ...(fix && { fixIts: [fix] }),
  });
}

/** An error where the program cost the verifier more than `limit` instructions. */
export function addCost(
  diagnostics: Diagnostics,
  { program, verdict }: ProgramVerdict,
  limit: number | undefined,
): void {
  if (limit === undefined || verdict.processed <= limit) return;
  diagnostics.error(
    "verifier-cost",
    `program '${program.name}' makes the verifier process ${verdict.processed} instructions, more than ${limit}`,
    spanOf(program, 0),
    { help: "`bpfc verify --profile` shows where they go" },
  );
}

/** Verifies every program of a fresh object, for `cc --verify`; rejections become errors. */
export function verifyCompiled(
  object: ObjectFile,
  path: string,
  diagnostics: Diagnostics,
  maxProcessed: number | undefined,
): void {
  const loaded = loadObject(object, path, diagnostics);
  for (const program of loaded?.programs ?? []) {
    if (loaded === undefined) return;
    const judged = verifyObjectProgram(loaded, program);
    addRejection(diagnostics, judged);
    addCost(diagnostics, judged, maxProcessed);
  }
}
