import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { functionPasses, modulePasses } from "../compiler/5-optimize/passes.ts";
import { goldenSuite } from "./support/golden.ts";
import { runOptimizeCase } from "./support/optimize.ts";

const folder = "test/cases/optimize";

for (const name of readdirSync(join(import.meta.dirname, "cases/optimize"))) {
  describe(name, () => {
    goldenSuite({
      folder: `${folder}/${name}`,
      input: ".ir",
      expected: ".out",
      run: (text, _, file) => runOptimizeCase(text, file),
    });
  });
}

test("every pass has a case that names it", () => {
  const root = join(import.meta.dirname, "cases/optimize");
  const folders = readdirSync(root);
  const named = new Set(
    folders.flatMap((name) =>
      readdirSync(join(root, name))
        .filter((file) => file.endsWith(".ir"))
        .flatMap((file) => {
          const text = readFileSync(join(root, name, file), "utf8");
          return /^; passes: (.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
        }),
    ),
  );
  // Diagnostics, and what needs other passes in between, show in the whole pipeline.
  const byFolder = ["check-calls", "loop-tail-calls"].filter((name) => folders.includes(name));
  const missing = [...functionPasses.keys(), ...modulePasses.keys()].filter(
    (name) => !named.has(name) && !byFolder.includes(name),
  );
  expect(missing).toEqual([]);
});
