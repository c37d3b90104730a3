/** Records of headers: their declarations are parsed when something asks what is in them. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { preprocess } from "../compiler/1-preprocess/preprocess.ts";
import { parseTranslationUnit } from "../compiler/2-parse/parse.ts";
import { checkTranslationUnit } from "../compiler/3-check/check.ts";

function messages(header: string, main: string): string[] {
  const files = memoryFileSystem({ "main.c": `#include "h.h"\n${main}`, "h.h": header });
  const diagnostics = new Diagnostics();
  const unit = preprocess("main.c", defaultPreprocessOptions, files, diagnostics)!;
  const syntax = parseTranslationUnit(unit, diagnostics);
  checkTranslationUnit(syntax, { endian: "little", cpu: "v3" }, diagnostics);
  return diagnostics.list.flatMap(({ message, notes = [] }) => [
    message,
    ...notes.map((note) => note.message),
  ]);
}

const unread = "typedef int first;\nstruct unread { unknown_t a; };\n";
const holder = `${unread}struct holder { struct unread *p; int n; };\n`;
const use = (body: string) => `int f(struct holder *h) { ${body} }`;

test("one that is only pointed to is not parsed", () => {
  expect(messages(holder, use("return h->n + (h->p != 0);"))).toEqual([]);
});

test("one whose members are asked for is", () => {
  expect(messages(holder, use("return h->p->a;")).join()).toMatch(/unknown type name/);
});

test("one that is declared after its first use has its members", () => {
  const later = "struct holder { struct late *p; };\nstruct late { int a; };\n";
  expect(messages(later, use("return h->p->a;"))).toEqual([]);
});

test("one that is never defined is incomplete", () => {
  const never = "struct never;\nstruct holder { struct never *p; };\n";
  expect(messages(never, use("return h->p->a;")).join()).toMatch(
    /incomplete definition of type 'struct never'.*forward declaration of 'struct never'/,
  );
});

test("the user's own definition completes a header's declaration", () => {
  const open = "struct open;\nstruct holder { struct open *p; };\n";
  expect(messages(open, `struct open { int a; };\n${use("return h->p->a;")}`)).toEqual([]);
});

test("a second definition is an error at the user's, with the place of the first", () => {
  const found = messages("struct twice { int a; };\n", "struct twice { int b; };\n");
  expect(found).toEqual(["redefinition of 'twice'", "previous definition is here"]);
});

test("so is another kind of tag", () => {
  const found = messages("struct kind { int a; };\n", "union kind *p;\n");
  expect(found[0]).toMatch(/use of 'kind' with tag type that does not match/);
  expect(found[1]).toBe("previous use is here");
});

test("a typedef with the definition in it gives the same type", () => {
  const both = "struct both *make(void);\ntypedef struct both { int a; } both_t;\n";
  expect(messages(both, "int f(void) { both_t *b = make(); return b->a; }")).toEqual([]);
});

test("a variable that is initialised with braces is no record", () => {
  const record = "struct point { int x, y; };\n";
  const variables = [
    "struct point origin = { 0, 0 };",
    "struct point corners[2] = { { 1, 2 }, { 3, 4 } };",
    "struct point other = (struct point){ 4, 5 };",
    "enum { one, two } kinds[2] = { one, two };",
  ].join("\n");
  const body = "return origin.x + corners[1].y + other.y + kinds[1];";
  expect(messages(`${record}${variables}\n`, `int f(void) { ${body} }`)).toEqual([]);
});

test("typedefs have their word behind a struct, and atomic types", () => {
  const late = "struct { int a; } typedef late;\nenum { one, two } const typedef choice;\n";
  const atomic = "typedef _Atomic(int) counter;\ntypedef _Atomic(long) *place;\n";
  const body = "static counter c; place p = 0; choice k = two; return v->a + c + (p != 0) + k;";
  expect(messages(late + atomic, `int f(late *v) { ${body} }`)).toEqual([]);
  expect(messages("", `${late}int f(late *v) { return v->a + two; }`)).toEqual([]);
});
