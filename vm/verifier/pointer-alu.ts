/** Arithmetic on pointers: what each kind allows, and the offset that results. */
import {
  MutableScalar,
  type Scalar,
  s64Max,
  s64Min,
  syncBounds,
  unbound32,
} from "../../common/domain/scalar.ts";
import { tnumAdd, tnumSub, u64Max } from "../../common/domain/tnum.ts";
import type { Env } from "./env.ts";
import { aluOp, insnClass, type RawInsn } from "./opcodes.ts";
import { editReg, type MutableReg, type Reg, unknownReg } from "./reg.ts";
import { isPacketKind, kind, kindOf, mayBeNull, typeFlag, typeName } from "./reg-types.ts";
import { setReg, setUnknown } from "./registers.ts";
import { errno } from "./stop.ts";

export const maxVariableOffset = 1 << 29;
const limit = BigInt(maxVariableOffset);

export const aluSymbols: Record<number, string> = {
  [aluOp.add]: "+=",
  [aluOp.sub]: "-=",
  [aluOp.mul]: "*=",
  [aluOp.div]: "/=",
  [aluOp.or]: "|=",
  [aluOp.and]: "&=",
  [aluOp.lsh]: "<<=",
  [aluOp.rsh]: ">>=",
  [aluOp.neg]: "neg",
  [aluOp.mod]: "%=",
  [aluOp.xor]: "^=",
  [aluOp.mov]: "=",
  [aluOp.arsh]: "s>>=",
  [aluOp.end]: "endian",
};

const withArithmetic: ReadonlySet<number> = new Set([
  kind.ctx,
  kind.mapValue,
  kind.mapKey,
  kind.stack,
  kind.packetMeta,
  kind.packet,
  kind.tpBuffer,
  kind.btfId,
  kind.mem,
  kind.buf,
  kind.func,
  kind.dynptr,
]);

function checkSaneOffset(env: Env, offset: number, scalar: Scalar, type: number): void {
  const name = typeName(type);
  if (scalar.mask === 0n) {
    const value = BigInt.asIntN(64, scalar.value);
    if (value >= limit || value <= -limit) {
      env.reject(`math between ${name} pointer and ${value} is not allowed`, errno.invalid);
    }
  }
  if (offset >= maxVariableOffset || offset <= -maxVariableOffset) {
    env.reject(`${name} pointer offset ${offset} is not allowed`, errno.invalid);
  }
  if (scalar.smin === s64Min) {
    env.reject(
      `math between ${name} pointer and register with unbounded min value is not allowed`,
      errno.invalid,
    );
  }
  if (scalar.smin >= limit || scalar.smin <= -limit) {
    env.reject(`value ${scalar.smin} makes ${name} pointer be out of bounds`, errno.invalid);
  }
}

function fitsS32(value: bigint): boolean {
  return BigInt.asIntN(32, value) === value;
}

function setSigned(s: MutableScalar, min: bigint, max: bigint): void {
  const fits = min >= s64Min && max <= s64Max && min <= s64Max && max >= s64Min;
  s.smin = fits ? min : s64Min;
  s.smax = fits ? max : s64Max;
}

function addVariable(env: Env, dst: MutableReg, pointer: Reg, offset: Scalar): void {
  const s = new MutableScalar(pointer.scalar);
  unbound32(s);
  setSigned(s, pointer.scalar.smin + offset.smin, pointer.scalar.smax + offset.smax);
  const umin = pointer.scalar.umin + offset.umin;
  const umax = pointer.scalar.umax + offset.umax;
  const fits = umin <= u64Max && umax <= u64Max;
  s.umin = fits ? umin : 0n;
  s.umax = fits ? umax : u64Max;
  Object.assign(s, tnumAdd(pointer.scalar, offset));
  dst.off = pointer.off;
  dst.scalar = s;
  if (isPacketKind(pointer.type)) {
    dst.id = env.newId();
    dst.range = 0;
  }
}

function subtractVariable(env: Env, dst: MutableReg, pointer: Reg, offset: Scalar): void {
  const s = new MutableScalar(pointer.scalar);
  unbound32(s);
  setSigned(s, pointer.scalar.smin - offset.smax, pointer.scalar.smax - offset.smin);
  const fits = pointer.scalar.umin >= offset.umax;
  s.umin = fits ? pointer.scalar.umin - offset.umax : 0n;
  s.umax = fits ? pointer.scalar.umax - offset.umin : u64Max;
  Object.assign(s, tnumSub(pointer.scalar, offset));
  dst.off = pointer.off;
  dst.scalar = s;
  if (isPacketKind(pointer.type)) {
    dst.id = env.newId();
    // What was proven of the base still holds when it only moves towards the start.
    if (offset.smin < 0n) dst.range = 0;
  }
}

function checkKind(env: Env, register: number, pointer: Reg, offset: Scalar, op: number): void {
  const known = offset.mask === 0n;
  const base = kindOf(pointer.type);
  if (withArithmetic.has(base)) return;
  if (base === kind.flowKeys && known) return;
  const isUnchanged = known && offset.smin === 0n && op === aluOp.add;
  if ((base === kind.mapPtr || base === kind.flowKeys) && isUnchanged) return;
  env.reject(`R${register} pointer arithmetic on ${typeName(pointer.type)} prohibited`);
}

function isContradictory(offset: Scalar): boolean {
  if (offset.smin > offset.smax || offset.umin > offset.umax) return true;
  return offset.mask === 0n && (offset.smin !== offset.smax || offset.umin !== offset.umax);
}

/** The parts of a pointer that are not its type, id or offset. */
function copyTarget(dst: MutableReg, pointer: Reg): void {
  dst.map = pointer.map;
  dst.mapUid = pointer.mapUid;
  dst.range = pointer.range;
  dst.btf = pointer.btf;
  dst.btfId = pointer.btfId;
  dst.btfName = pointer.btfName;
  dst.dynptr = pointer.dynptr;
}

function applyOp(env: Env, insn: RawInsn, dst: MutableReg, pointer: Reg, offset: Scalar): void {
  const op = insn.code & 0xf0;
  const known = offset.mask === 0n;
  const move = op === aluOp.add ? offset.smin : -offset.smin;
  const moved = BigInt(pointer.off) + move;
  if (known && fitsS32(moved)) {
    const s = new MutableScalar(pointer.scalar);
    unbound32(s);
    dst.scalar = s;
    dst.off = Number(moved);
  } else if (op === aluOp.add) {
    addVariable(env, dst, pointer, offset);
  } else {
    subtractVariable(env, dst, pointer, offset);
  }
}

/**
 * `dst op= offset` for a pointer; `pointer` may be the source register of `scalar += pointer`,
 * then `dstReg` is the scalar.
 */
export function adjustPointer(
  env: Env,
  insn: RawInsn,
  dstReg: Reg,
  pointer: Reg,
  offset: Scalar,
): void {
  const op = insn.code & 0xf0;
  const register = insn.dst;
  if (isContradictory(offset)) {
    setReg(env, register, unknownReg);
    return;
  }
  if ((insn.code & 7) !== insnClass.alu64) {
    if (op === aluOp.sub) {
      setUnknown(env, register);
      return;
    }
    env.reject(`R${register} 32-bit pointer arithmetic prohibited`);
  }
  if (mayBeNull(pointer.type)) {
    const name = typeName(pointer.type);
    env.reject(`R${register} pointer arithmetic on ${name} prohibited, null-check it first`);
  }
  if (kindOf(pointer.type) === kind.mem && (pointer.type & typeFlag.untrusted) !== 0) return;
  checkKind(env, register, pointer, offset, op);
  checkSaneOffset(env, 0, offset, pointer.type);
  checkSaneOffset(env, pointer.off, pointer.scalar, pointer.type);
  if (op !== aluOp.add && op !== aluOp.sub) {
    const isBitwise = op === aluOp.and || op === aluOp.or || op === aluOp.xor;
    const symbol = aluSymbols[op] ?? "?";
    if (isBitwise) env.reject(`R${register} bitwise operator ${symbol} on pointer prohibited`);
    env.reject(`R${register} pointer arithmetic with ${symbol} operator prohibited`);
  }
  if (op === aluOp.sub && dstReg !== pointer) {
    env.reject(`R${register} tried to subtract pointer from scalar`);
  }
  if (op === aluOp.sub && pointer.type === kind.stack) {
    env.reject(`R${register} subtraction from stack pointer prohibited`);
  }
  const dst = editReg(dstReg);
  dst.type = pointer.type;
  dst.id = pointer.id;
  copyTarget(dst, pointer);
  applyOp(env, insn, dst, pointer, offset);
  checkSaneOffset(env, dst.off, dst.scalar, pointer.type);
  const synced = new MutableScalar(dst.scalar);
  syncBounds(synced);
  dst.scalar = synced;
  setReg(env, register, dst);
}
