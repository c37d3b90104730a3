/**
 * Division and remainder. Unsigned ones exist everywhere; signed ones below v4 become shifts, or an
 * unsigned division of the magnitudes with the sign put back. BPF defines x / 0 = 0 and x % 0 = x,
 * but refuses an immediate 0.
 */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import type { SelectContext } from "./context.ts";
import { widthOf } from "./facts.ts";
import type { MachineRegister, MachineSource, Width } from "./machine.ts";
import { immediateSource, registerSource } from "./machine.ts";

type DivisionOp = "udiv" | "urem" | "sdiv" | "srem";

const instructionOps = { udiv: "div", urem: "mod", sdiv: "sdiv", srem: "smod" } as const;

export function selectDivision(context: SelectContext, at: IrInstruction, op: DivisionOp): void {
  const isSigned = op === "sdiv" || op === "srem";
  const width = context.aluWidth(at);
  const [a, b] = at.operands as [Value, Value];
  const extend = (value: Value): MachineRegister => {
    if (widthOf(value) === width) return context.register(value);
    return isSigned ? context.signExtended(value, width) : context.zeroExtended(value);
  };
  const left = extend(a);
  const divisor = b.kind === "constant" ? constantDivisor(b, isSigned, width) : undefined;
  const isSmall = divisor !== undefined && divisor >= -(2 ** 31) && divisor < 2 ** 31;
  const dst = context.newRegister();
  context.define(at, dst);
  if (isSigned && !context.hasV4) {
    signedDivision(context, { dst, left, width, op, divisor, right: () => extend(b) });
    return;
  }
  context.move(dst, left);
  const right = isSmall && divisor !== 0 ? immediateSource(divisor) : registerSource(extend(b));
  context.alu(instructionOps[op], width, dst, right);
}

/** The divisor as the instruction's sign-extended immediate would be read; undefined if a double cannot hold it. */
function constantDivisor(
  b: Extract<Value, { kind: "constant" }>,
  isSigned: boolean,
  width: Width,
): number | undefined {
  const value = isSigned ? BigInt.asIntN(widthOf(b), b.value) : b.value;
  const seen = width === 32 ? BigInt.asIntN(32, value) : value;
  const asNumber = Number(seen);
  return Number.isSafeInteger(asNumber) ? asNumber : undefined;
}

interface SignedDivision {
  readonly dst: MachineRegister;
  readonly left: MachineRegister;
  readonly width: Width;
  readonly op: DivisionOp;
  readonly divisor: number | undefined;
  readonly right: () => MachineRegister;
}

function signedDivision(context: SelectContext, division: SignedDivision): void {
  const { divisor } = division;
  if (divisor !== undefined && divisor !== 0) {
    const magnitude = Math.abs(divisor);
    const exponent = Math.log2(magnitude);
    const isPower = Number.isInteger(exponent) && 2 ** exponent === magnitude;
    if (isPower && exponent < division.width - 1) {
      dividePower(context, division, exponent);
      return;
    }
    if (magnitude < 2 ** 31) {
      divideMagnitudes(context, division, immediateSource(magnitude), divisor < 0);
      return;
    }
  }
  const right = division.right();
  divideMagnitudes(
    context,
    division,
    registerSource(magnitude(context, right, division.width)),
    right,
  );
}

/** x s/ ±2^n = (x + ((x s>> w-1) >> w-n)) s>> n, negated for a negative divisor. */
function dividePower(context: SelectContext, division: SignedDivision, exponent: number): void {
  const { dst, left, width, op } = division;
  const divisor = division.divisor as number;
  if (exponent === 0) {
    if (op === "srem") context.moveConstant(dst, 0n);
    else {
      // A move of the operation's width: a 32-bit result is clean above.
      context.alu("mov", width, dst, registerSource(left));
      if (divisor < 0) context.emit({ kind: "neg", width, dst });
    }
    return;
  }
  const bias = context.copy(left);
  if (exponent > 1) context.alu("arsh", width, bias, width - 1);
  context.alu("rsh", width, bias, width - exponent);
  context.alu("add", width, bias, registerSource(left));
  if (op === "sdiv") {
    context.move(dst, bias);
    context.alu("arsh", width, dst, exponent);
    if (divisor < 0) context.emit({ kind: "neg", width, dst });
    return;
  }
  // x s% 2^n = x - (biased & -2^n)
  if (exponent < 32) context.alu("and", width, bias, -(2 ** exponent));
  else {
    // The mask is wider than an immediate.
    context.alu("rsh", width, bias, exponent);
    context.alu("lsh", width, bias, exponent);
  }
  context.move(dst, left);
  context.alu("sub", width, dst, registerSource(bias));
}

/** |x| without a branch: (x ^ s) - s with s = x s>> w-1. */
function magnitude(context: SelectContext, value: MachineRegister, width: Width): MachineRegister {
  const sign = context.copy(value);
  context.alu("arsh", width, sign, width - 1);
  const result = context.copy(value);
  context.alu("xor", width, result, registerSource(sign));
  context.alu("sub", width, result, registerSource(sign));
  return result;
}

/** @param flip the divisor's register (its sign counts), or whether a constant one is negative */
function divideMagnitudes(
  context: SelectContext,
  { dst, left, width, op }: SignedDivision,
  right: MachineSource,
  flip: MachineRegister | boolean,
): void {
  const absolute = magnitude(context, left, width);
  context.alu(op === "sdiv" ? "div" : "mod", width, absolute, right);
  // The remainder has the dividend's sign, the quotient is negative if the signs differ.
  const sign = context.copy(left);
  if (op === "sdiv" && typeof flip === "number") {
    context.alu("xor", width, sign, registerSource(flip));
  }
  context.alu("arsh", width, sign, width - 1);
  context.move(dst, absolute);
  context.alu("xor", width, dst, registerSource(sign));
  context.alu("sub", width, dst, registerSource(sign));
  if (op === "sdiv" && flip === true) context.emit({ kind: "neg", width, dst });
}
