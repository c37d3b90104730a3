/** What a program, a callback or a global function may return. */

import { s64Max, s64Min } from "../../common/domain/scalar.ts";
import { skipModifierIds, skipModifiers } from "../../common/object/btf-types.ts";
import type { Env } from "./env.ts";
import { hookRange } from "./lsm-hooks.ts";
import { checkPointerOffset } from "./pointer-offset.ts";
import { markPrecise } from "./precision.ts";
import { attachType, programType } from "./program-variants.ts";
import type { Reg } from "./reg.ts";
import { kind, typeName } from "./reg-types.ts";
import { readReg } from "./registers.ts";
import type { ReturnRange } from "./state.ts";
import { errno } from "./stop.ts";

const zeroToOne: ReturnRange = { min: 0, max: 1 };
const onlyOne: ReturnRange = { min: 1, max: 1 };
const zeroToThree: ReturnRange = { min: 0, max: 3 };

/** enum bpf_attach_type values that decide a range. */
const egress = 1;
const bind4 = 8;
const bind6 = 9;
/** recvmsg, getpeername and getsockname hooks, and their unix forms. */
const observers: ReadonlySet<number> = new Set([19, 20, 29, 30, 31, 32, 51, 52, 53]);

const plainRanges: Record<number, ReturnRange> = {
  [programType.cgroupSock]: zeroToOne,
  [programType.sockOps]: zeroToOne,
  [programType.cgroupDevice]: zeroToOne,
  [programType.cgroupSysctl]: zeroToOne,
  [programType.cgroupSockopt]: zeroToOne,
  [programType.skLookup]: zeroToOne,
  [programType.netfilter]: zeroToOne,
};

/** Hooks of tracing programs whose result is limited. */
const tracingRanges: Record<number, ReturnRange> = {
  [attachType.fentry]: { min: 0, max: 0 },
  [attachType.fexit]: { min: 0, max: 0 },
  [attachType.iterator]: zeroToOne,
};

/** Probes at a function's entry that decide whether they run at its return. */
const sessions: ReadonlySet<number> = new Set([attachType.kprobeSession, attachType.uprobeSession]);

/** Hooks decide; those of cgroups that return nothing must say 1. */
function lsmRange({ attach, input }: Env): ReturnRange | undefined {
  if (attach === undefined) return undefined;
  const hasResult = attach.proto.returns !== 0;
  if (input.attachType === attachType.lsmCgroup) return hasResult ? zeroToOne : onlyOne;
  const range = hookRange(attach);
  return range && { ...range, is32: true };
}

function returnsPointer(env: Env): boolean {
  const { attach, input } = env;
  if (attach === undefined || input.kernel === undefined) return false;
  return skipModifiers(input.kernel.btf, attach.proto.returns)?.kind === "ptr";
}

/** Functions without a result, and objects that are handed back as they were acquired. */
function isReturnFree(env: Env, register: number, subprog: number): boolean {
  const { attach, input } = env;
  const isException = subprog === env.exceptionCallback;
  if (attach === undefined || (subprog > 0 && !isException)) return false;
  const isVoid = attach.proto.returns === 0;
  if (input.programType === programType.lsm) {
    return isVoid && input.attachType !== attachType.lsmCgroup;
  }
  if (input.programType !== programType.structOps) return false;
  if (isVoid) return true;
  const reg = env.regs[register]!;
  if (isException || !returnsPointer(env) || reg.refObjId === 0) return false;
  const pointer = skipModifiers(reg.btf ?? input.kernel!.btf, attach.proto.returns);
  const target = pointer?.kind === "ptr" ? skipModifierIds(input.kernel!.btf, pointer.type) : 0;
  if (reg.btf !== input.kernel!.btf || reg.btfId !== target) return false;
  checkPointerOffset(env, reg, register, false);
  return true;
}

/** The range that the program's type wants, if any. */
export function programRange(env: Env): ReturnRange | undefined {
  const { programType: type, attachType: attach } = env.input;
  if (type === programType.cgroupSkb) return attach === egress ? zeroToThree : zeroToOne;
  if (type === programType.cgroupSockAddr) {
    if (observers.has(attach)) return onlyOne;
    return attach === bind4 || attach === bind6 ? zeroToThree : zeroToOne;
  }
  if (type === programType.tracing) return tracingRanges[attach];
  if (type === programType.kprobe) return sessions.has(attach) ? zeroToOne : undefined;
  if (type === programType.lsm) return lsmRange(env);
  if (type === programType.structOps) return returnsPointer(env) ? { min: 0, max: 0 } : undefined;
  return plainRanges[type];
}

function describe(reg: Reg): string {
  const { smin, smax } = reg.scalar;
  let text = "";
  if (smin > s64Min) text += ` smin=${smin}`;
  if (smax < s64Max) text += ` smax=${smax}`;
  return text === "" ? " unknown scalar value" : text;
}

/** Rejects with the register's bounds and the range it should have been in. */
export function checkRange(
  env: Env,
  register: number,
  reg: Reg,
  range: ReturnRange,
  place: string,
): void {
  const { smin, smax, s32min, s32max } = reg.scalar;
  const isInside = range.is32
    ? s32min >= range.min && s32max <= range.max
    : smin >= BigInt(range.min) && smax <= BigInt(range.max);
  if (isInside) return;
  env.reject(
    `${place} the register R${register} has${describe(reg)} should have been in [${range.min}, ${range.max}]`,
    errno.invalid,
  );
}

function enforce(env: Env, register: number, range: ReturnRange, place: string): void {
  const reg = env.regs[register]!;
  if (reg.type !== kind.scalar) {
    env.reject(
      `${place} the register R${register} is not a known value (${typeName(reg.type)})`,
      errno.invalid,
    );
  }
  markPrecise(env, register);
  checkRange(env, register, env.regs[register]!, range, place);
}

/** At the exit of the outermost frame, whose result is in the register; r1 for exceptions. */
export function checkReturn(env: Env, register: number): void {
  const outermost = env.state.frames[0]!;
  if (isReturnFree(env, register, outermost.subprog)) return;
  const reg = readReg(env, register);
  if (outermost.callback?.isAsync) {
    enforce(env, register, outermost.callback.range, "At async callback return");
    return;
  }
  const isException = outermost.subprog === env.exceptionCallback;
  if (outermost.subprog > 0 && !isException) {
    if (reg.type === kind.scalar) return;
    env.reject(
      `At subprogram exit the register R${register} is not a scalar value (${typeName(reg.type)})`,
      errno.invalid,
    );
  }
  const range = programRange(env);
  if (range !== undefined) enforce(env, register, range, "At program exit");
}
