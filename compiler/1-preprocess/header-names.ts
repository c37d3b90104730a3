/**
 * What the headers that ship with us declare, by name, in one table for all of them. It stays text, of
 * which a compilation looks at the few lines that it needs: as objects, made for each header that is
 * included, the names took as long to read as the headers.
 *
 * First {@link WIDTH} digits a bucket, where its lines begin behind these; then lines `name place place …`.
 * A place is two numbers: the header's, and `declaration * 4 + kind`.
 */

const BUCKETS = 256;
const WIDTH = 4;
const RADIX = 36;
const FIRST = BUCKETS * WIDTH;

/** Four characters tell names apart that begin alike. */
function bucketOf(name: string): number {
  const { length } = name;
  const last = name.charCodeAt(length - 1);
  const middle = name.charCodeAt(length >> 1);
  const behind = name.charCodeAt((length * 3) >> 2);
  return (last + middle * 9 + behind * 37 + length * 101) & (BUCKETS - 1);
}

/** The table's text. */
export function encodeHeaderNames(places: ReadonlyMap<string, readonly number[]>): string {
  const buckets = Array.from({ length: BUCKETS }, () => "\n");
  for (const [name, numbers] of places) buckets[bucketOf(name)] += `${name} ${numbers.join(" ")}\n`;
  let start = FIRST;
  const starts = buckets.map((lines) => {
    const digits = start.toString(RADIX).padStart(WIDTH, "0");
    start += lines.length;
    return digits;
  });
  return [...starts, ...buckets].join("");
}

export class HeaderNames {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The places of a name; undefined where no header declares it. */
  find(name: string): readonly number[] | undefined {
    const bucket = bucketOf(name) * WIDTH;
    const text = this.#text;
    const start = Number.parseInt(text.slice(bucket, bucket + WIDTH), RADIX);
    const next = Number.parseInt(text.slice(bucket + WIDTH, bucket + 2 * WIDTH), RADIX);
    const lines = bucket + WIDTH < FIRST ? text.slice(start, next) : text.slice(start);
    const found = lines.indexOf(`\n${name} `);
    if (found < 0) return undefined;
    const numbers = found + name.length + 2;
    return lines.slice(numbers, lines.indexOf("\n", numbers)).split(" ").map(Number);
  }

  /** Every name. */
  all(): readonly string[] {
    const lines = this.#text.slice(FIRST).split("\n");
    return lines.filter((line) => line !== "").map((line) => line.slice(0, line.indexOf(" ")));
  }
}
