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

/** A loop whose rounds count for 4: three additions of the sum's and one of the counter's, the test and the jump back. */
const enabledLoop = (rounds: number): string => `; passes: unroll-loops
module "t" little

define i64 @copied(i64 %p0 "x", ptr %p1 "p") global section ".text" {
b0:
  br b1
b1 unroll enable:
  %1 = phi i64 [0, b0], [%4, b2]
  %2 = phi i64 [%p0, b0], [%8, b2]
  %3 = phi ptr [%p1, b0], [%10, b2]
  %5 = icmp ult i64 %1, ${rounds}
  condbr %5, b2, b3
b2:
  %6 = add i64 %2, 1
  %7 = add i64 %6, 2
  %8 = add i64 %7, 3
  %9 = ptradd %3, 8
  %10 = ptradd %9, 4
  %4 = add i64 %1, 1
  br b1
b3:
  %11 = load i64 %3 align 4
  %12 = add i64 %11, %2
  ret i64 %12
}`;

test("what becomes part of another instruction does not count in a loop that is to be unrolled", () => {
  const lines = (rounds: number): number =>
    runOptimizeCase(enabledLoop(rounds), "loop.ir").split("\n").length;
  expect(lines(4096)).toBeGreaterThan(4096);
  expect(lines(4097)).toBeLessThan(40);
});
