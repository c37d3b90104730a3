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
import { machineSuccessors } from "../6-select/machine.ts";
import { type RegisterVisitor, visitRegisters } from "../6-select/operands.ts";

/** start0, end0, start1, end1, … ascending. */
export type Segments = number[];

export interface Liveness {
  /** By register number; physical ones too. Undefined: never mentioned. */
  readonly segments: (Segments | undefined)[];
  /** Positions in all. */
  readonly length: number;
  /** Registers whose value comes into a block, by the block's place in the function's list. */
  readonly liveIn: readonly (readonly MachineRegister[])[];
  /** The same where a block ends. */
  readonly liveOut: readonly (readonly MachineRegister[])[];
}

type Operation = MachineInstruction | LocatedTerminator;

export function operationsOf(block: MachineBlock): Operation[] {
  return [...block.instructions, block.terminator];
}

/** Pairs of a register and the number of a block, in the order in which they were found. */
interface Mentions {
  readonly registers: MachineRegister[];
  readonly blocks: number[];
}

interface BlockSets {
  /** Read before any write in the block. */
  readonly exposed: Mentions;
  readonly defined: Mentions;
}

/** Arrays by register that say in which block it was mentioned last serve as sets of each block. */
function scanBlocks(fn: MachineFunction): BlockSets {
  const exposed: Mentions = { registers: [], blocks: [] };
  const defined: Mentions = { registers: [], blocks: [] };
  const definedAt = new Int32Array(fn.nextRegister).fill(-1);
  const exposedAt = new Int32Array(fn.nextRegister).fill(-1);
  let index = 0;
  const use = (register: MachineRegister): void => {
    if (definedAt[register] === index || exposedAt[register] === index) return;
    exposedAt[register] = index;
    exposed.registers.push(register);
    exposed.blocks.push(index);
  };
  const writes: MachineRegister[] = [];
  const write = (register: MachineRegister): void => {
    writes.push(register);
  };
  const visitor = { use, def: write, clobber: write };
  const scan = (op: Operation): void => {
    visitRegisters(op, visitor);
    for (const register of writes) {
      if (definedAt[register] === index) continue;
      definedAt[register] = index;
      defined.registers.push(register);
      defined.blocks.push(index);
    }
    writes.length = 0;
  };
  for (const block of fn.blocks) {
    for (const op of block.instructions) scan(op);
    scan(block.terminator);
    index += 1;
  }
  return { exposed, defined };
}

/** Blocks by register: those of register r stand from `starts[r]` up to `starts[r + 1]`. */
function byRegister(
  { registers, blocks }: Mentions,
  count: number,
): { starts: Int32Array; sorted: Int32Array } {
  const starts = new Int32Array(count + 1);
  for (const register of registers) starts[register + 1] = (starts[register + 1] ?? 0) + 1;
  for (let at = 0; at < count; at += 1) starts[at + 1] = (starts[at + 1] ?? 0) + (starts[at] ?? 0);
  const next = starts.slice();
  const sorted = new Int32Array(registers.length);
  registers.forEach((register, at) => {
    const place = next[register] ?? 0;
    sorted[place] = blocks[at] ?? 0;
    next[register] = place + 1;
  });
  return { starts, sorted };
}

/** For each block, by its place, the registers whose value comes in, and goes out. */
function propagate(fn: MachineFunction): {
  liveIn: MachineRegister[][];
  liveOut: MachineRegister[][];
} {
  const preds = predecessorNumbers(fn);
  const liveIn = fn.blocks.map((): MachineRegister[] => []);
  const liveOut = fn.blocks.map((): MachineRegister[] => []);
  const { exposed, defined } = scanBlocks(fn);
  const readers = byRegister(exposed, fn.nextRegister);
  const writers = byRegister(defined, fn.nextRegister);
  // By block: the register that was last found to be written there, to come in, to go out.
  const [stops, entered, left] = [0, 1, 2].map(() => new Int32Array(fn.blocks.length).fill(-1)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const done = new Uint8Array(fn.nextRegister);
  const work: number[] = [];
  for (const register of exposed.registers) {
    if (done[register] === 1) continue;
    done[register] = 1;
    const [writeEnd, readEnd] = [writers.starts[register + 1], readers.starts[register + 1]];
    for (let at = writers.starts[register] ?? 0; at < (writeEnd ?? 0); at += 1)
      stops[writers.sorted[at] ?? 0] = register;
    for (let at = readers.starts[register] ?? 0; at < (readEnd ?? 0); at += 1) {
      const block = readers.sorted[at] ?? 0;
      entered[block] = register;
      work.push(block);
    }
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      liveIn[block]?.push(register);
      for (const pred of preds[block] ?? []) {
        if (left[pred] === register) continue;
        left[pred] = register;
        liveOut[pred]?.push(register);
        if (stops[pred] === register || entered[pred] === register) continue;
        entered[pred] = register;
        work.push(pred);
      }
    }
  }
  return { liveIn, liveOut };
}

/** By the places of blocks in the function's list. */
export function predecessorNumbers(fn: MachineFunction): number[][] {
  const places = new Int32Array(fn.nextBlock).fill(-1);
  fn.blocks.forEach((block, at) => {
    places[block.id] = at;
  });
  const preds = fn.blocks.map((): number[] => []);
  fn.blocks.forEach((block, at) => {
    for (const next of machineSuccessors(block)) preds[places[next.id] ?? -1]?.push(at);
  });
  return preds;
}

export function computeLiveness(fn: MachineFunction): Liveness {
  const { liveIn, liveOut } = propagate(fn);
  const starts: number[] = [];
  let position = 0;
  for (const block of fn.blocks) {
    starts.push(position);
    position += 2 * (block.instructions.length + 1);
  }
  const builder = new SegmentBuilder(fn.nextRegister);
  for (let index = fn.blocks.length - 1; index >= 0; index -= 1) {
    const { instructions, terminator } = fn.blocks[index] as MachineBlock;
    const start = starts[index] ?? 0;
    const last = start + 2 * instructions.length;
    for (const register of liveOut[index] ?? []) builder.keep(register, last + 2);
    builder.step(terminator, last);
    for (let at = instructions.length - 1; at >= 0; at -= 1)
      builder.step(instructions[at] as MachineInstruction, start + 2 * at);
    for (const register of liveIn[index] ?? []) builder.write(register, start);
  }
  return { segments: builder.finish(), length: position, liveIn, liveOut };
}

/** Collects segments while walking backwards. */
class SegmentBuilder {
  /** Descending: end0, start0, end1, start1 … reversed by {@link finish}. */
  readonly #lists: (number[] | undefined)[];
  /** End of the open segment, 0 while dead. */
  readonly #ends: Int32Array;
  /** Of the instruction that is looked at, and what it clobbers early. */
  #position = 0;
  readonly #early: MachineRegister[] = [];
  readonly #writes: RegisterVisitor = {
    use: () => {},
    def: (register) => this.write(register, this.#position + 1),
    clobber: (register, isEarly) => {
      if (isEarly) this.#early.push(register);
      else this.write(register, this.#position + 1);
    },
  };
  readonly #reads: RegisterVisitor = {
    use: (register) => this.keep(register, this.#position + 1),
    def: () => {},
    clobber: () => {},
  };

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
    this.#position = position;
    visitRegisters(op, this.#writes);
    for (const register of this.#early) this.#touch(register, position);
    this.#early.length = 0;
    visitRegisters(op, this.#reads);
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

/** Positions that the interval covers. */
export function segmentsSize(segments: Segments): number {
  let size = 0;
  for (let at = 0; at < segments.length; at += 2) {
    size += (segments[at + 1] ?? 0) - (segments[at] ?? 0);
  }
  return size;
}
