/** The same source gives the same bytes, wherever it lies and wherever the compiler is called. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runTool } from "./support/tool.ts";

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "bpfc-same-"));
afterAll(() => rmSync(work, { recursive: true }));

const examples = readdirSync(join(root, "examples")).filter((name) =>
  readdirSync(join(root, "examples", name)).some((file) => file.endsWith(".bpf.c")),
);

/** Compiles `words` from `cwd` and returns the bytes. */
function compiled(cwd: string, ...words: readonly string[]): Buffer {
  const output = join(work, "out.o");
  const args = ["cc", "-D__TARGET_ARCH_x86", "-g", "-O2", "-c", ...words, "-o", output];
  const { status, stderr } = runTool(args, { cwd });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return readFileSync(output);
}

test("there are examples", () => expect(examples.length).toBeGreaterThan(3));

test("absolute paths on the command line are not recorded", () => {
  const folders = [join(work, "one"), join(work, "another/one")];
  const objects = folders.flatMap((folder) => {
    mkdirSync(join(folder, "include/inner"), { recursive: true });
    mkdirSync(join(folder, "build"));
    const header = "static inline int twice(int *p) { return *p * 2; }\n";
    writeFileSync(join(folder, "include/inner/twice.h"), header);
    const text = `#include <inner/twice.h>
__attribute__((section("socket"))) int f(int *p) { return twice(p); }
`;
    writeFileSync(join(folder, "program.c"), text);
    const words = ["-I", join(folder, "include"), join(folder, "program.c")];
    return [compiled(folder, ...words), compiled(join(folder, "build"), ...words)];
  });
  for (const object of objects) expect(object.includes(work)).toBe(false);
  expect(objects[0]!.includes("\0include/inner/twice.h\0")).toBe(true);
  expect(objects[1]!.includes("\0inner/twice.h\0")).toBe(true);
  expect(objects[2]!.equals(objects[0]!)).toBe(true);
  expect(objects[3]!.equals(objects[1]!)).toBe(true);
});

test.each(examples)("%s", (name) => {
  const folders = [join(work, "a", name), join(work, "a longer/path", name)];
  const objects = folders.map((folder) => {
    mkdirSync(folder, { recursive: true });
    cpSync(join(root, "examples", name), folder, { recursive: true });
    const file = readdirSync(folder).find((each) => each.endsWith(".bpf.c"))!;
    return compiled(folder, file);
  });
  expect(objects[1]!.equals(objects[0]!)).toBe(true);
});
