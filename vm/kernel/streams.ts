/** Streams that programs write and user space reads: 1 for output, 2 for errors. */
import type { Program } from "../program.ts";

export type Streams = Readonly<Record<number, number[]>>;

const streams = new WeakMap<Program, Streams>();
/** Bytes that a stream holds; what comes after is lost. */
export const streamCapacity = 100_000;

export function programStreams(program: Program): Streams {
  const known = streams.get(program);
  if (known !== undefined) return known;
  const made: Streams = { 1: [], 2: [] };
  streams.set(program, made);
  return made;
}
