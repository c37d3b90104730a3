/** Phase 1: tokens, macros, directives, pragmas; against clang-19 where it is installed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { printDependencies } from "../compiler/1-preprocess/dependencies.ts";
import { IdentifierTable } from "../compiler/1-preprocess/identifiers.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { preprocess } from "../compiler/1-preprocess/preprocess.ts";
import { printMacros, printPreprocessed } from "../compiler/1-preprocess/print-preprocessed.ts";
import { RawLexer } from "../compiler/1-preprocess/raw-lexer.ts";
import { endOfFile } from "../compiler/1-preprocess/token-types.ts";
import { compile } from "../compiler/compile.ts";
import { warningPolicy } from "../compiler/warning-options.ts";
import { preprocessText, printDiagnostics, splitCase } from "./support/front-end.ts";
import { goldenSuite } from "./support/golden.ts";

const root = join(import.meta.dirname, "..");
const folder = "test/cases/preprocess";
const wholeText = { indexHeaders: false, optimization: "2" } as const;

goldenSuite({
  folder,
  input: ".c",
  expected: ".i",
  run: (text) => {
    const { unit, diagnostics } = preprocessText(text, wholeText);
    const messages = printDiagnostics(diagnostics.list)
      .replace(/^/gm, "// ")
      .replace(/\/\/ $/, "");
    return printPreprocessed(unit, false) + messages;
  },
});

function hasClang(): boolean {
  try {
    execFileSync("clang-19", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function clang(...args: string[]): string {
  return execFileSync("clang-19", args, { stdio: ["ignore", "pipe", "ignore"] }).toString();
}

/** Spellings of all tokens; pragmas aside. */
function spellings(text: string): string[] {
  const file = { path: "x", text: text.replace(/^\s*#pragma.*$/gm, ""), isSystem: false };
  const lexer = new RawLexer(file, new IdentifierTable(true), () => undefined);
  const images: string[] = [];
  for (let token = lexer.next(); token.tokenType !== endOfFile; token = lexer.next())
    images.push(token.image);
  return images;
}

describe.skipIf(!hasClang())("clang-19 agrees", () => {
  for (const cpu of ["v1", "v2", "v3", "v4"] as const)
    for (const endian of ["little", "big"] as const)
      test(`on the predefined macros of ${cpu}, ${endian}-endian`, () => {
        const { unit } = preprocessText("", {
          target: { endian, cpu, strictAlign: false },
          indexHeaders: false,
        });
        const target = endian === "big" ? "bpfeb" : "bpfel";
        const flags = ["-target", target, `-mcpu=${cpu}`, "-O2", "-g", "-x", "c", "-dM", "-E"];
        const versions = /^#define (__VERSION__|__clang_version__) .*\n/gm;
        const theirs = clang(...flags, "/dev/null").replace(versions, "");
        const sorted = theirs.trimEnd().split("\n").sort();
        expect(printMacros(unit).replace(versions, "").trimEnd().split("\n")).toEqual(sorted);
      });

  const cases = readdirSync(join(root, folder)).filter((name) => name.endsWith(".c"));
  for (const name of cases.filter((n) => !n.startsWith("error-")))
    test(`on the tokens of ${name}`, () => {
      const text = readFileSync(join(root, folder, name), "utf8");
      const scratch = mkdtempSync(join(tmpdir(), "bpfc-preprocess-"));
      for (const [path, content] of Object.entries(splitCase(text)))
        writeFileSync(join(scratch, path), content);
      const theirs = execFileSync(
        "clang-19",
        ["-target", "bpf", "-mcpu=v3", "-O2", "-E", "-P", "-w", "case.c"],
        { cwd: scratch, stdio: ["ignore", "pipe", "ignore"] },
      ).toString();
      const { unit } = preprocessText(text, wholeText);
      const ours = unit.run.tokens.slice(0, -1).map((token) => token.image);
      expect(ours).toEqual(spellings(theirs));
    });
});

test("a token from a macro knows where it was expanded", () => {
  const { unit } = preprocessText("#define TWICE(x) (x + x)\nint a = TWICE(b);\n");
  const [, , , open, b] = unit.run.tokens;
  expect(open?.image).toBe("(");
  expect(open?.startOffset).toBe("#define TWICE(x) ".length);
  expect(open?.expandedFrom).toMatchObject({ start: 33, end: 41 });
  expect(b?.image).toBe("b");
  expect(b?.expandedFrom).toBeUndefined();
});

test("pragmas switch warnings at places, also from inside a macro", () => {
  const { unit, diagnostics } = preprocessText(
    [
      '#define QUIET(x) _Pragma("GCC diagnostic push") \\',
      '  _Pragma("GCC diagnostic ignored \\"-Wint-conversion\\"") x _Pragma("GCC diagnostic pop")',
      "a QUIET(b) c",
    ].join("\n"),
  );
  const [a, b, c] = unit.run.tokens;
  expect([a?.warnings, c?.warnings]).toEqual([undefined, undefined]);
  expect(b?.warnings?.get("int-conversion")).toBe("ignored");
  const file = unit.main;
  const at = { file, start: 0, end: 1 };
  const ignored = { ...at, warnings: new Map([["int-conversion", "ignored"]] as const) };
  diagnostics.policy = warningPolicy([], false);
  diagnostics.warning("int-conversion", "one", ignored);
  diagnostics.warning("int-conversion", "two", at);
  expect(diagnostics.list.map((d) => d.message)).toEqual(["two"]);
});

test("include directories are searched in clang's order", () => {
  const files = {
    "src/case.c": '#include "a.h"\n#include <a.h>\n#include <b.h>\n#include <c.h>\n',
    "src/a.h": "beside",
    "user/a.h": "user",
    "system/a.h": "system",
    "system/b.h": "system_b\n#include_next <b.h>\n",
    "standard/b.h": "standard_b",
    "after/c.h": "after_c",
  };
  const options = {
    ...defaultPreprocessOptions,
    directories: ["user"],
    systemDirectories: ["system"],
    standardDirectories: ["standard"],
    afterDirectories: ["after"],
    indexHeaders: false,
  };
  const diagnostics = new Diagnostics();
  const unit = preprocess("src/case.c", options, memoryFileSystem(files), diagnostics);
  const images = unit?.run.tokens.slice(0, -1).map((token) => token.image);
  expect(images).toEqual(["beside", "user", "system_b", "standard_b", "after_c"]);
  expect(diagnostics.list).toEqual([]);
  expect(printDependencies(unit!, { targets: ["out.o"], userOnly: true, phony: true })).toBe(
    "out.o: src/case.c src/a.h user/a.h\nsrc/a.h:\nuser/a.h:\n",
  );
});

test("an expansion that would fill the memory is refused", () => {
  const lines = ["#define A0 x x x x x x x x x x"];
  for (let n = 1; n < 12; n += 1) lines.push(`#define A${n} ${`A${n - 1} `.repeat(10)}`);
  const byArguments = `#define T(x) x x x x x x x x x x\n${"T(".repeat(12)}y${")".repeat(12)}\n`;
  for (const text of [`${lines.join("\n")}\nA11\n`, byArguments]) {
    const { diagnostics } = preprocessText(text);
    expect(diagnostics.list.map((d) => d.message)).toEqual(["macro expansion is too large"]);
  }
});

test("#pragma once knows a file by every path to it", () => {
  const files = memoryFileSystem({
    "main.c": '#include "sub/a.h"\n#include "sub/../sub/b.h"\n',
    "sub/a.h": "#pragma once\nfirst\n",
    "sub/../sub/b.h": '#include "../sub/a.h"\nsecond\n',
    "sub/../sub/../sub/a.h": "#pragma once\nfirst\n",
  });
  const options = { ...defaultPreprocessOptions, indexHeaders: false };
  const unit = preprocess("main.c", options, files, new Diagnostics());
  const images = unit?.run.tokens.slice(0, -1).map((token) => token.image);
  expect(images).toEqual(["first", "second"]);
});

test("C23 has words that older C has under other names", () => {
  const text = "true false nullptr\n#if true\nbool\n#endif\n";
  const images = (standard: "gnu17" | "gnu23") =>
    preprocessText(text, { ...wholeText, standard }).unit.run.tokens.map((token) => token.image);
  expect(images("gnu17").slice(0, -1)).toEqual(["true", "false", "nullptr"]);
  expect(images("gnu23").join(" ").trim()).toBe("1 0 ( ( void * ) 0 ) _Bool");
});

test("bytes that are no text are kept", () => {
  const name = "latin.c";
  const start = Buffer.from('\ufeffconst char a[] = "é\ud83d\ude00 ');
  const bytes = Buffer.concat([
    start,
    Buffer.from([0xff, 0xe9, 0x80, 0xed, 0xa0, 0x80]),
    Buffer.from('";\n'),
  ]);
  const files = { readFile: (path: string) => (path === name ? bytes : undefined) };
  const { checked } = compile(name, defaultPreprocessOptions, files, new Diagnostics());
  const wanted = [0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0x20, 0xff, 0xe9, 0x80, 0xed, 0xa0, 0x80, 0];
  expect([...(checked?.variables[0]?.data?.bytes ?? [])]).toEqual(wanted);
});

test("a macro that is taken back from the stack is seen in the next header", () => {
  const declared = "typedef int first;\nstruct second { int a; };\n";
  const main = [
    "#define T int",
    '#pragma push_macro("T")',
    "#undef T",
    '#include "declared.h"',
    '#pragma pop_macro("T")',
    '#include "user.h"',
    "struct third x;",
  ].join("\n");
  const files = { "main.c": main, "declared.h": declared, "user.h": "struct third { T b; };\n" };
  const diagnostics = new Diagnostics();
  compile("main.c", defaultPreprocessOptions, memoryFileSystem(files), diagnostics);
  expect(diagnostics.list.map(({ message }) => message)).toEqual([]);
});
