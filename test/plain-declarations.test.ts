/** The quick way through large headers finds what the ordinary way finds in the same text. */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { SHORTEST_PLAIN } from "../compiler/1-preprocess/plain-declarations.ts";
import { preprocess } from "../compiler/1-preprocess/preprocess.ts";

/** All that a compiler can learn of a header that a program includes after `before`. */
function contents(header: string, before: string, after: string): object {
  const files = memoryFileSystem({
    "main.c": `${before}\n#include "large.h"\n${after}\nint x;\n`,
    "large.h": header,
  });
  const diagnostics = new Diagnostics();
  const { headers, run } = preprocess("main.c", defaultPreprocessOptions, files, diagnostics)!;
  const textOf = (declaration: number): string =>
    headers
      .run(declaration)
      .tokens.map(({ image }) => image)
      .join(" ");
  const names = new Set(`${before} ${header}`.match(/\b[A-Za-z_]\w*\b/g));
  return {
    found: [...names].map((name) => [
      name,
      headers.lookup(name).map((each) => ({ ...each, text: textOf(each.declaration) })),
    ]),
    count: headers.count,
    unconditional: headers.unconditional.map(textOf),
    main: run.tokens.map(({ image }) => image),
    messages: diagnostics.list.map(({ message }) => message),
  };
}

/** Line breaks at the end make the header long enough for the quick way. */
function expectSame(header: string, before = "", after = ""): void {
  const large = `${header}${"\n".repeat(SHORTEST_PLAIN)}`;
  expect(contents(large, before, after)).toEqual(contents(header, before, after));
}

const usual = [
  "struct one;",
  "union two;",
  "struct three {};",
  "struct four {\n\tint a;\n\tstruct one *b;\n\tlong unsigned int c[4];\n};",
  "union five {\n\tint a: 3;\n\tvoid (*b)(struct six *, int);\n} __attribute__((packed));",
  "struct six {\n\tunion {\n\t\tint a;\n\t\tstruct {\n\t\t\tint b;\n\t\t} c;\n\t};\n\tstruct {\n\t\tint d;\n\t} e[2];\n};",
  "enum seven {\n\tSEVEN_A = 0,\n\tSEVEN_B = -1,\n\tSEVEN_C = 0x1f,\n\tSEVEN_D,\n\tSEVEN_E = SEVEN_A\n};",
  "enum {\n\tEIGHT_A = 8,\n};",
  "typedef unsigned int nine;",
  "typedef struct four ten;",
  "typedef struct four *eleven;",
  "typedef void (*twelve)(struct four *, int (*)(void));",
  "typedef nine **thirteen;",
];
const unusual = [
  "typedef struct {\n\tint a;\n} u1;",
  "typedef int u2[16];",
  "typedef void u3(int);",
  "typedef int (*(*u4)(int))(long);",
  "struct u5 {\n\tenum {\n\t\tU5_A,\n\t\tU5_B = 3,\n\t} a;\n\tstruct u6 {\n\t\tint a;\n\t} b;\n};",
  "struct u7 {\n\tint a; };\n\tstruct {\n\tint b;\n} u8;",
  "struct u9 {\n\tint a; /* one */\n};",
  'struct u10 {\n\tchar a[sizeof("x")];\n};',
  "enum u11 {\n\tU11_A = 1 << 3,\n\tU11_B = (2),\n};",
  "enum u12 : char {\n\tU12_A,\n};",
  "struct four u13;",
  "extern int u14;",
  "static int u15(int a)\n{\n\treturn a;\n}",
  "int u16(void)\n{\n\treturn 1;\n}",
  "struct u17 { int a; } u18;",
  "struct u19 {\n\tint a;\n} u20, *u21;",
  "typedef int;",
  "typedef long int;",
  '_Static_assert(1, "");',
  "struct u22 {\n\tint \u00e4;\n};",
  "struct u23\n{\n\tint a;\n};",
  "  struct u24 {\n\tint a;\n};",
  "struct u25 {\n#ifdef X\n\tint a;\n#endif\n};",
  "#define u26 1",
  "#pragma GCC poison u27",
  "union u28 {\n\tstruct {\n\t\tint a;\n\t}; int b;\n};",
  ";",
];

describe("each declaration by itself, and between others", () => {
  for (const text of [...usual, ...unusual])
    test(JSON.stringify(text).slice(1, 60), () => {
      expectSame(text);
      expectSame(`${usual.join("\n\n")}\n\n${text}\n\n${usual.join("\n").replace(/\d/g, "7")}\n`);
    });
});

const all = `#ifndef LARGE\n#define LARGE\n${[...usual, ...unusual].join("\n\n")}\n#endif /* LARGE */\n`;

describe("macros whose names stand in the header", () => {
  test("none", () => {
    expectSame(all);
  });
  for (const name of ["a", "four", "SEVEN_C", "nine", "__attribute__", "twelve", "c__", "struct"])
    test(name, () => {
      const header = `${all}struct late {\n\tint c__;\n};\n`;
      expectSame(header, `#define ${name} other`);
      expectSame(header, "", `#define ${name} other`);
      expectSame(header.replace("union two;", `#define ${name} other\nunion two;`));
      expectSame(header, `#define ${name} other\n#pragma push_macro("${name}")\n#undef ${name}`);
      const pop = `#pragma pop_macro("${name}")\n`;
      const push = `#define ${name} other\n#pragma push_macro("${name}")\n#undef ${name}`;
      expectSame(header.replace("union two;", `${pop}union two;`), push);
    });
});

test("many macros", () => {
  const macros = Array.from({ length: 100 }, (_, at) => `#define M${at} ${at}`).join("\n");
  expectSame(all, macros);
  expectSame(all.replaceAll("SEVEN_A", "M7"), macros);
});
