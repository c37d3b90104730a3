/**
 * Live intervals. Instructions are numbered in block order; instruction i reads at position 2i and
 * writes at 2i + 1. An interval is a sorted list of half-open segments [start, end) of positions in
 * which the register holds a value that may still be read.
 */
import type {
  LocatedTerminator,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
  MachineRegister,
} from "../6-select/machine.ts";
import { machinePredecessors } from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";

/** start0, end0, start1, end1, … ascending. */
export type Segments = number[];

export interface Liveness {
  /** By register number; physical ones too. Undefined: never mentioned. */
  readonly segments: (Segments | undefined)[];
  /** First position of each block. */
  readonly starts: ReadonlyMap<MachineBlock, number>;
  /** Positions in all. */
  readonly length: number;
  readonly liveIn: ReadonlyMap<MachineBlock, readonly MachineRegister[]>;
}

type Operation = MachineInstruction | LocatedTerminator;

export function operationsOf(block: MachineBlock): Operation[] {
  return [...block.instructions, block.terminator];
}

interface BlockSets {
  /** Read before any write in the block. */
  readonly exposed: [MachineRegister, MachineBlock][];
  readonly definedIn: Map<MachineRegister, MachineBlock[]>;
}

function scanBlocks(fn: MachineFunction): BlockSets {
  const exposed: BlockSets["exposed"] = [];
  const definedIn: BlockSets["definedIn"] = new Map();
  for (const block of fn.blocks) {
    const defined = new Set<MachineRegister>();
    const seen = new Set<MachineRegister>();
    const use = (register: MachineRegister): void => {
      if (defined.has(register) || seen.has(register)) return;
      seen.add(register);
      exposed.push([register, block]);
    };
    const def = (register: MachineRegister): void => {
      if (defined.has(register)) return;
      defined.add(register);
      const list = definedIn.get(register);
      if (list === undefined) definedIn.set(register, [block]);
      else list.push(block);
    };
    for (const op of operationsOf(block)) {
      const reads: MachineRegister[] = [];
      const writes: MachineRegister[] = [];
      visitRegisters(op, {
        use: (register) => reads.push(register),
        def: (register) => writes.push(register),
        clobber: (register) => writes.push(register),
      });
      for (const register of reads) use(register);
      for (const register of writes) def(register);
    }
  }
  return { exposed, definedIn };
}

/** For each block the registers whose value comes in, and goes out. */
function propagate(fn: MachineFunction): {
  liveIn: Map<MachineBlock, MachineRegister[]>;
  liveOut: Map<MachineBlock, MachineRegister[]>;
} {
  const preds = machinePredecessors(fn);
  const liveIn = new Map<MachineBlock, MachineRegister[]>(fn.blocks.map((b) => [b, []]));
  const liveOut = new Map<MachineBlock, MachineRegister[]>(fn.blocks.map((b) => [b, []]));
  const { exposed, definedIn } = scanBlocks(fn);
  const byRegister = new Map<MachineRegister, MachineBlock[]>();
  for (const [register, block] of exposed) {
    const list = byRegister.get(register);
    if (list === undefined) byRegister.set(register, [block]);
    else list.push(block);
  }
  for (const [register, blocks] of byRegister) {
    const stops = new Set(definedIn.get(register));
    const entered = new Set(blocks);
    const left = new Set<MachineBlock>();
    const work = [...blocks];
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      liveIn.get(block)?.push(register);
      for (const pred of preds.get(block) ?? []) {
        if (left.has(pred)) continue;
        left.add(pred);
        liveOut.get(pred)?.push(register);
        if (stops.has(pred) || entered.has(pred)) continue;
        entered.add(pred);
        work.push(pred);
      }
    }
  }
  return { liveIn, liveOut };
}

export function computeLiveness(fn: MachineFunction): Liveness {
  const { liveIn, liveOut } = propagate(fn);
  const starts = new Map<MachineBlock, number>();
  let position = 0;
  for (const block of fn.blocks) {
    starts.set(block, position);
    position += 2 * (block.instructions.length + 1);
  }
  const builder = new SegmentBuilder(fn.nextRegister);
  for (const block of [...fn.blocks].reverse()) {
    const start = starts.get(block) ?? 0;
    const operations = operationsOf(block);
    const end = start + 2 * operations.length;
    for (const register of liveOut.get(block) ?? []) builder.keep(register, end);
    for (let at = operations.length - 1; at >= 0; at -= 1) {
      const op = operations[at];
      if (op !== undefined) builder.step(op, start + 2 * at);
    }
    for (const register of liveIn.get(block) ?? []) builder.write(register, start);
  }
  return { segments: builder.finish(), starts, length: position, liveIn };
}

/** Collects segments while walking backwards. */
class SegmentBuilder {
  /** Descending: end0, start0, end1, start1 … reversed by {@link finish}. */
  readonly #lists: (number[] | undefined)[];
  /** End of the open segment, 0 while dead. */
  readonly #ends: Int32Array;

  constructor(registers: number) {
    this.#lists = new Array(registers);
    this.#ends = new Int32Array(registers);
  }

  keep(register: MachineRegister, end: number): void {
    if (this.#ends[register] === 0) this.#ends[register] = end;
  }

  /** The value begins here. */
  write(register: MachineRegister, start: number): void {
    const end = this.#ends[register] || start + 1;
    this.#ends[register] = 0;
    this.#add(register, start, end);
  }

  step(op: Operation, position: number): void {
    const early: MachineRegister[] = [];
    visitRegisters(op, {
      use: () => {},
      def: (register) => this.write(register, position + 1),
      clobber: (register, isEarly) => {
        if (isEarly) early.push(register);
        else this.write(register, position + 1);
      },
    });
    for (const register of early) this.#touch(register, position);
    visitRegisters(op, {
      use: (register) => this.keep(register, position + 1),
      def: () => {},
      clobber: () => {},
    });
  }

  /** An early clobber holds the register from the reads on; a write may have begun it a position later. */
  #touch(register: MachineRegister, position: number): void {
    const list = this.#lists[register];
    if (list?.at(-1) === position + 1) list[list.length - 1] = position;
    else this.#add(register, position, position + 2);
  }

  #add(register: MachineRegister, start: number, end: number): void {
    const list = this.#lists[register];
    if (list === undefined) this.#lists[register] = [end, start];
    else if (list.at(-1) === end) list[list.length - 1] = start;
    else list.push(end, start);
  }

  finish(): (Segments | undefined)[] {
    return this.#lists.map((list) => list?.reverse());
  }
}

/** Do the intervals have a position in common? */
export function overlaps(a: Segments, b: Segments): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [aStart, aEnd] = [a[i] ?? 0, a[i + 1] ?? 0];
    const [bStart, bEnd] = [b[j] ?? 0, b[j + 1] ?? 0];
    if (aEnd <= bStart) i += 2;
    else if (bEnd <= aStart) j += 2;
    else return true;
  }
  return false;
}

/** Union of two intervals that do not overlap. */
export function mergeSegments(a: Segments, b: Segments): Segments {
  const result: Segments = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const fromA = j >= b.length || (i < a.length && (a[i] ?? 0) < (b[j] ?? 0));
    const list = fromA ? a : b;
    const at = fromA ? i : j;
    const [start, end] = [list[at] ?? 0, list[at + 1] ?? 0];
    if (fromA) i += 2;
    else j += 2;
    if (result.at(-1) === start) result[result.length - 1] = end;
    else result.push(start, end);
  }
  return result;
}

/** Positions that the interval covers. */
export function segmentsSize(segments: Segments): number {
  let size = 0;
  for (let at = 0; at < segments.length; at += 2) {
    size += (segments[at + 1] ?? 0) - (segments[at] ?? 0);
  }
  return size;
}
