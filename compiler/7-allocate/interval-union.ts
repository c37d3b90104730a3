/**
 * Live intervals that grow by taking in others, for coalescing: the values of one variable of the
 * source are thousands of short intervals in a large function. An interval lies in chunks of bounded
 * size, and of two that are joined the smaller one's segments move, so that joining n segments one
 * by one costs n log n steps instead of n².
 */
import type { Segments } from "./intervals.ts";

/** Numbers in a chunk, two per segment; a full one is halved. */
const largestChunk = 256;

export class IntervalUnion {
  /** Ascending, none of them empty. */
  readonly #chunks: Segments[] = [];
  #size = 0;

  constructor(segments: Segments) {
    for (let at = 0; at < segments.length; at += largestChunk / 2)
      this.#chunks.push(segments.slice(at, at + largestChunk / 2));
    this.#size = segments.length;
  }

  /** Numbers in all. */
  get size(): number {
    return this.#size;
  }

  /** Do the intervals have a position in common? Costs as much as the smaller one is long. */
  overlaps(other: IntervalUnion): boolean {
    const [small, large] = other.#size <= this.#size ? [other, this] : [this, other];
    for (const chunk of small.#chunks) {
      for (let at = 0; at < chunk.length; at += 2)
        if (large.#covers(chunk[at] as number, chunk[at + 1] as number)) return true;
    }
    return false;
  }

  /** The union of two intervals that do not overlap. Neither of them is to be used again. */
  join(other: IntervalUnion): IntervalUnion {
    const [small, large] = other.#size <= this.#size ? [other, this] : [this, other];
    for (const chunk of small.#chunks) {
      for (let at = 0; at < chunk.length; at += 2)
        large.#add(chunk[at] as number, chunk[at + 1] as number);
    }
    return large;
  }

  /** Whether any position of [start, end) belongs to the interval. */
  #covers(start: number, end: number): boolean {
    const index = this.#chunkOf(start);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const at = firstBehind(chunk, start);
    // The segment in front may reach to here, the one behind may begin before the end.
    if (at > 0 && (chunk[at - 1] as number) > start) return true;
    const next = chunk[at] ?? this.#chunks[index + 1]?.[0];
    return next !== undefined && next < end;
  }

  /** Segments that touch become one. */
  #add(start: number, end: number): void {
    const index = this.#chunkOf(start);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([start, end]);
      this.#size += 2;
      return;
    }
    const at = firstBehind(chunk, start);
    const joinsBefore = at > 0 && chunk[at - 1] === start;
    const joinsAfter = chunk[at] === end;
    if (joinsBefore && joinsAfter) chunk.splice(at - 1, 2);
    else if (joinsBefore) chunk[at - 1] = end;
    else if (joinsAfter) chunk[at] = start;
    else chunk.splice(at, 0, start, end);
    this.#size += joinsBefore && joinsAfter ? -2 : joinsBefore || joinsAfter ? 0 : 2;
    if (chunk.length > largestChunk)
      this.#chunks.splice(index + 1, 0, chunk.splice(largestChunk / 2));
  }

  /** The last chunk that begins at or before a position, else the first. */
  #chunkOf(position: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.[0] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Index of the first segment that starts behind a position. */
function firstBehind(segments: Segments, position: number): number {
  let low = 0;
  let high = segments.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[2 * middle] as number) <= position) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}
