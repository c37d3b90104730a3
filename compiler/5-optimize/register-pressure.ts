/** How many registers a loop needs, counted in values of the IR: a little more than it will. */
import type { Loop } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Parameter, Value } from "../4-lower/ir.ts";
import { successors } from "../4-lower/ir-builder.ts";
import { constantAddress } from "./values.ts";

/** r0–r9, one kept for what an instruction computes on the way; r6–r9 across calls. */
export const registers = 9;
export const acrossCalls = 4;
/** Calls of helpers and functions, and what becomes such. */
const callingOps: ReadonlySet<string> = new Set(["call", "load_packet", "asm"]);

/** Times that what is live is found out for one function: a large one may be all loops. */
const mostTimes = 8;

/** What is live in a function whose loops are changed one after the other. */
export class RegisterPressure {
  readonly #fn: IrFunction;
  #liveIn: ReadonlyMap<Block, ReadonlySet<Value>> | undefined;
  #times = 0;

  constructor(fn: IrFunction) {
    this.#fn = fn;
  }

  /** A loop has been changed. After many such changes what was found before is good enough. */
  noteChange(): void {
    if (this.#times < mostTimes) this.#liveIn = undefined;
  }

  /**
   * Whether `extra` more values can live throughout the loop without others going to the stack. Those in whose place they
   * come do not count.
   */
  fits(loop: Loop, extra: number, replaced: readonly Value[]): boolean {
    if (this.#liveIn === undefined) {
      this.#liveIn = livenessOf(this.#fn);
      this.#times += 1;
    }
    return fits(this.#liveIn, loop, extra, replaced);
  }
}

/** The same for one loop. */
export function fitsRegisters(
  fn: IrFunction,
  loop: Loop,
  extra: number,
  replaced: readonly Value[] = [],
): boolean {
  return fits(livenessOf(fn), loop, extra, replaced);
}

function fits(
  liveIn: ReadonlyMap<Block, ReadonlySet<Value>>,
  loop: Loop,
  extra: number,
  replaced: readonly Value[],
): boolean {
  for (const block of loop.blocks) {
    const live = liveOut(block, liveIn);
    for (const value of replaced) live.delete(value);
    if (live.size + extra > registers) return false;
    for (const instruction of block.instructions.toReversed()) {
      live.delete(instruction);
      if (instruction.operation.op === "phi") continue;
      const isCall = callingOps.has(instruction.operation.op);
      if (isCall && live.size + extra > acrossCalls) return false;
      for (const value of instruction.operands) addHolder(value, live);
      for (const value of replaced) live.delete(value);
      if (live.size + extra > registers) return false;
    }
  }
  return true;
}

/**
 * What stands in a register where a value is used: constants and addresses of objects are made there; tests are
 * parts of branches, and what is counted in constants from an address is part of the access.
 */
export function holderOf(value: Value): Parameter | IrInstruction | undefined {
  const { base } = constantAddress(value);
  if (base.kind === "parameter") return base;
  if (base.kind !== "instruction" || base.type === "i1" || base.type === "void") return undefined;
  return base.operation.op === "alloca" ? undefined : base;
}

function addHolder(value: Value, live: Set<Value>): void {
  const holder = holderOf(value);
  if (holder !== undefined) live.add(holder);
}

/** What is live where each block begins, its phis not counted. */
function livenessOf(fn: IrFunction): Map<Block, Set<Value>> {
  const liveIn = new Map<Block, Set<Value>>(fn.blocks.map((block) => [block, new Set()]));
  const backwards = fn.blocks.toReversed();
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of backwards) {
      const live = liveOut(block, liveIn);
      for (const instruction of block.instructions.toReversed()) liveBefore(instruction, live);
      if (live.size === liveIn.get(block)?.size) continue;
      liveIn.set(block, live);
      changed = true;
    }
  }
  return liveIn;
}

function liveBefore(instruction: IrInstruction, live: Set<Value>): void {
  live.delete(instruction);
  if (instruction.operation.op === "phi") return;
  for (const value of instruction.operands) addHolder(value, live);
}

function liveOut(block: Block, liveIn: ReadonlyMap<Block, ReadonlySet<Value>>): Set<Value> {
  const live = new Set<Value>();
  for (const next of successors(block)) {
    for (const value of liveIn.get(next) ?? []) live.add(value);
    for (const phi of next.instructions) {
      if (phi.operation.op !== "phi") break;
      const value = phi.operands[phi.operation.incoming.indexOf(block)];
      if (value !== undefined) addHolder(value, live);
    }
  }
  return live;
}
