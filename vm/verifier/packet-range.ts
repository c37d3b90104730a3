/** Comparisons of packet pointers with the end of the packet: how many bytes they prove. */
import type { Scalar } from "../../common/domain/scalar.ts";
import { jmpOp } from "./opcodes.ts";
import { editReg, type Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { mapRegs, type State } from "./state.ts";

const maxPacketOffset = 0xffffn;

/** `range` of a packet end that a pointer was found to be at, or beyond. */
export const atPacketEnd = -1;
export const beyondPacketEnd = -2;

/**
 * In `state`, `pointer` lies before the end: every pointer with its id may use the bytes up to it.
 * With `isOpen` the pointer may be the end itself minus one: one byte more is proven.
 */
function proveRange(state: State, pointer: Reg, isOpen: boolean): void {
  if (pointer.off < 0 || (pointer.off === 0 && isOpen)) return;
  if (pointer.scalar.umax > maxPacketOffset) return;
  if (BigInt(pointer.off) + pointer.scalar.umax > maxPacketOffset) return;
  const range = pointer.off + (isOpen ? 1 : 0);
  mapRegs(state, (reg) => {
    if (reg.type !== pointer.type || reg.id !== pointer.id || reg.range >= range) return reg;
    const edited = editReg(reg);
    edited.range = range;
    return edited;
  });
}

/** The packet end is known to be at or before a pointer that has exactly one id. */
function markEnd(state: State, register: number, isOpen: boolean): void {
  const regs = state.frames[state.frames.length - 1]!.regs;
  const reg = regs[register]!;
  if (reg.type !== kind.packet) return;
  const edited = editReg(reg);
  edited.range = isOpen ? beyondPacketEnd : atPacketEnd;
  regs[register] = edited;
}

interface Rule {
  /** Which outcome proves that a pointer on the left is before the end. */
  readonly leftIn: "taken" | "fallthrough";
  readonly isLeftOpen: boolean;
  readonly isRightOpen: boolean;
}

/** For `pointer op end` and, the other way round, `end op pointer`. */
const rules: Record<number, Rule> = {
  [jmpOp.gt]: { leftIn: "fallthrough", isLeftOpen: false, isRightOpen: true },
  [jmpOp.lt]: { leftIn: "taken", isLeftOpen: true, isRightOpen: false },
  [jmpOp.ge]: { leftIn: "fallthrough", isLeftOpen: true, isRightOpen: false },
  [jmpOp.le]: { leftIn: "taken", isLeftOpen: false, isRightOpen: true },
};

function isZero(scalar: Scalar): boolean {
  return scalar.mask === 0n && scalar.value === 0n;
}

function isPointerAndEnd(a: Reg, b: Reg): boolean {
  if (a.type === kind.packet && b.type === kind.packetEnd) return true;
  const isStart = b.type === kind.packet && b.id === 0 && b.off === 0 && isZero(b.scalar);
  return a.type === kind.packetMeta && isStart;
}

/** Whether this was such a comparison; then both outcomes know more. */
export function matchPacketComparison(
  op: number,
  dst: Reg,
  src: Reg,
  registers: { readonly dst: number; readonly src: number },
  fallthrough: State,
  taken: State,
): boolean {
  const rule = rules[op];
  if (rule === undefined) return false;
  const states = { taken, fallthrough };
  const other = rule.leftIn === "taken" ? "fallthrough" : "taken";
  if (isPointerAndEnd(dst, src)) {
    proveRange(states[rule.leftIn], dst, rule.isLeftOpen);
    markEnd(states[other], registers.dst, !rule.isLeftOpen);
    return true;
  }
  if (isPointerAndEnd(src, dst)) {
    proveRange(states[other], src, rule.isRightOpen);
    markEnd(states[rule.leftIn], registers.src, !rule.isRightOpen);
    return true;
  }
  return false;
}

/** Decides `pointer op end` where an earlier comparison said where the pointer is. */
export function decidePacketBranch(dst: Reg, src: Reg, op: number): boolean | undefined {
  let pointer = dst;
  let effective = op;
  if (src.type === kind.packetEnd) pointer = dst;
  else if (dst.type === kind.packetEnd) {
    pointer = src;
    effective = flipped[op] ?? op;
  } else return undefined;
  if (pointer.range >= 0) return undefined;
  switch (effective) {
    case jmpOp.le:
    case jmpOp.gt:
      if (pointer.range === beyondPacketEnd) return effective === jmpOp.gt;
      return undefined;
    case jmpOp.lt:
    case jmpOp.ge:
      return effective === jmpOp.ge;
    default:
      return undefined;
  }
}

const flipped: Record<number, number> = {
  [jmpOp.gt]: jmpOp.lt,
  [jmpOp.lt]: jmpOp.gt,
  [jmpOp.ge]: jmpOp.le,
  [jmpOp.le]: jmpOp.ge,
};
