/** Memory that helpers read or write through an argument. */
import { accessKernelObject } from "./btf-pointers.ts";
import type { Env } from "./env.ts";
import { checkMapAccess, checkMapDirection } from "./map-access.ts";
import { accessAt } from "./memory.ts";
import { maxVariableOffset } from "./pointer-alu.ts";
import { markPrecise } from "./precision.ts";
import { programType } from "./program-variants.ts";
import { isNull } from "./reg.ts";
import { kind, kindOf, typeFlag, typeName } from "./reg-types.ts";
import { checkBuffer, checkPacketAccess, checkRegion } from "./regions.ts";
import { type AccessDirection, checkInitialized, type RawAccess } from "./stack-access.ts";
import { errno, Rejection } from "./stop.ts";

function isReadOnlyBuffer(type: number): boolean {
  return (type & typeFlag.readOnly) !== 0;
}

/** `size` bytes behind an argument register. */
export function checkHelperMemory(
  env: Env,
  register: number,
  size: number,
  access: AccessDirection,
  allowsZero: boolean,
  raw: RawAccess | undefined,
): void {
  const reg = env.regs[register]!;
  switch (kindOf(reg.type)) {
    case kind.packet:
    case kind.packetMeta:
      checkPacketAccess(env, register, reg.off, size, allowsZero);
      break;
    case kind.mapKey:
      if (access === "write") env.reject(`R${register} cannot write into ${typeName(reg.type)}`);
      checkRegion(env, register, reg.off, size, reg.map?.keySize ?? 0, false);
      break;
    case kind.mapValue:
      checkMapDirection(env, reg, 0, size, access === "read");
      checkMapAccess(env, register, reg.off, size, allowsZero);
      break;
    case kind.mem:
      if (access === "write" && (reg.type & typeFlag.readOnly) !== 0) {
        env.reject(`R${register} cannot write into ${typeName(reg.type)}`);
      }
      checkRegion(env, register, reg.off, size, reg.range, allowsZero);
      break;
    case kind.stack:
      checkInitialized(env, register, reg.off, size, access, raw, allowsZero);
      break;
    case kind.btfId:
      accessKernelObject(env, register, reg.off, size, true, -1);
      break;
    case kind.buf:
      if (access === "write" && (reg.type & typeFlag.readOnly) !== 0) {
        env.reject(`R${register} cannot write into ${typeName(reg.type)}`);
      }
      checkBuffer(env, register, reg.off, size, isReadOnlyBuffer(reg.type) ? "rdonly" : "rdwr");
      break;
    case kind.ctx:
      if (plainContexts.has(env.input.programType)) {
        checkContextMemory(env, register, size, access, allowsZero);
        break;
      }
      rejectMemory(env, register);
      break;
    default:
      if (allowsZero && size === 0 && isNull(reg)) return;
      rejectMemory(env, register);
  }
}

function rejectMemory(env: Env, register: number): never {
  const { type } = env.regs[register]!;
  env.reject(`R${register} type=${typeName(type)} expected=${typeName(kind.stack)}`);
}

/** Contexts that are the bytes that the program is given, not a view of something else. */
const plainContexts: ReadonlySet<number> = new Set([
  programType.kprobe,
  programType.tracepoint,
  programType.rawTracepoint,
  programType.rawTracepointWritable,
  programType.cgroupDevice,
  programType.tracing,
  programType.structOps,
  programType.lsm,
  programType.syscall,
  programType.netfilter,
]);

/** Of the bytes only the last one is tried. */
function checkContextMemory(
  env: Env,
  register: number,
  size: number,
  access: AccessDirection,
  allowsZero: boolean,
): void {
  if (size === 0) {
    if (allowsZero) return;
    throw new Rejection(errno.access);
  }
  accessAt(env, {
    register,
    offset: size - 1,
    size: 1,
    isRead: access === "read",
    value: -1,
    isStrict: false,
    signed: false,
  });
}

/** A size argument: how much of the memory before it may be touched. */
export function checkMemorySize(
  env: Env,
  register: number,
  access: AccessDirection,
  allowsZero: boolean,
  raw: RawAccess,
): void {
  const { scalar } = env.regs[register]!;
  if (scalar.smin < 0n) {
    env.reject(`R${register} min value is negative, either use unsigned or 'var &= const'`);
  }
  if (scalar.umin === 0n && !allowsZero) {
    env.reject(
      `R${register} invalid zero-sized read: u64=[${scalar.umin},${BigInt.asIntN(64, scalar.umax)}]`,
    );
  }
  if (scalar.umax >= BigInt(maxVariableOffset)) {
    env.reject(`R${register} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  }
  // Only a known size is sure to overwrite all of it.
  const isKnown = scalar.mask === 0n;
  const size = Number(scalar.umax);
  checkHelperMemory(env, register - 1, size, access, allowsZero, isKnown ? raw : undefined);
  markPrecise(env, register);
}
