/**
 * Numbers the states of memory, one count per class of memory (each private stack object, the context,
 * the rest), so that two loads of one address in one state give one value. Linear in blocks × classes;
 * classes are few.
 */
import { pushTo } from "../../common/append.ts";
import { predecessors, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction } from "../4-lower/ir.ts";
import type { AliasAnalysis, Location, Region } from "./alias.ts";
import { memoryEffect } from "./effects.ts";
import { type InstructionOf, instructionsOf, isOp, operand } from "./values.ts";

export type MemoryClass = number;
/** State of one class of memory. 0 is the state at entry. */
export type Version = number;

const contextClass: MemoryClass = 0;
const restClass: MemoryClass = 1;
const maxObjects = 40;

/** What made a state: an instruction (a write, or the start of an object's lifetime), or a join of paths (none). */
export interface Definition {
  readonly instruction: IrInstruction | undefined;
  /** The state before it; -1 for joins and entry. */
  readonly before: Version;
}

const none: readonly never[] = [];

export class MemoryVersions {
  readonly #alias: AliasAnalysis;
  readonly #objects = new Map<IrInstruction, MemoryClass>();
  readonly #definitions: Definition[] = [{ instruction: undefined, before: -1 }];
  /** Of blocks in reverse post-order. */
  readonly #places: ReadonlyMap<Block, number>;
  /** Per class: state at the start of each block, by place; empty for a class that nobody writes. */
  readonly #atStart: Int32Array[] = [];
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
    const places = new Map(order.map((block, at) => [block, at]));
    const all = predecessors(fn);
    const preds = order.map((block) =>
      (all.get(block) ?? []).flatMap((pred) => places.get(pred) ?? []),
    );
    this.#places = places;
    const writers = this.#collectWriters(order);
    for (let at = 0; at < this.classCount; at += 1) this.#number(preds, writers[at] ?? new Map());
  }

  get classCount(): number {
    return 2 + this.#objects.size;
  }

  classOf(region: Region): MemoryClass {
    if (region.kind === "context") return contextClass;
    if (region.kind !== "stack") return restClass;
    return this.#objects.get(region.object) ?? restClass;
  }

  /** Nothing was ever stored in the object: what is loaded from it may be anything. */
  isUnset(region: Region, version: Version): boolean {
    return version === 0 && region.kind === "stack" && this.#objects.has(region.object);
  }

  atStart(memory: MemoryClass, block: Block): Version {
    return this.#atStart[memory]?.[this.#places.get(block) ?? -1] ?? 0;
  }

  /** Classes that an instruction may write, each with the state that it makes. */
  written(instruction: IrInstruction): readonly (readonly [MemoryClass, Version])[] {
    const classes = this.#written.get(instruction);
    if (classes === undefined) return none;
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
          pushTo(writers[at] as Map<Block, IrInstruction[]>, block, each);
        }
      }
    }
    return writers;
  }

  #classesWritten(instruction: IrInstruction): readonly MemoryClass[] {
    if (isOp(instruction, "lifetime_start"))
      return [this.classOf(this.#alias.regionOf(operand(instruction, 0)))];
    const effect = memoryEffect(instruction);
    if (effect.kind === "none" || effect.kind === "load") return none;
    if (effect.kind === "store") return [this.classOf(this.#alias.regionOf(effect.pointer))];
    if (effect.kind === "block") {
      if (effect.target === undefined) return none;
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
    const getsRest = instruction.operands.some(
      (each) => each.type === "ptr" && this.#isWithRest(this.#alias.regionOf(each)),
    );
    if (getsRest || this.#alias.mayWrite(instruction, probe({ kind: "unknown" })))
      result.push(restClass);
    for (const [object, at] of this.#objects) {
      const region: Region = { kind: "stack", object: object as InstructionOf<"alloca"> };
      if (this.#alias.mayWrite(instruction, { base: object, offset: 0, size: undefined, region })) {
        result.push(at);
      }
    }
    return result;
  }

  /** What a call may be given that has no class of its own: stack objects beyond the first too. */
  #isWithRest(region: Region): boolean {
    return (
      region.kind === "argument" || (region.kind === "stack" && !this.#objects.has(region.object))
    );
  }

  #number(
    preds: readonly (readonly number[])[],
    writers: ReadonlyMap<Block, readonly IrInstruction[]>,
  ): void {
    const made = new Map<IrInstruction, Version>();
    this.#madeBy.push(made);
    if (writers.size === 0) {
      this.#atStart.push(new Int32Array(0));
      return;
    }
    const unknown = (): Int32Array => new Int32Array(preds.length).fill(-1);
    const states = { start: unknown(), last: unknown(), joins: unknown() };
    for (const [block, list] of writers) {
      const place = this.#places.get(block) ?? 0;
      for (const each of list) states.last[place] = this.#define(each, made);
    }
    const { start, joins } = states;
    for (let changed = true; changed; ) {
      changed = false;
      for (let at = 0; at < preds.length; at += 1) {
        const before = start[at];
        if (before !== -1 && before === joins[at]) continue;
        const version = at === 0 ? 0 : this.#meet(at, preds[at] ?? [], states);
        if (version === before) continue;
        start[at] = version;
        changed = true;
      }
    }
    this.#atStart.push(start);
    this.#chain(writers, start, made);
  }

  #define(instruction: IrInstruction | undefined, made?: Map<IrInstruction, Version>): Version {
    const version = this.#definitions.length;
    this.#definitions.push({ instruction, before: -1 });
    if (instruction !== undefined) made?.set(instruction, version);
    return version;
  }

  /** The state in which all paths that are known so far come in; a new one if they differ. */
  #meet(at: number, preds: readonly number[], { start, last, joins }: BlockStates): Version {
    let version = -1;
    for (const pred of preds) {
      const made = last[pred] as number;
      const out = made === -1 ? (start[pred] as number) : made;
      if (out === -1 || out === version) continue;
      if (version !== -1) {
        if (joins[at] === -1) joins[at] = this.#define(undefined);
        return joins[at] as number;
      }
      version = out;
    }
    return Math.max(version, 0);
  }

  /** Says of each state made by an instruction which one it came from. */
  #chain(
    writers: ReadonlyMap<Block, readonly IrInstruction[]>,
    start: Int32Array,
    made: ReadonlyMap<IrInstruction, Version>,
  ): void {
    for (const [block, list] of writers) {
      let before = start[this.#places.get(block) ?? 0] ?? 0;
      for (const instruction of list) {
        const version = made.get(instruction) as Version;
        this.#definitions[version] = { instruction, before };
        before = version;
      }
    }
  }
}

/** States of one class by block, -1 where none is known: at the start, the last one made in it, the one of a join. */
interface BlockStates {
  readonly start: Int32Array;
  readonly last: Int32Array;
  readonly joins: Int32Array;
}
