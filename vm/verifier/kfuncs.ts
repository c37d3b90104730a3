/** Kernel functions that a program calls: found by id in the kernel's BTF, with their rules. */
import { btfTypeById } from "../../common/object/btf-types.ts";
import { type Kfunc, kfuncByName } from "../../common/platform/kfuncs.ts";
import { programTypeById } from "../../common/platform/program-types.ts";
import type { FunctionProto } from "./attach-target.ts";
import type { Env } from "./env.ts";
import { isGplCompatible } from "./license.ts";
import { isKfuncCall, type RawInsn } from "./opcodes.ts";
import { errno } from "./stop.ts";

export type KfuncFlag =
  | "KF_ACQUIRE"
  | "KF_RELEASE"
  | "KF_RET_NULL"
  | "KF_TRUSTED_ARGS"
  | "KF_SLEEPABLE"
  | "KF_DESTRUCTIVE"
  | "KF_RCU"
  | "KF_ITER_NEW"
  | "KF_ITER_NEXT"
  | "KF_ITER_DESTROY"
  | "KF_RCU_PROTECTED";

export interface KernelFunction {
  readonly id: number;
  readonly name: string;
  readonly proto: FunctionProto;
  readonly isAllowed: boolean;
  readonly flags: ReadonlySet<string>;
}

export function hasFlag(kfunc: KernelFunction, flag: KfuncFlag): boolean {
  return kfunc.flags.has(flag);
}

/** Arguments whose objects must be trusted. */
export function wantsTrusted(kfunc: KernelFunction): boolean {
  return hasFlag(kfunc, "KF_TRUSTED_ARGS") || hasFlag(kfunc, "KF_RELEASE");
}

export function isIterator(kfunc: KernelFunction): boolean {
  return (
    hasFlag(kfunc, "KF_ITER_NEW") ||
    hasFlag(kfunc, "KF_ITER_NEXT") ||
    hasFlag(kfunc, "KF_ITER_DESTROY")
  );
}

/** `XDP`, or `KPROBE@session,…` for some attach types only. Needing to sleep is judged at the call. */
function isAllowed(env: Env, known: Kfunc): boolean {
  const name = programTypeById(env.input.programType)?.name.replace("BPF_PROG_TYPE_", "") ?? "";
  for (const entry of known.programTypes) {
    const [type, restriction] = entry.split("@");
    if (type !== name) continue;
    if (restriction === undefined || restriction.includes("sleepable")) return true;
    env.unsupported(`kernel function ${known.name} for some attach types only`);
  }
  return false;
}

function describe(env: Env, id: number): KernelFunction | undefined {
  const { kernel } = env.input;
  if (kernel === undefined) env.unsupported("kernel function call without the kernel's types");
  const func = btfTypeById(kernel.btf, id);
  if (func?.kind !== "func") return undefined;
  const proto = btfTypeById(kernel.btf, func.type);
  if (proto?.kind !== "func_proto") return undefined;
  const known = kfuncByName(func.name);
  const isKfunc = kernel.isKfunc(id);
  if (isKfunc && !known?.current) env.unsupported(`kernel function ${func.name}`);
  return {
    id,
    name: func.name,
    proto,
    isAllowed: isKfunc && known !== undefined && isAllowed(env, known),
    flags: new Set(known?.flags),
  };
}

/** The function that a call names; undefined for calls that name none (id 0). */
export function kfuncOf(env: Env, insn: RawInsn): KernelFunction | undefined {
  if (insn.imm === 0) return undefined;
  if (!env.kfuncs.has(insn.imm)) env.kfuncs.set(insn.imm, describe(env, insn.imm));
  return env.kfuncs.get(insn.imm);
}

/** Most kernel functions that one program may call. */
const maxKfuncs = 256;

/** Before anything is walked: every call must name a function of the kernel. */
export function registerKfunc(env: Env, insn: RawInsn): void {
  if (!isGplCompatible(env.input.license)) {
    env.reject("cannot call kernel function from non-GPL compatible program", errno.invalid);
  }
  if (insn.off !== 0) env.unsupported("function of a kernel module");
  if (insn.imm === 0) return;
  if (kfuncOf(env, insn) === undefined) {
    env.reject(`kernel btf_id ${insn.imm} is not a function`, errno.invalid);
  }
  if (env.kfuncs.size > maxKfuncs) {
    env.reject("too many different kernel function calls", errno.tooBig);
  }
}

/** Whether the instruction calls the next step of an open-coded iterator. */
export function isIteratorNext(env: Env, insn: RawInsn): boolean {
  if (!isKfuncCall(insn)) return false;
  const kfunc = kfuncOf(env, insn);
  return kfunc?.isAllowed === true && hasFlag(kfunc, "KF_ITER_NEXT");
}

/** Graphs, numbers and locks of their own are all that may be used while a lock is held. */
const callableWithLock =
  /^bpf_(list_(push|pop)_(front|back)|list_(front|back)|rbtree_|iter_num_|refcount_acquire|res_spin_)/;

export function mayCallWithLock(env: Env, insn: RawInsn): boolean {
  const kfunc = kfuncOf(env, insn);
  return kfunc !== undefined && callableWithLock.test(kfunc.name);
}
