/**
 * What counted loops can reach. Where a register is a constant further after each round, and some
 * number bounds the rounds, its range at the loop's start follows, for pointers too. A number bounds
 * them if it moves as well and its range is known, or if each way back asks whether it is not yet a
 * constant that it must hit.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import type { Program } from "../program.ts";
import type { Block } from "./blocks.ts";
import { joinKnown, type Known, type KnownState, largestWord, registerCount } from "./known.ts";
import { Places } from "./places.ts";

interface Edge {
  readonly from: Block;
  /** Which of that block's successors. */
  readonly index: number;
  /** What holds on it. */
  readonly state: KnownState;
}

export interface LoopQuestion {
  readonly program: Program;
  readonly blocks: readonly Block[];
  /** Bounds that were found before, by the order of the loop's first block. */
  readonly known: ReadonlyMap<number, KnownState>;
  readonly edges: (block: Block) => readonly Edge[];
  readonly start: (block: Block) => KnownState;
  readonly step: (insn: Instruction, state: KnownState) => void;
}

/** How far each register moves in a round; undefined where that differs or is not known. */
function steps(header: Block, back: readonly Edge[], places: Places): (number | undefined)[] {
  return Array.from({ length: registerCount }, (_, r) => {
    const value = places.merged(header, r);
    const ends = back.map(({ from }) => places.ends[from.order]?.[r]);
    const first = ends[0];
    const isMoved = ends.every((end) => end?.value === value && end.offset === first?.offset);
    return isMoved ? first?.offset : undefined;
  });
}

/** The most rounds before the last, as every way back asks whether a number is not yet a constant. */
function roundsUntil(
  header: Block,
  register: number,
  step: number,
  from: Known & { readonly kind: "scalar" },
  back: readonly Edge[],
  { places, program }: { readonly places: Places; readonly program: Program },
): number | undefined {
  if (from.min !== from.max && Math.abs(step) !== 1) return undefined;
  let most: number | undefined;
  for (const { from: block, index, state } of back) {
    const insn = program.insns[block.end - 1];
    if (insn?.kind !== "branch" || insn.src.kind !== "immediate") return undefined;
    if (insn.op !== (index === 0 ? "ne" : "eq") || block.successors.length !== 2) return undefined;
    const end = places.ends[block.order]?.[insn.dst];
    const isIt = end?.value === places.merged(header, register) && end.offset === step;
    const isExact = insn.dst === register || state[insn.dst]?.kind === "scalar";
    const to = insn.src.value;
    // It must come to the constant before it wraps around.
    const isAhead = step > 0 ? to > from.max : to >= 0 && to < from.min;
    const distance = Math.abs(to - (step > 0 ? from.min : from.max));
    if (!isIt || !isExact || !isAhead || distance % step !== 0) return undefined;
    const rounds = distance / Math.abs(step) - 1;
    if (most !== undefined && most !== rounds) return undefined;
    most = rounds;
  }
  return most;
}

/** The most rounds before the last, as a number that moves stays within a range. */
function roundsWithin(
  step: number,
  from: Known & { readonly kind: "scalar" },
  now: Known | undefined,
): number | undefined {
  if (now?.kind !== "scalar") return undefined;
  const wraps = step > 0 ? now.max + step > largestWord : now.max > largestWord + step;
  if (wraps) return undefined;
  const reach = step > 0 ? now.max - from.min : from.max - now.min;
  return Math.max(0, Math.floor(reach / Math.abs(step)));
}

/** The pointer or number after up to `rounds` moves by `step`. */
function spread(known: Known | undefined, step: number, rounds: number): Known | undefined {
  const reach = step * rounds;
  if (known?.kind === "scalar") {
    const [min, max] = [known.min + Math.min(0, reach), known.max + Math.max(0, reach)];
    return min >= 0 && max <= largestWord ? { kind: "scalar", min, max } : undefined;
  }
  if ((known?.kind !== "frame" && known?.kind !== "value") || known.offset === undefined) {
    return undefined;
  }
  if (known.kind === "value" && known.nullable) return undefined;
  return {
    ...known,
    offset: known.offset + Math.min(0, reach),
    span: known.span + Math.abs(reach),
  };
}

/** Bounds at the start of loops, by the order of their first block; they hold in every round. */
export function loopBounds(question: LoopQuestion): ReadonlyMap<number, KnownState> {
  const { program, blocks } = question;
  const places = new Places(program, blocks, {
    known: question.start,
    step: question.step,
    wraps: true,
  });
  const found = new Map(question.known);
  for (const header of blocks) {
    if (!header.isLoop) continue;
    const edges = question.edges(header);
    const back = edges.filter(({ from }) => from.order >= header.order);
    const entering = edges.filter(({ from }) => from.order < header.order);
    if (entering.length === 0) continue;
    const moves = steps(header, back, places);
    const start = question.start(header);
    const before = (r: number): Known | undefined =>
      entering
        .slice(1)
        .reduce((known, { state }) => joinKnown(known, state[r]), entering[0]?.state[r]);
    let rounds = Number.POSITIVE_INFINITY;
    for (const [r, step] of moves.entries()) {
      const from = before(r);
      if (step === undefined || step === 0 || from?.kind !== "scalar") continue;
      const within = roundsWithin(step, from, start[r]);
      const until = roundsUntil(header, r, step, from, back, { places, program });
      rounds = Math.min(rounds, within ?? rounds, until ?? rounds);
    }
    if (!Number.isFinite(rounds)) continue;
    const bounds: KnownState = [...(question.known.get(header.order) ?? [])];
    for (const [r, step] of moves.entries()) {
      if (step === undefined || step === 0) continue;
      const known = spread(before(r), step, rounds);
      if (known !== undefined) bounds[r] = known;
    }
    found.set(header.order, bounds);
  }
  return found;
}
