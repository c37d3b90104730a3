/** Every helper of the table is served, or listed with what it gives instead; the list is published. */
import { expect, test } from "vitest";
import { allHelpers } from "../common/platform/helpers.ts";
import { errno } from "../vm/errno.ts";
import { notServed } from "../vm/helpers/not-served.ts";
import { servedHelpers } from "../vm/helpers/table.ts";
import { expectGolden } from "./support/golden.ts";

test("every helper is served or listed, not both", () => {
  const names = allHelpers().map(({ name }) => name);
  const isServed = (name: string): boolean => name in servedHelpers;
  expect(names.filter((name) => !isServed(name) && !(name in notServed))).toEqual([]);
  expect(Object.keys(notServed).filter((n) => isServed(n) || !names.includes(n))).toEqual([]);
  expect(Object.keys(notServed).length).toBeLessThan(40);
});

test("the list is published", () => {
  const rows = Object.entries(notServed).map(
    ([name, row]) => `| \`${name}\` | -${row.errno} (${-errno[row.errno]}) | ${row.reason} |`,
  );
  const text = [
    "# Helpers that the simulated kernel does not serve",
    "",
    `Of ${allHelpers().length} helpers these ${rows.length} give an error instead, and the kernel notes`,
    "it once (`Kernel.notices`). Made from `vm/helpers/not-served.ts`.",
    "",
    "| helper | gives | why |",
    "|---|---|---|",
    ...rows,
  ];
  expectGolden(`${text.join("\n")}\n`, "docs/helpers-not-served.md");
});
