/**
 * The inputs of phis while edges move: by predecessor, in constant time. A block may have thousands of
 * predecessors (the end of a large switch, a common way out), and a walk over all of them for each edge
 * that moves would cost their square.
 *
 * Guarantees: inputs stay in the order in which they were added. What is removed goes when `finish` is
 * called; until then nobody else may ask the phis of a block that was changed.
 */
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { phisOf } from "../4-lower/ir-builder.ts";

/** Shorter lists are searched. */
const shortest = 16;

export class PhiInputs {
  /** By phi: where the input from a block is. */
  readonly #places = new Map<IrInstruction, Map<Block, number>>();
  /** By block: predecessors that are none any more. */
  readonly #removed = new Map<Block, Set<Block>>();

  /** Where a phi's input from a block is; -1 if there is none. */
  placeOf(phi: IrInstruction, pred: Block): number {
    if (phi.operation.op !== "phi") return -1;
    const { incoming } = phi.operation;
    if (this.#removed.get(phi.block)?.has(pred) === true) return -1;
    if (incoming.length < shortest) return incoming.indexOf(pred);
    let places = this.#places.get(phi);
    if (places === undefined) this.#places.set(phi, (places = new Map()));
    for (let at = places.size; at < incoming.length; at += 1) places.set(incoming[at] as Block, at);
    return places.get(pred) ?? -1;
  }

  /** What a phi takes from a block. */
  valueFrom(phi: IrInstruction, pred: Block): Value | undefined {
    return phi.operands[this.placeOf(phi, pred)];
  }

  /** Adds an input to each phi of a block, in their order. */
  add(block: Block, pred: Block, values: readonly Value[]): void {
    const removed = this.#removed.get(block);
    if (removed?.delete(pred) === true) this.#bury(block, pred, removed);
    for (const [at, phi] of phisOf(block).entries()) {
      if (phi.operation.op !== "phi") continue;
      phi.operation.incoming.push(pred);
      phi.operands.push(values[at] as Value);
    }
  }

  /** An input that was removed and will come again, behind the others: its place goes to a block of no use. */
  #bury(block: Block, pred: Block, removed: Set<Block>): void {
    const grave: Block = { kind: "block", id: -1, instructions: [] };
    removed.add(grave);
    this.rename(block, pred, grave);
  }

  /** What came from one block comes from another one. */
  rename(block: Block, from: Block, to: Block): void {
    for (const phi of phisOf(block)) {
      const at = this.placeOf(phi, from);
      if (phi.operation.op !== "phi" || at < 0) continue;
      phi.operation.incoming[at] = to;
      const places = this.#places.get(phi);
      places?.delete(from);
      places?.set(to, at);
    }
  }

  /** Takes out what comes from a block. */
  remove(block: Block, pred: Block): void {
    const removed = this.#removed.get(block);
    if (removed === undefined) this.#removed.set(block, new Set([pred]));
    else removed.add(pred);
  }

  finish(): void {
    for (const [block, removed] of this.#removed) this.#drop(block, removed);
    this.#removed.clear();
  }

  #drop(block: Block, removed: ReadonlySet<Block>): void {
    this.#removed.delete(block);
    for (const phi of phisOf(block)) {
      const { operation, operands } = phi;
      if (operation.op !== "phi") continue;
      this.#places.delete(phi);
      const { incoming } = operation;
      phi.operands = operands.filter((_, at) => !removed.has(incoming[at] as Block));
      operation.incoming = incoming.filter((from) => !removed.has(from));
    }
  }
}
