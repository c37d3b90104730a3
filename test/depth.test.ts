/**
 * What is long in the source and deep in the tree: chains of `else if`, sums and conditions, which
 * programs write, are walked without recursion; what no one writes ends in a message.
 */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { compile } from "../compiler/compile.ts";

/** All messages, and whether an object came of it. */
function compiled(body: string): { messages: readonly string[]; isDone: boolean } {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "deep.c": body });
  const options = {
    ...defaultPreprocessOptions,
    warnings: [{ name: "all", state: "on" as const }],
  };
  const { object } = compile("deep.c", options, files, diagnostics);
  return {
    messages: diagnostics.list.map(({ message }) => message),
    isDone: object !== undefined,
  };
}

const repeat = (times: number, part: (at: number) => string): string =>
  Array.from({ length: times }, (_, at) => part(at)).join("\n");

const done = { messages: [], isDone: true };

test("a chain of thousands of else if", () => {
  const links = repeat(3000, (at) => `if (x == ${at * 3}) return y + ${at}; else`);
  expect(compiled(`int f(int x, int y) { ${links} return 1; }`)).toEqual(done);
});

test("falling off the end of such a chain", () => {
  const links = repeat(3, (at) => `if (x == ${at * 3}) return ${at}; else`);
  expect(compiled(`int f(int x) { ${links} x = 1; }`).messages).toEqual([
    "non-void function does not return a value in all control paths",
  ]);
  expect(compiled(`int f(int x) { ${links} if (1) return 2; }`)).toEqual(done);
});

test("what a link declares hides the same name of the links before it", () => {
  const body = `if (x == sizeof(struct t { char a; })) return 1;
    else if (x == 9) return 2;
    else if (x == sizeof(struct t { char a[2]; })) return sizeof(struct t);
    else return sizeof(struct t) + x;`;
  expect(compiled(`int f(int x) { ${body} }`)).toEqual(done);
});

test("a sum of tens of thousands of terms", () => {
  const terms = repeat(20_000, (at) => `x * ${at % 7} ^`);
  expect(compiled(`long f(long x) { return ${terms} 1; }`)).toEqual(done);
});

test("a condition of a thousand parts", () => {
  const parts = repeat(1000, (at) => `x != ${at * 2} &&`);
  expect(compiled(`int f(int x) { if (${parts} x) return 1; return 2; }`)).toEqual(done);
});

test("a tree that is too deep", () => {
  const { messages, isDone } = compiled(
    `int f(int x) { ${"if (x) ".repeat(50_000)} return 1; return 2; }`,
  );
  expect(isDone).toBe(false);
  expect(messages.some((message) => message.includes("nested too deeply"))).toBe(true);
});
