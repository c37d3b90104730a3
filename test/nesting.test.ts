/** What nests deeper than the compiler's stack ends in a message, or compiles. */
import { expect, test } from "vitest";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { compile } from "../compiler/compile.ts";

const depth = 6000;
const many = (part: (n: number) => string): string =>
  Array.from({ length: depth }, (_, n) => part(n)).join("");

test.each([
  ["pointers", `int ${"*".repeat(depth)}p;`],
  ["arrays", `int a${"[1]".repeat(depth)};`],
  ["typedefs", `typedef int t0;${many((n) => `typedef t${n} t${n + 1};`)} t${depth} x;`],
  ["pointer sums", `int *f(int *p, int i) { return p${"+i".repeat(depth)}; }`],
  ["members", `struct s { struct s *n; } *f(struct s *p) { return p${"->n".repeat(depth)}; }`],
  ["brackets", `int f(int x) { return ${"(".repeat(depth)}x${")".repeat(depth)}; }`],
])("%s", (_, text) => {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "deep.c": text });
  const options = { ...defaultPreprocessOptions, debugInfo: true };
  const { object } = compile("deep.c", options, files, diagnostics);
  expect(object !== undefined).toBe(!diagnostics.hasErrors);
});

test("a device that has no end is no header", () => {
  expect(nodeFileSystem.readFile("/dev/null")).toEqual(new Uint8Array());
  expect(nodeFileSystem.readFile("/dev/zero")).toBeUndefined();
});
