/**
 * Into which parts an object on the stack is divided, by the bytes that its accesses touch: what some load or
 * store spans stays together, what only copies and fills touch is divided into words.
 */
import type { IrInstruction } from "../4-lower/ir.ts";
import type { InstructionOf } from "./values.ts";

export type Alloca = InstructionOf<"alloca">;

/** One access to bytes `start` … `end` of an object. */
export interface Slice {
  readonly user: IrInstruction;
  readonly start: number;
  readonly end: number;
  readonly kind: "load" | "store" | "fill" | "copy_to" | "copy_from";
}

/** Bytes that belong together because some load or store spans them. */
export interface Part {
  readonly start: number;
  end: number;
  /** Some load or store lies here; otherwise only copies and fills do. */
  hasScalar: boolean;
  slices: Slice[];
}

export const isScalarSlice = (slice: Slice): boolean =>
  slice.kind === "load" || slice.kind === "store";

/** Divides the object; undefined if that would bring nothing. */
export function partsOf(
  slices: readonly Slice[],
  alloca: Alloca,
  useWords: boolean,
): Part[] | undefined {
  const own = slices.filter((slice) => slice.end > slice.start);
  // A copy within one object stays in memory.
  if (new Set(own.map(({ user }) => user)).size < own.length) return undefined;
  const parts: Part[] = [];
  const byStart = (a: Slice, b: Slice): number => a.start - b.start;
  for (const slice of own.filter(isScalarSlice).sort(byStart)) {
    const last = parts.at(-1);
    if (last !== undefined && slice.start < last.end) last.end = Math.max(last.end, slice.end);
    else parts.push({ start: slice.start, end: slice.end, hasScalar: true, slices: [] });
  }
  const divided = fillGaps(parts, own, alloca, useWords);
  if (divided === undefined) return undefined;
  const all = joinCopied(divided);
  const [only] = all;
  const isWhole = all.length === 1 && only?.start === 0 && only.end === alloca.operation.size;
  if (!isWhole) return all;
  // One part that is the object: worth it only if mixed accesses become whole ones.
  const isSettled = own.every((slice) => isScalarSlice(slice) && sliceCovers(slice, only));
  return isValueSize(only) && !isSettled ? all : undefined;
}

/** Narrow parts side by side of which each would be a value that is loaded for itself. */
const mostCopied = 12;

/**
 * What is copied in and only read in narrow pieces stays in memory where these are many: each would be
 * loaded at the copy and kept for its use.
 */
function joinCopied(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  let run: Part[] = [];
  const close = (): void => {
    const [first] = run;
    if (first === undefined || run.length <= mostCopied) result.push(...run);
    else {
      const slices = [...new Set(run.flatMap((part) => part.slices))];
      result.push({ ...first, end: (run.at(-1) as Part).end, slices });
    }
    run = [];
  };
  for (const part of parts) {
    const isNext = run.length === 0 || run.at(-1)?.end === part.start;
    if (!isNext || !isCopiedAndRead(part)) close();
    if (isCopiedAndRead(part)) run.push(part);
    else result.push(part);
  }
  close();
  return result;
}

function isCopiedAndRead(part: Part): boolean {
  const kinds = new Set(part.slices.map(({ kind }) => kind));
  return (
    part.end - part.start <= 2 && kinds.has("copy_to") && kinds.has("load") && !kinds.has("store")
  );
}

export const sliceCovers = (slice: Slice, part: Part): boolean =>
  slice.start <= part.start && slice.end >= part.end;

const isValueSize = (part: Part): boolean => part.end - part.start <= 8;

/** Bytes that only copies and fills touch become parts of their own; each part learns its slices. */
function fillGaps(
  scalars: readonly Part[],
  slices: readonly Slice[],
  alloca: Alloca,
  useWords: boolean,
): Part[] | undefined {
  const covered = coveredGaps(
    scalars,
    slices.filter((slice) => !isScalarSlice(slice)),
  );
  const gaps = covered.flatMap((gap) =>
    useWords || gap.end - gap.start <= 8 ? wordsOf(gap, alloca.operation.align) : [gap],
  );
  const parts = [...scalars, ...gaps].sort((a, b) => a.start - b.start);
  for (const slice of slices) {
    let low = 0;
    let high = parts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((parts[middle] as Part).end <= slice.start) low = middle + 1;
      else high = middle;
    }
    for (; low < parts.length && (parts[low] as Part).start < slice.end; low += 1) {
      (parts[low] as Part).slices.push(slice);
    }
  }
  return parts.length <= 128 ? parts : undefined;
}

function coveredGaps(scalars: readonly Part[], aggregates: readonly Slice[]): Part[] {
  const edges = new Set<number>();
  for (const { start, end } of [...aggregates, ...scalars]) edges.add(start).add(end);
  const points = [...edges].sort((a, b) => a - b);
  const gaps: Part[] = [];
  for (let at = 0; at + 1 < points.length; at += 1) {
    const start = points[at] as number;
    const end = points[at + 1] as number;
    if (scalars.some((part) => part.start < end && start < part.end)) continue;
    if (!aggregates.some((slice) => slice.start <= start && end <= slice.end)) continue;
    gaps.push({ start, end, hasScalar: false, slices: [] });
  }
  return gaps;
}

function wordsOf(gap: Part, align: number): Part[] {
  if (gap.end - gap.start > 128) return [gap];
  return chunks(gap.start, gap.end, Math.min(align, 8)).map(({ start, size }) => ({
    start,
    end: start + size,
    hasScalar: false,
    slices: [],
  }));
}

/** Powers of two from `start` to `end`, each aligned within the object and at most `widest`. */
export function chunks(
  start: number,
  end: number,
  widest: number,
): { start: number; size: number }[] {
  const result: { start: number; size: number }[] = [];
  for (let at = start; at < end; ) {
    let size = widest;
    while (size > 1 && (at % size !== 0 || at + size > end)) size /= 2;
    result.push({ start: at, size });
    at += size;
  }
  return result;
}
