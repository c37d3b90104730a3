/** Arguments of kernel functions: what each kind of argument asks of its register. */
import type { Btf, BtfParam, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { btfKindName, btfName, structureContains } from "./btf-walk.ts";
import { checkConstantString } from "./constant-string.ts";
import { dynptrAt, dynptrFlag, processDynptrArg } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { checkMemoryArg } from "./function-args.ts";
import { isNonOwning, processNode, processRoot } from "./graphs.ts";
import { checkMemorySize } from "./helper-memory.ts";
import type { VerifierMap } from "./input.ts";
import { processIrqFlag } from "./irq-flags.ts";
import { type IteratorPlace, processIterator } from "./iterators.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { hasFlag, type KernelFunction } from "./kfuncs.ts";
import { type GraphTarget, hasField, recordBehind, recordOf } from "./map-record.ts";
import { writeUnknown } from "./memory.ts";
import { becomeNonNull } from "./null-checks.ts";
import { attachType, programType } from "./program-variants.ts";
import { type DynptrType, hasUnsafeFlags, isNull, type Reg } from "./reg.ts";
import { kind, kindOf, mayBeNull, typeFlag, typeName } from "./reg-types.ts";
import { type LockCall, processLock, processWork, type WorkItem } from "./special-fields.ts";
import { errno, Rejection } from "./stop.ts";

/** What the arguments of one call said, for its effect and result. */
export interface KfuncFacts {
  readonly kfunc: KernelFunction;
  refObjId: number;
  releaseRegister: number;
  constant: bigint | undefined;
  map: VerifierMap | undefined;
  mapUid: number;
  resultSize: number;
  isResultReadOnly: boolean;
  dynptr: { readonly id: number; readonly type: DynptrType; readonly refObjId: number } | undefined;
  iterator: IteratorPlace | undefined;
  /** What the list or tree of the call links. */
  graph: GraphTarget | undefined;
  /** The counted object, and whether the program owns the reference that it counts from. */
  counted: { readonly btf: Btf; readonly id: TypeId; readonly isOwned: boolean } | undefined;
  /** Function that is given as a callback. */
  subprogram: number;
}

export interface Parameter {
  readonly index: number;
  readonly param: BtfParam;
  readonly next: BtfParam | undefined;
  /** The pointer's target without modifiers. */
  readonly target: BtfType | undefined;
  readonly targetId: TypeId;
  readonly pointee: TypeId;
}

export function hasSuffix(param: BtfParam | undefined, suffix: string): boolean {
  return param?.name.endsWith(suffix) === true;
}

export type PointerKind =
  | "context"
  | "allocated"
  | "null"
  | "dynptr"
  | "iterator"
  | "counted"
  | "list-head"
  | "list-node"
  | "tree-root"
  | "tree-node"
  | "work"
  | "task-work"
  | "lock"
  | "string"
  | "map"
  | "irq-flag"
  | "object"
  | "callback"
  | "memory"
  | "sized-memory";

/** Kinds of register that stand for an object of the kernel. */
export const objectNames: Readonly<Record<number, string>> = {
  [kind.socket]: "sock",
  [kind.sockCommon]: "sock_common",
  [kind.tcpSock]: "tcp_sock",
  [kind.mapPtr]: "bpf_map",
};

const noCastSuffix = "___init";

/** Types whose names differ by this suffix must not be taken for each other. */
function mustMatchExactly(own: string, wanted: string): boolean {
  if (own.length === wanted.length) return false;
  return own === wanted + noCastSuffix || wanted === own + noCastSuffix;
}

const projections: Readonly<Record<string, string>> = { __sk_buff: "sk_buff", xdp_md: "xdp_buff" };

function checkObject(
  env: Env,
  p: Parameter,
  f: KfuncFacts,
  kernel: KernelTypes,
  wanted: TypeId,
): void {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  const base = kindOf(reg.type);
  const standsFor = objectNames[base];
  const isObject = base === kind.btfId && (!hasUnsafeFlags(reg.type) || isRcu(reg));
  if (!isObject && standsFor === undefined) {
    const kept = typeFlag.alloc | typeFlag.trusted | typeFlag.nonOwningRef;
    const plain = typeName(base | (reg.type & kept));
    env.reject(
      `arg#${p.index} is ${typeName(reg.type)} expected ${plain} or socket`,
      errno.invalid,
    );
  }
  const btf = base === kind.btfId ? reg.btf! : kernel.btf;
  const own = base === kind.btfId ? reg.btfId : kernel.find("struct", standsFor ?? "");
  const isStrict =
    (hasFlag(f.kfunc, "KF_RELEASE") && reg.refObjId !== 0) ||
    mustMatchExactly(btfName(btf, own), btfName(kernel.btf, wanted));
  const id = skipModifierIds(btf, own);
  const place = { btf, id, offset: reg.off };
  const fits = structureContains(place, { btf: kernel.btf, id: wanted }, isStrict, (text) =>
    env.say(text),
  );
  const wantedName = btfName(kernel.btf, wanted);
  if (fits || projections[wantedName] === btfName(btf, id)) return;
  const expected = `${btfKindName(btfTypeById(kernel.btf, wanted))} ${wantedName}`;
  const got = `${btfKindName(btfTypeById(btf, id))} ${btfName(btf, id)}`;
  env.reject(
    `kernel function ${f.kfunc.name} args#${p.index} expected pointer to ${expected} but R${register} has a pointer to ${got}`,
    errno.invalid,
  );
}

export function isRcu(reg: Reg): boolean {
  return (reg.type & typeFlag.rcu) !== 0;
}

const dynptrMakers: Readonly<Record<string, number>> = {
  bpf_dynptr_from_skb: typeFlag.dynptrSkb,
  bpf_dynptr_from_xdp: typeFlag.dynptrXdp,
  bpf_dynptr_from_skb_meta: typeFlag.dynptrSkbMeta,
};

function checkDynptr(env: Env, p: Parameter, f: KfuncFacts): void {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  const isNew = hasSuffix(p.param, "__uninit");
  let flags = dynptrMakers[f.kfunc.name] ?? 0;
  if (reg.type === kind.dynptr) flags |= typeFlag.readOnly;
  if (isNew) flags |= typeFlag.uninit;
  let clonedRef = 0;
  if (f.kfunc.name === "bpf_dynptr_clone" && isNew) {
    if (f.dynptr === undefined) env.unsupported("clone of no dynptr");
    flags |= dynptrFlag(f.dynptr.type);
    clonedRef = f.dynptr.refObjId;
  }
  processDynptrArg(env, register, {
    arg: p.index,
    flags,
    clonedRef,
    writeBytes: (offset) => writeUnknown(env, register, offset, 8),
  });
  if (isNew) return;
  const { id, refObjId, dynptr } = dynptrAt(env, reg);
  f.dynptr = { id, refObjId, type: dynptr?.type ?? "local" };
}

/** Both a read and a write of the memory must be allowed. */
function checkSizedMemory(env: Env, p: Parameter, f: KfuncFacts): void {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  const isOptional = hasSuffix(p.param, "__opt") || hasSuffix(p.param, "__nullable");
  if (!isNull(reg) || !isOptional) {
    if (mayBeNull(reg.type)) env.regs[register] = becomeNonNull(env, reg);
    try {
      const raw = { isRaw: false, size: 0, register: 0 };
      checkMemorySize(env, register + 1, "read", true, raw);
      checkMemorySize(env, register + 1, "write", true, raw);
    } catch (stop) {
      if (stop instanceof Rejection) {
        env.say(
          `arg#${p.index} arg#${p.index + 1} memory, len pair leads to invalid memory access`,
        );
      }
      throw stop;
    }
    if (mayBeNull(reg.type)) env.regs[register] = reg;
  }
  if (!hasSuffix(p.next, "__szk")) return;
  const { scalar } = env.regs[register + 1]!;
  if (scalar.mask !== 0n) env.reject(`R${register + 1} must be a known constant`, errno.invalid);
  f.constant = scalar.value;
}

/** An object of the program's own, to be given back by the function for its kind. */
function checkAllocated(env: Env, p: Parameter, f: KfuncFacts): void {
  const reg = env.regs[p.index + 1]!;
  const isPerCpu = (reg.type & typeFlag.percpu) !== 0;
  const plain = kind.btfId | typeFlag.alloc;
  if (reg.type !== plain && reg.type !== (plain | typeFlag.percpu)) {
    env.reject(`arg#${p.index} expected pointer to allocated object`, errno.invalid);
  }
  const wanted = isPerCpu ? "bpf_percpu_obj_drop_impl" : "bpf_obj_drop_impl";
  if (f.kfunc.name !== wanted) {
    env.reject(`arg#${p.index} expected for ${wanted}()`, errno.invalid);
  }
  if (reg.refObjId === 0) env.reject("allocated object must be referenced", errno.invalid);
}

/** Iterators over tasks of a cgroup take a lock that not every hook can. */
function checkTaskIterator(env: Env, name: string): void {
  if (name !== "bpf_iter_css_task_new" || env.state.inSleepable) return;
  const { programType: type, attachType: attach } = env.input;
  if (type === programType.lsm) return;
  if (type === programType.tracing && attach === attachType.iterator) return;
  env.reject(
    "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs",
    errno.invalid,
  );
}

function checkIterator(env: Env, p: Parameter, f: KfuncFacts): void {
  checkTaskIterator(env, f.kfunc.name);
  const found = processIterator(env, p.index + 1, f.kfunc);
  if (found === undefined) return;
  f.iterator = found.place;
  f.refObjId = found.refObjId;
}

/** A work item must be of the map that is named with it. */
export function checkSameMap(env: Env, reg: Reg, f: KfuncFacts): void {
  if (f.map === undefined || reg.map === undefined) return;
  const { fields } = recordOf(env, reg.map);
  if (!hasField(fields, "bpf_wq", "bpf_task_work")) return;
  if (f.map === reg.map && f.mapUid === reg.mapUid) return;
  if (hasField(fields, "bpf_task_work")) {
    env.reject(
      `bpf_task_work pointer in R2 map_uid=${f.mapUid} doesn't match map pointer in R3 map_uid=${reg.mapUid}`,
      errno.invalid,
    );
  }
  env.reject(
    `workqueue pointer in R1 map_uid=${f.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`,
    errno.invalid,
  );
}

/** An object with a counter, of which one more reference is taken. */
function checkCounted(env: Env, p: Parameter, f: KfuncFacts): void {
  const reg = env.regs[p.index + 1]!;
  const isObject = kindOf(reg.type) === kind.btfId && (reg.type & typeFlag.alloc) !== 0;
  if (!isObject || reg.btf === undefined) {
    env.reject(`arg#${p.index} is neither owning or non-owning ref`, errno.invalid);
  }
  if (!hasField(recordBehind(env, reg), "bpf_refcount")) {
    env.reject(`arg#${p.index} doesn't point to a type with bpf_refcount field`, errno.invalid);
  }
  f.counted = { btf: reg.btf, id: reg.btfId, isOwned: !isNonOwning(reg) };
}

const lockCalls: Readonly<Record<string, LockCall>> = {
  bpf_res_spin_lock: { kind: "res-lock", isLock: true },
  bpf_res_spin_unlock: { kind: "res-lock", isLock: false },
  bpf_res_spin_lock_irqsave: { kind: "res-lock-irq", isLock: true },
  bpf_res_spin_unlock_irqrestore: { kind: "res-lock-irq", isLock: false },
};

function checkLock(env: Env, p: Parameter, f: KfuncFacts): void {
  const reg = env.regs[p.index + 1]!;
  if (reg.type !== kind.mapValue && reg.type !== (kind.btfId | typeFlag.alloc)) {
    env.reject(`arg#${p.index} doesn't point to map value or allocated object`, errno.invalid);
  }
  const call = lockCalls[f.kfunc.name];
  if (call === undefined) env.unsupported(`kernel function ${f.kfunc.name}`);
  processLock(env, p.index + 1, call);
}

function checkWork(name: WorkItem): Check {
  return (env, p, f) => {
    if (env.regs[p.index + 1]!.type !== kind.mapValue) {
      env.reject(`arg#${p.index} doesn't point to a map value`, errno.invalid);
    }
    processWork(env, p.index + 1, name, f);
  };
}

function checkCallback(env: Env, p: Parameter, f: KfuncFacts): void {
  const reg = env.regs[p.index + 1]!;
  if (reg.type !== kind.func) env.reject(`arg${p.index} expected pointer to func`, errno.invalid);
  f.subprogram = reg.range;
}

type Check = (env: Env, p: Parameter, f: KfuncFacts, kernel: KernelTypes) => void;

/** What each kind of argument asks of its register. */
export const argChecks: Readonly<Record<PointerKind, Check>> = {
  context: (env, { index }) => {
    const { type } = env.regs[index + 1]!;
    if (type === kind.ctx) return;
    env.reject(`arg#${index} expected pointer to ctx, but got ${typeName(type)}`, errno.invalid);
  },
  null: () => {},
  dynptr: checkDynptr,
  iterator: checkIterator,
  counted: checkCounted,
  "list-head": (env, p, f) => {
    f.graph = processRoot(env, p.index + 1, "bpf_list_head");
  },
  "tree-root": (env, p, f) => {
    f.graph = processRoot(env, p.index + 1, "bpf_rb_root");
  },
  "list-node": (env, p, f) => {
    processNode(env, p.index + 1, "bpf_list_node", { name: f.kfunc.name, root: f.graph });
  },
  "tree-node": (env, p, f) => {
    processNode(env, p.index + 1, "bpf_rb_node", { name: f.kfunc.name, root: f.graph });
  },
  work: checkWork("bpf_wq"),
  "task-work": checkWork("bpf_task_work"),
  lock: checkLock,
  callback: checkCallback,
  string: (env, { index }) => {
    if (env.regs[index + 1]!.type !== kind.mapValue) {
      env.reject(`arg#${index} doesn't point to a const string`, errno.invalid);
    }
    checkConstantString(env, index + 1);
  },
  map: (env, p, f, kernel) => checkObject(env, p, f, kernel, kernel.find("struct", "bpf_map")),
  "irq-flag": (env, { index }, f) => {
    if (env.regs[index + 1]!.type !== kind.stack) {
      env.reject(`arg#${index} doesn't point to an irq flag on stack`, errno.invalid);
    }
    processIrqFlag(env, index + 1, f.kfunc.name);
  },
  allocated: checkAllocated,
  object: (env, p, f, kernel) => checkObject(env, p, f, kernel, p.targetId),
  memory: (env, p, _f, kernel) => {
    checkMemoryArg(env, p.index + 1, btfSizeOf(kernel.btf, p.targetId) ?? 0);
  },
  "sized-memory": checkSizedMemory,
};
