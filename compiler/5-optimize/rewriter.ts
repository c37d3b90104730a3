/**
 * Collects changes to a function and applies them in one linear walk. The instruction lists are
 * arrays: inserting or removing one by one would make every pass quadratic.
 */
import { pushTo } from "../../common/append.ts";
import type {
  Block,
  DebugLocation,
  IrFunction,
  IrInstruction,
  IrType,
  Operation,
  Value,
} from "../4-lower/ir.ts";
import { createInstruction } from "../4-lower/ir-builder.ts";

/** Identity of a state of changes; only one per function may be open at a time. */
export class Rewriter {
  readonly #fn: IrFunction;
  readonly #replacements = new Map<Value, Value>();
  readonly #erased = new Set<IrInstruction>();
  readonly #before = new Map<IrInstruction, IrInstruction[]>();
  readonly #after = new Map<IrInstruction, IrInstruction[]>();
  readonly #atStart = new Map<Block, IrInstruction[]>();
  #changed = false;

  constructor(fn: IrFunction) {
    this.#fn = fn;
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** What stands for a value now. Operands read before `apply` must go through this. */
  resolve(value: Value): Value {
    if (value.kind === "constant" || this.#replacements.size === 0) return value;
    let to = this.#replacements.get(value);
    if (to === undefined) return value;
    for (let next = this.#replacements.get(to); next !== undefined; ) {
      to = next;
      next = this.#replacements.get(to);
    }
    this.#replacements.set(value, to);
    return to;
  }

  /** All uses of `from` become `to`, and `from` goes away. */
  replace(from: IrInstruction, to: Value): void {
    this.replaceUses(from, to);
    this.erase(from);
  }

  /** All uses of `from` become `to`; an instruction stays where it is. */
  replaceUses(from: Value, to: Value): void {
    const target = this.resolve(to);
    if (target === from) return;
    this.#replacements.set(from, target);
    this.#changed = true;
  }

  erase(instruction: IrInstruction): void {
    this.#erased.add(instruction);
    this.#changed = true;
  }

  /** Something was changed in place. */
  touch(): void {
    this.#changed = true;
  }

  isErased(instruction: IrInstruction): boolean {
    return this.#erased.has(instruction);
  }

  /** A new instruction in front of `at`, after those that were put there before. */
  insertBefore(
    at: IrInstruction,
    type: IrType,
    operation: Operation,
    operands: readonly Value[],
    location: DebugLocation | undefined = at.location,
  ): IrInstruction {
    const made = createInstruction(this.#fn, at.block, type, operation, operands, location);
    pushTo(this.#before, at, made);
    this.#changed = true;
    return made;
  }

  /** A new instruction behind `at` (which is no terminator and no phi). */
  insertAfter(
    at: IrInstruction,
    type: IrType,
    operation: Operation,
    operands: readonly Value[],
    location: DebugLocation | undefined = at.location,
  ): IrInstruction {
    const made = createInstruction(this.#fn, at.block, type, operation, operands, location);
    pushTo(this.#after, at, made);
    this.#changed = true;
    return made;
  }

  /** A new instruction in front of the block's terminator. */
  insertAtEnd(
    block: Block,
    type: IrType,
    operation: Operation,
    operands: readonly Value[],
    location?: DebugLocation,
  ): IrInstruction {
    const last = block.instructions.at(-1) as IrInstruction;
    return this.insertBefore(last, type, operation, operands, location ?? last.location);
  }

  /** A new phi at the start of the block. */
  insertPhi(
    block: Block,
    type: IrType,
    incoming: readonly Block[],
    operands: readonly Value[],
    location?: DebugLocation,
  ): IrInstruction {
    const operation: Operation = { op: "phi", incoming: [...incoming] };
    const made = createInstruction(this.#fn, block, type, operation, operands, location);
    pushTo(this.#atStart, block, made);
    this.#changed = true;
    return made;
  }

  /** Moves an instruction behind the phis of a block that its operands dominate. */
  moveToStart(instruction: IrInstruction, block: Block): void {
    const moved = this.#copy(instruction, block);
    const at = block.instructions.find((each) => each.operation.op !== "phi");
    if (at !== undefined) pushTo(this.#before, at, moved);
  }

  /** Moves an instruction in front of the block's terminator. */
  moveToEnd(instruction: IrInstruction, block: Block): void {
    const moved = this.#copy(instruction, block);
    pushTo(this.#before, block.instructions.at(-1) as IrInstruction, moved);
  }

  #copy(instruction: IrInstruction, block: Block): IrInstruction {
    const { type, operation, operands, location } = instruction;
    const made = createInstruction(this.#fn, block, type, operation, operands, location);
    if (instruction.name !== undefined) made.name = instruction.name;
    this.replace(instruction, made);
    return made;
  }

  /** Carries everything out. Returns whether anything changed. */
  apply(): boolean {
    if (!this.#changed) return false;
    for (const block of this.#fn.blocks) {
      const list: IrInstruction[] = [];
      for (const made of this.#atStart.get(block) ?? []) this.#emit(made, list);
      for (const instruction of block.instructions) this.#emit(instruction, list);
      block.instructions = list;
    }
    return true;
  }

  #emit(instruction: IrInstruction, list: IrInstruction[]): void {
    const before = this.#before.get(instruction);
    if (before !== undefined) for (const made of before) this.#emit(made, list);
    if (!this.#erased.has(instruction)) {
      this.#resolveOperands(instruction);
      list.push(instruction);
    }
    const after = this.#after.get(instruction);
    if (after !== undefined) for (const made of after) this.#emit(made, list);
  }

  #resolveOperands(instruction: IrInstruction): void {
    if (this.#replacements.size === 0) return;
    const operands = instruction.operands;
    for (let at = 0; at < operands.length; at += 1) {
      const value = operands[at] as Value;
      if (value.kind !== "constant") operands[at] = this.resolve(value);
    }
  }
}
