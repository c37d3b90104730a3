/** Arguments of kernel functions: what each parameter's type and name ask of its register. */
import type { BtfParam, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { btfKindName, btfName, isStructure, structureContains } from "./btf-walk.ts";
import { checkConstantString } from "./constant-string.ts";
import { dynptrAt, dynptrFlag, processDynptrArg } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { checkMemoryArg, isContextTarget } from "./function-args.ts";
import { checkArgOffset } from "./helper-args.ts";
import { checkMemorySize } from "./helper-memory.ts";
import type { VerifierMap } from "./input.ts";
import { processIrqFlag } from "./irq-flags.ts";
import { type IteratorPlace, processIterator } from "./iterators.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { hasFlag, isIterator, type KernelFunction, wantsTrusted } from "./kfuncs.ts";
import { writeUnknown } from "./memory.ts";
import { becomeNonNull } from "./null-checks.ts";
import { markPrecise } from "./precision.ts";
import { attachType, programType } from "./program-variants.ts";
import { type DynptrType, hasUnsafeFlags, isNull, isTrustedReg, type Reg } from "./reg.ts";
import { kind, kindOf, mayBeNull, typeFlag, typeName } from "./reg-types.ts";
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
}

interface Parameter {
  readonly index: number;
  readonly param: BtfParam;
  readonly next: BtfParam | undefined;
  /** The pointer's target without modifiers. */
  readonly target: BtfType | undefined;
  readonly targetId: TypeId;
  readonly pointee: TypeId;
}

function hasSuffix(param: BtfParam | undefined, suffix: string): boolean {
  return param?.name.endsWith(suffix) === true;
}

function typeOf(kernel: KernelTypes, id: TypeId): BtfType | undefined {
  return btfTypeById(kernel.btf, skipModifierIds(kernel.btf, id));
}

function isNumberType(type: BtfType | undefined): boolean {
  return type?.kind === "int" || type?.kind === "enum" || type?.kind === "enum64";
}

/** A following length argument: of any value, or a constant. */
function isSized(env: Env, kernel: KernelTypes, p: Parameter): boolean {
  const { next } = p;
  if (next === undefined || !isNumberType(typeOf(kernel, next.type))) return false;
  if (env.regs[p.index + 2]?.type !== kind.scalar) return false;
  return hasSuffix(next, "__sz") || hasSuffix(next, "__szk");
}

function checkNumber(env: Env, register: number, param: BtfParam, f: KfuncFacts): void {
  const reg = env.regs[register]!;
  if (reg.type !== kind.scalar) env.reject(`R${register} is not a scalar`, errno.invalid);
  const isKnown = reg.scalar.mask === 0n;
  if (hasSuffix(param, "__k")) {
    if (!isKnown) env.reject(`R${register} must be a known constant`, errno.invalid);
    markPrecise(env, register);
    f.constant = reg.scalar.value;
    return;
  }
  const isReadOnly = param.name === "rdonly_buf_size";
  if (!isReadOnly && param.name !== "rdwr_buf_size") return;
  f.isResultReadOnly = isReadOnly;
  if (f.resultSize !== 0) {
    env.reject("2 or more rdonly/rdwr_buf_size parameters for kfunc", errno.invalid);
  }
  if (!isKnown) env.reject(`R${register} is not a const`, errno.invalid);
  f.resultSize = Number(reg.scalar.value);
  markPrecise(env, register);
}

/** Structures of plain numbers, to a depth of four. */
function isPlainStructure(env: Env, kernel: KernelTypes, type: BtfType, depth: number): boolean {
  if (!isStructure(type)) return false;
  return type.members.every((member) => {
    const of = typeOf(kernel, member.type);
    if (isStructure(of)) {
      if (depth >= 3) {
        env.say("max struct nesting depth exceeded");
        return false;
      }
      return isPlainStructure(env, kernel, of, depth + 1);
    }
    if (of?.kind === "array") return of.count > 0 && isNumberType(typeOf(kernel, of.element));
    return isNumberType(of);
  });
}

type PointerKind =
  | "context"
  | "allocated"
  | "null"
  | "dynptr"
  | "iterator"
  | "string"
  | "map"
  | "irq-flag"
  | "object"
  | "memory"
  | "sized-memory";

/** Kinds of register that stand for an object of the kernel. */
const objectNames: Readonly<Record<number, string>> = {
  [kind.socket]: "sock",
  [kind.sockCommon]: "sock_common",
  [kind.tcpSock]: "tcp_sock",
  [kind.mapPtr]: "bpf_map",
};

/** Objects of the program that are not modelled as arguments. */
const unmodelledStructures: ReadonlySet<string> = new Set([
  "bpf_list_head",
  "bpf_list_node",
  "bpf_rb_root",
  "bpf_rb_node",
  "bpf_wq",
  "bpf_timer",
  "bpf_task_work",
  "bpf_res_spin_lock",
]);

function classify(env: Env, kernel: KernelTypes, p: Parameter, f: KfuncFacts): PointerKind {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  const { kfunc } = f;
  if (kfunc.name === "bpf_cast_to_kern_ctx") return "context";
  const isMemorySized = isSized(env, kernel, p);
  if (isContextTarget(env, kernel.btf, p.pointee)) return "context";
  if (hasSuffix(p.param, "__nullable") && isNull(reg) && !isMemorySized) return "null";
  if (hasSuffix(p.param, "__alloc")) return "allocated";
  if (hasSuffix(p.param, "__refcounted_kptr")) {
    env.unsupported(`kernel function ${kfunc.name}`);
  }
  const name = isStructure(p.target) ? p.target.name : "";
  if (name === "bpf_dynptr") return "dynptr";
  if (isIterator(kfunc) ? p.index === 0 : hasSuffix(p.param, "__iter")) return "iterator";
  if (unmodelledStructures.has(name)) env.unsupported(`kernel function ${kfunc.name}`);
  if (hasSuffix(p.param, "__str")) return "string";
  if (hasSuffix(p.param, "__map")) return "map";
  if (hasSuffix(p.param, "__irq_flag")) return "irq-flag";
  const base = kindOf(reg.type);
  if (base === kind.btfId || objectNames[base] !== undefined) {
    if (isStructure(p.target)) return "object";
    const what = `${btfKindName(p.target)} ${btfName(kernel.btf, p.targetId)}`;
    env.reject(
      `kernel function ${kfunc.name} args#${p.index} pointer type ${what} is not supported`,
      errno.invalid,
    );
  }
  if (p.target?.kind === "func_proto") env.unsupported(`callback of kernel function ${kfunc.name}`);
  const isPlain =
    isNumberType(p.target) ||
    (p.target !== undefined && isPlainStructure(env, kernel, p.target, 0)) ||
    (isMemorySized && p.target === undefined);
  if (!isPlain) {
    const what = `${btfKindName(p.target)} ${btfName(kernel.btf, p.targetId)}`;
    const allowed = isMemorySized ? "void, " : "";
    env.reject(
      `arg#${p.index} pointer type ${what} must point to ${allowed}scalar, or struct with scalar`,
      errno.invalid,
    );
  }
  return isMemorySized ? "sized-memory" : "memory";
}

function checkTrust(env: Env, register: number, reg: Reg, kfunc: KernelFunction): void {
  const isRcu = hasFlag(kfunc, "KF_RCU");
  if ((!wantsTrusted(kfunc) && !isRcu) || isTrustedReg(reg)) return;
  if (!isRcu) env.reject(`R${register} must be referenced or trusted`, errno.invalid);
  if ((reg.type & typeFlag.rcu) === 0) {
    env.reject(`R${register} must be a rcu pointer`, errno.invalid);
  }
}

const noCastSuffix = "___init";

/** Types whose names differ by this suffix must not be taken for each other. */
function mustMatchExactly(own: string, wanted: string): boolean {
  if (own.length === wanted.length) return false;
  return own === wanted + noCastSuffix || wanted === own + noCastSuffix;
}

const projections: Readonly<Record<string, string>> = { __sk_buff: "sk_buff", xdp_md: "xdp_buff" };

function checkObject(
  env: Env,
  kernel: KernelTypes,
  p: Parameter,
  wanted: TypeId,
  f: KfuncFacts,
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

function isRcu(reg: Reg): boolean {
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

function checkMap(env: Env, kernel: KernelTypes, p: Parameter, f: KfuncFacts): void {
  const reg = env.regs[p.index + 1]!;
  f.map = reg.map;
  f.mapUid = reg.mapUid;
  checkObject(env, kernel, p, kernel.find("struct", "bpf_map"), f);
}

function checkPointer(env: Env, kernel: KernelTypes, p: Parameter, f: KfuncFacts): PointerKind {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  const { kfunc } = f;
  const isRelease = hasFlag(kfunc, "KF_RELEASE");
  const strict = wantsTrusted(kfunc) || hasFlag(kfunc, "KF_RCU");
  const isNullable = hasSuffix(p.param, "__nullable");
  if (strict && (isNull(reg) || mayBeNull(reg.type)) && !isNullable) {
    env.reject(`Possibly NULL pointer passed to trusted arg${p.index}`);
  }
  if (reg.refObjId !== 0) {
    if (isRelease && f.refObjId !== 0) env.unsupported("release of two objects");
    f.refObjId = reg.refObjId;
    if (isRelease) f.releaseRegister = register;
  }
  const what = classify(env, kernel, p, f);
  if (what === "null") return what;
  if (what === "map" && reg.map === undefined) {
    env.reject(`pointer in R${register} isn't map pointer`, errno.invalid);
  }
  if (what === "map" || what === "object" || what === "allocated") {
    checkTrust(env, register, reg, kfunc);
  }
  const flags = isRelease && reg.refObjId !== 0 ? typeFlag.release : 0;
  checkArgOffset(env, reg, register, flags, false);
  checkByKind(env, kernel, p, what, f);
  return what;
}

function checkByKind(
  env: Env,
  kernel: KernelTypes,
  p: Parameter,
  what: PointerKind,
  f: KfuncFacts,
): void {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  switch (what) {
    case "context":
      if (reg.type === kind.ctx) return;
      env.reject(
        `arg#${p.index} expected pointer to ctx, but got ${typeName(reg.type)}`,
        errno.invalid,
      );
      break;
    case "dynptr":
      checkDynptr(env, p, f);
      break;
    case "iterator": {
      checkTaskIterator(env, f.kfunc.name);
      const found = processIterator(env, register, f.kfunc);
      if (found === undefined) return;
      f.iterator = found.place;
      f.refObjId = found.refObjId;
      break;
    }
    case "string":
      if (reg.type !== kind.mapValue) {
        env.reject(`arg#${p.index} doesn't point to a const string`, errno.invalid);
      }
      checkConstantString(env, register);
      break;
    case "map":
      checkMap(env, kernel, p, f);
      break;
    case "irq-flag":
      if (reg.type !== kind.stack) {
        env.reject(`arg#${p.index} doesn't point to an irq flag on stack`, errno.invalid);
      }
      processIrqFlag(env, register, f.kfunc.name);
      break;
    case "allocated":
      checkAllocated(env, p, f);
      break;
    case "object":
      checkObject(env, kernel, p, p.targetId, f);
      break;
    case "memory":
      checkMemoryArg(env, register, btfSizeOf(kernel.btf, p.targetId) ?? 0);
      break;
    case "sized-memory":
      checkSizedMemory(env, p, f);
      break;
    case "null":
      break;
  }
}

/** Checks all argument registers; `facts` gets what the call does with them. */
export function checkKfuncArgs(env: Env, kernel: KernelTypes, f: KfuncFacts): void {
  const { params } = f.kfunc.proto;
  if (params.length > 5) {
    env.reject(`Function ${f.kfunc.name} has ${params.length} > 5 args`, errno.invalid);
  }
  for (let index = 0; index < params.length; index += 1) {
    const param = params[index]!;
    if (hasSuffix(param, "__ign") || hasSuffix(param, "__prog")) continue;
    const register = index + 1;
    const type = typeOf(kernel, param.type);
    if (isNumberType(type)) {
      checkNumber(env, register, param, f);
      continue;
    }
    if (type?.kind !== "ptr") {
      env.reject(`Unrecognized arg#${index} type ${btfKindName(type)}`, errno.invalid);
    }
    const targetId = skipModifierIds(kernel.btf, type.type);
    const target = btfTypeById(kernel.btf, targetId);
    const p = { index, param, next: params[index + 1], target, targetId, pointee: type.type };
    // A length is checked with its memory.
    if (checkPointer(env, kernel, p, f) === "sized-memory") index += 1;
  }
  if (hasFlag(f.kfunc, "KF_RELEASE") && f.releaseRegister === 0) {
    env.reject(
      `release kernel function ${f.kfunc.name} expects refcounted PTR_TO_BTF_ID`,
      errno.invalid,
    );
  }
}
