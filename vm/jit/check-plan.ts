/**
 * Which accesses of one subprogram the checked variant must check, and which together. An access
 * needs no check where the same bytes, by the same value and constant offset, were checked on every
 * way to it. Accesses of a block through one value into one range are checked by one comparison
 * before the first of them; only where that fails each is checked by itself, in the program's
 * order, so that reports and what was stored before them stay exact. Whatever can stop the program
 * or be seen afterwards stands between: accesses behind it first ask whether the comparison held.
 * Needs a reducible graph and what is known of its registers.
 */
import type { Instruction, Register } from "../../common/isa/instruction.ts";
import type { Program } from "../program.ts";
import type { Block } from "./blocks.ts";
import { definedRegisters } from "./defined-registers.ts";
import { Intervals } from "./intervals.ts";
import { type Known, type KnownState, knownOf } from "./known.ts";
import type { KnownValues } from "./known-values.ts";
import { framePlace, type Place, type PlaceState, Places } from "./places.ts";

export interface Access {
  readonly base: Register;
  readonly offset: number;
  readonly size: number;
  readonly write: boolean;
}

export interface CheckGroup {
  /** All bytes of the comparison, from the base register of the group's first access. */
  readonly low: number;
  readonly high: number;
  readonly write: boolean;
  readonly known: Known | undefined;
  /** Number of the local that keeps the comparison's outcome for later groups. */
  readonly flag: number | undefined;
  /** Whether the comparison is done here; otherwise the flag says how it ended. */
  readonly compares: boolean;
  /** What to check one by one: the slot, and the distance from that base register. */
  readonly members: readonly {
    readonly slot: number;
    readonly distance: number;
    readonly size: number;
    readonly write: boolean;
  }[];
}

/** `proven`: checked before. `alone`: to be checked by itself. */
export type AccessCheck = "proven" | "alone" | CheckGroup;

export interface CheckOracle {
  /** Whether an access cannot fail. */
  readonly isCertain: (known: Known | undefined, access: Access) => boolean;
  /** Bytes, from the pointer on, that a check of a pointer for null shows to be there. */
  readonly valueRange: (
    known: Known | undefined,
    access: Access,
  ) => { readonly from: number; readonly to: number; readonly writable: boolean } | undefined;
  /** Whether one comparison can tell that bytes lie in what a pointer should point to. */
  readonly hasRange: (known: Known | undefined, write: boolean) => boolean;
}

/** The memory that an instruction accesses by itself. */
export function accessOf(insn: Instruction): Access | undefined {
  switch (insn.kind) {
    case "load":
    case "load_acquire": {
      const { base, offset, size } = insn;
      return { base, offset, size, write: false };
    }
    case "store":
    case "store_release":
    case "atomic": {
      const { base, offset, size } = insn;
      return { base, offset, size, write: true };
    }
    default:
      return undefined;
  }
}

/** After these, addresses may be good no longer, or the program may have ended. */
const isBarrier = (insn: Instruction): boolean =>
  insn.kind === "call" || insn.kind === "load_packet";

/** These may stop the program for another reason. */
const mayStop = (insn: Instruction): boolean =>
  insn.kind === "load_imm64" || insn.kind === "addr_space_cast";

/** A group in the making. */
interface OpenGroup {
  readonly anchor: Place;
  readonly members: { slot: number; place: number; size: number; write: boolean }[];
}

/** The groups of a block that share one comparison. */
interface Family {
  readonly known: Known | undefined;
  readonly groups: OpenGroup[];
  low: number;
  high: number;
  write: boolean;
}

/** What an access checks, as its block is walked. */
interface Visit {
  readonly slot: number;
  readonly access: Access;
  readonly place: Place;
  readonly known: Known | undefined;
  readonly isCertain: boolean;
  readonly isProven: boolean;
}

export class CheckPlan {
  readonly #program: Program;
  readonly #values: KnownValues;
  readonly #oracle: CheckOracle;
  readonly #places: Places;
  /** Checked bytes at the start of each block, by order; undefined: not come to yet. */
  readonly #proven: (Intervals | undefined)[] = [];
  /** By block order, then slot. */
  readonly #checks: ReadonlyMap<number, AccessCheck>[];
  /** How many locals the outcomes of comparisons need. */
  flags = 0;

  constructor(
    program: Program,
    blocks: readonly Block[],
    values: KnownValues,
    oracle: CheckOracle,
  ) {
    this.#program = program;
    this.#values = values;
    this.#oracle = oracle;
    this.#places = new Places(program, blocks, {
      known: (block) => values.at(block),
      step: (insn, state) => values.step(insn, state),
      wraps: false,
    });
    this.#prove(blocks);
    this.#checks = blocks.map((block) => this.#plan(block));
  }

  /** Whether no access can fail. */
  get isEmpty(): boolean {
    return this.#checks.every((checks) => checks.size === 0);
  }

  at(block: Block, slot: number): AccessCheck | undefined {
    return this.#checks[block.order]?.get(slot);
  }

  #prove(blocks: readonly Block[]): void {
    const sources: number[][] = blocks.map(() => []);
    for (const block of blocks) for (const to of block.successors) sources[to]?.push(block.order);
    const ends: (Intervals | undefined)[] = [];
    for (let again = true; again; ) {
      again = false;
      for (const block of blocks) {
        const known = (sources[block.order] ?? [])
          .map((from) => ends[from])
          .filter((end) => end !== undefined);
        const old = this.#proven[block.order];
        // Less and less, so that it comes to an end: values that were dropped stay out.
        const start =
          block.order === 0 ? new Intervals() : Intervals.common(old ? [...known, old] : known);
        for (let r = 0; r < 10; r += 1) start.forget(this.#places.merged(block, r));
        if (old?.equals(start)) continue;
        again = true;
        this.#proven[block.order] = start;
        const end = start.copy();
        this.#walk(block, end, () => {});
        ends[block.order] = end;
      }
    }
  }

  /** Walks a block; `proven` is changed to what is proven at its end. */
  #walk(
    block: Block,
    proven: Intervals,
    visit: (insn: Instruction, slot: number, access: Visit | undefined) => void,
  ): void {
    const known: KnownState = [...this.#values.at(block)];
    const places: PlaceState = [...this.#places.at(block)];
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = this.#program.insns[slot];
      if (insn === undefined) continue;
      const access = accessOf(insn);
      const seen =
        access === undefined ? undefined : this.#visit(access, slot, known, places, proven);
      visit(insn, slot, seen);
      if (seen !== undefined) this.#note(seen, proven);
      if (isBarrier(insn)) proven.clear();
      for (const r of definedRegisters(insn)) proven.forget(this.#places.valueAt(block, slot, r));
      this.#places.step(insn, block, slot, places, known);
      this.#values.step(insn, known);
    }
  }

  #visit(
    access: Access,
    slot: number,
    known: KnownState,
    places: PlaceState,
    proven: Intervals,
  ): Visit {
    const { base, offset, size, write } = access;
    const place = base === 10 ? framePlace : (places[base] as Place);
    const of = knownOf(known, base);
    const at = place.offset + offset;
    const isCertain = this.#oracle.isCertain(of, access);
    const isProven = !isCertain && proven.covers(place.value, at, at + size, write);
    return { slot, access, place, known: of, isCertain, isProven };
  }

  #note({ access, place, known, isCertain, isProven }: Visit, proven: Intervals): void {
    if (isCertain || isProven) return;
    const range = this.#oracle.valueRange(known, access);
    if (range !== undefined) {
      const { from, to, writable } = range;
      proven.add(place.value, place.offset + from, place.offset + to, writable);
      return;
    }
    const at = place.offset + access.offset;
    proven.add(place.value, at, at + access.size, access.write);
  }

  #plan(block: Block): ReadonlyMap<number, AccessCheck> {
    const checks = new Map<number, AccessCheck>();
    const families: Family[] = [];
    let current = new Map<number, Family>();
    const open = new Map<number, OpenGroup>();
    this.#walk(block, this.#proven[block.order]?.copy() ?? new Intervals(), (insn, slot, seen) => {
      if (isBarrier(insn)) current = new Map();
      if (isBarrier(insn) || mayStop(insn)) open.clear();
      if (seen === undefined) return;
      if (seen.isProven) checks.set(slot, "proven");
      else if (!seen.isCertain) this.#join(seen, checks, current, open, families);
      const isSeen = seen.access.write && !(seen.isCertain && seen.known?.kind === "frame");
      if (isSeen) open.clear();
    });
    for (const family of families) this.#close(family, checks);
    return checks;
  }

  /** Adds an access to a group: one that is open, or a new one. */
  #join(
    { slot, access, place, known }: Visit,
    checks: Map<number, AccessCheck>,
    current: Map<number, Family>,
    open: Map<number, OpenGroup>,
    families: Family[],
  ): void {
    const { offset, size, write } = access;
    // Another check may fail first.
    for (const value of [...open.keys()]) if (value !== place.value) open.delete(value);
    if (
      this.#oracle.valueRange(known, access) !== undefined ||
      !this.#oracle.hasRange(known, write)
    ) {
      open.clear();
      checks.set(slot, "alone");
      return;
    }
    const at = place.offset + offset;
    let family = current.get(place.value);
    if (family === undefined) {
      family = { known, groups: [], low: at, high: at + size, write };
      current.set(place.value, family);
      families.push(family);
    }
    family.low = Math.min(family.low, at);
    family.high = Math.max(family.high, at + size);
    family.write ||= write;
    let group = open.get(place.value);
    if (group === undefined) {
      group = { anchor: place, members: [] };
      open.set(place.value, group);
      family.groups.push(group);
    }
    group.members.push({ slot, place: at, size, write });
  }

  #close(family: Family, checks: Map<number, AccessCheck>): void {
    const { groups, known, low, high, write } = family;
    const count = groups.reduce((sum, { members }) => sum + members.length, 0);
    const isJoint = count > 1 && this.#oracle.hasRange(known, write);
    const flag = isJoint && groups.length > 1 ? this.flags : undefined;
    if (flag !== undefined) this.flags += 1;
    for (const [i, { anchor, members }] of groups.entries()) {
      for (const [m, { slot }] of members.entries()) {
        checks.set(slot, isJoint && m > 0 ? "proven" : "alone");
      }
      const first = members[0];
      if (!isJoint || first === undefined) continue;
      checks.set(first.slot, {
        low: low - anchor.offset,
        high: high - anchor.offset,
        write,
        known,
        flag,
        compares: i === 0,
        members: members.map(({ slot, place, size, write: writes }) => ({
          slot,
          distance: place - anchor.offset,
          size,
          write: writes,
        })),
      });
    }
  }
}
