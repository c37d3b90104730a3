/** Kernel functions that a program calls: found by id in the kernel's BTF, with their rules. */
import { btfTypeById } from "../../common/object/btf-types.ts";
import { type Kfunc, kfuncByName } from "../../common/platform/kfuncs.ts";
import { programTypeById } from "../../common/platform/program-types.ts";
import type { FunctionProto } from "./attach-target.ts";
import type { Env } from "./env.ts";
import { callsAsyncCallback, callsSyncCallback } from "./helper-ids.ts";
import { isGplCompatible } from "./license.ts";
import { isHelperCall, isKfuncCall, type RawInsn } from "./opcodes.ts";
import { attachType } from "./program-variants.ts";
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

/** Attach types that the tables name. */
const attachTypeNames: Readonly<Record<number, string>> = {
  [attachType.rawTracepoint]: "TRACE_RAW_TP",
  [attachType.iterator]: "TRACE_ITER",
  [attachType.kprobeSession]: "TRACE_KPROBE_SESSION",
  [attachType.uprobeSession]: "TRACE_UPROBE_SESSION",
};

/** `TRACE_ITER,TRACE_ITER+sleepable`; those that only need to sleep are judged at the call. */
function fitsHook(env: Env, restriction: string): boolean {
  const hooks = restriction.split(",");
  if (hooks.every((hook) => hook.includes("sleepable"))) return true;
  return hooks.includes(attachTypeNames[env.input.attachType] ?? "");
}

/** `XDP`, or `KPROBE@session,…` for some attach types only. */
function isAllowed(env: Env, known: Kfunc): boolean {
  const name = programTypeById(env.input.programType)?.name.replace("BPF_PROG_TYPE_", "") ?? "";
  return known.programTypes.some((entry) => {
    const [type, restriction] = entry.split("@");
    return type === name && (restriction === undefined || fitsHook(env, restriction));
  });
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

/** What a network driver tells of its packets: only to programs that are loaded for its device. */
const deviceFunctions = /^bpf_xdp_metadata_rx_/;

/** Before anything is walked: every call must name a function of the kernel. */
export function registerKfunc(env: Env, insn: RawInsn): void {
  if (!isGplCompatible(env.input.license)) {
    env.reject("cannot call kernel function from non-GPL compatible program", errno.invalid);
  }
  if (insn.off !== 0) env.unsupported("function of a kernel module");
  if (insn.imm === 0) return;
  const kfunc = kfuncOf(env, insn);
  if (kfunc === undefined) {
    env.reject(`kernel btf_id ${insn.imm} is not a function`, errno.invalid);
  }
  if (deviceFunctions.test(kfunc.name)) {
    env.reject("metadata kfuncs require device-bound program", errno.invalid);
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

/** After which packet pointers are no longer valid. */
export function changesPacket(kfunc: KernelFunction): boolean {
  return kfunc.name === "bpf_xdp_pull_data";
}

/** Calls its callback, any number of times, before it returns: helpers, and trees that compare. */
export function callsBackNow(env: Env, insn: RawInsn): boolean {
  if (isHelperCall(insn)) return callsSyncCallback(insn.imm);
  return isKfuncCall(insn) && kfuncOf(env, insn)?.name === "bpf_rbtree_add_impl";
}

const laterCallers: ReadonlySet<string> = new Set([
  "bpf_wq_set_callback_impl",
  "bpf_task_work_schedule_signal_impl",
  "bpf_task_work_schedule_resume_impl",
]);

/** Registers a callback that runs later, on its own. */
export function callsBackLater(env: Env, insn: RawInsn): boolean {
  if (isHelperCall(insn)) return callsAsyncCallback(insn.imm);
  return isKfuncCall(insn) && laterCallers.has(kfuncOf(env, insn)?.name ?? "");
}

/** Graphs, numbers and locks of their own are all that may be used while a lock is held. */
const callableWithLock =
  /^bpf_(list_(push_(front|back)_impl|pop_(front|back))|list_(front|back)|rbtree_|iter_num_|refcount_acquire|res_spin_)/;

export function mayCallWithLock(env: Env, insn: RawInsn): boolean {
  const kfunc = kfuncOf(env, insn);
  return kfunc !== undefined && callableWithLock.test(kfunc.name);
}
