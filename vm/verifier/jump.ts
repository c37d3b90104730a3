/** Conditional jumps: decided ones are followed, others split the path and tell both sides something. */
import type { Scalar } from "../../common/domain/scalar.ts";
import { decideBranch, refineBranch } from "../../common/domain/scalar-branch.ts";
import type { JumpOp } from "../../common/isa/instruction.ts";
import { pushPath, widenImprecise } from "./branching.ts";
import type { Env } from "./env.ts";
import { noteLinked, noteStackOperands } from "./history.ts";
import { collectLinked, syncLinked } from "./linked-regs.ts";
import { markNullness, markValid } from "./null-checks.ts";
import { insnClass, jmpOp, opMayGoto, type RawInsn } from "./opcodes.ts";
import { decidePacketBranch, matchPacketComparison } from "./packet-range.ts";
import { markPrecise } from "./precision.ts";
import { traceInsnState } from "./print-state.ts";
import { programFlag } from "./program-variants.ts";
import { constantReg, editReg, isNeverNull, isNull, type Reg } from "./reg.ts";
import { isPacketAny, kind, kindOf, mayBeNull } from "./reg-types.ts";
import { readReg } from "./registers.ts";
import { currentFrame, type LinkedReg, type State } from "./state.ts";
import { errno } from "./stop.ts";
import { previousVisit } from "./visits.ts";

const names: Record<number, JumpOp> = {
  [jmpOp.eq]: "eq",
  [jmpOp.ne]: "ne",
  [jmpOp.gt]: "gt",
  [jmpOp.ge]: "ge",
  [jmpOp.lt]: "lt",
  [jmpOp.le]: "le",
  [jmpOp.set]: "set",
  [jmpOp.sgt]: "sgt",
  [jmpOp.sge]: "sge",
  [jmpOp.slt]: "slt",
  [jmpOp.sle]: "sle",
};

function mayGoto(env: Env, insn: RawInsn): number {
  const { state } = env;
  if (insn.code !== opMayGoto || insn.src !== 0 || insn.dst !== 0 || insn.imm !== 0) {
    env.reject(`invalid may_goto imm ${insn.imm}`, errno.invalid);
  }
  const previous = state.parent && previousVisit(env, state.parent, env.insn);
  const next = pushPath(env, env.insn + 1, env.insn);
  next.mayGotoDepth += 1;
  if (previous !== undefined) widenImprecise(previous, next);
  return env.insn + insn.off + 1;
}

/** Both operands of a comparison. `src` is a made-up register for immediates. */
interface Operands {
  readonly op: JumpOp;
  readonly is32: boolean;
  readonly isRegister: boolean;
  readonly dst: Reg;
  readonly src: Reg;
}

function readOperands(env: Env, insn: RawInsn): Operands {
  const isRegister = (insn.code & 8) !== 0;
  const op = names[insn.code & 0xf0]!;
  const is32 = (insn.code & 7) === insnClass.jmp32;
  const dst = readReg(env, insn.dst);
  if ((isRegister ? insn.imm : insn.src) !== 0) {
    env.reject("BPF_JMP/JMP32 uses reserved fields", errno.invalid);
  }
  const src = isRegister ? readReg(env, insn.src) : constantReg(BigInt(insn.imm));
  noteStackOperands(env, dst.type === kind.stack, isRegister && src.type === kind.stack);
  return { op, is32, isRegister, dst, src };
}

function constantIn(reg: Reg, is32: boolean): bigint | undefined {
  if (reg.type !== kind.scalar) return undefined;
  if (!is32) return reg.scalar.mask === 0n ? reg.scalar.value : undefined;
  return (reg.scalar.mask & 0xffff_ffffn) === 0n ? reg.scalar.value & 0xffff_ffffn : undefined;
}

/** Valid pointers are not NULL; nothing else is known of comparisons with pointers. */
function decidePointer(op: JumpOp, pointer: Reg, other: Reg, is32: boolean): boolean | undefined {
  if (!isNeverNull(pointer) || constantIn(other, is32) !== 0n) return undefined;
  if (op === "eq") return false;
  return op === "ne" ? true : undefined;
}

function decide(insn: RawInsn, o: Operands): boolean | undefined {
  if (isPacketAny(o.dst.type) && isPacketAny(o.src.type) && !o.is32) {
    return decidePacketBranch(o.dst, o.src, insn.code & 0xf0);
  }
  if (o.dst.type === kind.scalar && o.src.type === kind.scalar) {
    return decideBranch(o.op, o.dst.scalar, o.src.scalar, o.is32);
  }
  if (o.src.type === kind.scalar) return decidePointer(o.op, o.dst, o.src, o.is32);
  if (o.dst.type === kind.scalar) return decidePointer(o.op, o.src, o.dst, o.is32);
  return undefined;
}

function withScalarOf(reg: Reg, scalar: Reg["scalar"]): Reg {
  if (reg.scalar === scalar) return reg;
  const edited = editReg(reg);
  edited.scalar = scalar;
  return edited;
}

/** Branches only narrow what is known: a range that widened had contradicted itself. */
function checkNarrowed(env: Env, before: Scalar, after: Scalar): void {
  if ((env.input.flags & programFlag.testInvariants) === 0) return;
  if (after.umin >= before.umin && after.umax <= before.umax) return;
  env.unsupported("contradictory ranges under BPF_F_TEST_REG_INVARIANTS");
}

/** Narrows the operands on one side of the branch. */
function refineSide(env: Env, state: State, insn: RawInsn, o: Operands, holds: boolean): void {
  const { regs } = currentFrame(state);
  const isSame = o.isRegister && insn.dst === insn.src;
  const pair = refineBranch(o.op, o.dst.scalar, o.src.scalar, o.is32, holds, isSame);
  checkNarrowed(env, o.dst.scalar, pair.a);
  checkNarrowed(env, o.src.scalar, pair.b);
  if (o.isRegister) regs[insn.src] = withScalarOf(o.src, pair.b);
  regs[insn.dst] = withScalarOf(o.dst, pair.a);
}

function linkedWith(env: Env, o: Operands): LinkedReg[] {
  const linked: LinkedReg[] = [];
  const ids = o.isRegister ? [o.src, o.dst] : [o.dst];
  for (const reg of ids) {
    if (reg.type === kind.scalar && reg.id !== 0) collectLinked(env.state, reg.id, linked);
  }
  if (linked.length > 1) noteLinked(env, linked);
  return linked;
}

function syncSide(state: State, register: number, linked: readonly LinkedReg[]): void {
  const reg = currentFrame(state).regs[register]!;
  if (reg.type === kind.scalar && reg.id !== 0) syncLinked(state, reg, linked);
}

/** `a == b` with a pointer that cannot be NULL: neither is the other. */
function liftNullness(env: Env, insn: RawInsn, o: Operands, taken: State): void {
  if (o.is32 || !o.isRegister || (o.op !== "eq" && o.op !== "ne")) return;
  const { dst, src } = o;
  if (dst.type === kind.scalar || src.type === kind.scalar) return;
  if (mayBeNull(src.type) === mayBeNull(dst.type)) return;
  if (kindOf(src.type) === kind.btfId || kindOf(dst.type) === kind.btfId) return;
  const state = o.op === "eq" ? taken : env.state;
  markValid(env, state, mayBeNull(src.type) ? insn.src : insn.dst);
}

function pointerFacts(env: Env, insn: RawInsn, o: Operands, taken: State): void {
  liftNullness(env, insn, o, taken);
  const dst = env.regs[insn.dst]!;
  const isEquality = o.op === "eq" || o.op === "ne";
  if (!o.is32 && !o.isRegister && isNull(o.src) && isEquality && mayBeNull(dst.type)) {
    markNullness(env, env.state, insn.dst, o.op === "ne");
    markNullness(env, taken, insn.dst, o.op === "eq");
    return;
  }
  if (!o.isRegister || o.is32) return;
  const registers = { dst: insn.dst, src: insn.src };
  matchPacketComparison(insn.code & 0xf0, o.dst, o.src, registers, env.state, taken);
}

function followDecided(env: Env, insn: RawInsn, o: Operands, taken: boolean): number {
  if (o.dst.type === kind.scalar) markPrecise(env, insn.dst);
  if (o.isRegister && o.src.type === kind.scalar) markPrecise(env, insn.src);
  if (env.log.isTracing) traceInsnState(env);
  return taken ? env.insn + insn.off + 1 : env.insn + 1;
}

/** Gives the instruction at which the current path goes on. */
export function checkBranch(env: Env, insn: RawInsn): number {
  if ((insn.code & 0xf0) === jmpOp.cond) return mayGoto(env, insn);
  const first = readOperands(env, insn);
  const decision = decide(insn, first);
  if (decision !== undefined) return followDecided(env, insn, first, decision);
  const linked = linkedWith(env, first);
  const dst = env.regs[insn.dst]!;
  const o: Operands = { ...first, dst, src: first.isRegister ? env.regs[insn.src]! : first.src };
  const taken = pushPath(env, env.insn + insn.off + 1, env.insn);
  if (o.dst.type === kind.scalar && o.src.type === kind.scalar) {
    refineSide(env, env.state, insn, o, false);
    refineSide(env, taken, insn, o, true);
    for (const register of o.isRegister ? [insn.src, insn.dst] : [insn.dst]) {
      syncSide(env.state, register, linked);
      syncSide(taken, register, linked);
    }
  }
  pointerFacts(env, insn, o, taken);
  if (env.log.isTracing) traceInsnState(env);
  return env.insn + 1;
}
