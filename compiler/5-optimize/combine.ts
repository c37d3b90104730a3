/**
 * Instruction combining: applies the rules of rules/ until none applies. Needs: reachable blocks.
 * Guarantees: constants folded, canonical forms as rules/rule.ts says. Never moves an instruction
 * to another block.
 */
import { pushTo } from "../../common/append.ts";
import { reversePostOrder } from "../4-lower/cfg.ts";
import type {
  BinaryOp,
  Block,
  IntPredicate,
  IrFunction,
  IrInstruction,
  IrType,
  Operation,
  Value,
} from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { constant, sameValue, type ValueType } from "../4-lower/ir-builder.ts";
import {
  foldBinary,
  foldComparison,
  foldConversion,
  foldInstruction,
  invertedPredicate,
} from "./fold-constants.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { addressRules } from "./rules/address.ts";
import { arithmeticRules } from "./rules/arithmetic.ts";
import { bitRules } from "./rules/bits.ts";
import { byteSwapRules } from "./rules/byte-swaps.ts";
import { castRules } from "./rules/casts.ts";
import { comparisonRules } from "./rules/comparisons.ts";
import { divisionRules } from "./rules/division.ts";
import { logicRules } from "./rules/logic.ts";
import { memoryRules } from "./rules/memory.ts";
import { packetRules } from "./rules/packet-checks.ts";
import type { Rule, RuleTools } from "./rules/rule.ts";
import { shiftRules } from "./rules/shifts.ts";
import { stringRules } from "./rules/strings.ts";
import { isOp, isRemovableIfUnused, operand } from "./values.ts";

/** All rules, in the order in which they are tried. */
export const rules: readonly Rule[] = [
  ...arithmeticRules,
  ...bitRules,
  ...shiftRules,
  ...divisionRules,
  ...byteSwapRules,
  ...castRules,
  ...logicRules,
  ...addressRules,
  ...packetRules,
  ...comparisonRules,
  ...memoryRules,
  ...stringRules,
];

const rulesByOperation: ReadonlyMap<string, readonly Rule[]> = (() => {
  const table = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const op of rule.on) {
      pushTo(table, op, rule);
    }
  }
  return table;
})();

const none: readonly Rule[] = [];

const roundLimit = 12;

export const combine: FunctionPass = {
  kind: "function",
  name: "combine",
  run(fn, context) {
    let changed = false;
    for (let round = 0; round < roundLimit; round += 1) {
      if (!new Combiner(fn, context).run()) break;
      changed = true;
    }
    return changed;
  },
};

function storedTimes(fn: IrFunction): Map<Value, number> {
  const times = new Map<Value, number>();
  for (const { instructions } of fn.blocks) {
    for (const each of instructions) {
      const [value] = each.operands;
      if (each.operation.op !== "store" || value === undefined) continue;
      times.set(value, (times.get(value) ?? 0) + 1);
    }
  }
  return times;
}

class Combiner implements RuleTools {
  readonly fn: IrFunction;
  readonly context: PassContext;
  readonly #rewriter: Rewriter;
  /** By id of an instruction. */
  #useCounts: Int32Array;
  /** How often a value is stored; made when it is first asked for. */
  #stored: ReadonlyMap<Value, number> | undefined;
  #at: IrInstruction | undefined;

  constructor(fn: IrFunction, context: PassContext) {
    this.fn = fn;
    this.context = context;
    this.#rewriter = new Rewriter(fn);
    this.#useCounts = new Int32Array(fn.nextInstructionId + 64);
    for (const block of fn.blocks) {
      for (const { operands } of block.instructions) for (const each of operands) this.#use(each);
    }
  }

  get endian(): RuleTools["endian"] {
    return this.context.module.endian;
  }

  get at(): IrInstruction {
    return this.#at as IrInstruction;
  }

  run(): boolean {
    const order = reversePostOrder(this.fn);
    for (const block of order) for (const each of block.instructions) this.#visit(each);
    for (let from = order.length - 1; from >= 0; from -= 1) {
      const { instructions } = order[from] as Block;
      for (let at = instructions.length - 1; at >= 0; at -= 1) {
        this.#dropIfUnused(instructions[at] as IrInstruction);
      }
    }
    return this.#rewriter.apply();
  }

  #visit(instruction: IrInstruction): void {
    const { operands } = instruction;
    for (let at = 0; at < operands.length; at += 1) {
      operands[at] = this.#rewriter.resolve(operands[at] as Value);
    }
    this.#at = instruction;
    const folded = foldInstruction(instruction, operands);
    if (folded !== undefined) {
      this.#replace(instruction, folded);
      return;
    }
    const { operation } = instruction;
    const name = operation.op === "binary" ? operation.binary : operation.op;
    for (const rule of rulesByOperation.get(name) ?? none) {
      const value = rule.rewrite(instruction, this);
      if (value === undefined || value === instruction) continue;
      this.#replace(instruction, value);
      return;
    }
  }

  #replace(instruction: IrInstruction, value: Value): void {
    if (instruction.type === "void") {
      this.#rewriter.erase(instruction);
      for (const each of instruction.operands) this.#drop(each);
      return;
    }
    const resolved = this.#rewriter.resolve(value);
    this.#use(resolved, this.#useCounts[instruction.id]);
    this.#useCounts[instruction.id] = 0;
    this.#rewriter.replace(instruction, resolved);
    for (const each of instruction.operands) this.#drop(each);
  }

  #use(value: Value, times = 1): void {
    if (value.kind !== "instruction") return;
    const { id } = value;
    if (id >= this.#useCounts.length) {
      const before = this.#useCounts;
      this.#useCounts = new Int32Array(2 * id);
      this.#useCounts.set(before);
    }
    this.#useCounts[id] = (this.#useCounts[id] as number) + times;
  }

  #usesOf({ id }: IrInstruction): number {
    return this.#useCounts[id] ?? 0;
  }

  #drop(value: Value): void {
    if (value.kind !== "instruction") return;
    const count = this.#usesOf(value);
    if (count > 0) this.#useCounts[value.id] = count - 1;
  }

  #dropIfUnused(instruction: IrInstruction): void {
    if (this.#usesOf(instruction) > 0 || this.#rewriter.isErased(instruction)) return;
    if (!isRemovableIfUnused(instruction)) return;
    this.#rewriter.erase(instruction);
    for (const each of instruction.operands) this.#drop(each);
  }

  hasOneUse(value: Value): boolean {
    return value.kind !== "instruction" || this.#usesOf(value) <= 1;
  }

  isReadOnce(value: Value): boolean {
    if (this.hasOneUse(value) || value.kind !== "instruction") return true;
    this.#stored ??= storedTimes(this.fn);
    return this.#usesOf(value) - (this.#stored.get(value) ?? 0) <= 1;
  }

  emit(type: IrType, operation: Operation, operands: readonly Value[]): IrInstruction {
    const resolved = operands.map((each) => this.#rewriter.resolve(each));
    for (const each of resolved) this.#use(each);
    return this.#rewriter.insertBefore(this.at, type, operation, resolved);
  }

  binary(binary: BinaryOp, a: Value, b: Value): Value {
    if (a.kind === "constant" && b.kind === "constant") return foldBinary(binary, a, b);
    return this.emit(a.type, { op: "binary", binary }, [a, b]);
  }

  compare(predicate: IntPredicate, a: Value, b: Value): Value {
    if (a.kind === "constant" && b.kind === "constant") return foldComparison(predicate, a, b);
    return this.emit("i1", { op: "icmp", predicate }, [a, b]);
  }

  resize(value: Value, type: ValueType): Value {
    const from = bitWidth[value.type as ValueType];
    if (from === bitWidth[type]) return value;
    return this.convert(from < bitWidth[type] ? "zext" : "trunc", value, type);
  }

  convert(
    op: "zext" | "sext" | "trunc" | "ptrtoint" | "inttoptr" | "bswap",
    value: Value,
    type: ValueType,
  ): Value {
    if (value.kind === "constant") return foldConversion(op, value, type);
    return this.emit(type, { op }, [value]);
  }

  addOffset(pointer: Value, offset: Value): Value {
    if (offset.kind === "constant" && offset.value === 0n) return pointer;
    return this.emit("ptr", { op: "ptradd" }, [pointer, offset]);
  }

  not(value: Value): Value {
    if (value.kind === "constant") return constant("i1", value.value ^ 1n);
    if (isOp(value, "icmp")) {
      const predicate = invertedPredicate[value.operation.predicate];
      return this.compare(predicate, operand(value, 0), operand(value, 1));
    }
    const isNot = isOp(value, "binary") && value.operation.binary === "xor";
    if (isNot && sameValue(operand(value, 1), constant("i1", 1n))) return operand(value, 0);
    return this.emit("i1", { op: "binary", binary: "xor" }, [value, constant("i1", 1n)]);
  }
}
