/**
 * What a register may be known to hold. What is said of maps, functions, numbers, the context, and
 * of pointers with an offset is certain whatever the program does; that a pointer without an offset
 * points to the frame, the packet or a map's values is a guess.
 */
import type { Register } from "../../common/isa/instruction.ts";
import type { BpfMap } from "../maps/map.ts";

export type Known =
  | { readonly kind: "map"; readonly map: BpfMap }
  /** An unsigned number of at most 32 bits. */
  | { readonly kind: "scalar"; readonly min: number; readonly max: number }
  /** Offsets from r10 of the `up`-th caller: from `offset` to `offset + span`. */
  | {
      readonly kind: "frame";
      readonly up: number;
      readonly offset: number | undefined;
      readonly span: number;
    }
  /** The address of the function that starts at a slot. */
  | { readonly kind: "function"; readonly slot: number }
  /** Bytes after the context's start. */
  | { readonly kind: "context"; readonly offset: number }
  | { readonly kind: "packet" }
  | {
      readonly kind: "value";
      readonly map: BpfMap;
      /** From the value's start. */
      readonly offset: number | undefined;
      readonly span: number;
      readonly nullable: boolean;
    };

export type KnownPointer = Known & { readonly kind: "frame" | "value" };

/** By register; r10 is not in it. */
export type KnownState = (Known | undefined)[];

export const registerCount = 10;
export const largestWord = 0xffff_ffff;
/** Spans above this are not of use. */
const largestSpan = 1 << 20;

/** What a register holds; r10 is the frame's top. */
export function knownOf(state: KnownState, register: Register): Known | undefined {
  return register === 10 ? { kind: "frame", up: 0, offset: 0, span: 0 } : state[register];
}

export function sameKnown(a: Known | undefined, b: Known | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.kind !== b.kind) return false;
  switch (a.kind) {
    case "map":
      return b.kind === "map" && a.map === b.map;
    case "scalar":
      return b.kind === "scalar" && a.min === b.min && a.max === b.max;
    case "function":
      return b.kind === "function" && a.slot === b.slot;
    case "frame":
      return b.kind === "frame" && a.up === b.up && a.offset === b.offset && a.span === b.span;
    case "value":
      return (
        b.kind === "value" &&
        a.map === b.map &&
        a.offset === b.offset &&
        a.span === b.span &&
        a.nullable === b.nullable
      );
    case "context":
      return b.kind === "context" && a.offset === b.offset;
    case "packet":
      return true;
  }
}

/** Pointers to the same thing with both ranges of offsets. */
function hull(a: KnownPointer, b: KnownPointer): { offset: number | undefined; span: number } {
  if (a.offset === undefined || b.offset === undefined) return { offset: undefined, span: 0 };
  const offset = Math.min(a.offset, b.offset);
  const span = Math.max(a.offset + a.span, b.offset + b.span) - offset;
  return span <= largestSpan ? { offset, span } : { offset: undefined, span: 0 };
}

/** What holds where either does. */
export function joinKnown(a: Known | undefined, b: Known | undefined): Known | undefined {
  if (sameKnown(a, b)) return a;
  if (a === undefined || b === undefined) return undefined;
  if (a.kind === "scalar" && b.kind === "scalar") {
    return { kind: "scalar", min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
  }
  if (a.kind === "frame" && b.kind === "frame" && a.up === b.up) return { ...a, ...hull(a, b) };
  if (a.kind !== "value" || b.kind !== "value" || a.map !== b.map) return undefined;
  return { ...a, ...hull(a, b), nullable: a.nullable || b.nullable };
}

/** What holds where both do; the second is the better one of what cannot be put together. */
export function meetKnown(a: Known | undefined, b: Known | undefined): Known | undefined {
  if (a?.kind !== "scalar" || b?.kind !== "scalar") return b ?? a;
  const [min, max] = [Math.max(a.min, b.min), Math.min(a.max, b.max)];
  return min <= max ? { kind: "scalar", min, max } : a;
}

/** The largest number with as many bits. */
export const allBits = (most: number): number =>
  most > largestWord ? Number.POSITIVE_INFINITY : 2 ** (32 - Math.clz32(most)) - 1;

/** As joinKnown, but wider in few steps, so that loops are done with soon. */
export function widenKnown(old: Known | undefined, next: Known | undefined): Known | undefined {
  const joined = joinKnown(old, next);
  if (sameKnown(old, joined) || joined === undefined || old?.kind !== joined.kind) return joined;
  if (joined.kind === "scalar" && old.kind === "scalar") {
    const min = joined.min < old.min ? 0 : joined.min;
    return { kind: "scalar", min, max: joined.max > old.max ? allBits(joined.max) : joined.max };
  }
  const isMoved = (joined.kind === "frame" || joined.kind === "value") && old.kind === joined.kind;
  const isSame = isMoved && joined.offset === old.offset && joined.span === old.span;
  return isMoved && !isSame ? { ...joined, offset: undefined, span: 0 } : joined;
}

/** A pointer after a number from `from` to `from + span` was added; undefined: any number. */
export function movedKnown(
  pointer: Known | undefined,
  by: { readonly from: number; readonly span: number } | undefined,
): Known | undefined {
  if (pointer?.kind === "packet") return pointer;
  if (pointer?.kind === "context" && by?.span === 0) {
    return { kind: "context", offset: pointer.offset + by.from };
  }
  if (pointer?.kind !== "frame" && pointer?.kind !== "value") return undefined;
  const span = pointer.span + (by?.span ?? 0);
  // A null pointer that moves is no longer recognised as one.
  const isNull = pointer.kind === "value" && pointer.nullable;
  const isKnown =
    pointer.offset !== undefined && by !== undefined && span <= largestSpan && !isNull;
  if (!isKnown) return { ...pointer, offset: undefined, span: 0 };
  return { ...pointer, offset: (pointer.offset ?? 0) + by.from, span };
}
