/**
 * Which registers hold the same value but for a constant, by forward analysis of one subprogram:
 * each definition of a value has a number, each register a value and a distance from it. A place is
 * good for as long as its value's definition does not run again. Needs a reducible graph.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import type { Program } from "../program.ts";
import type { Block } from "./blocks.ts";
import { definedRegisters } from "./defined-registers.ts";
import { type KnownState, knownOf, largestWord, registerCount } from "./known.ts";

export interface Place {
  readonly value: number;
  readonly offset: number;
}

/** By register; r10 is `framePlace`. */
export type PlaceState = Place[];

export const framePlace: Place = { value: -1, offset: 0 };

/** Where an instruction's result lies beside another register's value; undefined: nowhere known. */
function moved(
  insn: Instruction,
  places: PlaceState,
  known: KnownState,
  wraps: boolean,
): Place | undefined {
  if (insn.kind !== "alu") return undefined;
  const { op, width, dst, src } = insn;
  const isWord = (register: number): boolean =>
    width === 64 || knownOf(known, register as typeof dst)?.kind === "scalar";
  if (src.kind === "register") {
    if (op !== "mov" || !isWord(src.register)) return undefined;
    return src.register === 10 ? framePlace : places[src.register];
  }
  if (op !== "add" && op !== "sub") return undefined;
  const by = op === "add" ? src.value : -src.value;
  const place = places[dst];
  if (place === undefined) return undefined;
  if (width === 32) {
    const number = known[dst];
    if (number?.kind !== "scalar") return undefined;
    if (!wraps && (number.min + by < 0 || number.max + by > largestWord)) return undefined;
  }
  return { value: place.value, offset: place.offset + by };
}

export interface PlaceOptions {
  /** What holds at a block's start. */
  readonly known: (block: Block) => KnownState;
  /** Changes what is known as an instruction does. */
  readonly step: (insn: Instruction, state: KnownState) => void;
  /** Whether distances between 32-bit numbers are meant modulo 2^32. */
  readonly wraps: boolean;
}

export class Places {
  readonly #program: Program;
  readonly #options: PlaceOptions;
  readonly #starts: (PlaceState | undefined)[] = [];

  constructor(program: Program, blocks: readonly Block[], options: PlaceOptions) {
    this.#program = program;
    this.#options = options;
    this.#solve(blocks);
  }

  at(block: Block): PlaceState {
    return this.#starts[block.order] ?? [];
  }

  /** The value that comes into being where ways with different ones meet. */
  merged(block: Block, register: number): number {
    return this.valueAt(block, this.#program.insns.length, register);
  }

  /** The value that an instruction defines in a register, unless it moves another one. */
  valueAt(block: Block, slot: number, register: number): number {
    return (block.order * (this.#program.insns.length + 1) + slot) * 16 + register;
  }

  /** Changes the state as an instruction does; `known` is what holds before it. */
  step(insn: Instruction, block: Block, slot: number, state: PlaceState, known: KnownState): void {
    const result = moved(insn, state, known, this.#options.wraps);
    for (const register of definedRegisters(insn)) {
      state[register] = result ?? { value: this.valueAt(block, slot, register), offset: 0 };
    }
  }

  /** After the block's last instruction. */
  #end(block: Block, start: PlaceState): PlaceState {
    const state = [...start];
    const known = [...this.#options.known(block)];
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = this.#program.insns[slot];
      if (insn === undefined) continue;
      this.step(insn, block, slot, state, known);
      this.#options.step(insn, known);
    }
    return state;
  }

  /** The end of the last walk of each block. */
  readonly ends: PlaceState[] = [];

  #solve(blocks: readonly Block[]): void {
    const sources: number[][] = blocks.map(() => []);
    for (const block of blocks) for (const to of block.successors) sources[to]?.push(block.order);
    const isMerged = blocks.map(() => new Array<boolean>(registerCount).fill(false));
    isMerged[0]?.fill(true);
    for (let again = true; again; ) {
      again = false;
      for (const block of blocks) {
        const merged = isMerged[block.order] as boolean[];
        const ends = (sources[block.order] ?? [])
          .map((from) => this.ends[from])
          .filter((end) => end !== undefined);
        const old = this.#starts[block.order];
        const start = merged.map((_, r): Place => {
          const first = ends[0]?.[r];
          const isSame = ends.every(
            (end) => end[r]?.value === first?.value && end[r]?.offset === first?.offset,
          );
          if (!isSame || first === undefined) merged[r] = true;
          return merged[r] || first === undefined
            ? { value: this.merged(block, r), offset: 0 }
            : first;
        });
        const isOld = old?.every(
          (each, r) => each.value === start[r]?.value && each.offset === start[r]?.offset,
        );
        if (isOld) continue;
        again = true;
        this.#starts[block.order] = start;
        this.ends[block.order] = this.#end(block, start);
      }
    }
  }
}
