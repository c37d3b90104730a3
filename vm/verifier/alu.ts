/** ALU instructions: encodings, moves, and arithmetic on numbers and pointers. */
import {
  constantScalar,
  MutableScalar,
  type Scalar,
  setKnown32,
} from "../../common/domain/scalar.ts";
import { type ScalarOp, swapScalar, transferScalar } from "../../common/domain/scalar-alu.ts";
import { constantOf } from "../../common/domain/scalar-branch.ts";
import { pushPath } from "./branching.ts";
import type { Env } from "./env.ts";
import { aluOp, insnClass, type RawInsn } from "./opcodes.ts";
import { adjustPointer, aluSymbols } from "./pointer-alu.ts";
import { markPrecise } from "./precision.ts";
import { constantReg, editReg, type MutableReg, pointerReg, type Reg, unknownReg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import {
  bitWidth,
  checkWritable,
  dropId,
  readReg,
  setReg,
  setUnknown,
  signExtendScalar,
  signExtendSubreg,
  withScalarId,
  zeroExtendScalar,
} from "./registers.ts";
import { currentFrame } from "./state.ts";
import { errno } from "./stop.ts";

const arenaReg: Reg = (() => {
  const reg = pointerReg(kind.arena);
  reg.scalar = unknownReg.scalar;
  return reg;
})();

const scalarOps: Record<number, ScalarOp> = {
  [aluOp.add]: "add",
  [aluOp.sub]: "sub",
  [aluOp.neg]: "neg",
  [aluOp.mul]: "mul",
  [aluOp.and]: "and",
  [aluOp.or]: "or",
  [aluOp.xor]: "xor",
  [aluOp.lsh]: "lsh",
  [aluOp.rsh]: "rsh",
  [aluOp.arsh]: "arsh",
};

function isRegisterSource(insn: RawInsn): boolean {
  return (insn.code & 8) !== 0;
}

function is64(insn: RawInsn): boolean {
  return (insn.code & 7) === insnClass.alu64;
}

function checkUnaryFields(env: Env, insn: RawInsn): void {
  if ((insn.code & 0xf0) === aluOp.neg) {
    if (isRegisterSource(insn) || insn.src !== 0 || insn.off !== 0 || insn.imm !== 0) {
      env.reject("BPF_NEG uses reserved fields", errno.invalid);
    }
    return;
  }
  const isWidth = insn.imm === 16 || insn.imm === 32 || insn.imm === 64;
  const isBadSwap = is64(insn) && isRegisterSource(insn);
  if (insn.src !== 0 || insn.off !== 0 || !isWidth || isBadSwap) {
    env.reject("BPF_END uses reserved fields", errno.invalid);
  }
}

function unary(env: Env, insn: RawInsn): void {
  checkUnaryFields(env, insn);
  const reg = readReg(env, insn.dst);
  checkWritable(env, insn.dst);
  if (reg.type !== kind.scalar) {
    setUnknown(env, insn.dst);
    return;
  }
  const dst = editReg(reg);
  if ((insn.code & 0xf0) === aluOp.neg) {
    dst.scalar = transferScalar("neg", reg.scalar, reg.scalar, !is64(insn));
    dropId(dst);
  } else {
    convertEndian(insn, dst);
  }
  setReg(env, insn.dst, dst);
}

/** The modelled machine is little-endian: `le` only truncates. */
function convertEndian(insn: RawInsn, dst: MutableReg): void {
  const swaps = is64(insn) || isRegisterSource(insn);
  const bits = insn.imm as 16 | 32 | 64;
  dst.scalar = swapScalar(dst.scalar, bits, swaps);
  if (swaps || bits < 64) dropId(dst);
}

function checkMoveFields(env: Env, insn: RawInsn): void {
  if (!isRegisterSource(insn)) {
    if (insn.src !== 0 || insn.off !== 0) env.reject("BPF_MOV uses reserved fields", errno.invalid);
    return;
  }
  if (is64(insn) && insn.off === 1) {
    if (insn.imm !== 1 && insn.imm !== 0x10000) {
      env.reject(
        "addr_space_cast insn can only convert between address space 1 and 0",
        errno.invalid,
      );
    }
    if (env.arena !== undefined) return;
    env.reject(
      "addr_space_cast insn can only be used in a program that has an associated arena",
      errno.invalid,
    );
  }
  const isWidth =
    insn.off === 0 || insn.off === 8 || insn.off === 16 || (is64(insn) && insn.off === 32);
  if (!isWidth || insn.imm !== 0) env.reject("BPF_MOV uses reserved fields", errno.invalid);
}

/** Copies a number, linked to its source if the copy is sure to be equal. */
function copyScalar(env: Env, insn: RawInsn, src: Reg, isEqual: boolean): MutableReg {
  if (!isEqual) {
    const dst = editReg(src);
    dropId(dst);
    return dst;
  }
  const linked = withScalarId(env, src);
  if (linked !== src) env.regs[insn.src] = linked;
  return editReg(linked);
}

function moveRegister(env: Env, insn: RawInsn): void {
  const src = env.regs[insn.src]!;
  if (is64(insn) && insn.imm !== 0) {
    // A cast between address spaces: to the kernel's, or back to the user's number.
    setReg(env, insn.dst, insn.imm === 1 ? arenaReg : unknownReg);
    return;
  }
  if (is64(insn) && insn.off === 0) {
    const linked = withScalarId(env, src);
    if (linked !== src) env.regs[insn.src] = linked;
    setReg(env, insn.dst, linked);
    return;
  }
  if (src.type !== kind.scalar) {
    if (is64(insn)) {
      setUnknown(env, insn.dst);
      return;
    }
    const dst = editReg(unknownReg);
    dst.scalar = zeroExtendScalar(dst.scalar);
    setReg(env, insn.dst, dst);
    return;
  }
  if (insn.off === 0) {
    const dst = copyScalar(env, insn, src, bitWidth(src.scalar) <= 32);
    dst.scalar = zeroExtendScalar(dst.scalar);
    setReg(env, insn.dst, dst);
    return;
  }
  const isUnchanged = src.scalar.umax < 1n << BigInt(insn.off - 1);
  const dst = copyScalar(env, insn, src, isUnchanged);
  const extend = is64(insn) ? signExtendScalar : signExtendSubreg;
  dst.scalar = extend(dst.scalar, insn.off >> 3);
  setReg(env, insn.dst, dst);
}

function move(env: Env, insn: RawInsn): void {
  checkMoveFields(env, insn);
  if (isRegisterSource(insn)) readReg(env, insn.src);
  checkWritable(env, insn.dst);
  if (isRegisterSource(insn)) moveRegister(env, insn);
  else setReg(env, insn.dst, constantReg(BigInt(is64(insn) ? insn.imm : insn.imm >>> 0)));
}

function checkBinaryFields(env: Env, insn: RawInsn): void {
  const op = insn.code & 0xf0;
  const isDivision = op === aluOp.div || op === aluOp.mod;
  const isBadOffset = insn.off !== 0 && !(insn.off === 1 && isDivision);
  const unused = isRegisterSource(insn) ? insn.imm : insn.src;
  if (unused !== 0 || isBadOffset) env.reject("BPF_ALU uses reserved fields", errno.invalid);
  if (isRegisterSource(insn)) readReg(env, insn.src);
  readReg(env, insn.dst);
  if (isRegisterSource(insn)) return;
  if (isDivision && insn.imm === 0) env.reject("div by zero", errno.invalid);
  const isShift = op === aluOp.lsh || op === aluOp.rsh || op === aluOp.arsh;
  const width = is64(insn) ? 64 : 32;
  if (isShift && (insn.imm < 0 || insn.imm >= width)) {
    env.reject(`invalid shift ${insn.imm}`, errno.invalid);
  }
}

const s32Low = -0x8000_0000n;
const s32High = 0x7fff_ffffn;

/** The known number that an addition or subtraction moves a register by, if it is a small one. */
function distanceOf(insn: RawInsn, src: Reg): number | undefined {
  const op = insn.code & 0xf0;
  const known = constantOf(src.scalar, !is64(insn));
  if ((op !== aluOp.add && op !== aluOp.sub) || known === undefined) return undefined;
  const value = BigInt.asIntN(is64(insn) ? 64 : 32, known);
  if (value < s32Low || value > s32High) return undefined;
  if (op === aluOp.add) return Number(value);
  return value === s32Low ? undefined : -Number(value);
}

/** `r1 = r2; r1 += 8`: r1 stays linked to r2, a constant apart. */
function linkByConstant(insn: RawInsn, dst: MutableReg, before: Scalar, src: Reg): void {
  // A 32-bit sum is that of the whole number only if the upper half was zero.
  const isWhole = is64(insn) || bitWidth(before) <= 32;
  if (dst.id === 0 || !isWhole) {
    dropId(dst);
    return;
  }
  const distance = distanceOf(insn, src);
  if (distance === undefined || dst.link !== 0) {
    dropId(dst);
    return;
  }
  dst.link = is64(insn) ? 64 : 32;
  dst.off = distance;
}

/**
 * A number that is 0 or -1 is a mask made by an arithmetic shift: both cases are followed, the one
 * with 0 later, so that `mask & constant` is known in each.
 */
function forkSignMask(env: Env, register: number, dst: MutableReg): void {
  const { smin, smax, s32min, s32max } = dst.scalar;
  const isMask = smin === -1n && smax === 0n;
  if (!isMask && !(s32min === -1 && s32max === 0)) return;
  const withLow = (value: number): Scalar => {
    const s = new MutableScalar(dst.scalar);
    setKnown32(s, value);
    return s;
  };
  const zero = editReg(dst);
  zero.scalar = isMask ? constantScalar(0n) : withLow(0);
  currentFrame(pushPath(env, env.insn, env.insn)).regs[register] = zero;
  dst.scalar = isMask ? constantScalar(-1n) : withLow(-1);
}

function adjustScalars(env: Env, insn: RawInsn, dstReg: Reg, src: Reg): void {
  const op = scalarOps[insn.code & 0xf0];
  // Quotients and remainders are not tracked, not even the width of 32-bit ones.
  if (op === undefined) {
    setUnknown(env, insn.dst);
    return;
  }
  const dst = editReg(dstReg);
  const isMasking = (op === "and" || op === "or") && src.scalar.mask === 0n;
  if (isMasking) forkSignMask(env, insn.dst, dst);
  dst.scalar = transferScalar(op, dst.scalar, src.scalar, !is64(insn));
  linkByConstant(insn, dst, dstReg.scalar, src);
  setReg(env, insn.dst, dst);
}

function binary(env: Env, insn: RawInsn): void {
  checkBinaryFields(env, insn);
  checkWritable(env, insn.dst);
  // Any arithmetic is allowed in an arena: only the lower half of the result will count.
  if (env.regs[insn.dst]!.type === kind.arena) return;
  const source = isRegisterSource(insn) ? env.regs[insn.src]! : undefined;
  if (source?.type === kind.arena) {
    setReg(env, insn.dst, source);
    return;
  }
  const dst = env.regs[insn.dst]!;
  if (!isRegisterSource(insn)) {
    const scalar = constantScalar(BigInt(insn.imm));
    if (dst.type !== kind.scalar) {
      adjustPointer(env, insn, dst, dst, scalar);
      return;
    }
    adjustScalars(env, insn, dst, constantReg(BigInt(insn.imm)));
    return;
  }
  const src = env.regs[insn.src]!;
  if (src.type === kind.scalar) {
    if (dst.type === kind.scalar) {
      adjustScalars(env, insn, dst, src);
      return;
    }
    markPrecise(env, insn.src);
    adjustPointer(env, insn, dst, dst, src.scalar);
    return;
  }
  if (dst.type === kind.scalar) {
    markPrecise(env, insn.dst);
    adjustPointer(env, insn, dst, src, dst.scalar);
    return;
  }
  if ((insn.code & 0xf0) === aluOp.sub) {
    setUnknown(env, insn.dst);
    return;
  }
  const symbol = aluSymbols[insn.code & 0xf0] ?? "?";
  env.reject(`R${insn.dst} pointer ${symbol} pointer prohibited`);
}

export function checkAlu(env: Env, insn: RawInsn): void {
  const op = insn.code & 0xf0;
  if (op === aluOp.neg || op === aluOp.end) {
    unary(env, insn);
    return;
  }
  if (op === aluOp.mov) {
    move(env, insn);
    return;
  }
  if (op > aluOp.end) {
    env.reject(`invalid BPF_ALU opcode ${op.toString(16)}`, errno.invalid);
  }
  binary(env, insn);
}
