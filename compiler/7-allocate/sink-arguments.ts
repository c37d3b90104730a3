/**
 * Computes single-use call arguments right before they are passed, in an order that does not
 * overwrite what other arguments still read: `r2 = *(r1 + 8); r1 = *(r1 + 0)` instead of a detour
 * over a third register. Only pure code and plain loads move, and never over a write to memory.
 */
import type { MachineFunction, MachineInstruction, MachineRegister } from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { isCopy, isPure, visitRegisters } from "../6-select/operands.ts";

/** How far back an argument's computation is looked for. */
const maxDistance = 24;

export function sinkArguments(fn: MachineFunction): void {
  const uses = countMentions(fn);
  const homes = parameterHomes(fn);
  for (const block of fn.blocks) {
    for (let at = 0; at < block.instructions.length; at += 1) {
      if (block.instructions[at]?.kind === "call") {
        at = new CallSite(block.instructions, at, uses, homes).rearrange();
      }
    }
  }
}

interface Mentions {
  reads: number;
  writes: number;
}

function countMentions(fn: MachineFunction): Map<MachineRegister, Mentions> {
  const result = new Map<MachineRegister, Mentions>();
  const of = (register: MachineRegister): Mentions => {
    const known = result.get(register);
    if (known !== undefined) return known;
    const made = { reads: 0, writes: 0 };
    result.set(register, made);
    return made;
  };
  for (const block of fn.blocks) {
    for (const op of [...block.instructions, block.terminator]) {
      visitRegisters(op, {
        use: (register) => {
          of(register).reads += 1;
        },
        def: (register) => {
          of(register).writes += 1;
        },
        clobber: () => {},
      });
    }
  }
  return result;
}

/** In which argument register a parameter arrived, and may still be. */
function parameterHomes(fn: MachineFunction): Map<MachineRegister, MachineRegister> {
  const homes = new Map<MachineRegister, MachineRegister>();
  for (const op of fn.blocks[0]?.instructions ?? []) {
    if (op.kind !== "alu" || op.op !== "mov" || op.src.kind !== "register") continue;
    if (!isVirtual(op.src.register)) homes.set(op.dst, op.src.register);
  }
  return homes;
}

/** One argument: what computes it, and the move into its register. */
interface Group {
  readonly target: MachineRegister;
  readonly code: MachineInstruction[];
}

class CallSite {
  readonly #list: MachineInstruction[];
  readonly #call: number;
  readonly #uses: ReadonlyMap<MachineRegister, Mentions>;
  readonly #homes: ReadonlyMap<MachineRegister, MachineRegister>;

  constructor(
    list: MachineInstruction[],
    call: number,
    uses: ReadonlyMap<MachineRegister, Mentions>,
    homes: ReadonlyMap<MachineRegister, MachineRegister>,
  ) {
    this.#list = list;
    this.#call = call;
    this.#uses = uses;
    this.#homes = homes;
  }

  /** Gives the call's index, which stays the same. */
  rearrange(): number {
    let first = this.#call;
    while (first > 0 && this.#isArgumentMove(this.#list[first - 1])) first -= 1;
    const moves = this.#list.slice(first, this.#call);
    if (moves.length < 2) return this.#call;
    const taken = new Set<number>();
    const groups = moves.map((move): Group => {
      const indices = isCopy(move) ? this.#chain(move.src.register, first, taken) : [];
      for (const index of indices) taken.add(index);
      const code = indices.map((index) => this.#list[index] as MachineInstruction);
      return { target: (move as { dst: MachineRegister }).dst, code: [...code, move] };
    });
    const start = Math.max(0, first - maxDistance);
    const kept = this.#list.slice(start, first).filter((_, at) => !taken.has(start + at));
    const ordered = this.#order(groups).flatMap(({ code }) => code);
    this.#list.splice(start, this.#call - start, ...kept, ...ordered);
    return this.#call;
  }

  #isArgumentMove(op: MachineInstruction | undefined): boolean {
    if (op === undefined || !("dst" in op) || op.dst < 1 || op.dst > 5) return false;
    if (op.kind === "load_imm64" || op.kind === "frame_address") return true;
    if (op.kind !== "alu" || op.op !== "mov") return false;
    return op.src.kind === "immediate" || isVirtual(op.src.register);
  }

  /** Indices of the instructions that make the value for this argument alone; empty if they cannot move. */
  #chain(value: MachineRegister, first: number, taken: ReadonlySet<number>): number[] {
    const mentions = this.#uses.get(value);
    if (mentions === undefined || !isVirtual(value)) return [];
    const indices: number[] = [];
    const sources = new Set<MachineRegister>();
    let reads = 1;
    for (let at = first - 1; at >= Math.max(0, first - maxDistance); at -= 1) {
      const op = this.#list[at];
      if (op === undefined || taken.has(at)) return [];
      const { writes, touched } = registersOf(op);
      if (writes.has(value)) {
        if (!isMovable(op)) return [];
        indices.unshift(at);
        for (const register of touched) {
          if (register === value) reads += 1;
          else sources.add(register);
        }
        if (indices.length === mentions.writes) break;
        continue;
      }
      if (touched.has(value)) return [];
      if (isBarrier(op)) return [];
    }
    if (indices.length !== mentions.writes || reads !== mentions.reads) return [];
    return this.#sourcesStay(sources, indices, first) ? indices : [];
  }

  /** Nothing between the code and the call rewrites what the code reads. */
  #sourcesStay(
    sources: ReadonlySet<MachineRegister>,
    indices: readonly number[],
    first: number,
  ): boolean {
    for (const register of sources) if (!isVirtual(register)) return false;
    for (let at = indices[0] ?? first; at < first; at += 1) {
      const op = this.#list[at];
      if (op === undefined || indices.includes(at)) continue;
      for (const register of registersOf(op).writes) if (sources.has(register)) return false;
    }
    return true;
  }

  /** Readers of a register come before the argument that overwrites it. */
  #order(groups: readonly Group[]): Group[] {
    const rest = [...groups];
    const result: Group[] = [];
    const reads = (group: Group, home: MachineRegister): boolean =>
      group.code.some((op) =>
        [...registersOf(op).touched].some((register) => this.#homes.get(register) === home),
      );
    while (rest.length > 0) {
      const free = rest.findIndex((group) =>
        rest.every((other) => other === group || !reads(other, group.target)),
      );
      result.push(...rest.splice(Math.max(0, free), 1));
    }
    return result;
  }
}

function registersOf(op: MachineInstruction): {
  touched: Set<MachineRegister>;
  writes: Set<MachineRegister>;
} {
  const touched = new Set<MachineRegister>();
  const writes = new Set<MachineRegister>();
  visitRegisters(op, {
    use: (register) => touched.add(register),
    def: (register) => writes.add(register),
    clobber: (register) => writes.add(register),
  });
  return { touched, writes };
}

function isMovable(op: MachineInstruction): boolean {
  return isPure(op) || (op.kind === "load" && !op.isVolatile);
}

/** A load must not move over it. */
function isBarrier(op: MachineInstruction): boolean {
  return op.kind !== "lifetime" && !isPure(op) && (op.kind !== "load" || op.isVolatile === true);
}
