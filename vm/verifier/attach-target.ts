/** What a tracing program attaches to: the kernel's function or tracepoint, found by its BTF id. */
import type { BtfType } from "../../common/object/btf.ts";
import { btfTypeById } from "../../common/object/btf-types.ts";
import { isIterator } from "../../common/platform/tracing-arguments.ts";
import type { Env } from "./env.ts";
import type { VerifierInput } from "./input.ts";
import { checkHook } from "./lsm-hooks.ts";
import { attachType, isSleepableProgram, programType, tracingVariant } from "./program-variants.ts";
import { errno, Rejection } from "./stop.ts";
import { findStructOpsTarget } from "./struct-ops.ts";
import { checkTracedFunction } from "./traced-functions.ts";

export type FunctionProto = Extract<BtfType, { kind: "func_proto" }>;

export interface AttachTarget {
  /** `sched_switch`, `bpf_iter_task`, `do_unlinkat`. */
  readonly name: string;
  readonly proto: FunctionProto;
  /** The prototype's first parameter is the tracepoint's own. */
  readonly skipsFirst: boolean;
  /** The structure whose member a struct_ops program implements. */
  readonly structOps?: string;
  /** The kernel's own implementation, whose parameters' names carry marks. */
  readonly stub?: FunctionProto;
}

const tracepointPrefix = "btf_trace_";
const iteratorPrefix = "bpf_iter_";

/** Types whose context are the arguments of the function that they stand for. */
export function hasHookContext(type: number): boolean {
  return hasAttachTarget(type) || type === programType.structOps;
}

/** Types that attach to something in the kernel's BTF. */
export function hasAttachTarget(type: number): boolean {
  return type === programType.tracing || type === programType.lsm;
}

function protoOf(env: Env, id: number): FunctionProto | undefined {
  const { kernel } = env.input;
  const type = kernel && btfTypeById(kernel.btf, id);
  return type?.kind === "func_proto" ? type : undefined;
}

function tracepoint(env: Env, id: number, type: BtfType): AttachTarget {
  if (type.kind !== "typedef") {
    env.reject(`attach_btf_id ${id} is not a typedef`, errno.invalid);
  }
  if (!type.name.startsWith(tracepointPrefix)) {
    env.reject(`attach_btf_id ${id} points to wrong type name ${type.name}`, errno.invalid);
  }
  const pointer = btfTypeById(env.input.kernel!.btf, type.type);
  const proto = pointer?.kind === "ptr" ? protoOf(env, pointer.type) : undefined;
  if (proto === undefined) throw new Rejection(errno.invalid);
  return { name: type.name.slice(tracepointPrefix.length), proto, skipsFirst: true };
}

function kernelFunction(env: Env, id: number, type: BtfType): AttachTarget {
  if (type.kind !== "func") {
    env.reject(`attach_btf_id ${id} is not a function`, errno.invalid);
  }
  const proto = protoOf(env, type.type);
  if (proto === undefined) throw new Rejection(errno.invalid);
  return { name: type.name, proto, skipsFirst: false };
}

const sleepableTypes: ReadonlySet<number> = new Set([
  programType.lsm,
  programType.kprobe,
  programType.structOps,
]);

const sleepableHooks: ReadonlySet<number> = new Set([
  attachType.fentry,
  attachType.fexit,
  attachType.modifyReturn,
  attachType.iterator,
]);

function maySleep({ programType: type, attachType: attach }: VerifierInput): boolean {
  if (type === programType.tracing) return sleepableHooks.has(attach);
  return sleepableTypes.has(type);
}

/** Only some hooks run where a program may sleep; system call programs always do. */
export function checkSleepable(env: Env): void {
  const { input } = env;
  const isSleepable = isSleepableProgram(input);
  if (input.programType === programType.syscall) {
    if (isSleepable) return;
    env.reject("Syscall programs can only be sleepable", errno.invalid);
  }
  if (!isSleepable || maySleep(input)) return;
  env.reject(
    "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable",
    errno.invalid,
  );
}

/** The kernel's own test comes after the one of the control flow. */
export function findAttachTarget(env: Env): void {
  const { input } = env;
  // Which helpers there are may depend on it.
  env.prototypes.clear();
  if (input.programType === programType.structOps) {
    env.attach = findStructOpsTarget(env);
    return;
  }
  if (!hasAttachTarget(input.programType)) return;
  const id = input.attachBtfId ?? 0;
  if (id === 0) env.reject("Tracing programs must provide btf_id", errno.invalid);
  if (input.kernel === undefined) env.unsupported("tracing program without the kernel's types");
  const type = btfTypeById(input.kernel.btf, id);
  if (type === undefined) env.reject(`attach_btf_id ${id} is invalid`, errno.invalid);
  if (input.attachType === attachType.rawTracepoint) {
    env.attach = tracepoint(env, id, type);
    return;
  }
  if (tracingVariant(input) === undefined) throw new Rejection(errno.invalid);
  env.attach = kernelFunction(env, id, type);
  const { name } = env.attach;
  if (input.programType === programType.lsm) checkHook(env, env.attach);
  else if (input.attachType !== attachType.iterator) checkTracedFunction(env, env.attach);
  if (input.attachType !== attachType.iterator) return;
  const isKnown = name.startsWith(iteratorPrefix) && isIterator(name.slice(iteratorPrefix.length));
  if (!isKnown) throw new Rejection(errno.invalid);
}

/** The iterator's name: `task` for `bpf_iter_task`. */
export function iteratorName(target: AttachTarget): string {
  return target.name.slice(iteratorPrefix.length);
}
