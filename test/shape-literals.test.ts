/** The build's constructors make what the literals of the source make. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { expect, test } from "vitest";
import { countedLiterals, objectShapes, shapedLiterals } from "../scripts/shape-literals.mjs";
import * as literals from "./cases/shape-literals/literals.ts";

const file = join(import.meta.dirname, "cases/shape-literals/literals.ts");
const text = readFileSync(file, "utf8");

/** The shapes that the text makes. */
const shapes = new Set(
  [...countedLiterals(text).matchAll(/noteUse\("(.*?)"\)/g)].map(([, shape]) => shape!),
);

async function bundled(contents: string): Promise<Record<string, () => unknown>> {
  const source: Plugin = {
    name: "source",
    setup: ({ onLoad }) => onLoad({ filter: /literals\.ts$/ }, () => ({ contents, loader: "ts" })),
  };
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    plugins: [source, objectShapes],
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0]!.text)}`);
}

test("constructors make what literals make", async () => {
  const rewritten = await bundled(shapedLiterals(text, shapes));
  for (const [name, run] of Object.entries(literals))
    expect(rewritten[name]!(), name).toStrictEqual(run());
});

test("all literals within functions have constructors but those that no constructor can make", () => {
  const rewritten = shapedLiterals(text, shapes);
  expect(rewritten).toContain("return new $shape0( a, b, [a] );");
  expect([...rewritten.matchAll(/new \$shape\d+\(/g)]).toHaveLength(16);
  expect(shapedLiterals(text, new Set(["at"])).match(/new \$shape\d+\(/g)).toHaveLength(2);
  for (const kept of ["...new $shape", "[name]: 1", "get value", '0: "zero"', "__proto__"])
    expect(rewritten).toContain(kept);
});

test("counted literals are the same, and are told of", async () => {
  const made: string[] = [];
  Object.assign(globalThis, { noteUse: (shape: string) => made.push(shape) });
  const counted = await bundled(countedLiterals(text));
  for (const [name, run] of Object.entries(literals))
    expect(counted[name]!(), name).toStrictEqual(run());
  Reflect.deleteProperty(globalThis, "noteUse");
  expect(made.filter((shape) => shape === "x,y")).toHaveLength(2);
  expect(new Set(made)).toEqual(shapes);
});
