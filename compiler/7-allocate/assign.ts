/**
 * Gives each interval one of r0–r9. Long intervals first; one that finds no free register may throw
 * out cheaper ones, which queue again; what still finds none is reported to be spilled. Each
 * physical register has an array that says who owns it at each position, so that a test costs as
 * much as the interval is long.
 */
import type { MachineBlock, MachineFunction, MachineRegister } from "../6-select/machine.ts";
import { firstVirtual, isVirtual } from "../6-select/machine.ts";
import { isCopy, visitRegisters } from "../6-select/operands.ts";
import { frequencyAt } from "./flow.ts";
import { type Liveness, operationsOf, type Segments, segmentsSize } from "./intervals.ts";

/** Caller-saved registers first: values that live across calls cannot have them. r0 late: return values want it. */
const order: readonly MachineRegister[] = [1, 2, 3, 4, 5, 0, 6, 7, 8, 9];
const fixedOwner = -1;

interface Interval {
  readonly register: MachineRegister;
  readonly segments: Segments;
  readonly size: number;
  readonly weight: number;
  /** Physical registers that would save a move, with how much. */
  readonly hints: Map<MachineRegister, number>;
  /** Other intervals it is copied from or to. */
  readonly friends: MachineRegister[];
}

export interface Assignment {
  readonly colors: ReadonlyMap<MachineRegister, MachineRegister>;
  /** Intervals without a register. */
  readonly spilled: readonly MachineRegister[];
}

/**
 * @param unspillable intervals that are as short as can be: they must get a register
 * @param cheap registers whose value can be made again
 */
export function assignRegisters(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
  unspillable: ReadonlySet<MachineRegister>,
  cheap: ReadonlyMap<MachineRegister, unknown>,
): Assignment {
  const intervals = buildIntervals(fn, liveness, depths, unspillable, cheap);
  const owners = order.map(() => new Int32Array(liveness.length + 2));
  for (let register = 0; register < 10; register += 1) {
    const segments = liveness.segments[register];
    const owner = owners[order.indexOf(register)];
    if (segments !== undefined && owner !== undefined) fill(owner, segments, fixedOwner);
  }
  return new Assigner(intervals, owners, !returnsValue(fn)).run();
}

/** What virtual registers without a wish may have. */
export function usableRegisters(fn: MachineFunction): readonly MachineRegister[] {
  return returnsValue(fn) ? order : order.filter((register) => register !== 0);
}

function returnsValue(fn: MachineFunction): boolean {
  return fn.blocks.some(({ terminator }) => terminator.kind === "exit" && terminator.hasResult);
}

function fill(owner: Int32Array, segments: Segments, value: number): void {
  for (let at = 0; at < segments.length; at += 2) {
    owner.fill(value, segments[at], segments[at + 1]);
  }
}

function buildIntervals(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
  unspillable: ReadonlySet<MachineRegister>,
  cheap: ReadonlyMap<MachineRegister, unknown>,
): Map<MachineRegister, Interval> {
  const costs = new Float64Array(fn.nextRegister);
  const links: [MachineRegister, MachineRegister, number][] = [];
  for (const block of fn.blocks) {
    const frequency = frequencyAt(depths.get(block));
    const count = (register: MachineRegister): void => {
      costs[register] = (costs[register] ?? 0) + frequency;
    };
    for (const op of operationsOf(block)) {
      visitRegisters(op, { use: count, def: count, clobber: () => {} });
    }
    for (const op of block.instructions) {
      if (op.kind === "alu" && op.op === "mov" && op.src.kind === "register") {
        // A 32-bit move cannot be dropped, but in place it lets the source go.
        links.push([op.dst, op.src.register, isCopy(op) ? frequency : frequency / 16]);
      }
    }
  }
  const result = new Map<MachineRegister, Interval>();
  liveness.segments.forEach((segments, register) => {
    if (segments === undefined || !isVirtual(register)) return;
    const size = segmentsSize(segments);
    const cost = (costs[register] ?? 0) * (cheap.has(register) ? 0.5 : 1);
    const weight = unspillable.has(register) ? Number.POSITIVE_INFINITY : cost / (size + 16);
    result.set(register, { register, segments, size, weight, hints: new Map(), friends: [] });
  });
  for (const [a, b, frequency] of links) {
    addLink(result, a, b, frequency);
    addLink(result, b, a, frequency);
  }
  return result;
}

function addLink(
  intervals: ReadonlyMap<MachineRegister, Interval>,
  from: MachineRegister,
  to: MachineRegister,
  frequency: number,
): void {
  const interval = intervals.get(from);
  if (interval === undefined) return;
  if (isVirtual(to)) interval.friends.push(to);
  else interval.hints.set(to, (interval.hints.get(to) ?? 0) + frequency);
}

class Assigner {
  readonly #intervals: ReadonlyMap<MachineRegister, Interval>;
  /** In the order of {@link order}. */
  readonly #owners: readonly Int32Array[];
  readonly #colors = new Map<MachineRegister, MachineRegister>();
  readonly #spilled: MachineRegister[] = [];
  /** By physical register: positions where somebody would save a move by having it. */
  readonly #wanted = new Map<MachineRegister, Uint8Array>();
  /** Buckets would be faster; the queue is sorted once and evicted intervals go to the front. */
  readonly #queue: Interval[];

  /** The function returns nothing. */
  readonly #isVoid: boolean;

  constructor(
    intervals: ReadonlyMap<MachineRegister, Interval>,
    owners: readonly Int32Array[],
    isVoid: boolean,
  ) {
    this.#isVoid = isVoid;
    this.#intervals = intervals;
    this.#owners = owners;
    this.#queue = [...intervals.values()].sort(
      (a, b) => a.size - b.size || b.register - a.register,
    );
    this.#noteWishes(owners[0]?.length ?? 0);
  }

  run(): Assignment {
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      this.#place(next);
    }
    return { colors: this.#colors, spilled: this.#spilled };
  }

  #place(interval: Interval): void {
    const free = this.#choose(interval);
    if (free !== undefined) {
      this.#take(interval, free);
      return;
    }
    const victim = this.#cheapestEviction(interval);
    if (victim === undefined) {
      this.#spilled.push(interval.register);
      return;
    }
    for (const register of victim.evicted) {
      const evicted = this.#intervals.get(register);
      const color = this.#colors.get(register);
      if (evicted === undefined || color === undefined) continue;
      const owner = this.#owners[order.indexOf(color)];
      if (owner !== undefined) fill(owner, evicted.segments, 0);
      this.#colors.delete(register);
      this.#queue.push(evicted);
    }
    this.#take(interval, victim.register);
  }

  #take(interval: Interval, register: MachineRegister): void {
    const owner = this.#owners[order.indexOf(register)];
    if (owner !== undefined) fill(owner, interval.segments, interval.register);
    this.#colors.set(interval.register, register);
  }

  /** The free register that saves most moves; else the first free one. */
  #choose(interval: Interval): MachineRegister | undefined {
    const wishes = new Map(interval.hints);
    for (const friend of interval.friends) {
      const color = this.#colors.get(friend);
      if (color !== undefined) wishes.set(color, (wishes.get(color) ?? 0) + 1);
      else {
        // What a friend wants, this one wants a little.
        for (const [hint, by] of this.#intervals.get(friend)?.hints ?? []) {
          wishes.set(hint, (wishes.get(hint) ?? 0) + by / 8);
        }
      }
    }
    const preferred = [...wishes].sort((a, b) => b[1] - a[1]).map(([register]) => register);
    for (const register of preferred) {
      const isAllowed = this.#mayHave(interval, register);
      if (isAllowed && this.#isFree(register, interval.segments)) return register;
    }
    return this.#leastWanted(interval);
  }

  /** A void function must not leave a stack pointer in r0: the verifier takes that for its result. */
  #mayHave(interval: Interval, register: MachineRegister): boolean {
    return register !== 0 || !this.#isVoid || interval.hints.has(0);
  }

  /** Among the free registers the first that no other interval would like to have meanwhile. */
  #leastWanted(interval: Interval): MachineRegister | undefined {
    const { segments } = interval;
    let best: MachineRegister | undefined;
    let bestCount = Number.POSITIVE_INFINITY;
    for (const register of order) {
      if (!this.#mayHave(interval, register) || !this.#isFree(register, segments)) continue;
      const count = this.#wantedCount(register, segments, bestCount);
      if (count >= bestCount) continue;
      best = register;
      bestCount = count;
      if (count === 0) break;
    }
    return best;
  }

  #wantedCount(register: MachineRegister, segments: Segments, limit: number): number {
    const wanted = this.#wanted.get(register);
    if (wanted === undefined) return 0;
    let count = 0;
    for (let at = 0; at < segments.length && count < limit; at += 2) {
      const end = segments[at + 1] ?? 0;
      for (let position = segments[at] ?? 0; position < end; position += 1) {
        count += wanted[position] ?? 0;
      }
    }
    return count;
  }

  /** Marks where intervals with a feasible first wish live. */
  #noteWishes(length: number): void {
    for (const interval of this.#intervals.values()) {
      const [first] = [...interval.hints].sort((a, b) => b[1] - a[1]);
      if (first === undefined || !this.#isFree(first[0], interval.segments)) continue;
      let wanted = this.#wanted.get(first[0]);
      if (wanted === undefined) {
        wanted = new Uint8Array(length);
        this.#wanted.set(first[0], wanted);
      }
      for (let at = 0; at < interval.segments.length; at += 2) {
        const { segments } = interval;
        for (let position = segments[at] ?? 0; position < (segments[at + 1] ?? 0); position += 1) {
          wanted[position] = 1;
        }
      }
    }
  }

  #isFree(register: MachineRegister, segments: Segments): boolean {
    const owner = this.#owners[order.indexOf(register)];
    if (owner === undefined) return false;
    for (let at = 0; at < segments.length; at += 2) {
      const end = segments[at + 1] ?? 0;
      for (let position = segments[at] ?? 0; position < end; position += 1) {
        if (owner[position] !== 0) return false;
      }
    }
    return true;
  }

  /** The register whose owners weigh least, if all of them weigh less than the interval. */
  #cheapestEviction(
    interval: Interval,
  ): { register: MachineRegister; evicted: MachineRegister[] } | undefined {
    let best: { register: MachineRegister; evicted: MachineRegister[] } | undefined;
    let bestWeight = interval.weight;
    for (const register of order) {
      const owner = this.#owners[order.indexOf(register)];
      if (owner === undefined || !this.#mayHave(interval, register)) continue;
      const found = this.#conflicts(owner, interval.segments, bestWeight);
      if (found === undefined) continue;
      best = { register, evicted: found.registers };
      bestWeight = found.weight;
    }
    return best;
  }

  #conflicts(
    owner: Int32Array,
    segments: Segments,
    limit: number,
  ): { registers: MachineRegister[]; weight: number } | undefined {
    const registers = new Set<MachineRegister>();
    let weight = 0;
    for (let at = 0; at < segments.length; at += 2) {
      const end = segments[at + 1] ?? 0;
      for (let position = segments[at] ?? 0; position < end; position += 1) {
        const who = owner[position] ?? 0;
        if (who === 0 || registers.has(who)) continue;
        if (who < firstVirtual) return undefined;
        weight = Math.max(weight, this.#intervals.get(who)?.weight ?? 0);
        if (weight >= limit) return undefined;
        registers.add(who);
      }
    }
    return { registers: [...registers], weight };
  }
}
