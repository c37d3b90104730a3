/**
 * Which values are in registers at each point, if no more may be than there are registers: where one more is
 * needed, the one that is read furthest away gives way (Belady's rule, over a graph of blocks as Braun and Hack do
 * it). At the head of a loop stand those that its end leaves there, so that the way back costs nothing.
 * Changes nothing. Needs: blocks in an order where predecessors stand first (back edges aside), no phis.
 */
import type {
  LocatedTerminator,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
  MachineRegister,
} from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { isCopy, visitRegisters } from "../6-select/operands.ts";
import { frequencyAt } from "./flow.ts";
import { type Liveness, operationsOf, predecessorNumbers } from "./intervals.ts";
import { type NextUses, nextUses } from "./next-uses.ts";

/** By block, by its place in the function's list. */
export interface Placement {
  readonly atStart: ReadonlySet<MachineRegister>[];
  readonly atEnd: ReadonlySet<MachineRegister>[];
  /** Values that come back into a register before the instruction with this number. */
  readonly reloads: ReadonlyMap<number, readonly MachineRegister[]>[];
  /** Copies whose source is fetched into the copy's register instead. */
  readonly fetched: ReadonlySet<number>[];
}

/** How near a read is for which a value had better stay in a register of its own. */
const soon = 8;

/** The first round knows nothing of the ends of loops, the second little of those of outer ones. */
const rounds = 3;

type Operation = MachineInstruction | LocatedTerminator;

export function placeValues(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
  limits: Uint8Array,
): Placement {
  return new Placer(fn, liveness, depths, limits).run();
}

/** How many registers each position leaves to virtual ones. */
export function registerLimits(liveness: Liveness, usable: readonly number[]): Uint8Array {
  const limits = new Uint8Array(liveness.length + 2).fill(usable.length);
  for (const register of usable) {
    const segments = liveness.segments[register] ?? [];
    for (let at = 0; at < segments.length; at += 2) {
      for (let position = segments[at] ?? 0; position < (segments[at + 1] ?? 0); position += 1)
        limits[position] = (limits[position] ?? 1) - 1;
    }
  }
  return limits;
}

class Placer {
  readonly #fn: MachineFunction;
  readonly #limits: Uint8Array;
  readonly #uses: NextUses;
  readonly #preds: readonly (readonly number[])[];
  readonly #frequencies: readonly number[];
  readonly #starts: number[] = [];
  readonly #result: Placement;
  /** By block: values that came in for nothing, as they gave way before they were read. */
  readonly #useless: Set<MachineRegister>[] = [];

  constructor(
    fn: MachineFunction,
    liveness: Liveness,
    depths: ReadonlyMap<MachineBlock, number>,
    limits: Uint8Array,
  ) {
    this.#fn = fn;
    this.#limits = limits;
    this.#uses = nextUses(fn, liveness, depths);
    this.#preds = predecessorNumbers(fn);
    this.#frequencies = fn.blocks.map((block) => frequencyAt(depths.get(block)));
    let position = 0;
    for (const { instructions } of fn.blocks) {
      this.#starts.push(position);
      position += 2 * (instructions.length + 1);
    }
    this.#result = { atStart: [], atEnd: [], reloads: [], fetched: [] };
  }

  run(): Placement {
    for (let round = 0; round < rounds; round += 1) {
      this.#fn.blocks.forEach((block, at) => {
        const atStart = this.#entry(at);
        this.#result.atStart[at] = new Set(atStart);
        this.#walk(block, at, atStart);
      });
    }
    return this.#result;
  }

  /** What most ways into a block bring, or at first into a loop what is read soonest. */
  #entry(at: number): Set<MachineRegister> {
    const limit = this.#limits[this.#starts[at] ?? 0] ?? 0;
    const preds = this.#preds[at] ?? [];
    const latches = preds.filter((pred) => pred >= at);
    const known = latches.length > 0 && latches.every((pred) => this.#result.atEnd[pred]);
    const isNewLoop = latches.length > 0 && !known;
    const here = [...(this.#uses.atStart[at] ?? [])];
    const wanted = here.filter(([register]) => {
      if (this.#useless[at]?.has(register)) return false;
      if (isNewLoop) return true;
      const brings = (pred: number): boolean => this.#result.atEnd[pred]?.has(register) === true;
      const of = latches.length > 0 ? latches : preds;
      const weigh = (which: readonly number[]): number =>
        which.reduce((sum, pred) => sum + (this.#frequencies[pred] ?? 0), 0);
      return 2 * weigh(of.filter(brings)) >= weigh(of) && of.length > 0;
    });
    const chosen = wanted.sort((a, b) => a[1] - b[1] || a[0] - b[0]).slice(0, limit);
    return new Set(chosen.map(([register]) => register));
  }

  #walk(block: MachineBlock, at: number, held: Set<MachineRegister>): void {
    const start = this.#starts[at] ?? 0;
    const distances = new Distances(block, (register) => this.#uses.atEnd(at, register));
    const reloads = new Map<number, readonly MachineRegister[]>();
    const fetched = new Set<number>();
    const limit = (position: number): number => this.#limits[start + position] ?? 0;
    const untouched = new Set(held);
    operationsOf(block).forEach((op, index) => {
      const { used, written } = mentioned(op);
      const missing = used.filter((register) => !held.has(register));
      for (const register of used) untouched.delete(register);
      distances.moveTo(index + 1);
      if (missing.length > 0 && isFetch(op, missing, distances)) fetched.add(index);
      else if (missing.length > 0) {
        reloads.set(index, missing);
        for (const register of missing) held.add(register);
      }
      distances.evict(held, limit(2 * index), used);
      distances.dropUnread(held, used);
      for (const register of written) held.add(register);
      distances.evict(held, limit(2 * index + 1), written);
      distances.dropUnread(held, written);
    });
    this.#useless[at] ??= new Set();
    for (const register of untouched) if (!held.has(register)) this.#useless[at]?.add(register);
    this.#result.atEnd[at] = held;
    this.#result.reloads[at] = reloads;
    this.#result.fetched[at] = fetched;
  }
}

/** A copy of a value that nobody reads soon fetches it into its own register. */
function isFetch(
  op: Operation,
  missing: readonly MachineRegister[],
  distances: Distances,
): op is MachineInstruction {
  const [register] = missing;
  if (op.kind !== "alu" || !isCopy(op) || register === undefined) return false;
  return distances.of(register) > soon;
}

/** How far away values are read next, walking down a block. */
class Distances {
  /** By register the instructions that mention it: n reads (and may write), -1 - n writes alone. */
  readonly #mentions = new Map<MachineRegister, { readonly list: number[]; next: number }>();
  readonly #end: number;
  readonly #behind: (register: MachineRegister) => number;
  #at = 0;

  constructor(block: MachineBlock, behind: (register: MachineRegister) => number) {
    this.#end = block.instructions.length + 1;
    this.#behind = behind;
    operationsOf(block).forEach((op, index) => {
      const { used, written } = mentioned(op);
      for (const register of used) this.#note(register, index);
      for (const register of written)
        if (!used.includes(register)) this.#note(register, -1 - index);
    });
  }

  #note(register: MachineRegister, mention: number): void {
    const known = this.#mentions.get(register);
    if (known === undefined) this.#mentions.set(register, { list: [mention], next: 0 });
    else known.list.push(mention);
  }

  moveTo(index: number): void {
    this.#at = index;
  }

  of(register: MachineRegister): number {
    const known = this.#mentions.get(register);
    if (known === undefined) return this.#end + this.#behind(register);
    for (; known.next < known.list.length; known.next += 1) {
      const mention = known.list[known.next] as number;
      if (mention >= this.#at) return mention;
      if (mention < 0 && -1 - mention >= this.#at) return Number.POSITIVE_INFINITY;
    }
    return this.#end + this.#behind(register);
  }

  /** Those that are read furthest away go until no more are left than `limit`. */
  evict(held: Set<MachineRegister>, limit: number, kept: readonly MachineRegister[]): void {
    while (held.size > limit) {
      let furthest: MachineRegister | undefined;
      let longest = -1;
      for (const register of held) {
        const length = kept.includes(register) ? -1 : this.of(register);
        if (length > longest) [furthest, longest] = [register, length];
      }
      if (furthest === undefined) return;
      held.delete(furthest);
    }
  }

  dropUnread(held: Set<MachineRegister>, registers: readonly MachineRegister[]): void {
    for (const register of registers)
      if (this.of(register) === Number.POSITIVE_INFINITY) held.delete(register);
  }
}

/** Virtual registers that an instruction reads, and writes. */
function mentioned(op: Operation): { used: MachineRegister[]; written: MachineRegister[] } {
  const used: MachineRegister[] = [];
  const written: MachineRegister[] = [];
  const add = (list: MachineRegister[], register: MachineRegister): void => {
    if (isVirtual(register) && !list.includes(register)) list.push(register);
  };
  visitRegisters(op, {
    use: (register) => add(used, register),
    def: (register) => add(written, register),
    clobber: (register) => add(written, register),
  });
  return { used, written };
}
