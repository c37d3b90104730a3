/** Phase 2: the tree, its errors, headers parsed on demand, and the generated lookahead tables. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lookaheadSource } from "../compiler/2-parse/analyse-grammar.ts";
import type { ExternalDeclaration } from "../compiler/2-parse/ast.ts";
import { printDeclaration, printTranslationUnit } from "../compiler/2-parse/print-ast.ts";
import { lineOf, parseText, printDiagnostics } from "./support/front-end.ts";
import { goldenSuite } from "./support/golden.ts";

const root = join(import.meta.dirname, "..");

goldenSuite({
  folder: "test/cases/parse",
  input: ".c",
  expected: ".ast",
  run: (text) => {
    const { tree, diagnostics } = parseText(text);
    return printDiagnostics(diagnostics.list) + printTranslationUnit(tree);
  },
});

describe("errors stand where the case says, and nowhere else", () => {
  const folder = "test/cases/parse/errors";
  for (const name of readdirSync(join(root, folder)).sort()) {
    test(name, () => {
      const text = readFileSync(join(root, folder, name), "utf8");
      const expected = text
        .split("\n")
        .flatMap((line, index) =>
          [...line.matchAll(/\/\/ (error|warning): ([^/]*[^/ ])/g)].map(
            ([, severity, message]) => `${index + 1}: ${severity}: ${message}`,
          ),
        );
      const { diagnostics } = parseText(text);
      expect(printDiagnostics(diagnostics.list).trimEnd().split("\n")).toEqual(expected);
    });
  }
});

test("the generated lookahead tables are those of the grammar", () => {
  const file = join(root, "compiler/2-parse/generated/lookahead.ts");
  const advice = "run npx tsx scripts/generate-lookahead.ts";
  expect(lookaheadSource() === readFileSync(file, "utf8"), advice).toBe(true);
});

const header = `
#ifndef H
#define H
typedef unsigned int u32;
#define NAME(x) name_##x
struct outer { struct inner { u32 a; } in; enum colour { RED, GREEN = 5 } c; };
struct forward;
union { int a; } *NAME(pointer), array[3];
int NAME(prototype)(u32 n, struct forward *f);
static inline int defined_here(u32 x) { typedef int local; local y = x; return y; }
u32 (*table[2])(u32 (*)(int)), tail;
typedef u32 (*callback)(u32, ...), other_type;
static const char *broken = ;
extern int external;
int global = 1;
static int used_one __attribute__((used));
_Static_assert(1, "fine");
#endif
`;

describe("headers are parsed on demand", () => {
  const { tree, diagnostics, unit } = parseText(`#include "h.h"\nu32 x;\n//// h.h\n${header}`);

  function texts(list: readonly { readonly declaration: ExternalDeclaration }[]): string[] {
    return list.map(({ declaration }) => printDeclaration(declaration).split("\n")[0] ?? "");
  }

  test("names lead to declarations, whatever the declarator", () => {
    const objects =
      "name_pointer array name_prototype defined_here table tail callback other_type u32 RED GREEN";
    for (const name of objects.split(" ")) expect(tree.index.ordinary(name), name).toHaveLength(1);
    for (const tag of ["outer", "inner", "colour", "forward"])
      expect(tree.index.tag(tag), tag).toHaveLength(1);
    for (const name of ["n", "f", "local", "y", "a", "in", "outer", "NAME", "pointer", "x"])
      expect(tree.index.ordinary(name), name).toEqual([]);
    expect(tree.index.tag("RED")).toEqual([]);
    expect(texts(tree.index.ordinary("defined_here"))).toEqual(["function_definition"]);
    expect(tree.index.ordinary("table")[0]).toBe(tree.index.ordinary("tail")[0]);
  });

  test("what was not reached is not parsed", () => {
    expect(diagnostics.list).toEqual([]);
    expect(tree.index.ordinary("broken")).toHaveLength(1);
    expect(printDiagnostics(diagnostics.list)).toBe("13: error: expected expression\n");
  });

  test("definitions count without being named", () => {
    const names = tree.index.unconditional().map(({ declaration }) => {
      if (declaration.kind === "declaration") return declaration.declarators[0]?.declarator.name;
      return declaration.kind;
    });
    const expected = ["name_pointer", "table", "global", "used_one", "static_assert"];
    expect(names).toEqual(expected);
  });

  test("ordinals follow the order of the text", () => {
    const typedef = tree.index.ordinary("u32")[0]!;
    expect(tree.declarations[0]!.ordinal).toBeGreaterThan(typedef.ordinal);
    expect(unit.headers.count).toBeGreaterThan(10);
  });
});

test("a macro acts on the header text behind its definition only", () => {
  const { tree } = parseText(
    [
      '#define T int\n#include "a.h"\n#undef T\n#include "b.h"\n',
      "//// a.h\nT first;\nstruct s { T member; };\n//// b.h\ntypedef char T;\nT second;\n",
    ].join(""),
  );
  const type = (name: string): unknown => {
    const [found] = tree.index.ordinary(name);
    return found?.declaration.kind === "declaration"
      ? found.declaration.specifiers.type
      : undefined;
  };
  expect(type("first")).toMatchObject({ kind: "builtin", name: "int" });
  expect(type("second")).toMatchObject({ kind: "typedef_name", name: "T" });
  expect(printDeclaration(tree.index.tag("s")[0]!.declaration)).toContain("builtin name=int");
});

describe("nesting", () => {
  const expression = (depth: number): string =>
    `int x = ${"(".repeat(depth)}1${")".repeat(depth)};`;

  test("256 parentheses are read, one more is refused", () => {
    expect(parseText(expression(256)).diagnostics.list).toEqual([]);
    expect(printDiagnostics(parseText(expression(257)).diagnostics.list)).toBe(
      "1: error: bracket nesting level exceeded maximum of 256\n",
    );
  });

  test("long chains are no nesting", () => {
    const chain = `void f(int a) { ${"if (a) a++; else ".repeat(3000)} ; }`;
    expect(parseText(chain).diagnostics.list).toEqual([]);
    const labels = Array.from({ length: 3000 }, (_, n) => `case ${n}: `).join("");
    expect(parseText(`void f(int a) { switch (a) { ${labels} ; } }`).diagnostics.list).toEqual([]);
    expect(parseText(`int x = ${"1 + ".repeat(5000)} 1;`).diagnostics.list).toEqual([]);
  });

  test("no depth of anything ends in a crash", () => {
    for (const unit of [
      "(",
      "{",
      "[",
      "-",
      "!",
      "*",
      "if (1) ",
      "while (1) ",
      "(int)",
      "sizeof ",
      "a ? ",
    ])
      for (const place of ["int x = ", "void f(void) { "])
        expect(parseText(place + unit.repeat(6000)).diagnostics.hasErrors, unit).toBe(true);
  });
});

test("mutated text never throws", () => {
  const names = readdirSync(join(root, "test/cases/parse")).filter((n) => n.endsWith(".c"));
  const texts = names.map((name) => readFileSync(join(root, "test/cases/parse", name), "utf8"));
  let seed = 20_26;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (seed >>> 8) % below;
  };
  let failing = 0;
  for (let round = 0; round < 250; round += 1) {
    const tokens = texts[random(texts.length)]!.match(/\w+|\s+|./gs) ?? [];
    for (let change = 0; change < 3; change += 1) {
      const at = random(tokens.length);
      tokens.splice(at, random(3), tokens[random(tokens.length)]!);
    }
    const { diagnostics } = parseText(tokens.join(""));
    for (const { span } of diagnostics.list) if (span !== undefined) lineOf(span);
    if (diagnostics.hasErrors) failing += 1;
  }
  expect(failing).toBeGreaterThan(120);
});
