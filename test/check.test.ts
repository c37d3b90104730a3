/**
 * The checker: `cases/check` holds programs with the checked form they become; `cases/errors` wrong
 * programs, whose messages stand on their lines as `// error 9: text` (the number is the column).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Diagnostic, InternalError } from "../common/diagnostics/diagnostic.ts";
import { lineColumnAt, type Span } from "../common/diagnostics/source.ts";
import { messages } from "../compiler/3-check/messages.ts";
import { printChecked } from "../compiler/3-check/print-checked.ts";
import { checkSource } from "./support/check-source.ts";
import { goldenSuite } from "./support/golden.ts";

const root = join(import.meta.dirname, "..");

function outermost(span: Span): Span {
  return span.expandedFrom === undefined ? span : outermost(span.expandedFrom);
}

function line(diagnostic: Diagnostic): string {
  const { severity, message, span } = diagnostic;
  if (span === undefined) throw new InternalError(`no place: ${message}`);
  const place = outermost(span);
  const at = lineColumnAt(place.file, place.start);
  return `${at.line}: // ${severity} ${at.column}: ${message}`;
}

function expectations(text: string): string[] {
  return text.split("\n").flatMap((source, i) => {
    const found = source.match(
      /\/\/ (error|warning) \d+: .*?(?=\s*\/\/ (?:error|warning) \d+:|$)/g,
    );
    return (found ?? []).map((expected) => `${i + 1}: ${expected}`);
  });
}

goldenSuite({
  folder: "test/cases/check",
  input: ".c",
  expected: ".checked",
  run: (text, name) => {
    const { unit, diagnostics } = checkSource(`${name}.c`, text);
    const shown = diagnostics.map((d) => `${line(d)}\n`);
    return shown.join("") + (unit === undefined ? "" : printChecked(unit));
  },
});

describe("test/cases/errors", () => {
  const folder = join(root, "test/cases/errors");
  const files = readdirSync(folder).filter((name) => name.endsWith(".c"));
  test("has at least 30 programs", () => expect(files.length).toBeGreaterThanOrEqual(30));
  test.each(files)("%s", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const expected = expectations(text);
    expect(expected.length).toBeGreaterThan(0);
    const { unit, diagnostics } = checkSource(name, text);
    expect(diagnostics.map(line).sort()).toEqual(expected.sort());
    expect(unit).toBeUndefined();
  });
});

describe("messages", () => {
  test("codes are kebab-case", () => {
    for (const [, code] of Object.values(messages()))
      expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  test("every message is used by the checker", () => {
    const folder = join(root, "compiler/3-check");
    const source = readdirSync(folder)
      .filter((name) => name !== "messages.ts")
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n");
    const unused = Object.keys(messages()).filter((name) => !source.includes(`"${name}"`));
    expect(unused).toEqual([]);
  });
});
