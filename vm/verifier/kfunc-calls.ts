/** Calls of kernel functions: availability, protected regions, release and result. */
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { inRcuSection } from "./btf-pointers.ts";
import { btfKindName, btfName, isStructure } from "./btf-walk.ts";
import { dynptrFlag, unmarkDynptr } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { advanceIterator, iteratorAt } from "./iterators.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { checkKfuncArgs, type KfuncFacts } from "./kfunc-args.ts";
import { hasFlag, type KernelFunction, kfuncOf } from "./kfuncs.ts";
import { objectRecord } from "./map-record.ts";
import type { RawInsn } from "./opcodes.ts";
import { enterRegion, leaveRegion } from "./protected-regions.ts";
import { acquireReference, releaseAndInvalidate } from "./references.ts";
import { type MutableReg, notInitReg, pointerReg, type Reg, unknownReg } from "./reg.ts";
import { kind, mayBeNull, typeFlag } from "./reg-types.ts";
import { mayWritePacket } from "./regions.ts";
import { clearCallerSaved, setReg } from "./registers.ts";
import { errno } from "./stop.ts";

/** Functions with rules of their own that are not modelled. */
const unmodelled: ReadonlySet<string> = new Set([
  "bpf_throw",
  "bpf_percpu_obj_new_impl",
  "bpf_refcount_acquire_impl",
  "bpf_arena_alloc_pages",
  "bpf_arena_free_pages",
  "bpf_arena_reserve_pages",
  "bpf_xdp_pull_data",
  "bpf_set_exception_callback",
  "bpf_get_kmem_cache",
]);

function findKfunc(env: Env, insn: RawInsn): KernelFunction {
  const kfunc = kfuncOf(env, insn);
  if (kfunc === undefined) env.unsupported("call of no kernel function");
  if (!kfunc.isAllowed) env.reject(`calling kernel function ${kfunc.name} is not allowed`);
  if (kfunc.name === "__bpf_trap") {
    env.reject("unexpected __bpf_trap() due to uninitialized variable?", errno.fault);
  }
  if (unmodelled.has(kfunc.name)) env.unsupported(`kernel function ${kfunc.name}`);
  if (hasFlag(kfunc, "KF_SLEEPABLE") && !env.state.inSleepable) {
    env.reject(`program must be sleepable to call sleepable kfunc ${kfunc.name}`);
  }
  return kfunc;
}

function checkRegions(env: Env, kfunc: KernelFunction): void {
  const { name } = kfunc;
  const isSleepable = hasFlag(kfunc, "KF_SLEEPABLE");
  enterRegion(env, name);
  leaveRegion(env, name);
  if (isSleepable) {
    const { state } = env;
    const what = `kernel func ${name} is sleepable within`;
    if (state.activeRcu > 0) env.reject(`${what} rcu_read_lock region`);
    if (state.activePreempt > 0) env.reject(`${what} non-preemptible region`);
    if (state.activeIrq !== 0) env.reject(`${what} IRQ-disabled region`);
  }
  if (hasFlag(kfunc, "KF_RCU_PROTECTED") && !inRcuSection(env)) {
    env.reject(`kernel func ${name} requires RCU critical section protection`);
  }
}

function releaseArgument(env: Env, f: KfuncFacts): void {
  if (f.releaseRegister === 0) return;
  const reg = env.regs[f.releaseRegister]!;
  if (f.dynptr !== undefined && f.dynptr.refObjId !== 0) {
    unmarkDynptr(env, reg);
    return;
  }
  if (releaseAndInvalidate(env, reg.refObjId)) return;
  const { name, id } = f.kfunc;
  env.reject(`kfunc ${name}#${id} reference has not been acquired before`, errno.invalid);
}

function sliceResult(env: Env, f: KfuncFacts): MutableReg {
  if (f.dynptr === undefined || f.constant === undefined) env.unsupported("slice of no dynptr");
  const reg = pointerReg(kind.mem | dynptrFlag(f.dynptr.type));
  reg.range = Number(f.constant);
  if (f.kfunc.name === "bpf_dynptr_slice") reg.type |= typeFlag.readOnly;
  else if (!mayWritePacket(env)) {
    env.reject("the prog does not allow writes to packet data", errno.invalid);
  }
  reg.dynptrId = f.dynptr.id;
  return reg;
}

function castResult(env: Env, kernel: KernelTypes, f: KfuncFacts): MutableReg {
  const id = Number(f.constant ?? 0n);
  const type = btfTypeById(kernel.btf, id);
  if (type === undefined && id !== 0) {
    env.reject(`Unknown type ID ${id} passed to kfunc bpf_rdonly_cast`, errno.invalid);
  }
  if (isStructure(type)) {
    const reg = pointerReg(kind.btfId | typeFlag.untrusted);
    setObject(reg, kernel, id);
    return reg;
  }
  if (type === undefined) return pointerReg(kind.mem | typeFlag.readOnly | typeFlag.untrusted);
  env.reject("kfunc bpf_rdonly_cast type ID argument must be of a struct or void", errno.invalid);
}

/** Memory for a structure of the program's own. */
function newObject(env: Env, f: KfuncFacts): MutableReg {
  const id = f.constant ?? 0n;
  if (BigInt.asUintN(32, id) !== id) {
    env.reject("local type ID argument must be in range [0, U32_MAX]", errno.invalid);
  }
  const { btf } = env.input;
  if (btf === undefined) {
    env.reject("bpf_obj_new/bpf_percpu_obj_new requires prog BTF", errno.invalid);
  }
  const type = btfTypeById(btf, Number(id));
  if (type?.kind !== "struct") {
    env.reject(
      "bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct",
      errno.invalid,
    );
  }
  if (objectRecord(env, btf, Number(id)).length > 0) {
    env.unsupported("allocated object with special fields");
  }
  const reg = pointerReg(kind.btfId | typeFlag.alloc);
  reg.btf = btf;
  reg.btfId = Number(id);
  reg.btfName = type.name;
  return reg;
}

function setObject(reg: MutableReg, kernel: KernelTypes, id: number): void {
  reg.btf = kernel.btf;
  reg.btfId = id;
  reg.btfName = btfName(kernel.btf, id);
}

/** The kernel's own type of each context. */
const contextStructures: Readonly<Record<number, string>> = {
  1: "sk_buff",
  3: "sk_buff",
  4: "sk_buff",
  6: "xdp_buff",
  8: "sk_buff",
  10: "sk_buff",
  11: "sk_buff",
  12: "sk_buff",
  14: "sk_buff",
  19: "sk_buff",
};

function contextResult(env: Env, kernel: KernelTypes): MutableReg {
  const name = contextStructures[env.input.programType];
  if (name === undefined) env.unsupported("bpf_cast_to_kern_ctx of this context");
  const reg = pointerReg(kind.btfId | typeFlag.trusted);
  setObject(reg, kernel, kernel.find("struct", name));
  return reg;
}

function memoryResult(env: Env, kernel: KernelTypes, f: KfuncFacts, id: number): MutableReg {
  let isReadOnly = f.isResultReadOnly;
  let size = f.resultSize;
  if (size === 0) {
    size = btfSizeOf(kernel.btf, id) ?? 0;
    isReadOnly = true;
  }
  if (size === 0) {
    const what = `${btfKindName(btfTypeById(kernel.btf, id))} ${btfName(kernel.btf, id)}`;
    env.reject(
      `kernel function ${f.kfunc.name} returns pointer type ${what} is not supported`,
      errno.invalid,
    );
  }
  const reg = pointerReg(kind.mem | (isReadOnly ? typeFlag.readOnly : 0));
  reg.range = size;
  reg.refObjId = f.refObjId;
  return reg;
}

function objectOf(env: Env, kernel: KernelTypes, f: KfuncFacts, id: number): MutableReg {
  let type: number = kind.btfId;
  if (f.iterator !== undefined && hasFlag(f.kfunc, "KF_ITER_NEXT")) {
    const isRcu = (iteratorAt(env.state, f.iterator).type & typeFlag.rcu) !== 0;
    type |= isRcu ? typeFlag.rcu : typeFlag.trusted;
  } else if (hasFlag(f.kfunc, "KF_RCU_PROTECTED")) {
    type |= typeFlag.rcu;
  }
  const reg = pointerReg(type);
  setObject(reg, kernel, id);
  return reg;
}

function pointerResult(env: Env, kernel: KernelTypes, f: KfuncFacts, target: number): Reg {
  const id = skipModifierIds(kernel.btf, target);
  let reg: MutableReg;
  switch (f.kfunc.name) {
    case "bpf_dynptr_slice":
    case "bpf_dynptr_slice_rdwr":
      reg = sliceResult(env, f);
      break;
    case "bpf_obj_new_impl":
      reg = newObject(env, f);
      break;
    case "bpf_rdonly_cast":
      reg = castResult(env, kernel, f);
      break;
    case "bpf_cast_to_kern_ctx":
      reg = contextResult(env, kernel);
      break;
    default:
      if (id === 0) return unknownReg;
      reg = isStructure(btfTypeById(kernel.btf, id))
        ? objectOf(env, kernel, f, id)
        : memoryResult(env, kernel, f, id);
  }
  if (hasFlag(f.kfunc, "KF_RET_NULL")) {
    reg.type |= typeFlag.maybeNull;
    reg.id = env.newId();
  }
  if (hasFlag(f.kfunc, "KF_ACQUIRE")) {
    const reference = acquireReference(env, env.insn);
    if (mayBeNull(reg.type)) reg.id = reference;
    reg.refObjId = reference;
  }
  return reg;
}

function resultOf(env: Env, kernel: KernelTypes, f: KfuncFacts): Reg {
  const { returns } = f.kfunc.proto;
  const type = btfTypeById(kernel.btf, skipModifierIds(kernel.btf, returns));
  if (type === undefined) return notInitReg;
  if (type.kind === "ptr") return pointerResult(env, kernel, f, type.type);
  return unknownReg;
}

/** Gives the next instruction. */
export function callKfunc(env: Env, insn: RawInsn): number {
  const { kernel } = env.input;
  // Without a number it stays as it is, to be refused if it is not removed.
  if (insn.imm === 0 || kernel === undefined) env.unsupported("call of no kernel function");
  const f: KfuncFacts = {
    kfunc: findKfunc(env, insn),
    refObjId: 0,
    releaseRegister: 0,
    constant: undefined,
    map: undefined,
    mapUid: 0,
    resultSize: 0,
    isResultReadOnly: false,
    dynptr: undefined,
    iterator: undefined,
  };
  checkKfuncArgs(env, kernel, f);
  checkRegions(env, f.kfunc);
  releaseArgument(env, f);
  clearCallerSaved(env);
  setReg(env, 0, resultOf(env, kernel, f));
  if (f.iterator !== undefined && hasFlag(f.kfunc, "KF_ITER_NEXT")) {
    advanceIterator(env, f.iterator);
  }
  return env.insn + 1;
}
