/**
 * `if (x & c) r |= d`, c and d one bit each: r |= the bit of x, moved to its place. A translation of flags
 * becomes straight code, and bits that keep their places are copied together by one mask (rules/bits.ts).
 * Needs: comparisons in their usual form (combine). Leaves jumps to the next block behind.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import {
  constant,
  insertBefore,
  makeJump,
  phisOf,
  removeIncoming,
  sameValue,
  terminatorOf,
  type Use,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { exponentOf } from "./rules/arithmetic.ts";
import { type InstructionOf, isBinary, isConstant, isOp, operand } from "./values.ts";

export const copyBits: FunctionPass = {
  kind: "function",
  name: "copy-bits",
  run(fn, { runs }) {
    let preds: ReadonlyMap<Block, readonly Block[]> | undefined;
    let uses: Uses | undefined;
    let changed = false;
    for (const block of fn.blocks) {
      const test = bitTestOf(block);
      if (test === undefined) continue;
      preds ??= predecessors(fn);
      if (preds.get(test.arm)?.length !== 1) continue;
      uses ??= runs.factsOf(fn).uses;
      if (copyAt(fn, block, test, uses)) changed = true;
    }
    if (changed) removeUnreachableBlocks(fn);
    return changed;
  },
};

type Uses = ReadonlyMap<Value, readonly Use[]>;

interface BitTest {
  readonly branch: IrInstruction;
  readonly masked: IrInstruction;
  /** Which bit of `masked` is asked for. */
  readonly bit: bigint;
  /** Entered where the bit is set; leads to `join`, as does the other way. */
  readonly arm: Block;
  readonly join: Block;
}

/** A block that ends in a test of one bit, around a block of at most one `or`. */
function bitTestOf(block: Block): BitTest | undefined {
  const branch = terminatorOf(block);
  if (!isOp(branch, "condbr")) return undefined;
  const condition = operand(branch, 0);
  if (!isOp(condition, "icmp") || !isConstant(operand(condition, 1), 0n)) return undefined;
  const { predicate } = condition.operation;
  if (predicate !== "ne" && predicate !== "eq") return undefined;
  const masked = operand(condition, 0);
  if (!isBinary(masked, "and")) return undefined;
  const mask = operand(masked, 1);
  const isBit = mask.kind === "constant" && mask.type !== "i1";
  const bit = isBit ? exponentOf(mask.value) : undefined;
  const { then, otherwise } = branch.operation;
  const [arm, join] = predicate === "ne" ? [then, otherwise] : [otherwise, then];
  const end = terminatorOf(arm);
  if (bit === undefined || arm === join || join === block || arm.instructions.length > 2) {
    return undefined;
  }
  if (!isOp(end, "br") || end.operation.target !== join) return undefined;
  return { branch, masked, bit, arm, join };
}

function copyAt(fn: IrFunction, block: Block, test: BitTest, uses: Uses): boolean {
  const { branch, arm, join } = test;
  const phis = phisOf(join).filter((phi) => isOp(phi, "phi"));
  const differing = phis.filter((phi) => !sameValue(inputFrom(phi, block), inputFrom(phi, arm)));
  const [phi, ...more] = differing;
  if (phi === undefined || more.length > 0 || phi.type === "ptr" || phi.type === "i1") return false;
  const set = setBit(inputFrom(phi, block), inputFrom(phi, arm), arm);
  if (set === undefined) return false;
  // What is one of two constants may be worth a way of its own.
  if (set.base.kind === "constant" && !isCollected(phi, uses)) return false;
  const type = phi.type as ValueType;
  const moved = moveBit(fn, test, type, set.bit);
  const or = { op: "binary", binary: "or" } as const;
  const result = insertBefore(fn, branch, type, or, [set.base, moved], phi.location);
  phi.operands[phi.operation.incoming.indexOf(block)] = result;
  removeIncoming(join, arm);
  makeJump(branch, join);
  return true;
}

/** Whether other bits are added to a value, and nothing else is done with it. */
function isCollected(phi: IrInstruction, uses: Uses): boolean {
  return (uses.get(phi) ?? []).every(({ user }) => isBinary(user, "or") || isOp(user, "phi"));
}

function inputFrom(phi: InstructionOf<"phi">, from: Block): Value {
  return operand(phi, phi.operation.incoming.indexOf(from));
}

/** What the arm sets in which value: one bit, in an `or` of its own or in a constant. */
function setBit(
  without: Value,
  withBit: Value,
  arm: Block,
): { readonly base: Value; readonly bit: bigint } | undefined {
  if (without.kind === "constant" && withBit.kind === "constant") {
    const bit = exponentOf(withBit.value ^ without.value);
    const isSet = arm.instructions.length === 1 && withBit.value > without.value;
    return bit === undefined || !isSet ? undefined : { base: without, bit };
  }
  if (!isBinary(withBit, "or") || withBit.block !== arm) return undefined;
  const added = operand(withBit, 1);
  const bit = added.kind === "constant" ? exponentOf(added.value) : undefined;
  if (bit === undefined || !sameValue(operand(withBit, 0), without)) return undefined;
  return { base: without, bit };
}

/** The tested bit in a value of the wanted type, at its place there. */
function moveBit(fn: IrFunction, test: BitTest, type: ValueType, to: bigint): Value {
  const { branch, masked, bit } = test;
  let value: Value = masked;
  let at = bit;
  const from = masked.type as ValueType;
  const shift = (place: bigint): void => {
    if (place === at) return;
    const binary = place > at ? "shl" : "lshr";
    const by = constant(value.type as ValueType, place > at ? place - at : at - place);
    const operation = { op: "binary", binary } as const;
    value = insertBefore(fn, branch, value.type, operation, [value, by], branch.location);
    at = place;
  };
  // In the wider of the two types the bit is moved.
  if (bitWidth[from] > bitWidth[type]) shift(to);
  if (from !== type) {
    const op = bitWidth[from] > bitWidth[type] ? "trunc" : "zext";
    value = insertBefore(fn, branch, type, { op }, [value], branch.location);
  }
  shift(to);
  return value;
}
