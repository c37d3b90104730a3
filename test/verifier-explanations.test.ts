/**
 * Wrong programs, one for each kind of rejection that people meet, and how they are explained: the
 * C line, what was known, where it came from, where the proof was lost, the cure. Where there is a
 * mechanical fix it is applied, and the program must then be accepted.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addRejection } from "../cli/verify/rejection.ts";
import { type Diagnostic, Diagnostics, type FixIt } from "../common/diagnostics/diagnostic.ts";
import { lineColumnAt, type SourceFile, type Span } from "../common/diagnostics/source.ts";
import { loadObject } from "../linker/load.ts";
import { rejectionClasses } from "../vm/verifier/rejection-classes.ts";
import { verifyObjectProgram } from "../vm/verifier/verify-program.ts";
import { compileWith } from "./support/compile.ts";
import { goldenSuite } from "./support/golden.ts";

const folder = "test/cases/explain";
const header = readFileSync(join(import.meta.dirname, "..", folder, "explain.h"), "utf8");

interface Judged {
  readonly verdict: string;
  readonly diagnostics: readonly Diagnostic[];
}

function judge(text: string, name: string): Judged {
  const path = `${name}.c`;
  const object = compileWith({ [path]: text, "explain.h": header }, path);
  const problems = new Diagnostics();
  const loaded = loadObject(object, path, problems);
  const program = loaded?.programs[0];
  if (loaded === undefined || program === undefined) throw new Error(problems.list[0]?.message);
  const judged = verifyObjectProgram(loaded, program);
  const diagnostics = new Diagnostics();
  const file: SourceFile = { path, text, isSystem: false };
  addRejection(diagnostics, judged, () => file);
  return { verdict: judged.verdict.verdict, diagnostics: diagnostics.list };
}

function place(span: Span | undefined): string {
  if (span === undefined) return "-";
  const { line, column } = lineColumnAt(span.file, span.start);
  return `${line}:${column}`;
}

/** Which register and instruction it is are the compiler's business. */
function masked(text: string): string {
  return text
    .replace(/ \(instruction \d+\)/, "")
    .replace(/\bR\d+\b/g, "R?")
    .replace(/^(known here: .*?): .*$/, "$1");
}

function applied(text: string, { span, replacement }: FixIt): string {
  return text.slice(0, span.start) + replacement + text.slice(span.end);
}

goldenSuite({
  folder,
  input: ".c",
  expected: ".expected",
  run: (text, name) => {
    const { verdict, diagnostics } = judge(text, name);
    expect(verdict).toBe("reject");
    const [error] = diagnostics;
    if (error === undefined) throw new Error("rejected without a diagnostic");
    const { notes = [], help = "", fixIts = [], code, message, span } = error;
    const lines = [
      `${place(span)}: ${code}: ${masked(message)}`,
      ...notes
        .filter((note) => !note.message.startsWith("the kernel says"))
        .map((note) => `  ${place(note.span)}: ${masked(note.message)}`),
      `  help: ${help}`,
    ];
    const [fix] = fixIts;
    if (fix !== undefined) {
      lines.push(`  fix: ${place(fix.span)}: ${fix.replacement.trim()}`);
      lines.push(`  then: ${judge(applied(text, fix), name).verdict}`);
    }
    return lines.join("\n");
  },
});

test("every rejection is placed at a line and says more than its class", () => {
  const path = join(import.meta.dirname, "..", folder);
  const texts = readdirSync(path)
    .filter((name) => name.endsWith(".expected"))
    .map((name) => readFileSync(join(path, name), "utf8"));
  const codes = new Set<string>();
  for (const text of texts) {
    const match = /^\d+:\d+: verifier-([\w-]+): /.exec(text);
    expect(match, text).not.toBeNull();
    codes.add(match?.[1] ?? "");
    if (text.includes("then: ")) expect(text).toContain("then: accept");
  }
  expect(codes.size).toBeGreaterThanOrEqual(20);
  const known = new Set([...rejectionClasses.map(({ name }) => name), "packet-moved"]);
  expect([...codes].filter((code) => !known.has(code))).toEqual([]);
});
