/** The project's own rules: documents name existing paths, generated files are fresh, layers hold. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { brokenRule, checkLayers, findCycle } from "../scripts/check-layers.ts";
import { embeddedHeaders, embeddedHeadersFile } from "../scripts/embed-headers.ts";
import { uapiBpfHeader } from "../scripts/generate-uapi-header.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("documents", () => {
  test.each(["CONTRIBUTING.md", "README.md"])("%s names existing paths", (document) => {
    const paths = [...read(document).matchAll(/`([\w.-]+(?:\/[\w.-]+)+)\/?`/g)].map(
      (m) => m[1] ?? "",
    );
    const missing = paths.filter((path) => !path.includes("<") && !existsSync(join(root, path)));
    expect(paths.length).toBeGreaterThan(3);
    expect(missing).toEqual([]);
  });

  test("every how-to has at most five steps", () => {
    const sections = read("CONTRIBUTING.md").split("\n## ").slice(1);
    expect(sections.map((s) => s.split("\n")[0])).toHaveLength(5);
    for (const section of sections) expect(section.match(/^\d\./gm)?.length).toBeLessThanOrEqual(5);
  });
});

describe("generated files are fresh", () => {
  test("embedded headers: npx tsx scripts/embed-headers.ts", () => {
    expect(read(embeddedHeadersFile) === embeddedHeaders()).toBe(true);
  });
  test("linux/bpf.h: npx tsx scripts/generate-uapi-header.ts", () => {
    expect(read("compiler/include/linux/bpf.h") === uapiBpfHeader()).toBe(true);
  });
});

describe("import layers", () => {
  test("hold in this tree", () => {
    expect(checkLayers()).toEqual([]);
  });
  test("a planted import is caught", () => {
    expect(brokenRule("compiler/compile.ts", "vm/kernel/kernel.ts")).toBeDefined();
    expect(brokenRule("compiler/2-parse/a.ts", "compiler/3-check/b.ts")).toBeDefined();
    expect(brokenRule("common/isa/a.ts", "node:fs")).toBeDefined();
    expect(brokenRule("vm/run.ts", "common/isa/a.ts")).toBeUndefined();
  });
  test("a planted cycle is caught", () => {
    const graph = new Map([
      ["a.ts", ["b.ts"]],
      ["b.ts", ["a.ts"]],
    ]);
    expect(findCycle(graph)).toEqual(["a.ts", "b.ts", "a.ts"]);
  });
});
