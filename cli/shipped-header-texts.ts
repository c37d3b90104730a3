/**
 * Stands for compiler/shipped-header-texts.ts in the command line tool, whose build writes the texts
 * to a file of their own: as constants of a bundle V8 would copy and hash all of them at every start.
 * The file is ASCII; a line of JSON says where each text lies: name, length, length of its index, in order.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type Row = readonly [name: string, text: number, index: number];

interface Place {
  readonly start: number;
  readonly end: number;
  readonly indexEnd: number;
}

interface Texts {
  readonly bytes: Buffer;
  readonly places: ReadonlyMap<string, Place>;
}

let known: Texts | undefined;

function texts(): Texts {
  if (known !== undefined) return known;
  const bytes = readFileSync(join(import.meta.dirname, "headers.txt"));
  let start = bytes.indexOf("\n") + 1;
  const rows: readonly Row[] = JSON.parse(bytes.toString("latin1", 0, start));
  const places = new Map<string, Place>();
  for (const [name, text, index] of rows) {
    const end = start + text;
    places.set(name, { start, end, indexEnd: end + index });
    start = end + index;
  }
  known = { bytes, places };
  return known;
}

/** A header by the name that #include uses; undefined where none has it. */
export function headerText(name: string): string | undefined {
  const { bytes, places } = texts();
  const place = places.get(name);
  return place && bytes.toString("latin1", place.start, place.end);
}

/** Its `HeaderIndex` as JSON. */
export function headerIndexText(name: string): string | undefined {
  const { bytes, places } = texts();
  const place = places.get(name);
  return place && bytes.toString("latin1", place.end, place.indexEnd);
}
