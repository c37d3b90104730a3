/**
 * Operations that only change bits which nobody reads: `x & 0xffff` before a value is stored in 16 bits
 * or masked again, sign extensions of what is cut off afterwards. They go, or become cheaper ones.
 *
 * What is checked and what is added to pointers is read in full, so that the verifier's bounds stay.
 * Only the readers decide, never what is known of the bits: two masks that prove each other would both go.
 * Needs: nothing. Guarantees: all bits that are read are as before.
 */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import { onesOf } from "./known-bits.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { isOp, operand } from "./values.ts";

export const dropUnreadBits: FunctionPass = {
  kind: "function",
  name: "drop-unread-bits",
  run(fn, { runs }) {
    const candidates = fn.blocks.flatMap(({ instructions }) => instructions.filter(isCandidate));
    if (candidates.length === 0) return false;
    const readers = new Readers(runs.factsOf(fn).uses);
    const rewriter = new Rewriter(fn);
    let changed = false;
    // Readers first: what is read of them is known then.
    for (const each of candidates.toReversed()) {
      const read = readers.bitsOf(each);
      if (isOp(each, "sext")) {
        if (read > onesOf(widthOf(operand(each, 0)))) continue;
        each.operation = { op: "zext" } as typeof each.operation;
        changed = true;
      } else if (!changes(each, read)) rewriter.replace(each, operand(each, 0));
    }
    return rewriter.apply() || changed;
  },
};

const masking: ReadonlySet<string> = new Set(["and", "or", "xor"]);

/** Masks and extensions with a reader: what nobody reads at all is left to others. */
function isCandidate(each: IrInstruction): boolean {
  if (each.type === "i1") return false;
  if (isOp(each, "sext")) return operand(each, 0).type !== "i1";
  if (!isOp(each, "binary") || !masking.has(each.operation.binary)) return false;
  return operand(each, 1).kind === "constant";
}

/** Whether a mask changes any of the bits that are read. */
function changes(each: IrInstruction, read: bigint): boolean {
  const mask = operand(each, 1);
  if (mask.kind !== "constant") return true;
  const isAnd = isOp(each, "binary") && each.operation.binary === "and";
  return (read & (isAnd ? ~mask.value : mask.value)) !== 0n;
}

const widthOf = (value: Value): number =>
  value.type === "ptr" || value.type === "void" ? 64 : bitWidth[value.type];

/** Definitions that a question goes through, one behind the other and in all. */
const mostSteps = 8;
const mostVisits = 48;

class Readers {
  readonly #uses: ReadonlyMap<Value, readonly Use[]>;
  readonly #known = new Map<Value, bigint>();
  #visits = 0;

  constructor(uses: ReadonlyMap<Value, readonly Use[]>) {
    this.#uses = uses;
  }

  /** Bits that somebody may read; all of them where that is not found out. */
  bitsOf(value: IrInstruction, step = 0): bigint {
    const ones = onesOf(widthOf(value));
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    this.#visits = step === 0 ? 0 : this.#visits + 1;
    if (step >= mostSteps || this.#visits > mostVisits) return ones;
    let bits = 0n;
    for (const use of this.#uses.get(value) ?? []) {
      bits |= this.#readBy(use, step + 1) & ones;
      if (bits === ones) break;
    }
    // Further on the question may have given up: for the value itself more can be found out.
    if (step === 0) this.#known.set(value, bits);
    return bits;
  }

  #readBy({ user, index }: Use, step: number): bigint {
    const all = onesOf(64);
    const { operation } = user;
    switch (operation.op) {
      case "phi":
        return this.bitsOf(user, step);
      case "select":
        return index === 0 ? all : this.bitsOf(user, step);
      case "trunc":
      case "zext":
        return this.bitsOf(user, step) & onesOf(widthOf(operand(user, 0)));
      case "sext": {
        const width = widthOf(operand(user, 0));
        const bits = this.bitsOf(user, step);
        const sign = bits > onesOf(width) ? 1n << BigInt(width - 1) : 0n;
        return (bits & onesOf(width)) | sign;
      }
      case "binary":
        return user.type === "i1" ? all : this.#readByBinary(user, operation.binary, index, step);
      default:
        return all;
    }
  }

  #readByBinary(user: IrInstruction, binary: string, index: number, step: number): bigint {
    const all = onesOf(64);
    const other = operand(user, 1 - index);
    const width = widthOf(user);
    const ones = onesOf(width);
    const constant = other.kind === "constant" ? other.value : undefined;
    const shift = constant !== undefined && constant < BigInt(width) ? constant : undefined;
    switch (binary) {
      case "and":
        return this.bitsOf(user, step) & (constant ?? all);
      case "or":
        return this.bitsOf(user, step) & ~(constant ?? 0n);
      case "xor":
        return this.bitsOf(user, step);
      // Carries go upwards.
      case "add":
      case "sub":
      case "mul": {
        const bits = this.bitsOf(user, step);
        return bits === 0n ? 0n : onesOf(bits.toString(2).length);
      }
      case "shl":
        return index !== 0 || shift === undefined ? all : this.bitsOf(user, step) >> shift;
      case "lshr":
        return index !== 0 || shift === undefined ? all : (this.bitsOf(user, step) << shift) & ones;
      case "ashr": {
        if (index !== 0 || shift === undefined) return all;
        const bits = this.bitsOf(user, step) << shift;
        return (bits & ones) | (bits > ones ? 1n << BigInt(width - 1) : 0n);
      }
      default:
        return all;
    }
  }
}
