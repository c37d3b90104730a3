/** The same source gives the same bytes, wherever it lies and wherever the compiler is called. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const bundle = join(root, "dist/bpfc.cjs");
const work = mkdtempSync(join(tmpdir(), "bpfc-same-"));
afterAll(() => rmSync(work, { recursive: true }));

const examples = readdirSync(join(root, "examples")).filter((name) =>
  readdirSync(join(root, "examples", name)).some((file) => file.endsWith(".bpf.c")),
);

/** Compiles `words` from `cwd` and returns the bytes. */
function compiled(cwd: string, ...words: readonly string[]): Buffer {
  const output = join(work, "out.o");
  const args = [bundle, "cc", "-D__TARGET_ARCH_x86", "-g", "-O2", "-c", ...words, "-o", output];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return readFileSync(output);
}

test("there are examples", () => expect(examples.length).toBeGreaterThan(3));

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
