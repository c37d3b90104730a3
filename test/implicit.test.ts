/** Old C: what nothing declares is an error, until its warning is turned off. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { compile } from "../compiler/compile.ts";
import type { WarningOption } from "../compiler/warning-options.ts";

function compiled(text: string, warnings: readonly WarningOption[]) {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "old.c": text });
  const options = { ...defaultPreprocessOptions, optimization: "2", warnings } as const;
  const { object } = compile("old.c", options, files, diagnostics);
  const lines = diagnostics.list.map(({ severity, message }) => `${severity}: ${message}`);
  return { object, lines };
}

const off = (...names: string[]): WarningOption[] =>
  names.map((name) => ({ name, state: "off" as const }));

test("int where no type stands", () => {
  const text = "static x = 3; twice(n) { const two = 2; return n * two + x; }";
  const message = "defaults to 'int'; ISO C99 and later do not support implicit int";
  const { lines } = compiled(text, off("deprecated-non-prototype"));
  expect(lines).toEqual([
    `error: type specifier missing, ${message}`,
    `error: type specifier missing, ${message}`,
    `error: parameter 'n' was not declared, ${message}`,
    `error: type specifier missing, ${message}`,
  ]);
  const allowed = compiled(text, off("deprecated-non-prototype", "implicit-int"));
  expect(allowed.lines).toEqual([]);
  expect(allowed.object).toBeDefined();
});

test("a function that is called before it is declared", () => {
  const text = `
    struct pair { int a, b; };
    long first(void) { struct pair p = { 20, 1 }; return sum(p, 21) + other(); }
    int sum(struct pair p, int n) { return p.a + p.b + n; }`;
  const refused = compiled(text, []);
  expect(refused.object).toBeUndefined();
  expect(refused.lines).toHaveLength(2);
  const { lines, object } = compiled(text, off("implicit-function-declaration"));
  expect(lines).toEqual([]);
  expect(object?.symbols.map(({ name }) => name)).toContain("other");
});
