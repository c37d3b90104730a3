/**
 * Numbers the states of memory, one count per class of memory (each private stack object, the context,
 * the rest), so that two loads of one address in one state give one value. Linear in blocks × classes;
 * classes are few.
 */
import { predecessors, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction } from "../4-lower/ir.ts";
import type { AliasAnalysis, Location, Region } from "./alias.ts";
import { memoryEffect } from "./effects.ts";
import { type InstructionOf, instructionsOf, isOp } from "./values.ts";

export type MemoryClass = number;
/** State of one class of memory. 0 is the state at entry. */
export type Version = number;

const contextClass: MemoryClass = 0;
const restClass: MemoryClass = 1;
const maxObjects = 40;

/** What made a state: an instruction, or a join of paths (no instruction). */
export interface Definition {
  readonly instruction: IrInstruction | undefined;
  /** The state before it; -1 for joins and entry. */
  readonly before: Version;
}

export class MemoryVersions {
  readonly #alias: AliasAnalysis;
  readonly #objects = new Map<IrInstruction, MemoryClass>();
  readonly #definitions: Definition[] = [{ instruction: undefined, before: -1 }];
  /** Per class: state at the start of each block. */
  readonly #atStart: Map<Block, Version>[] = [];
  /** Per class: the state that an instruction makes. */
  readonly #madeBy: Map<IrInstruction, Version>[] = [];
  readonly #written = new Map<IrInstruction, readonly MemoryClass[]>();

  constructor(fn: IrFunction, alias: AliasAnalysis) {
    this.#alias = alias;
    for (const each of instructionsOf(fn)) {
      if (!isOp(each, "alloca") || alias.escapeOf(each) === "all") continue;
      if (this.#objects.size < maxObjects) this.#objects.set(each, 2 + this.#objects.size);
    }
    const order = reversePostOrder(fn);
    const preds = predecessors(fn);
    const writers = this.#collectWriters(order);
    for (let at = 0; at < this.classCount; at += 1) {
      this.#number(order, preds, writers[at] ?? new Map());
    }
  }

  get classCount(): number {
    return 2 + this.#objects.size;
  }

  classOf(region: Region): MemoryClass {
    if (region.kind === "context") return contextClass;
    if (region.kind !== "stack") return restClass;
    return this.#objects.get(region.object) ?? restClass;
  }

  atStart(memory: MemoryClass, block: Block): Version {
    return this.#atStart[memory]?.get(block) ?? 0;
  }

  /** Classes that an instruction may write, each with the state that it makes. */
  written(instruction: IrInstruction): readonly (readonly [MemoryClass, Version])[] {
    const classes = this.#written.get(instruction);
    if (classes === undefined) return [];
    return classes.map((each) => [each, this.#madeBy[each]?.get(instruction) ?? 0] as const);
  }

  definition(version: Version): Definition {
    return this.#definitions[version] as Definition;
  }

  #collectWriters(order: readonly Block[]): Map<Block, IrInstruction[]>[] {
    const writers: Map<Block, IrInstruction[]>[] = [];
    for (let at = 0; at < this.classCount; at += 1) writers.push(new Map());
    for (const block of order) {
      for (const each of block.instructions) {
        const classes = this.#classesWritten(each);
        if (classes.length === 0) continue;
        this.#written.set(each, classes);
        for (const at of classes) {
          const list = writers[at]?.get(block);
          if (list === undefined) writers[at]?.set(block, [each]);
          else list.push(each);
        }
      }
    }
    return writers;
  }

  #classesWritten(instruction: IrInstruction): MemoryClass[] {
    const effect = memoryEffect(instruction);
    if (effect.kind === "none" || effect.kind === "load") return [];
    if (effect.kind === "store") return [this.classOf(this.#alias.regionOf(effect.pointer))];
    if (effect.kind === "block") {
      if (effect.target === undefined) return [];
      return [this.classOf(this.#alias.regionOf(effect.target))];
    }
    const result: MemoryClass[] = [];
    const probe = (region: Region): Location => ({
      base: instruction,
      offset: 0,
      size: undefined,
      region,
    });
    if (this.#alias.mayWrite(instruction, probe({ kind: "context" }))) result.push(contextClass);
    const getsArgument = instruction.operands.some(
      (each) => each.type === "ptr" && this.#alias.regionOf(each).kind === "argument",
    );
    if (getsArgument || this.#alias.mayWrite(instruction, probe({ kind: "unknown" })))
      result.push(restClass);
    for (const [object, at] of this.#objects) {
      const region: Region = { kind: "stack", object: object as InstructionOf<"alloca"> };
      if (this.#alias.mayWrite(instruction, { base: object, offset: 0, size: undefined, region })) {
        result.push(at);
      }
    }
    return result;
  }

  #number(
    order: readonly Block[],
    preds: ReadonlyMap<Block, readonly Block[]>,
    writers: ReadonlyMap<Block, readonly IrInstruction[]>,
  ): void {
    const made = new Map<IrInstruction, Version>();
    const start = new Map<Block, Version>();
    this.#madeBy.push(made);
    this.#atStart.push(start);
    if (writers.size === 0) return;
    const last = new Map<Block, Version>();
    for (const [block, list] of writers) {
      for (const each of list) last.set(block, this.#define(each, made));
    }
    const joins = new Map<Block, Version>();
    for (let changed = true; changed; ) {
      changed = false;
      for (const [at, block] of order.entries()) {
        const before = start.get(block);
        if (before !== undefined && before === joins.get(block)) continue;
        const version =
          at === 0 ? 0 : this.#meet(block, preds.get(block) ?? [], start, last, joins);
        if (version === before) continue;
        start.set(block, version);
        changed = true;
      }
    }
    this.#chain(order, writers, start, made);
  }

  #define(instruction: IrInstruction | undefined, made?: Map<IrInstruction, Version>): Version {
    const version = this.#definitions.length;
    this.#definitions.push({ instruction, before: -1 });
    if (instruction !== undefined) made?.set(instruction, version);
    return version;
  }

  /** The state in which all paths that are known so far come in; a new one if they differ. */
  #meet(
    block: Block,
    preds: readonly Block[],
    start: ReadonlyMap<Block, Version>,
    last: ReadonlyMap<Block, Version>,
    joins: Map<Block, Version>,
  ): Version {
    let version: Version | undefined;
    for (const pred of preds) {
      const out = last.get(pred) ?? start.get(pred);
      if (out === undefined || out === version) continue;
      if (version !== undefined) {
        const join = joins.get(block) ?? this.#define(undefined);
        joins.set(block, join);
        return join;
      }
      version = out;
    }
    return version ?? 0;
  }

  /** Says of each state made by an instruction which one it came from. */
  #chain(
    order: readonly Block[],
    writers: ReadonlyMap<Block, readonly IrInstruction[]>,
    start: ReadonlyMap<Block, Version>,
    made: ReadonlyMap<IrInstruction, Version>,
  ): void {
    for (const block of order) {
      let before = start.get(block) ?? 0;
      for (const instruction of writers.get(block) ?? []) {
        const version = made.get(instruction) as Version;
        this.#definitions[version] = { instruction, before };
        before = version;
      }
    }
  }
}
