/** Integer arithmetic, extensions, byte swaps and pointer arithmetic. Divisions are in select-division.ts. */
import type { AluOp } from "../../common/isa/instruction.ts";
import type { BinaryOp, IrInstruction, Value } from "../4-lower/ir.ts";
import { fitsSigned, type SelectContext } from "./context.ts";
import { widthOf } from "./facts.ts";
import type { MachineRegister, Width } from "./machine.ts";
import { registerSource } from "./machine.ts";
import { selectDivision } from "./select-division.ts";
import { mayBeStack } from "./select-memory.ts";

const aluOps: Readonly<Record<Exclude<BinaryOp, "sdiv" | "srem">, AluOp>> = {
  add: "add",
  sub: "sub",
  mul: "mul",
  udiv: "div",
  urem: "mod",
  and: "and",
  or: "or",
  xor: "xor",
  shl: "lsh",
  lshr: "rsh",
  ashr: "arsh",
};

const commutative: ReadonlySet<BinaryOp> = new Set(["add", "mul", "and", "or", "xor"]);

export function selectBinary(context: SelectContext, at: IrInstruction, binary: BinaryOp): void {
  if (binary === "sdiv" || binary === "srem" || binary === "udiv" || binary === "urem") {
    selectDivision(context, at, binary);
    return;
  }
  const [first, second] = at.operands as [Value, Value];
  if (binary === "and" && selectMask(context, at, first, second)) return;
  const [a, b] = commutative.has(binary) ? tiedFirst(context, at, first, second) : [first, second];
  const width = context.aluWidth(at);
  if (binary === "sub" && a.kind === "constant" && a.value === 0n) {
    const dst = context.copy(context.register(b));
    context.emit({ kind: "neg", width, dst });
    context.define(at, dst);
    return;
  }
  if (binary === "ashr" && selectShiftPair(context, at, a, b)) return;
  const source = context.source(b, width);
  const dst = context.newRegister();
  if (binary === "lshr" || binary === "ashr") {
    context.move(dst, shiftOperand(context, binary, a, width));
  } else context.moveValue(dst, a);
  const isShift = binary === "shl" || binary === "lshr" || binary === "ashr";
  if (isShift && source.kind === "immediate" && (source.value < 0 || source.value >= width)) {
    // The kernel refuses immediate shifts by the width or more; the value is undefined in C.
    context.moveConstant(dst, 0n);
  } else context.alu(aluOps[binary], width, dst, source);
  context.define(at, dst);
}

function shiftOperand(
  context: SelectContext,
  op: "lshr" | "ashr",
  value: Value,
  width: Width,
): MachineRegister {
  if (widthOf(value) === width) return context.register(value);
  return op === "lshr" ? context.zeroExtended(value) : context.signExtended(value, width);
}

/** Signed narrow shift: (x << k) s>> (k + n) instead of an extension and a shift. */
function selectShiftPair(context: SelectContext, at: IrInstruction, a: Value, b: Value): boolean {
  const width = context.aluWidth(at);
  const bits = widthOf(a);
  if (bits === width || b.kind !== "constant" || b.value >= BigInt(bits)) return false;
  if (context.facts.width(a) < bits || context.signedLoads.has(a)) return false;
  const dst = context.copy(context.register(a));
  context.alu("lsh", width, dst, width - bits);
  context.alu("arsh", width, dst, width - bits + Number(b.value));
  context.define(at, dst);
  return true;
}

/** x & 0xffffffff (and wider masks of ones) without a 64-bit constant. */
function selectMask(context: SelectContext, at: IrInstruction, a: Value, b: Value): boolean {
  const [value, mask] = a.kind === "constant" ? [b, a] : [a, b];
  if (at.type !== "i64" || mask.kind !== "constant") return false;
  if (mask.value === 0xffffffffn) {
    const dst = context.newRegister();
    context.extendZero(dst, context.register(value), 32);
    context.define(at, dst);
    return true;
  }
  if (fitsSigned(BigInt.asIntN(64, mask.value), 32)) return false;
  if ((mask.value & (mask.value + 1n)) !== 0n) {
    if (!context.has32 || mask.value >= 1n << 32n) return false;
    // A mask of 32 bits: the 32-bit AND zeroes the rest.
    const dst = context.copy(context.register(value));
    context.alu("and", 32, dst, Number(BigInt.asIntN(32, mask.value)));
    context.define(at, dst);
    return true;
  }
  const shift = 64 - mask.value.toString(2).length;
  const dst = context.copy(context.register(value));
  context.alu("lsh", 64, dst, shift);
  context.alu("rsh", 64, dst, shift);
  context.define(at, dst);
  return true;
}

/** The operand that the result may overwrite comes first; constants come second. */
function tiedFirst(context: SelectContext, at: IrInstruction, a: Value, b: Value): [Value, Value] {
  if (a.kind === "constant") return [b, a];
  if (b.kind === "constant") return [a, b];
  const carried = [a, b].map((value) => isCarried(context, at, value));
  if (carried[0] !== carried[1]) return carried[0] ? [a, b] : [b, a];
  return context.useCount(a) > 1 && context.useCount(b) === 1 ? [b, a] : [a, b];
}

/**
 * Whether `at` gives a phi its next value and the old one is not needed any more: in place, the loop
 * has no copy in the chain from round to round.
 */
function isCarried(context: SelectContext, at: IrInstruction, phi: Value): boolean {
  if (phi.kind !== "instruction" || phi.operation.op !== "phi") return false;
  if (!phi.operands.includes(at)) return false;
  const { block } = at;
  return !(context.uses.get(phi) ?? []).some(({ user }) => {
    if (user === at) return false;
    if (user.operation.op === "phi") {
      return user.operation.incoming.some(
        (from, index) => user.operands[index] === phi && context.dominates(block, from),
      );
    }
    if (user.block !== block) return context.dominates(block, user.block);
    return block.instructions.indexOf(user) > block.instructions.indexOf(at);
  });
}

export function selectZeroExtend(context: SelectContext, at: IrInstruction): void {
  const value = at.operands[0] as Value;
  context.define(at, context.zeroExtended(value));
}

export function selectSignExtend(context: SelectContext, at: IrInstruction): void {
  const value = at.operands[0] as Value;
  const to = context.aluWidth(at);
  if (value.type === "i1") {
    const dst = context.copy(context.register(value));
    context.emit({ kind: "neg", width: to, dst });
    context.define(at, dst);
    return;
  }
  context.define(at, context.signExtended(value, to));
  // The upper half of what was loaded so is no zero.
  if (context.signedLoads.has(value)) context.signedLoads.add(at);
}

export function selectTruncate(context: SelectContext, at: IrInstruction): void {
  const value = at.operands[0] as Value;
  if (at.type !== "i1") {
    context.define(at, context.register(value));
    return;
  }
  const dst = context.copy(context.register(value));
  context.alu("and", context.has32 ? 32 : 64, dst, 1);
  context.define(at, dst);
}

export function selectByteSwap(context: SelectContext, at: IrInstruction): void {
  const bits = widthOf(at) as 16 | 32 | 64;
  const dst = context.copy(context.register(at.operands[0] as Value));
  const toOther = context.options.endian === "little" ? "be" : "le";
  context.emit({ kind: "endian", op: context.hasV4 ? "bswap" : toOther, bits, dst });
  context.define(at, dst);
}

export function selectPointerAdd(context: SelectContext, at: IrInstruction): void {
  const [base, step] = at.operands as [Value, Value];
  // Addresses in the frame are folded into their users or made there.
  if (context.frameAddressOf(at) !== undefined) return;
  if (isCoreOffset(step)) {
    const { core, value } = step.operation;
    const dst = context.newRegister();
    context.moveValue(dst, base);
    context.emit(
      {
        kind: "alu",
        op: "add",
        width: 64,
        dst,
        src: { kind: "immediate", value: Number(value) },
      },
      core,
    );
    context.define(at, dst);
    return;
  }
  const source = context.source(step, 64);
  const dst = context.newRegister();
  // Scalar + pointer is as good as pointer + scalar for the verifier: tie what dies here. Not so for pointers
  // into a callee's frame, whose sum it takes for one into the program's.
  const swap =
    source.kind === "register" &&
    context.useCount(step) === 1 &&
    context.useCount(base) > 1 &&
    !(context.fn.isCallee && mayBeStack(context, base));
  if (swap) {
    context.move(dst, source.register);
    context.alu("add", 64, dst, registerSource(context.register(base)));
  } else {
    context.moveValue(dst, base);
    context.alu("add", 64, dst, source);
  }
  context.define(at, dst);
}

function isCoreOffset(step: Value): step is IrInstruction & {
  operation: { op: "core" } & Extract<IrInstruction["operation"], { op: "core" }>;
} {
  return (
    step.kind === "instruction" &&
    step.operation.op === "core" &&
    step.operation.core.relocation === "field_byte_offset" &&
    fitsSigned(step.operation.value, 32)
  );
}
