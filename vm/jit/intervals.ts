/** Bytes that are known to be accessible, around values: which of them may be read, which written. */

/** More are not followed: what is long ago is seldom used again. */
const mostValues = 48;

/** From and to, by start, apart from each other. */
type Ranges = readonly (readonly [from: number, to: number])[];

function withRange(ranges: Ranges, from: number, to: number): Ranges {
  const apart = ranges.filter(([a, b]) => b < from || a > to);
  const near = ranges.filter(([a, b]) => b >= from && a <= to);
  const low = Math.min(from, ...near.map(([a]) => a));
  const high = Math.max(to, ...near.map(([, b]) => b));
  return [...apart, [low, high] as const].sort((x, y) => x[0] - y[0]);
}

function commonRanges(a: Ranges, b: Ranges): Ranges {
  return a.flatMap(([from, to]) =>
    b
      .map(([low, high]) => [Math.max(from, low), Math.min(to, high)] as const)
      .filter(([low, high]) => low < high),
  );
}

const same = (a: Ranges, b: Ranges | undefined): boolean =>
  a.length === b?.length && a.every(([from, to], i) => b[i]?.[0] === from && b[i]?.[1] === to);

export class Intervals {
  readonly #read = new Map<number, Ranges>();
  readonly #written = new Map<number, Ranges>();

  /** What all of them have; nothing where there are none. */
  static common(all: readonly Intervals[]): Intervals {
    const [first, ...rest] = all;
    const result = first?.copy() ?? new Intervals();
    for (const other of rest) {
      for (const [mine, theirs] of [
        [result.#read, other.#read],
        [result.#written, other.#written],
      ] as const) {
        for (const [value, ranges] of mine) {
          const common = commonRanges(ranges, theirs.get(value) ?? []);
          if (common.length === 0) mine.delete(value);
          else mine.set(value, common);
        }
      }
    }
    return result;
  }

  copy(): Intervals {
    const result = new Intervals();
    for (const [value, ranges] of this.#read) result.#read.set(value, ranges);
    for (const [value, ranges] of this.#written) result.#written.set(value, ranges);
    return result;
  }

  equals(other: Intervals): boolean {
    const maps = [
      [this.#read, other.#read],
      [this.#written, other.#written],
    ] as const;
    return maps.every(
      ([a, b]) =>
        a.size === b.size && [...a].every(([value, ranges]) => same(ranges, b.get(value))),
    );
  }

  clear(): void {
    this.#read.clear();
    this.#written.clear();
  }

  /** A value's definition runs again. */
  forget(value: number): void {
    this.#read.delete(value);
    this.#written.delete(value);
  }

  /** What may be written may be read. The value that came first is dropped where there are many. */
  add(value: number, from: number, to: number, write: boolean): void {
    if (this.#read.size >= mostValues && !this.#read.has(value)) {
      const [oldest] = this.#read.keys();
      if (oldest !== undefined) this.forget(oldest);
    }
    this.#read.set(value, withRange(this.#read.get(value) ?? [], from, to));
    if (write) this.#written.set(value, withRange(this.#written.get(value) ?? [], from, to));
  }

  covers(value: number, from: number, to: number, write: boolean): boolean {
    const ranges = (write ? this.#written : this.#read).get(value) ?? [];
    return ranges.some(([a, b]) => a <= from && b >= to);
  }
}
