/** Bounds of memory with a fixed size, and of the packet. */
import { s64Min } from "../../common/domain/scalar.ts";
import { printTnum } from "../../common/domain/tnum.ts";
import type { Env } from "./env.ts";
import { maxVariableOffset } from "./pointer-alu.ts";
import { programType } from "./program-variants.ts";
import type { Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { errno } from "./stop.ts";

function sayOutside(
  env: Env,
  reg: Reg,
  register: number,
  offset: bigint,
  size: number,
  limit: number,
): void {
  const place = `off=${BigInt.asIntN(32, offset)} size=${size}`;
  switch (reg.type) {
    case kind.mapKey:
      env.say(`invalid access to map key, key_size=${limit} ${place}`);
      break;
    case kind.mapValue:
      env.say(`invalid access to map value, value_size=${limit} ${place}`);
      break;
    case kind.packet:
    case kind.packetMeta:
    case kind.packetEnd:
      env.say(
        `invalid access to packet, ${place}, R${register}(id=${reg.id},off=${offset},r=${limit})`,
      );
      break;
    default:
      env.say(`invalid access to memory, mem_size=${limit} ${place}`);
  }
}

/** Says why, and gives false, if `size` bytes at `offset` are not inside `limit`. */
function isInside(
  env: Env,
  register: number,
  offset: bigint,
  size: number,
  limit: number,
  allowsZero: boolean,
): boolean {
  const isSized = size > 0 || (size === 0 && allowsZero);
  const low = BigInt.asIntN(32, offset);
  if (isSized && low >= 0n && low + BigInt(size) <= BigInt(limit)) return true;
  sayOutside(env, env.regs[register]!, register, offset, size, limit);
  return false;
}

/** Both ends of the variable offset must stay inside `limit` bytes. */
export function checkRegion(
  env: Env,
  register: number,
  offset: number,
  size: number,
  limit: number,
  allowsZero: boolean,
): void {
  const { scalar } = env.regs[register]!;
  const fixed = BigInt(offset);
  const low = fixed + scalar.smin;
  if (scalar.smin < 0n && (scalar.smin === s64Min || BigInt.asIntN(32, low) !== low || low < 0n)) {
    rejectNegative(env, register);
  }
  if (!isInside(env, register, low, size, limit, allowsZero)) {
    env.reject(`R${register} min value is outside of the allowed memory range`);
  }
  if (scalar.umax >= BigInt(maxVariableOffset)) {
    env.reject(`R${register} unbounded memory access, make sure to bounds check any such access`);
  }
  if (!isInside(env, register, scalar.umax + fixed, size, limit, allowsZero)) {
    env.reject(`R${register} max value is outside of the allowed memory range`);
  }
}

export function rejectNegative(env: Env, register: number): never {
  env.reject(
    `R${register} min value is negative, either use unsigned index or do a if (index >=0) check.`,
  );
}

/** Buffers of iterators and tracepoints, whose size is checked when a program is attached. */
export function checkBuffer(
  env: Env,
  register: number,
  offset: number,
  size: number,
  word: "rdonly" | "rdwr" | "tracepoint",
): void {
  const { scalar } = env.regs[register]!;
  if (offset < 0) {
    env.reject(`R${register} invalid ${word} buffer access: off=${offset}, size=${size}`);
  }
  if (scalar.mask !== 0n || scalar.value !== 0n) {
    env.reject(
      `R${register} invalid variable buffer offset: off=${offset}, var_off=${printTnum(scalar)}`,
    );
  }
}

const readers: ReadonlySet<number> = new Set([
  programType.lwtIn,
  programType.lwtOut,
  programType.lwtSeg6local,
  programType.skReuseport,
  programType.flowDissector,
  programType.cgroupSkb,
]);

const writers: ReadonlySet<number> = new Set([
  programType.schedCls,
  programType.schedAct,
  programType.xdp,
  programType.lwtXmit,
  programType.skSkb,
  programType.skMsg,
]);

export function mayWritePacket(env: Env): boolean {
  const type = env.input.programType;
  return writers.has(type) || type === programType.cgroupSockopt;
}

/** Whether a helper may be given packet memory. */
export function mayPassPacket(env: Env, helperTakesPacket: boolean): boolean {
  const type = env.input.programType;
  if (readers.has(type) || writers.has(type)) return helperTakesPacket;
  return type === programType.cgroupSockopt;
}

/** Packet memory up to what comparisons with the packet's end have proven. */
export function checkPacketAccess(
  env: Env,
  register: number,
  offset: number,
  size: number,
  allowsZero: boolean,
): void {
  const reg = env.regs[register]!;
  if (reg.scalar.smin < 0n) rejectNegative(env, register);
  const isProven = reg.range >= 0;
  if (isProven && isInside(env, register, BigInt(offset), size, reg.range, allowsZero)) return;
  env.reject(
    `R${register} offset is outside of the packet`,
    isProven ? errno.access : errno.invalid,
  );
}
