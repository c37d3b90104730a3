/**
 * Which stack objects hold something that matters, and when: dead stores to spill slots go, objects that
 * are never alive at once may share bytes. An object is alive where a marker or an access may have begun
 * it and no marker has ended it; shareable ones only as far as another access may follow; spill slots
 * from a store to the last load.
 *
 * Needs slots still named by instructions. Costs as much as the slots are alive long, in blocks: each
 * slot is followed by itself, so that a function with thousands of short-lived ones stays cheap. (Back
 * from a last use to the function's start it is a comparison per block.)
 */
import type { MachineBlock, MachineFunction, MachineInstruction } from "../6-select/machine.ts";
import { machineSuccessors } from "../6-select/machine.ts";
import { predecessorNumbers } from "./intervals.ts";

/** Objects that an instruction names. */
export function slotsOf(op: MachineInstruction): readonly number[] {
  if (op.kind === "frame_address" || op.kind === "lifetime") return [op.slot];
  if ("address" in op) return op.address.slot === undefined ? none : [op.address.slot];
  if (op.kind !== "asm") return none;
  return op.body.operands.flatMap(({ slot }) => (slot === undefined ? [] : [slot]));
}

const none: readonly number[] = [];

/** Drops stores to spill slots that no load can read. */
export function removeDeadSpills(fn: MachineFunction): void {
  const liveness = new SlotLiveness(fn, (slot) => fn.slots[slot]?.isSpill === true);
  fn.blocks.forEach((block, index) => {
    const dead = liveness.deadStores(index);
    if (dead.size > 0) block.instructions = block.instructions.filter((op) => !dead.has(op));
  });
}

/** For each of the slots those that may hold something at the same time. */
export function conflictingSlots(
  fn: MachineFunction,
  tracked: ReadonlySet<number>,
): ReadonlyMap<number, ReadonlySet<number>> {
  return new SlotLiveness(fn, (slot) => tracked.has(slot)).conflicts(tracked);
}

/** An instruction that names tracked slots. */
interface Mention {
  readonly op: MachineInstruction;
  readonly slots: readonly number[];
}

/** What blocks do to one slot, by the blocks' places. */
interface SlotBlocks {
  /** The first access reads: the slot is wanted at the start. */
  readonly readFirst: number[];
  /** The first access of a spill slot writes. */
  readonly writtenFirst: number[];
  /** At the end it has begun, or has been ended. */
  readonly begun: number[];
  readonly ended: number[];
}

/** By block: the slot that was last found to be wanted, or to have begun, at its start, or to change in it. */
interface Notes {
  readonly wantedAt: Int32Array;
  readonly reachedAt: Int32Array;
  readonly changedAt: Int32Array;
}

class SlotLiveness {
  readonly #fn: MachineFunction;
  readonly #preds: readonly (readonly number[])[];
  /** By block, as all lists here. */
  readonly #mentions: readonly (readonly Mention[])[];
  /** Of the slots that a block names those that may still be read at its end. */
  readonly #wantedAtEnd: readonly number[][];
  /** Slots that may have begun at the start, shareable ones if they are wanted there too. */
  readonly #aliveAtStart: readonly number[][];
  /** By slot; all 0 between the questions about blocks. */
  readonly #wanted: Uint8Array;

  constructor(fn: MachineFunction, isTracked: (slot: number) => boolean) {
    this.#fn = fn;
    this.#preds = predecessorNumbers(fn);
    this.#mentions = fn.blocks.map(({ instructions }) =>
      instructions.flatMap((op) => {
        const slots = slotsOf(op).filter(isTracked);
        return slots.length === 0 ? [] : [{ op, slots }];
      }),
    );
    this.#wantedAtEnd = fn.blocks.map(() => []);
    this.#aliveAtStart = fn.blocks.map(() => []);
    this.#wanted = new Uint8Array(fn.slots.length);
    this.#propagate();
  }

  #isSpillStore(op: MachineInstruction, slot: number): boolean {
    return op.kind === "store" && this.#fn.slots[slot]?.isSpill === true;
  }

  #isShareable(slot: number): boolean {
    return this.#fn.slots[slot]?.isShareable === true;
  }

  /** By slot, in ascending order. */
  #slotBlocks(): (SlotBlocks | undefined)[] {
    const result: (SlotBlocks | undefined)[] = new Array(this.#fn.slots.length).fill(undefined);
    const accessedAt = new Int32Array(this.#fn.slots.length).fill(-1);
    const lastAt = new Int32Array(this.#fn.slots.length).fill(-1);
    this.#mentions.forEach((mentions, index) => {
      for (const { op, slots } of mentions) {
        for (const slot of slots) {
          const blocks = (result[slot] ??= {
            readFirst: [],
            writtenFirst: [],
            begun: [],
            ended: [],
          });
          if (isMarker(op) || accessedAt[slot] === index) continue;
          accessedAt[slot] = index;
          (this.#isSpillStore(op, slot) ? blocks.writtenFirst : blocks.readFirst).push(index);
        }
      }
      for (const { op, slots } of mentions.toReversed()) {
        for (const slot of slots) {
          if (lastAt[slot] === index) continue;
          lastAt[slot] = index;
          (isEnd(op) ? result[slot]?.ended : result[slot]?.begun)?.push(index);
        }
      }
    });
    return result;
  }

  /** Follows each slot from where it is read up to where it is written, and from where it begins down. */
  #propagate(): void {
    const count = this.#fn.blocks.length;
    const places = new Int32Array(this.#fn.nextBlock);
    this.#fn.blocks.forEach((block, at) => {
      places[block.id] = at;
    });
    const nexts = this.#fn.blocks.map((block) =>
      machineSuccessors(block).map((next) => places[next.id] as number),
    );
    const note = (): Int32Array => new Int32Array(count).fill(-1);
    const [stops, seen] = [note(), note()];
    const notes: Notes = { wantedAt: note(), changedAt: note(), reachedAt: note() };
    const { wantedAt, changedAt } = notes;
    this.#slotBlocks().forEach((blocks, slot) => {
      if (blocks === undefined) return;
      for (const index of blocks.writtenFirst) stops[index] = slot;
      for (const index of blocks.begun) changedAt[index] = slot;
      for (const index of blocks.ended) changedAt[index] = slot;
      spread(blocks.readFirst, this.#preds, (index, isSource) => {
        if (!isSource && !claim(seen, index, slot)) return false;
        if (!isSource && changedAt[index] === slot) this.#wantedAtEnd[index]?.push(slot);
        return (isSource || stops[index] !== slot) && claim(wantedAt, index, slot);
      });
      this.#propagateBegun(blocks, slot, nexts, notes);
    });
  }

  #propagateBegun(
    { begun }: SlotBlocks,
    slot: number,
    nexts: readonly (readonly number[])[],
    { wantedAt, changedAt, reachedAt }: Notes,
  ): void {
    const isShareable = this.#isShareable(slot);
    spread(begun, nexts, (index, isSource) => {
      if (isSource) return true;
      if ((isShareable && wantedAt[index] !== slot) || !claim(reachedAt, index, slot)) return false;
      this.#aliveAtStart[index]?.push(slot);
      // What has begun at the end goes on from there by itself.
      return changedAt[index] !== slot;
    });
  }

  /** Whether each slot of each mention in a block may still be read afterwards. */
  #wantedAfter(index: number): boolean[][] {
    const mentions = this.#mentions[index] ?? [];
    const atEnd = this.#wantedAtEnd[index] ?? [];
    const result: boolean[][] = new Array(mentions.length);
    for (const slot of atEnd) this.#wanted[slot] = 1;
    for (let at = mentions.length - 1; at >= 0; at -= 1) {
      const { op, slots } = mentions[at] as Mention;
      result[at] = slots.map((slot) => this.#wanted[slot] === 1);
      if (isMarker(op)) continue;
      for (const slot of slots) this.#wanted[slot] = this.#isSpillStore(op, slot) ? 0 : 1;
    }
    for (const { slots } of mentions) for (const slot of slots) this.#wanted[slot] = 0;
    for (const slot of atEnd) this.#wanted[slot] = 0;
    return result;
  }

  /** Stores of a block to spill slots, all of them tracked, that nobody reads. */
  deadStores(index: number): Set<MachineInstruction> {
    const dead = new Set<MachineInstruction>();
    const wantedAfter = this.#wantedAfter(index);
    this.#mentions[index]?.forEach(({ op }, at) => {
      if (op.kind === "store" && wantedAfter[at]?.[0] === false) dead.add(op);
    });
    return dead;
  }

  conflicts(tracked: ReadonlySet<number>): Map<number, Set<number>> {
    const pairs = new Map<number, Set<number>>([...tracked].map((slot) => [slot, new Set()]));
    const pair = (a: number, b: number): void => {
      if (a === b) return;
      pairs.get(a)?.add(b);
      pairs.get(b)?.add(a);
    };
    const paired = new Set<string>();
    this.#fn.blocks.forEach((block, index) => {
      const alive = new Set(this.#aliveAtStart[index]);
      // Behind a single way they have met before; at joins mostly the same ones do.
      const isJoin = this.#preds[index]?.length !== 1;
      const key = isJoin ? [...alive].join() : "";
      if (isJoin && alive.size > 1 && !paired.has(key)) {
        paired.add(key);
        for (const a of alive) for (const b of alive) if (a < b) pair(a, b);
      }
      this.#pairInBlock(block, index, alive, pair);
    });
    return pairs;
  }

  /** From one mention to the next only the slots that it names begin or end to be alive. */
  #pairInBlock(
    block: MachineBlock,
    index: number,
    alive: Set<number>,
    pair: (a: number, b: number) => void,
  ): void {
    const wantedAfter = block.instructions.length === 0 ? [] : this.#wantedAfter(index);
    this.#mentions[index]?.forEach(({ op, slots }, at) => {
      if (isEnd(op)) {
        for (const slot of slots) alive.delete(slot);
        return;
      }
      const begun = slots.filter((slot) => !alive.has(slot));
      for (const slot of begun) {
        for (const other of alive) pair(slot, other);
        alive.add(slot);
      }
      // A store that nobody reads still writes its slot.
      slots.forEach((slot, which) => {
        if (this.#isShareable(slot) && wantedAfter[at]?.[which] === false) alive.delete(slot);
      });
    });
  }
}

/** A marker that says nothing of whether anybody reads. */
function isMarker(op: MachineInstruction): boolean {
  return op.kind === "lifetime" && op.mark !== "touch";
}

function isEnd(op: MachineInstruction): boolean {
  return op.kind === "lifetime" && op.mark === "end";
}

/** Notes a slot for a block; false if it was noted last already. */
function claim(notes: Int32Array, index: number, slot: number): boolean {
  if (notes[index] === slot) return false;
  notes[index] = slot;
  return true;
}

/** Walks along edges from some blocks on, as far as `visit` wants to go. */
function spread(
  sources: readonly number[],
  edges: readonly (readonly number[])[],
  visit: (index: number, isSource: boolean) => boolean,
): void {
  const work = sources.filter((index) => visit(index, true));
  for (let index = work.pop(); index !== undefined; index = work.pop()) {
    for (const next of edges[index] ?? []) if (visit(next, false)) work.push(next);
  }
}
