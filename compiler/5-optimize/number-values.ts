/**
 * Global value numbering: one walk over the dominator tree gives equal computations one value. Loads
 * count as equal in one state of memory (memory-versions.ts); stored values are forwarded to loads,
 * stores of what is already there are dropped, and conditions that a dominating branch decided are
 * constants. Runs at every level: a second `ctx->data` or `packet + variable` would be a new pointer
 * for the verifier, about which earlier bounds checks say nothing.
 * Needs: reachable blocks. Never moves anything. One file because it is one walk: each part reads what is known at
 * that place, adds to it, and takes it back on the way up.
 */
import { type DominatorTree, dominatorTree, predecessors } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import {
  constant,
  firstNonPhi,
  phisOf,
  sameValue,
  successors,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, sameBase } from "./alias.ts";
import { agreesWhere, type Choice, choiceAt, decidedBy } from "./choices.ts";
import { holdsForEqual, invertedPredicate, swappedPredicate } from "./fold-constants.ts";
import type { MemoryClass, MemoryVersions, Version } from "./memory-versions.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { PhiInputs } from "./phi-inputs.ts";
import { Rewriter } from "./rewriter.ts";
import { constantAt } from "./rules/memory.ts";
import { byteSize, isOp, isPure, operand } from "./values.ts";

export const numberValues: FunctionPass = {
  kind: "function",
  name: "number-values",
  ignoresRemovals: true,
  run: (fn, context) => new Numbering(fn, context).run(),
};

/** How far a load looks back past stores that do not concern it. */
const lookBack = 48;

const predicates = Object.keys(invertedPredicate) as IntPredicate[];

type Undo = () => void;

function isExtension(value: Value): value is IrInstruction {
  return isOp(value, "zext") || isOp(value, "sext");
}

/** The access carries a relocation: who reads memory through one that was never set wants that. */
function isRelocated(base: Value): boolean {
  return isOp(base, "ptradd") && isOp(operand(base, 1), "core");
}

class Numbering {
  readonly #context: PassContext;
  readonly #rewriter: Rewriter;
  readonly #tree: DominatorTree;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #alias: AliasAnalysis;
  readonly #memory: MemoryVersions;
  readonly #numbers = new Map<Value | string, number>();
  readonly #available = new Map<string, Value>();
  /** What is known to lie somewhere, by place and then by state of memory. */
  readonly #contents = new Map<string, Map<Version, Value>>();
  /** What a value is known to equal here, from a branch on equality. */
  readonly #equal = new Map<Value, Value>();
  /** Which other value it is known to equal here: what was asked of that one is known of it. */
  readonly #twins = new Map<Value, Value>();
  /** States of memory that this block has made; of other classes the one at its start holds. */
  readonly #made = new Map<MemoryClass, Version>();
  readonly #phiInputs = new PhiInputs();
  #undo: Undo[] = [];
  #changed = false;

  constructor(fn: IrFunction, context: PassContext) {
    this.#context = context;
    this.#rewriter = new Rewriter(fn);
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    const { alias, memory } = context.runs.factsOf(fn);
    this.#alias = alias;
    this.#memory = memory;
  }

  run(): boolean {
    const root = this.#tree.order[0];
    if (root === undefined) return false;
    const stack: { block: Block; undo: Undo[] | undefined }[] = [{ block: root, undo: undefined }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      if (frame.undo !== undefined) {
        for (let at = frame.undo.length - 1; at >= 0; at -= 1) frame.undo[at]?.();
        stack.pop();
        continue;
      }
      this.#undo = [];
      frame.undo = this.#undo;
      this.#visitBlock(frame.block);
      for (const child of this.#tree.children.get(frame.block) ?? []) {
        stack.push({ block: child, undo: undefined });
      }
    }
    return this.#rewriter.apply() || this.#changed;
  }

  #visitBlock(block: Block): void {
    this.#learnFromBranch(block);
    this.#made.clear();
    for (const instruction of block.instructions) this.#visit(instruction);
    for (const next of new Set(successors(block))) this.#improvePhis(block, next);
  }

  /** If one edge alone leads here, its condition holds here. */
  #learnFromBranch(block: Block): void {
    const [pred, ...others] = this.#preds.get(block) ?? [];
    const branch = pred && terminatorOf(pred);
    if (branch === undefined || others.length > 0) return;
    const { operation } = branch;
    if (operation.op === "condbr" && operation.then !== operation.otherwise) {
      this.#learn(this.#rewriter.resolve(operand(branch, 0)), operation.then === block);
    } else if (operation.op === "switch") {
      const mine = operation.cases.filter((each) => each.target === block);
      const [only] = mine;
      const value = this.#rewriter.resolve(operand(branch, 0));
      if (mine.length !== 1 || only === undefined || operation.fallback === block) return;
      this.#setEqual(value, constant(value.type as ValueType, only.value));
    }
  }

  #learn(condition: Value, holds: boolean): void {
    if (condition.kind === "constant") return;
    this.#setEqual(condition, constant("i1", holds ? 1n : 0n));
    if (!isOp(condition, "icmp")) return;
    const { predicate } = condition.operation;
    const [a, b] = [this.#resolve(operand(condition, 0)), this.#resolve(operand(condition, 1))];
    const inverse = `icmp ${invertedPredicate[predicate]} ${this.#number(a)} ${this.#number(b)}`;
    this.#setAvailable(inverse, constant("i1", holds ? 0n : 1n));
    if (b.kind !== "constant")
      this.#learnOrder(holds ? predicate : invertedPredicate[predicate], a, b);
    const isEqual = predicate === (holds ? "eq" : "ne");
    if (!isEqual) return;
    if (b.kind !== "constant") this.#pair(a, b);
    else if (isImmediate(b.value, b.type)) this.#setEqual(a, b);
  }

  /** Values that are extended alike are equal too. */
  #pair(a: Value, b: Value): void {
    const isExtended = isExtension(a) && isExtension(b) && a.operation.op === b.operation.op;
    const [x, y] = [a, b].map((each) =>
      isExtended ? this.#rewriter.resolve(operand(each as IrInstruction, 0)) : each,
    ) as [Value, Value];
    if (x.type !== y.type || x.type === "ptr") return;
    for (const [one, other] of [
      [x, y],
      [y, x],
    ] as const) {
      const before = this.#twins.get(one);
      this.#twins.set(one, other);
      this.#undo.push(() => {
        if (before === undefined) this.#twins.delete(one);
        else this.#twins.set(one, before);
      });
    }
  }

  /** What a comparison with a constant gives, if the same was decided about a value that is equal. */
  #decideByTwin(test: IrInstruction): boolean | undefined {
    if (this.#twins.size === 0 || test.operation.op !== "icmp") return undefined;
    const [value, bound] = [operand(test, 0), operand(test, 1)];
    if (bound.kind !== "constant") return undefined;
    const twin = this.#twins.get(value) ?? this.#extendedTwin(value);
    if (twin === undefined) return undefined;
    const { predicate } = test.operation;
    const known = this.#available.get(
      `icmp ${predicate} ${this.#number(twin)} ${this.#number(bound)}`,
    );
    const result = known && this.#resolve(known);
    return result?.kind === "constant" ? result.value === 1n : undefined;
  }

  #extendedTwin(value: Value): Value | undefined {
    if (!isExtension(value)) return undefined;
    const twin = this.#twins.get(operand(value, 0));
    if (twin === undefined) return undefined;
    return this.#available.get(`${value.operation.op} ${value.type} ${this.#number(twin)}`);
  }

  /** What else is decided about two values once one comparison of them is. */
  #learnOrder(known: IntPredicate, a: Value, b: Value): void {
    const [x, y] = [this.#number(a), this.#number(b)];
    for (const predicate of predicates) {
      const holds = decidedBy(known, predicate);
      if (holds === undefined) continue;
      const result = constant("i1", holds ? 1n : 0n);
      this.#setAvailable(`icmp ${predicate} ${x} ${y}`, result);
      this.#setAvailable(`icmp ${swappedPredicate[predicate]} ${y} ${x}`, result);
    }
  }

  #setEqual(value: Value, to: Value): void {
    // A null pointer's branch is cold, and a pointer that becomes 0 is no pointer for the verifier.
    if (value.kind === "constant" || value.type === "ptr") return;
    const before = this.#equal.get(value);
    this.#equal.set(value, to);
    this.#undo.push(() => {
      if (before === undefined) this.#equal.delete(value);
      else this.#equal.set(value, before);
    });
  }

  #setAvailable(key: string, value: Value): void {
    const before = this.#available.get(key);
    this.#available.set(key, value);
    this.#undo.push(() => {
      if (before === undefined) this.#available.delete(key);
      else this.#available.set(key, before);
    });
  }

  #resolve(value: Value): Value {
    const resolved = this.#rewriter.resolve(value);
    return this.#equal.get(resolved) ?? resolved;
  }

  /** Equal numbers mean equal values. */
  #number(value: Value): number {
    const key =
      value.kind === "constant"
        ? `${value.type} ${value.value}`
        : value.kind === "global"
          ? `@${value.symbol}`
          : value.kind === "undef"
            ? `undef ${value.type}`
            : value;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const made = this.#numbers.size;
    this.#numbers.set(key, made);
    return made;
  }

  #visit(instruction: IrInstruction): void {
    const { operation, operands } = instruction;
    if (operation.op === "phi") {
      this.#visitPhi(instruction);
      return;
    }
    for (let at = 0; at < operands.length; at += 1) {
      const before = operands[at] as Value;
      const after = this.#resolve(before);
      if (after === before) continue;
      operands[at] = after;
      this.#changed = true;
    }
    if (operation.op === "load" && !operation.volatile) this.#visitLoad(instruction);
    else if (operation.op === "store" && !operation.volatile) this.#visitStore(instruction);
    else if (isPure(instruction)) this.#visitPure(instruction);
    for (const [memory, version] of this.#memory.written(instruction)) {
      this.#made.set(memory, version);
    }
  }

  #visitPhi(phi: IrInstruction): void {
    if (phi.operation.op !== "phi") return;
    const { incoming } = phi.operation;
    const inputs = phi.operands
      .map((value, at) => `${incoming[at]?.id}:${this.#number(this.#rewriter.resolve(value))}`)
      .sort();
    const key = `phi ${phi.block.id} ${phi.type} ${inputs.join(" ")}`;
    const known = this.#available.get(key) ?? this.#equalChoice(phi);
    if (known === undefined) this.#setAvailable(key, phi);
    else this.#rewriter.replace(phi, known);
  }

  /** An earlier phi that chose between the same values by the same condition, or one value that fits both ways. */
  #equalChoice(phi: IrInstruction): Value | undefined {
    const choice = choiceAt(phi, this.#tree, this.#preds);
    if (choice === undefined) return undefined;
    const fitting = this.#valueOfBoth(phi, choice);
    if (fitting !== undefined) return fitting;
    const [condition, then, otherwise] = [
      choice.condition,
      operand(phi, choice.then),
      operand(phi, choice.otherwise),
    ].map((each) => this.#number(this.#rewriter.resolve(each)));
    const key = `choice ${phi.type} ${condition} ${then} ${otherwise}`;
    const known = this.#available.get(key);
    if (known === undefined) this.#setAvailable(key, phi);
    return known;
  }

  /** x == 0 ? 1 : x + 1 is x + 1 */
  #valueOfBoth(phi: IrInstruction, { condition, then, otherwise }: Choice): Value | undefined {
    if (phi.type === "ptr" || phi.type === "void") return undefined;
    const [a, b] = [operand(phi, then), operand(phi, otherwise)];
    const test = this.#rewriter.resolve(condition);
    const value = agreesWhere(test, true, b, a)
      ? b
      : agreesWhere(test, false, a, b)
        ? a
        : undefined;
    const first = phi.block.instructions[firstNonPhi(phi.block)];
    if (value === undefined || first === undefined) return undefined;
    return this.#rewriter.insertBefore(first, phi.type, { ...value.operation }, [
      ...value.operands,
    ]);
  }

  /** A comparison of the lesser or greater of two values with one of them. */
  #decideChosen(test: IrInstruction): boolean | undefined {
    if (test.operation.op !== "icmp") return undefined;
    const [a, b] = [operand(test, 0), operand(test, 1)];
    const { predicate } = test.operation;
    return (
      this.#compareChosen(a, predicate, b) ?? this.#compareChosen(b, swappedPredicate[predicate], a)
    );
  }

  #compareChosen(phi: Value, predicate: IntPredicate, other: Value): boolean | undefined {
    if (!isOp(phi, "phi") || other.kind !== "instruction") return undefined;
    const choice = choiceAt(phi, this.#tree, this.#preds);
    if (choice === undefined) return undefined;
    const { condition } = choice;
    if (!isOp(condition, "icmp")) return undefined;
    const known = condition.operation.predicate;
    const [x, y] = [0, 1].map((at) => this.#rewriter.resolve(operand(condition, at)));
    const decide = (place: number, holding: IntPredicate): boolean | undefined => {
      const value = this.#rewriter.resolve(operand(phi, place));
      if (value === other) return holdsForEqual(predicate);
      if (value === x && other === y) return decidedBy(holding, predicate);
      return value === y && other === x
        ? decidedBy(swappedPredicate[holding], predicate)
        : undefined;
    };
    const then = decide(choice.then, known);
    return then === decide(choice.otherwise, invertedPredicate[known]) ? then : undefined;
  }

  #visitPure(instruction: IrInstruction): void {
    const decided = this.#decideChosen(instruction) ?? this.#decideByTwin(instruction);
    if (decided !== undefined) {
      this.#rewriter.replace(instruction, constant("i1", decided ? 1n : 0n));
      return;
    }
    const key = this.#keyOf(instruction);
    const known = this.#available.get(key);
    if (known === undefined) this.#setAvailable(key, instruction);
    else if (known.kind !== "constant" && isRelocatedConstant(instruction)) {
      // One or two instructions, cheaper to repeat than to keep: equal, but not shared.
      this.#numbers.set(instruction, this.#number(known));
    } else this.#rewriter.replace(instruction, known);
  }

  #keyOf(instruction: IrInstruction): string {
    const { operation, operands, type } = instruction;
    const numbers = operands.map((each) => this.#number(each));
    switch (operation.op) {
      case "binary": {
        if (["add", "mul", "and", "or", "xor"].includes(operation.binary))
          numbers.sort((a, b) => a - b);
        return `${operation.binary} ${numbers.join(" ")}`;
      }
      case "icmp":
        return `icmp ${operation.predicate} ${numbers.join(" ")}`;
      case "core": {
        const { relocation, rootName, access } = operation.core;
        return `core ${relocation} ${rootName} ${access} ${operation.value}`;
      }
      case "asm_output":
        return `asm_output ${operation.index} ${numbers.join(" ")}`;
      case "object_size":
        return `object_size ${operation.type} ${numbers.join(" ")}`;
      case "addr_space_cast":
        return `cast ${operation.from} ${operation.to} ${numbers.join(" ")}`;
      default:
        return `${operation.op} ${type} ${numbers.join(" ")}`;
    }
  }

  #visitLoad(load: IrInstruction): void {
    const location = this.#alias.accessOf(load) as Location;
    const found = this.#walk(load, location, load.type);
    if (found.value === undefined) this.#setContents(found.contents, found.version, load);
    else {
      const value = this.#coerce(found.value, load.type as ValueType, load);
      this.#rewriter.replace(load, value);
    }
  }

  /** A store of the value that is there already does nothing. */
  #visitStore(store: IrInstruction): void {
    const value = operand(store, 0);
    const location = this.#alias.accessOf(store) as Location;
    const there = this.#walk(store, location, value.type);
    if (there.value !== undefined && sameValue(there.value, value)) this.#rewriter.erase(store);
  }

  #contentsOf(location: Location, type: string): Map<Version, Value> {
    const memory = this.#memory.classOf(location.region);
    const key = `${type} ${this.#number(location.base)} ${location.offset} ${memory}`;
    const known = this.#contents.get(key);
    if (known !== undefined) return known;
    const made = new Map<Version, Value>();
    this.#contents.set(key, made);
    return made;
  }

  #setContents(contents: Map<Version, Value>, version: Version, value: Value): void {
    const before = contents.get(version);
    contents.set(version, value);
    this.#undo.push(() => {
      if (before === undefined) contents.delete(version);
      else contents.set(version, before);
    });
  }

  /** Goes back through what wrote to memory until something decides about the location. */
  #walk(
    at: IrInstruction,
    location: Location,
    type: IrInstruction["type"],
  ): { contents: Map<Version, Value>; version: Version; value?: Value } {
    const contents = this.#contentsOf(location, type);
    const memory = this.#memory.classOf(location.region);
    let version = this.#made.get(memory) ?? this.#memory.atStart(memory, at.block);
    for (let steps = 0; steps < lookBack; steps += 1) {
      const known = contents.get(version);
      if (known !== undefined) return { contents, version, value: this.#rewriter.resolve(known) };
      const { instruction, before } = this.#memory.definition(version);
      const isStart = instruction !== undefined && this.#alias.startsLife(instruction, location);
      if (instruction === undefined || isStart) {
        if (type === "ptr" || !isOp(at, "load") || isRelocated(location.base)) break;
        if (!isStart && !this.#memory.isUnset(location.region, version)) break;
        return { contents, version, value: constant(type as ValueType, 0n) };
      }
      const value = this.#valueWritten(instruction, location, type, at);
      if (value !== undefined) return { contents, version, value };
      if (this.#alias.mayWrite(instruction, location)) break;
      version = before;
    }
    return { contents, version };
  }

  /** The value of `location` right after `writer`, if it wrote all of it. */
  #valueWritten(
    writer: IrInstruction,
    location: Location,
    type: IrInstruction["type"],
    at: IrInstruction,
  ): Value | undefined {
    const { operation } = writer;
    const { size = 0 } = location;
    if (operation.op === "store" && !operation.volatile) {
      const value = this.#rewriter.resolve(operand(writer, 0));
      const target = this.#alias.location(
        this.#rewriter.resolve(operand(writer, 1)),
        byteSize[value.type],
      );
      if (!sameBase(target.base, location.base)) return undefined;
      return this.#part(value, location.offset - target.offset, size, type as ValueType, at);
    }
    const isFill = operation.op === "memset";
    if (!isFill && operation.op !== "memcpy") return undefined;
    const length = operand(writer, 2);
    if (length.kind !== "constant" || operation.volatile) return undefined;
    const target = this.#alias.location(
      this.#rewriter.resolve(operand(writer, 0)),
      Number(length.value),
    );
    const delta = location.offset - target.offset;
    if (!sameBase(target.base, location.base) || delta < 0 || delta + size > Number(length.value))
      return undefined;
    const source = this.#rewriter.resolve(operand(writer, 1));
    if (isFill) {
      if (source.kind !== "constant") return undefined;
      const ones = BigInt.asUintN(size * 8, 0x0101010101010101n);
      return constant(type as ValueType, source.value * ones);
    }
    const from = this.#alias.location(source, undefined);
    if (from.base.kind !== "global") return undefined;
    const global = this.#context.globals.get(from.base.symbol);
    if (global === undefined || !global.constant || global.isExtern) return undefined;
    const { endian } = this.#context.module;
    return constantAt(global, from.offset + delta, type as ValueType, endian);
  }

  /** `size` bytes at `delta` of a value that lies in memory. */
  #part(
    value: Value,
    delta: number,
    size: number,
    type: ValueType,
    at: IrInstruction,
  ): Value | undefined {
    const whole = byteSize[value.type];
    if (delta < 0 || delta + size > whole) return undefined;
    if (size === whole) return value;
    if (type === "ptr" || value.kind === "undef") return undefined;
    const bytes = this.#context.module.endian === "little" ? delta : whole - delta - size;
    const shift = BigInt(bytes * 8);
    if (value.kind === "constant") return constant(type, value.value >> shift);
    if (value.kind === "global" || value.type === "ptr" || at.operation.op !== "load")
      return undefined;
    const kind = value.type as ValueType;
    const low =
      shift === 0n
        ? value
        : this.#rewriter.insertBefore(at, kind, { op: "binary", binary: "lshr" }, [
            value,
            constant(kind, shift),
          ]);
    return this.#rewriter.insertBefore(at, type, { op: "trunc" }, [low]);
  }

  #coerce(value: Value, type: ValueType, at: IrInstruction): Value {
    if (value.type === type) return value;
    if (value.kind === "constant") return constant(type, value.value);
    return this.#rewriter.insertBefore(at, type, { op: type === "ptr" ? "inttoptr" : "ptrtoint" }, [
      value,
    ]);
  }

  /** On the edge from here, phis may take what is known here. */
  #improvePhis(block: Block, next: Block): void {
    for (const phi of phisOf(next)) {
      if (phi.operation.op !== "phi") continue;
      const at = this.#phiInputs.placeOf(phi, block);
      const value = phi.operands[at];
      if (value === undefined || value.kind === "constant") continue;
      const known = this.#equal.get(this.#rewriter.resolve(value));
      if (known === undefined) continue;
      phi.operands[at] = known;
      this.#changed = true;
    }
  }
}

/** A CO-RE constant, or a test or cast of one. */
function isRelocatedConstant(value: Value): boolean {
  if (isOp(value, "core")) return true;
  if (!isOp(value, "icmp") && !isOp(value, "trunc") && !isOp(value, "zext")) return false;
  return (
    value.kind === "instruction" &&
    value.operands.every((each) => each.kind === "constant" || isRelocatedConstant(each))
  );
}

/** Cheap as an operand: it fits the immediate field. */
function isImmediate(value: bigint, type: ValueType): boolean {
  if (type === "ptr") return false;
  const number = BigInt.asIntN(bitWidth[type], value);
  return number >= -0x80000000n && number <= 0x7fffffffn;
}
