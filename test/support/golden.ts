/**
 * Golden files: the expected text of a case lives beside its input. `BLESS=1` rewrites it; a
 * difference is reported with the file's name and that command; an expected file without an input
 * fails, so that stale expectations do not pile up.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";

const bless = process.env["BLESS"] === "1";
const root = join(import.meta.dirname, "../..");

/** Compares with the file; relative paths count from the project's root. */
export function expectGolden(actual: string, file: string): void {
  const path = join(root, file);
  const text = actual.endsWith("\n") || actual === "" ? actual : `${actual}\n`;
  if (bless) {
    writeFileSync(path, text);
    return;
  }
  const cure = `If the new output is right: BLESS=1 npm test`;
  if (!existsSync(path)) throw new Error(`${file} is missing. ${cure}`);
  expect(text, `${file} differs. ${cure}`).toBe(readFileSync(path, "utf8"));
}

export interface GoldenSuite {
  /** Folder of the cases, from the project's root. */
  readonly folder: string;
  /** Extension of the inputs, with its dot. */
  readonly input: string;
  /** Extension of the expected texts, with its dot. */
  readonly expected: string;
  /** Makes the text that is compared. */
  readonly run: (text: string, name: string, file: string) => string | Promise<string>;
}

/** One test per input file of the folder, and one that every expected file has an input. */
export function goldenSuite(suite: GoldenSuite): void {
  const names = readdirSync(join(root, suite.folder)).sort();
  const inputs = names.filter((n) => n.endsWith(suite.input) && !n.endsWith(suite.expected));
  for (const input of inputs) {
    const name = basename(input, suite.input);
    const file = join(suite.folder, input);
    test(`${suite.folder}/${name}`, async () => {
      const actual = await suite.run(readFileSync(join(root, file), "utf8"), name, file);
      expectGolden(actual, join(suite.folder, name + suite.expected));
    });
  }
  test(`${suite.folder} has inputs, and an input for every ${suite.expected}`, () => {
    expect(inputs.length).toBeGreaterThan(0);
    const known = new Set(inputs.map((n) => basename(n, suite.input) + suite.expected));
    const stale = names.filter((n) => n.endsWith(suite.expected) && !known.has(n));
    expect(stale).toEqual([]);
  });
}
