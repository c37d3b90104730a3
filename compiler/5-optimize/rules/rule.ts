/**
 * A rewrite rule of the combiner: what it matches and what it puts there. Rules live in one file per
 * theme as arrays; the algebra stands in the comment above each.
 *
 * Four laws. A rule must (1) keep the value for all inputs, in wrapping arithmetic; (2) not make code
 * longer on BPF; (3) terminate: each step goes towards the canonical form (constant on the right,
 * constant outermost in address sums, comparisons against zero as eq/ne); (4) leave the verifier what
 * it needs: the value that is checked stays the value that is used, a null check stays eq/ne 0 of that
 * pointer, pointers are compared as `p + constant` against the end.
 */
import type { Endian } from "../../../common/object/object-file.ts";
import type {
  BinaryOp,
  IntPredicate,
  IrFunction,
  IrInstruction,
  IrType,
  Operation,
  OperationName,
  Value,
} from "../../4-lower/ir.ts";
import type { ValueType } from "../../4-lower/ir-builder.ts";
import type { PassContext } from "../pass.ts";

/** What a rule may ask and build; new instructions go in front of the one that is rewritten. */
export interface RuleTools {
  readonly fn: IrFunction;
  readonly context: PassContext;
  readonly endian: Endian;
  readonly at: IrInstruction;
  binary(binary: BinaryOp, a: Value, b: Value): Value;
  compare(predicate: IntPredicate, a: Value, b: Value): Value;
  /** zext, trunc or nothing, as the widths ask. */
  resize(value: Value, type: ValueType): Value;
  convert(
    op: "zext" | "sext" | "trunc" | "ptrtoint" | "inttoptr" | "bswap",
    v: Value,
    type: ValueType,
  ): Value;
  addOffset(pointer: Value, offset: Value): Value;
  /** i1 → i1. */
  not(value: Value): Value;
  emit(type: IrType, operation: Operation, operands: readonly Value[]): IrInstruction;
  /** Used at most once: it goes away with the rewriting. */
  hasOneUse(value: Value): boolean;
  /** The same, stores of the value not counted: what is known of it is of no use to them. */
  isReadOnce(value: Value): boolean;
}

export interface Rule {
  readonly name: string;
  /** Operations (binary ones by their own name) that the rule looks at. */
  readonly on: readonly (OperationName | BinaryOp)[];
  /** The value that replaces the instruction; undefined where the rule does not apply. */
  readonly rewrite: (instruction: IrInstruction, tools: RuleTools) => Value | undefined;
}
