/** Calls of kernel functions: availability, protected regions, release and result. */
import {
  MutableScalar,
  s32Max,
  s32Min,
  syncBounds,
  unknownScalar,
} from "../../common/domain/scalar.ts";
import type { Btf } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { pushPath } from "./branching.ts";
import { inRcuSection } from "./btf-pointers.ts";
import { btfKindName, btfName, isStructure } from "./btf-walk.ts";
import { dynptrFlag, unmarkDynptr } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { leaveByException, throwName } from "./exceptions.ts";
import {
  type CallbackSetup,
  pushAsyncCallback,
  pushCallback,
  timerSetup,
} from "./function-calls.ts";
import { giveToGraph, graphNode, inTreeCallback, rootBehind, setNonOwning } from "./graphs.ts";
import { advanceIterator, iteratorAt } from "./iterators.ts";
import type { KernelTypes } from "./kernel-types.ts";
import type { KfuncFacts } from "./kfunc-arg-checks.ts";
import { checkKfuncArgs, isPlainStructure } from "./kfunc-args.ts";
import {
  callsBackLater,
  callsBackNow,
  changesPacket,
  hasFlag,
  type KernelFunction,
  kfuncOf,
} from "./kfuncs.ts";
import { mayHoldLock, objectRecord } from "./map-record.ts";
import type { RawInsn } from "./opcodes.ts";
import { invalidatePacketPointers } from "./packet-pointers.ts";
import { pathEnd } from "./path.ts";
import { programType } from "./program-variants.ts";
import { enterRegion, leaveRegion } from "./protected-regions.ts";
import { acquireReference, releaseAndInvalidate } from "./references.ts";
import {
  type MutableReg,
  notInitReg,
  pointerReg,
  type Reg,
  scalarReg,
  unknownReg,
  zeroReg,
} from "./reg.ts";
import { kind, typeFlag } from "./reg-types.ts";
import { mayWritePacket } from "./regions.ts";
import { clearCallerSaved, setReg } from "./registers.ts";
import { currentFrame, type Frame } from "./state.ts";
import { errno } from "./stop.ts";

const maxErrno = 4095;

function takesResilientLock({ name }: KernelFunction): boolean {
  return name === "bpf_res_spin_lock" || name === "bpf_res_spin_lock_irqsave";
}

/** Resilient locks may fail: a path of its own, with an error number and without the lock. */
function pushFailedLock(env: Env): void {
  const { regs } = currentFrame(pushPath(env, env.insn + 1, env.insn));
  for (let r = 1; r <= 5; r += 1) regs[r] = notInitReg;
  const s = new MutableScalar(unknownScalar);
  s.s32min = -maxErrno;
  s.s32max = -1;
  s.smin = BigInt(-maxErrno);
  s.smax = -1n;
  syncBounds(s);
  regs[0] = scalarReg(s);
}

function findKfunc(env: Env, insn: RawInsn): KernelFunction {
  const kfunc = kfuncOf(env, insn);
  if (kfunc === undefined) env.unsupported("call of no kernel function");
  if (!kfunc.isAllowed) env.reject(`calling kernel function ${kfunc.name} is not allowed`);
  if (takesResilientLock(kfunc)) pushFailedLock(env);
  if (kfunc.name === "__bpf_trap") {
    env.reject("unexpected __bpf_trap() due to uninitialized variable?", errno.fault);
  }
  if (hasFlag(kfunc, "KF_SLEEPABLE") && !env.state.inSleepable) {
    env.reject(`program must be sleepable to call sleepable kfunc ${kfunc.name}`);
  }
  return kfunc;
}

function checkRegions(env: Env, kfunc: KernelFunction): void {
  const { name } = kfunc;
  const isSleepable = hasFlag(kfunc, "KF_SLEEPABLE");
  const isReadSection = name === "bpf_rcu_read_lock" || name === "bpf_rcu_read_unlock";
  if (isReadSection && env.state.activeRcu > 0 && inTreeCallback(env)) {
    env.reject("Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback");
  }
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

/** Largest object that has an instance per CPU. */
const maxPerCpuSize = 512;

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
  const isPerCpu = f.kfunc.name === "bpf_percpu_obj_new_impl";
  if (isPerCpu) checkPerCpuObject(env, btf, Number(id), type.size);
  const reg = pointerReg(kind.btfId | typeFlag.alloc | (isPerCpu ? typeFlag.percpu : 0));
  reg.btf = btf;
  reg.btfId = Number(id);
  reg.btfName = type.name;
  return reg;
}

function checkPerCpuObject(env: Env, btf: Btf, id: number, size: number): void {
  if (size > maxPerCpuSize) {
    env.reject(
      `bpf_percpu_obj_new type size (${size}) is greater than ${maxPerCpuSize}`,
      errno.invalid,
    );
  }
  const what = "bpf_percpu_obj_new type ID argument must";
  const type = btfTypeById(btf, id);
  if (type === undefined || !isPlainStructure(env, btf, type, 0)) {
    env.reject(`${what} be of a struct of scalars`, errno.invalid);
  }
  if (objectRecord(env, btf, id).length > 0) {
    env.reject(`${what} not contain special fields`, errno.invalid);
  }
}

/** One more reference to an object with a counter. */
function countedObject(env: Env, f: KfuncFacts): MutableReg {
  if (f.counted === undefined) env.unsupported("reference to no object");
  const reg = pointerReg(kind.btfId | typeFlag.alloc);
  reg.btf = f.counted.btf;
  reg.btfId = f.counted.id;
  reg.btfName = btfName(f.counted.btf, f.counted.id);
  return reg;
}

function setObject(reg: MutableReg, kernel: KernelTypes, id: number): void {
  reg.btf = kernel.btf;
  reg.btfId = id;
  reg.btfName = btfName(kernel.btf, id);
}

/** The kernel's own type of each context. */
const contextStructures: Readonly<Record<number, string>> = {
  [programType.socketFilter]: "sk_buff",
  [programType.kprobe]: "pt_regs",
  [programType.schedCls]: "sk_buff",
  [programType.schedAct]: "sk_buff",
  [programType.xdp]: "xdp_buff",
  [programType.perfEvent]: "bpf_perf_event_data_kern",
  [programType.cgroupSkb]: "sk_buff",
  [programType.cgroupSock]: "sock",
  [programType.lwtIn]: "sk_buff",
  [programType.lwtOut]: "sk_buff",
  [programType.lwtXmit]: "sk_buff",
  [programType.sockOps]: "bpf_sock_ops_kern",
  [programType.skSkb]: "sk_buff",
  [programType.cgroupDevice]: "bpf_cgroup_dev_ctx",
  [programType.skMsg]: "sk_msg",
  [programType.cgroupSockAddr]: "bpf_sock_addr_kern",
  [programType.lwtSeg6local]: "sk_buff",
  [programType.skReuseport]: "sk_reuseport_kern",
  [programType.flowDissector]: "bpf_flow_dissector",
  [programType.cgroupSysctl]: "bpf_sysctl_kern",
  [programType.cgroupSockopt]: "bpf_sockopt_kern",
  [programType.skLookup]: "bpf_sk_lookup_kern",
  [programType.netfilter]: "bpf_nf_ctx",
};

function contextResult(env: Env, kernel: KernelTypes): MutableReg {
  const name = contextStructures[env.input.programType];
  if (name === undefined) env.unsupported("bpf_cast_to_kern_ctx of this context");
  const reg = pointerReg(kind.btfId | typeFlag.trusted);
  setObject(reg, kernel, kernel.find("struct", name));
  return reg;
}

function memoryResult(env: Env, kernel: KernelTypes, f: KfuncFacts, id: number): MutableReg {
  // The cookie is the program's to change, whatever its prototype says.
  const isCookie = f.kfunc.name === "bpf_session_cookie";
  let isReadOnly = f.isResultReadOnly;
  let size = isCookie ? 8 : f.resultSize;
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
  if (f.kfunc.name === "bpf_get_kmem_cache") type = kind.btfId | typeFlag.untrusted;
  const reg = pointerReg(type);
  setObject(reg, kernel, id);
  return reg;
}

const nodeNames: ReadonlySet<string> = new Set(["bpf_list_node", "bpf_rb_node"]);

function pointerResult(env: Env, kernel: KernelTypes, f: KfuncFacts, target: number): Reg {
  const id = skipModifierIds(kernel.btf, target);
  const isNode = nodeNames.has(btfName(kernel.btf, id));
  let reg: MutableReg;
  switch (f.kfunc.name) {
    case "bpf_dynptr_slice":
    case "bpf_dynptr_slice_rdwr":
      reg = sliceResult(env, f);
      break;
    case "bpf_obj_new_impl":
    case "bpf_percpu_obj_new_impl":
      reg = newObject(env, f);
      break;
    case "bpf_refcount_acquire_impl":
      reg = countedObject(env, f);
      break;
    case "bpf_rdonly_cast":
      reg = castResult(env, kernel, f);
      break;
    case "bpf_cast_to_kern_ctx":
      reg = contextResult(env, kernel);
      break;
    default:
      if (id === 0) return unknownReg;
      if (isNode) {
        if (f.graph === undefined) env.unsupported("node of no graph");
        reg = graphNode(f.graph);
        break;
      }
      reg = isStructure(btfTypeById(kernel.btf, id))
        ? objectOf(env, kernel, f, id)
        : memoryResult(env, kernel, f, id);
  }
  const returnsNull = hasFlag(f.kfunc, "KF_RET_NULL") && f.counted?.isOwned !== true;
  if (returnsNull) {
    reg.type |= typeFlag.maybeNull;
    reg.id = env.newId();
  }
  if (hasFlag(f.kfunc, "KF_ACQUIRE")) {
    const reference = acquireReference(env, env.insn);
    if (returnsNull) reg.id = reference;
    reg.refObjId = reference;
  } else if (isNode) setNonOwning(env, reg);
  if (reg.id === 0 && mayHoldLock(env, reg)) reg.id = env.newId();
  return reg;
}

function resultOf(env: Env, kernel: KernelTypes, f: KfuncFacts): Reg {
  const { returns } = f.kfunc.proto;
  const type = btfTypeById(kernel.btf, skipModifierIds(kernel.btf, returns));
  if (type === undefined) return notInitReg;
  if (type.kind === "ptr") return pointerResult(env, kernel, f, type.type);
  return takesResilientLock(f.kfunc) ? zeroReg : unknownReg;
}

/** The callback compares two nodes that are in the tree, or soon will be. */
function comparisonSetup(env: Env): CallbackSetup {
  const fill = (caller: Frame, callee: Frame): void => {
    const root = rootBehind(env, caller.regs[1]!);
    if (root?.graph === undefined) env.unsupported("comparison of no tree");
    for (const register of [1, 2]) {
      const node = graphNode(root.graph);
      setNonOwning(env, node);
      callee.regs[register] = node;
    }
  };
  return { fill, max: 1 };
}

/** Callbacks are followed after the call's own path. */
function pushCallbacks(env: Env, insn: RawInsn, f: KfuncFacts): void {
  if (callsBackNow(env, insn)) pushCallback(env, f.subprogram, comparisonSetup(env));
  if (callsBackLater(env, insn)) {
    const isWork = f.kfunc.name === "bpf_wq_set_callback_impl";
    const anyResult = isWork ? {} : { min: s32Min, max: s32Max };
    pushAsyncCallback(env, f.subprogram, { ...timerSetup(f), ...anyResult, isSleepable: true });
  }
}

const addsNode: ReadonlySet<string> = new Set([
  "bpf_list_push_front_impl",
  "bpf_list_push_back_impl",
  "bpf_rbtree_add_impl",
]);

/** Gives the next instruction, or {@link pathEnd}. */
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
    graph: undefined,
    counted: undefined,
    subprogram: 0,
  };
  const { kfunc } = f;
  checkKfuncArgs(env, kernel, f);
  pushCallbacks(env, insn, f);
  checkRegions(env, kfunc);
  releaseArgument(env, f);
  if (addsNode.has(kfunc.name)) {
    giveToGraph(env, env.regs[2]!.refObjId, `${kfunc.name}#${kfunc.id}`);
  }
  if (kfunc.name === throwName) {
    leaveByException(env);
    return pathEnd;
  }
  clearCallerSaved(env);
  setReg(env, 0, resultOf(env, kernel, f));
  if (changesPacket(kfunc)) invalidatePacketPointers(env);
  if (f.iterator !== undefined && hasFlag(kfunc, "KF_ITER_NEXT")) {
    advanceIterator(env, f.iterator);
  }
  return env.insn + 1;
}
