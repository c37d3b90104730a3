/**
 * Stands for compiler/shipped-header-texts.ts in the command line tool, whose build writes the texts
 * to a file of their own: as constants of a bundle V8 would copy and hash all of them at every start.
 * The file is ASCII; a line of JSON says where each text lies: name, length, length of its index, in order;
 * last comes what all headers declare.
 * Only what a program includes is read: fresh memory is dear in so short a run.
 */
import { fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

type Row = readonly [name: string, text: number, index: number];

/** Lengths in bytes. */
interface Place {
  readonly start: number;
  readonly text: number;
  readonly index: number;
}

interface Texts {
  readonly file: number;
  readonly places: ReadonlyMap<string, Place>;
  /** Where what all headers declare begins. */
  readonly names: number;
}

/** More than the first line has. */
const DIRECTORY = 1 << 12;

let known: Texts | undefined;

function read(file: number, start: number, length: number): string {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.toString("latin1", 0, readSync(file, bytes, 0, length, start));
}

/** Open until the process ends. */
function texts(): Texts {
  if (known !== undefined) return known;
  const file = openSync(join(import.meta.dirname, "headers.txt"), "r");
  let head = "";
  for (let length = DIRECTORY; !head.includes("\n"); length *= 4) head = read(file, 0, length);
  let start = head.indexOf("\n") + 1;
  const rows: readonly Row[] = JSON.parse(head.slice(0, start));
  const places = new Map<string, Place>();
  for (const [name, text, index] of rows) {
    places.set(name, { start, text, index });
    start += text + index;
  }
  known = { file, places, names: start };
  return known;
}

/** A header by the name that #include uses; undefined where none has it. */
export function headerText(name: string): string | undefined {
  const { file, places } = texts();
  const place = places.get(name);
  return place && read(file, place.start, place.text);
}

/** Its `HeaderIndexData` as JSON. */
export function headerIndexText(name: string): string | undefined {
  const { file, places } = texts();
  const place = places.get(name);
  return place && read(file, place.start + place.text, place.index);
}

/** What all headers declare: the text of a `HeaderNames`. */
export function headerNamesText(): string {
  const { file, names } = texts();
  return read(file, names, fstatSync(file).size - names);
}
