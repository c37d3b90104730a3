/** The values of `-std=`. */
import type { LanguageStandard } from "../../compiler/1-preprocess/predefined.ts";

const standards: Readonly<Record<string, LanguageStandard>> = {
  "iso9899:1990": "c89",
  "iso9899:1999": "c99",
  "iso9899:2011": "c11",
  "iso9899:2017": "c17",
  "iso9899:2018": "c17",
  c9x: "c99",
  gnu9x: "gnu99",
  c2x: "c23",
  c2y: "c23",
  gnu2y: "gnu23",
  gnu2x: "gnu23",
  c18: "c17",
  gnu18: "gnu17",
  c1x: "c11",
  gnu1x: "gnu11",
  c90: "c89",
  gnu90: "gnu89",
};
const knownStandards = [
  "c89",
  "c99",
  "c11",
  "c17",
  "c23",
  "gnu89",
  "gnu99",
  "gnu11",
  "gnu17",
  "gnu23",
] as const;

/** The standard of that name or other name; undefined for none. */
export function standardOf(name: string): LanguageStandard | undefined {
  return Object.hasOwn(standards, name)
    ? standards[name]
    : knownStandards.find((known) => known === name);
}
