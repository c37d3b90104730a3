/** Enumerators of headers whose value stands behind them: used without their enum being parsed. */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { plainEnumerator } from "../compiler/2-parse/plain-enumerator.ts";
import { compile } from "../compiler/compile.ts";

describe("the value in an enum's text", () => {
  const valueIn = (text: string, name = "B"): bigint | undefined => {
    const file = { path: "h.h", text, isSystem: true };
    return plainEnumerator({ file, start: 0, end: text.length }, name)?.value;
  };

  test.each([
    ["enum e { A, B = 7, C };", 7n],
    ["typedef enum { AB = 1, B=0x1fU } t;", 31n],
    ["enum {\n\tXB = 3,\n\tB = -5\n};", -5n],
    ["enum { B = 2147483647 };", 2147483647n],
  ])("is read from %j", (text, value) => {
    expect(valueIn(text)).toBe(value);
  });

  test.each([
    ["counted", "enum e { A = 1, B, C };"],
    ["computed", "enum e { A = 1, B = A + 1 };"],
    ["computed from a number on", "enum e { B = 1 << 3 };"],
    ["octal", "enum e { B = 010 };"],
    ["beyond an int", "enum e { B = 2147483648 };"],
    ["a long", "enum e { B = 1L };"],
    ["in an enum with a fixed type", "enum e : unsigned char { B = 1 };"],
    ["in an enum with attributes", "enum __attribute__((packed)) e { B = 1 };"],
    ["in a record", "struct s { enum { B = 1 } m; };"],
    ["beside a comment", "enum e { /* B = 3, */ A, B = 4 };"],
    ["only part of a name", "enum e { AB = 1, BA = 2 };"],
  ])("is left to the parser where it is %s", (_, text) => {
    expect(valueIn(text)).toBeUndefined();
  });
});

const header = "enum color { RED = 1, GREEN = 2, BLUE = 4 };\nenum other { DUP = 9 };\n";

function messages(main: string, text = header): string[] {
  const files = memoryFileSystem({ "main.c": `#include "h.h"\n${main}`, "h.h": text });
  const diagnostics = new Diagnostics();
  compile("main.c", defaultPreprocessOptions, files, diagnostics, "checked");
  return diagnostics.list.map(({ message }) => message);
}

describe("a program that uses one", () => {
  test("may use the enum before or after it", () => {
    expect(messages('_Static_assert(GREEN == 2, ""); enum color c = BLUE; int r = RED;')).toEqual(
      [],
    );
    expect(messages('enum color c = BLUE; _Static_assert(RED + GREEN + BLUE == 7, "");')).toEqual(
      [],
    );
    expect(messages('_Static_assert(_Generic(RED, int: 1, default: 0), "");')).toEqual([]);
  });

  test("gets the errors of the enum once it needs that", () => {
    const broken = "enum color { RED = 1, BAD = unknown };\n";
    expect(messages("int r = RED;", broken)).toEqual([]);
    expect(messages("int r = RED; enum color c;", broken).join()).toMatch(/undeclared identifier/);
  });

  test("cannot define the name anew", () => {
    expect(messages("int r = RED; enum mine { RED = 3 };").join()).toMatch(
      /redefinition of enumerator/,
    );
    expect(messages("int RED;").join()).toMatch(/redefinition of 'RED' as different kind/);
  });

  test("sees only what stands before it", () => {
    const files = memoryFileSystem({
      "main.c": 'int r = RED;\n#include "h.h"\n',
      "h.h": header,
    });
    const diagnostics = new Diagnostics();
    compile("main.c", defaultPreprocessOptions, files, diagnostics, "checked");
    expect(diagnostics.hasErrors).toBe(true);
  });
});
