/** Arguments of kernel functions: what kind each is, by its parameter's type and name. */
import type { Btf, BtfParam, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfTypeById, skipModifierIds, skipModifiers } from "../../common/object/btf-types.ts";
import { btfKindName, btfName, isStructure } from "./btf-walk.ts";
import { isContextTarget } from "./context-types.ts";
import type { Env } from "./env.ts";
import { checkArgOffset } from "./helper-args.ts";
import type { KernelTypes } from "./kernel-types.ts";
import {
  argChecks,
  checkSameMap,
  hasSuffix,
  type KfuncFacts,
  objectNames,
  type Parameter,
  type PointerKind,
} from "./kfunc-arg-checks.ts";
import { hasFlag, isIterator, type KernelFunction, wantsTrusted } from "./kfuncs.ts";
import { markPrecise } from "./precision.ts";
import { isNull, isTrustedReg, type Reg } from "./reg.ts";
import { kind, kindOf, mayBeNull, typeFlag } from "./reg-types.ts";
import { errno } from "./stop.ts";

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
export function isPlainStructure(env: Env, btf: Btf, type: BtfType, depth: number): boolean {
  if (!isStructure(type)) return false;
  return type.members.every((member) => {
    const of = skipModifiers(btf, member.type);
    if (isStructure(of)) {
      if (depth >= 3) {
        env.say("max struct nesting depth exceeded");
        return false;
      }
      return isPlainStructure(env, btf, of, depth + 1);
    }
    if (of?.kind === "array") return of.count > 0 && isNumberType(skipModifiers(btf, of.element));
    return isNumberType(of);
  });
}

/** Structures of the program that have arguments of their own kind. */
const structureKinds: Readonly<Record<string, PointerKind>> = {
  bpf_list_head: "list-head",
  bpf_list_node: "list-node",
  bpf_rb_root: "tree-root",
  bpf_rb_node: "tree-node",
  bpf_wq: "work",
  bpf_task_work: "task-work",
  bpf_res_spin_lock: "lock",
};

/** Structures of the program that are not modelled as arguments. */
const unmodelledStructures: ReadonlySet<string> = new Set(["bpf_timer"]);

/** What the parameter's own type and name say, whatever the register holds. */
function declaredKind(kfunc: KernelFunction, p: Parameter): PointerKind | undefined {
  if (hasSuffix(p.param, "__alloc")) return "allocated";
  if (hasSuffix(p.param, "__refcounted_kptr")) return "counted";
  const name = isStructure(p.target) ? p.target.name : "";
  if (name === "bpf_dynptr") return "dynptr";
  if (isIterator(kfunc) ? p.index === 0 : hasSuffix(p.param, "__iter")) return "iterator";
  const ofStructure = structureKinds[name];
  if (ofStructure !== undefined) return ofStructure;
  if (hasSuffix(p.param, "__str")) return "string";
  if (hasSuffix(p.param, "__map")) return "map";
  return hasSuffix(p.param, "__irq_flag") ? "irq-flag" : undefined;
}

function classify(env: Env, kernel: KernelTypes, p: Parameter, f: KfuncFacts): PointerKind {
  const register = p.index + 1;
  const reg = env.regs[register]!;
  const { kfunc } = f;
  if (kfunc.name === "bpf_cast_to_kern_ctx") return "context";
  const isMemorySized = isSized(env, kernel, p);
  if (isContextTarget(env, kernel.btf, p.pointee)) return "context";
  if (hasSuffix(p.param, "__nullable") && isNull(reg) && !isMemorySized) return "null";
  const declared = declaredKind(kfunc, p);
  if (declared !== undefined) return declared;
  const name = isStructure(p.target) ? p.target.name : "";
  if (unmodelledStructures.has(name)) env.unsupported(`kernel function ${kfunc.name}`);
  const base = kindOf(reg.type);
  if (base === kind.btfId || objectNames[base] !== undefined) {
    if (isStructure(p.target)) return "object";
    const what = `${btfKindName(p.target)} ${btfName(kernel.btf, p.targetId)}`;
    env.reject(
      `kernel function ${kfunc.name} args#${p.index} pointer type ${what} is not supported`,
      errno.invalid,
    );
  }
  if (p.target?.kind === "func_proto") return "callback";
  const isPlain =
    isNumberType(p.target) ||
    (p.target !== undefined && isPlainStructure(env, kernel.btf, p.target, 0)) ||
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
  if (what === "map") {
    checkSameMap(env, reg, f);
    f.map = reg.map;
    f.mapUid = reg.mapUid;
  }
  if (what === "map" || what === "object" || what === "allocated") {
    checkTrust(env, register, reg, kfunc);
  }
  const flags = isRelease && reg.refObjId !== 0 ? typeFlag.release : 0;
  checkArgOffset(env, reg, register, flags, false);
  argChecks[what](env, p, f, kernel);
  return what;
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
