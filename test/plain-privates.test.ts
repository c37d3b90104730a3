/** Classes whose private members the build makes plain do what they did. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { expect, test } from "vitest";
import { plainPrivates } from "../scripts/plain-privates.mjs";
import { run } from "./cases/plain-privates/classes.ts";

const text = readFileSync(join(import.meta.dirname, "cases/plain-privates/classes.ts"), "utf8");

test("no private name is left, and the classes do what they did", async () => {
  const rewritten = plainPrivates(text, "classes.ts");
  expect(rewritten).not.toMatch(/\.#/);
  expect(rewritten).toContain('"#text"');
  const { code } = await transform(rewritten, {
    loader: "ts",
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  });
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  expect(module.run()).toEqual(run());
});

test("classes that extend others have names for themselves", () => {
  const derived = (path: string): string =>
    plainPrivates("class A extends B { #a = 1 }\nclass C extends D { #a = 1 }", path);
  const names = [derived("x.ts"), derived("y.ts")].flatMap((each) => each.match(/p\$\w+/g));
  expect(new Set(names).size).toBe(4);
});

test("a module that has such names of its own is refused", () => {
  expect(() => plainPrivates("class A { #a = 1; p$0 = 2 }", "x.ts")).toThrow("x.ts");
});
