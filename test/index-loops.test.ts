/** The build's index loops do what the loops of the source do. */
import { join } from "node:path";
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { indexLoops } from "../scripts/index-loops.mjs";
import * as loops from "./cases/index-loops/loops.ts";

const file = join(import.meta.dirname, "cases/index-loops/loops.ts");
const text = indexLoops([file])(file) ?? "";

test("rewritten loops have the results of the source's", async () => {
  const { code } = transformSync(text, { loader: "ts", format: "esm" });
  const rewritten = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  for (const [name, run] of Object.entries(loops)) expect(rewritten[name](), name).toEqual(run());
  expect(loops.growing()).toEqual([3, 2, 1, 0]);
});

test("what is no array keeps its iterator", () => {
  const kept = [...text.matchAll(/ of (.*?)\)/g)].map(([, iterable]) => iterable);
  expect(kept).toEqual([
    "new Map(list",
    "[name].entries(",
    "new Set([1, 2]",
    '"a\\u{1f41d}"',
    "(function* (",
  ]);
});
