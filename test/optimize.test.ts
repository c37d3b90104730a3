import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
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
