/** A bundle that the build splits does what it did, and loads only what is touched. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { expect, test } from "vitest";
import { splitter } from "../scripts/split-bundle.mjs";

const text = readFileSync(join(import.meta.dirname, "cases/split-bundle/bundle.js"), "utf8");
const names = ["table", "cold", "class", "far", "toggle", "plain"] as const;
type Run = (name: string) => unknown;

/** Runs the text of a module; `load` gives modules beside it. */
function evaluated(source: string, load: (name: string) => unknown): Record<string, unknown> {
  const module = { exports: {} };
  const require = (name: string): unknown =>
    name.startsWith("./") ? load(name) : createRequire(import.meta.url)(name);
  runInThisContext(`(function (module, require) {${source}\n})`)(module, require);
  return module.exports;
}

const none = (name: string): never => {
  throw new Error(`${name} is not there`);
};
const original = (): Run => evaluated(text, none)["run"] as Run;

const { instrumented, split } = splitter(text, (module) => module.replace(/\/.*/, ""));

/** What running one case touches of the definitions. */
function touchedBy(name: string): Set<string> {
  const touched = new Set<string>();
  Object.assign(globalThis, { noteUse: (each: string) => touched.add(each) });
  const result = (evaluated(instrumented, none)["run"] as Run)(name);
  Reflect.deleteProperty(globalThis, "noteUse");
  expect(plain(result)).toEqual(plain(original()(name)));
  return touched;
}

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (each instanceof RegExp ? String(each) : each));

/** The split bundle's `run`, and the parts that it loaded so far. */
function splitBy(touched: ReadonlySet<string>): { run: Run; loaded: string[] } {
  const { main, parts } = split(touched);
  const loaded: string[] = [];
  const load = (name: string): unknown => {
    const part = name.slice(2, -3);
    loaded.push(part);
    return evaluated(parts[part]!, load).valueOf();
  };
  return { run: evaluated(main, load)["run"] as Run, loaded };
}

test.each(names)("what %s touches stays, and nothing is loaded for it", (name) => {
  const { run, loaded } = splitBy(touchedBy(name));
  expect(plain(run(name))).toBe(plain(original()(name)));
  expect(loaded).toEqual([]);
});

test.each(names)("split for another case it does what it did for %s", (name) => {
  for (const other of names) {
    const { run, loaded } = splitBy(touchedBy(other));
    expect(plain([run(name), run(name)])).toBe(
      plain(((each) => [each(name), each(name)])(original())),
    );
    // Each part is loaded once.
    expect(new Set(loaded).size).toBe(loaded.length);
  }
});

test("a definition that uses a variable before it has a value does not move", () => {
  expect(split(touchedBy("plain")).main).toMatch(/var known\b/);
});

test("definitions move with their modules, but none that changes, is made by a call or is needed at once", () => {
  const { main, parts } = split(touchedBy("plain"));
  expect(Object.keys(parts).sort()).toEqual(["other", "src"]);
  for (const moved of ["fourth", "far", "cold", "pattern"])
    expect(main).not.toMatch(new RegExp(`(var|function) ${moved}\\b`));
  // `counted` and `toggle` change variables, `made` and `once` are results, and `made` needs the classes.
  for (const kept of ["counted", "toggle", "made", "once", "Derived", "Base", "first", "run"])
    expect(main).toMatch(new RegExp(`(var|function) ${kept}\\b`));
  expect(parts["other"]).toMatch(/function far\b/);
  expect(parts["src"]).toMatch(/var cold\b/);
});

test("a name that is defined again within a function is refused, for it could be taken for the outer one", () => {
  expect(() => splitter("function a() { let b = 1; return b; }\nvar b = 2;", String)).toThrow(
    "two of b",
  );
});
