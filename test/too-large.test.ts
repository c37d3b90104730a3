/** Objects larger than any memory end in a message wherever they meet an allocation of ours. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { compile } from "../compiler/compile.ts";

function messages(text: string): readonly string[] {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "large.c": text });
  const { object } = compile("large.c", defaultPreprocessOptions, files, diagnostics);
  expect(object).toBeUndefined();
  return diagnostics.list.map(({ message }) => message);
}

test("a section with contents", () => {
  const found = messages('int large[2147483660] __attribute__((section(".data.large")));');
  expect(found).toEqual(["section '.data.large' is too large (8589934640 bytes)"]);
});

test("a local object with an initialiser", () => {
  const [message] = messages("int f(int at) { int large[2147483660] = {1, 2}; return large[at]; }");
  expect(message).toContain("memset of 8589934640 bytes is too long");
});

test("an object whose size only the running program knows", () => {
  const sizes = ["n", "n & 15"];
  for (const size of sizes) {
    const text = `int f(int n, int (*fill)(char *)) { char a[${size}]; a[0] = n; return a[n >> 8]; }`;
    const [message] = messages(text);
    expect(message).toContain("unsupported dynamic stack allocation");
  }
});
