/** Helper calls: availability, arguments, what they do to the state, and what they return. */
import { MutableScalar, syncBounds, unknownScalar } from "../../common/domain/scalar.ts";
import { pushPath } from "./branching.ts";
import { objectPointer } from "./btf-pointers.ts";
import { dynptrAt, unmarkDynptr } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { checkFormat } from "./format-string.ts";
import {
  type CallbackSetup,
  pushAsyncCallback,
  pushCallback,
  returnFromFunction,
  timerSetup,
} from "./function-calls.ts";
import { type CallFacts, checkArg, newCallFacts } from "./helper-args.ts";
import { helperId } from "./helper-ids.ts";
import { objectResult, perCpuResult } from "./helper-objects.ts";
import {
  changesPacketHelpers,
  type HelperPrototype,
  helperName,
  helperPrototypeOf,
  lastHelper,
} from "./helper-prototypes.ts";
import { measuredConfig } from "./input.ts";
import { kptrResult, releaseToMap } from "./kptrs.ts";
import { isGplCompatible } from "./license.ts";
import { isSleepableHook } from "./lsm-hooks.ts";
import { mayHoldLock } from "./map-record.ts";
import { checkMapHelper, isArrayLike, isReadOnlyForPrograms, mapType } from "./map-rules.ts";
import { accessAt } from "./memory.ts";
import type { RawInsn } from "./opcodes.ts";
import { invalidatePacketPointers } from "./packet-pointers.ts";
import { markPrecise } from "./precision.ts";
import { attachType, programType } from "./program-variants.ts";
import { acquireReference, checkResources, releaseAndInvalidate } from "./references.ts";
import {
  isNull,
  knownValue,
  type MutableReg,
  notInitReg,
  pointerReg,
  type Reg,
  scalarReg,
  unknownReg,
} from "./reg.ts";
import { kind, mayBeNull, typeFlag, typeName } from "./reg-types.ts";
import { clearCallerSaved, setReg } from "./registers.ts";
import type { Frame } from "./state.ts";
import { errno } from "./stop.ts";

function findPrototype(env: Env, id: number): HelperPrototype {
  if (id < 0 || id > lastHelper) {
    env.reject(`invalid func ${helperName(id)}#${id}`, errno.invalid);
  }
  const prototype = helperPrototypeOf(env, id);
  if (prototype === undefined) {
    env.reject(`program of this type cannot use helper ${helperName(id)}#${id}`, errno.invalid);
  }
  if (prototype.gplOnly && !isGplCompatible(env.input.license)) {
    env.reject(
      "cannot call GPL-restricted function from non-GPL compatible program",
      errno.invalid,
    );
  }
  if (prototype.needsTarget && !isAllowedHere(env, prototype)) {
    env.reject("helper call is not allowed in probe", errno.invalid);
  }
  if (prototype.mightSleep && !env.state.inSleepable) {
    env.reject("helper call might sleep in a non-sleepable prog", errno.invalid);
  }
  if (prototype.mightSleep) checkMaySleep(env, prototype);
  return prototype;
}

/** Functions in which a path may be printed without risk of a deadlock. */
const pathFunctions: ReadonlySet<string> = new Set([
  "security_file_permission",
  "security_inode_getattr",
  "security_file_open",
  "security_path_truncate",
  "vfs_truncate",
  "vfs_fallocate",
  "dentry_open",
  "vfs_getattr",
  "filp_close",
]);

/** Helpers that only some hooks may call. */
function isAllowedHere(env: Env, prototype: HelperPrototype): boolean {
  const { programType: type, attachType: attach } = env.input;
  const name = env.attach?.name ?? "";
  const isLsm = type === programType.lsm;
  if (prototype.id !== helperId.dPath) return isLsm && isSleepableHook(name);
  if (type === programType.tracing && attach === attachType.iterator) return true;
  if (isLsm) return isSleepableHook(name);
  return attach !== attachType.rawTracepoint && pathFunctions.has(name);
}

function checkMaySleep(env: Env, { id, name }: HelperPrototype): void {
  const { state } = env;
  const what = `sleepable helper ${name}#${id} in`;
  if (state.activeRcu > 0) env.reject(`${what} rcu_read_lock region`, errno.invalid);
  if (state.activePreempt > 0) env.reject(`${what} non-preemptible region`, errno.invalid);
  if (state.activeIrq !== 0) env.reject(`${what} IRQ-disabled region`, errno.invalid);
}

const mapWriters: ReadonlySet<number> = new Set([
  helperId.mapDelete,
  helperId.mapUpdate,
  helperId.mapPush,
  helperId.mapPop,
]);

function recordMap(env: Env, f: CallFacts): void {
  const { id } = f.prototype;
  if (f.map !== undefined && mapWriters.has(id) && isReadOnlyForPrograms(f.map)) {
    env.reject("write into map forbidden");
  }
  if (id !== helperId.tailCall || f.map === undefined) return;
  if (f.map.type !== mapType.progArray) {
    env.reject("expected prog array map for tail call", errno.invalid);
  }
  const index = knownValue(env.regs[3]!);
  if (index !== undefined && index < BigInt(f.map.maxEntries)) markPrecise(env, 3);
}

/** Stack memory that the helper fills. */
function writeRaw(env: Env, f: CallFacts): void {
  for (let i = 0; i < f.raw.size; i += 1) {
    accessAt(env, {
      register: f.raw.register,
      offset: i,
      size: 1,
      isRead: false,
      value: -1,
      isStrict: false,
      signed: false,
    });
  }
}

function release(env: Env, f: CallFacts): void {
  const register = f.releaseRegister;
  if (register === 0) return;
  const reg = env.regs[register]!;
  const arg = f.prototype.args[register - 1];
  let isReleased: boolean;
  if (arg?.kind === "PTR_TO_DYNPTR") isReleased = unmarkDynptr(env, reg);
  else if (f.prototype.id === helperId.kptrXchg && f.refObjId !== 0) {
    releaseToMap(env, f.refObjId);
    return;
  } else if (f.refObjId !== 0) isReleased = releaseAndInvalidate(env, f.refObjId);
  else isReleased = isNull(reg);
  if (isReleased) return;
  const { name, id } = f.prototype;
  env.reject(`func ${name}#${id} reference has not been acquired before`, errno.invalid);
}

function forEachSetup(env: Env, f: CallFacts): CallbackSetup {
  const { map } = f;
  const isIterable =
    map !== undefined &&
    (map.type === mapType.hash ||
      map.type === mapType.array ||
      map.type === mapType.percpuHash ||
      map.type === mapType.percpuArray ||
      map.type === mapType.lruHash ||
      map.type === mapType.lruPercpuHash);
  if (!isIterable) env.reject("callback function not allowed for map", errno.notSupported);
  const fill = (caller: Frame, callee: Frame): void => {
    callee.regs[1] = caller.regs[1]!;
    callee.regs[2] = pointerTo(kind.mapKey, f);
    callee.regs[3] = pointerTo(kind.mapValue, f);
    callee.regs[4] = caller.regs[3]!;
  };
  return { fill, max: 1 };
}

function pointerTo(type: number, f: CallFacts): MutableReg {
  const reg = pointerReg(type);
  reg.map = f.map;
  return reg;
}

const loopSetup: CallbackSetup = {
  fill: (caller, callee) => {
    callee.regs[1] = unknownReg;
    callee.regs[2] = caller.regs[3]!;
  },
  max: 1,
};

function findVmaSetup(env: Env): CallbackSetup {
  const { kernel } = env.input;
  if (kernel === undefined) env.unsupported("helper bpf_find_vma without the kernel's types");
  const fill = (caller: Frame, callee: Frame): void => {
    callee.regs[1] = caller.regs[1]!;
    callee.regs[2] = objectPointer(kernel, "vm_area_struct", 0);
    callee.regs[3] = caller.regs[4]!;
  };
  return { fill, max: 1 };
}

function drainSetup(env: Env): CallbackSetup {
  const fill = (caller: Frame, callee: Frame): void => {
    const sample = pointerReg(kind.dynptr);
    sample.id = env.newId();
    sample.dynptr = { type: "local", isFirst: true };
    callee.regs[1] = sample;
    callee.regs[2] = caller.regs[3]!;
  };
  return { fill, max: 1 };
}

/** A loop without flags and with one callback is inlined: that the flags are 0 then matters. */
function noteInlining(env: Env, subprogram: number): void {
  const known = env.inlinedLoops.get(env.insn);
  if (known === null) return;
  const hasNoFlags = isNull(env.regs[4]!);
  if (hasNoFlags) markPrecise(env, 4);
  const fits = hasNoFlags && (known === undefined || known === subprogram);
  env.inlinedLoops.set(env.insn, fits ? subprogram : null);
}

/** `bpf_loop`: another round as long as the count may not be reached. */
function checkLoop(env: Env, f: CallFacts): void {
  noteInlining(env, f.subprogram);
  markPrecise(env, 1);
  const { frame } = env;
  const count = env.regs[1]!.scalar.umax;
  if (BigInt(frame.callbackDepth) < count) {
    pushCallback(env, f.subprogram, loopSetup);
    return;
  }
  frame.callbackDepth = 0;
  if (env.log.isDetailed) {
    env.say(`frame${frame.frameNo} bpf_loop iteration limit reached`);
  }
}

function noteDynptrData(env: Env, f: CallFacts): void {
  const dynptr = dynptrAt(env, env.regs[1]!);
  f.dynptrId = dynptr.id;
  f.refObjId = dynptr.refObjId;
}

/** Rules of single helpers. */
function checkSpecial(env: Env, f: CallFacts): void {
  const { id } = f.prototype;
  switch (id) {
    case helperId.tailCall:
      checkResources(env, true, "tail_call");
      break;
    case helperId.getLocalStorage:
      if (!isNull(env.regs[2]!)) {
        env.reject("get_local_storage() doesn't support non-zero flags", errno.invalid);
      }
      return;
    case helperId.forEachMapElem:
      pushCallback(env, f.subprogram, forEachSetup(env, f));
      break;
    case helperId.timerSetCallback:
      pushAsyncCallback(env, f.subprogram, timerSetup(f));
      break;
    case helperId.findVma:
      pushCallback(env, f.subprogram, findVmaSetup(env));
      break;
    case helperId.userRingbufDrain:
      pushCallback(env, f.subprogram, drainSetup(env));
      break;
    case helperId.loop:
      checkLoop(env, f);
      break;
    case helperId.dynptrFromMem:
      if (env.regs[1]!.type !== kind.mapValue) {
        const type = typeName(env.regs[1]!.type);
        env.reject(`Unsupported reg type ${type} for bpf_dynptr_from_mem data`);
      }
      return;
    case helperId.dynptrWrite: {
      const type = dynptrAt(env, env.regs[1]!).dynptr?.type;
      f.changesPacket = type === "skb" || type === "skb_meta";
      break;
    }
    case helperId.snprintf:
      checkFormat(env);
      break;
    case helperId.dynptrData:
      noteDynptrData(env, f);
      break;
    default:
      return;
  }
}

const returnKinds = {
  PTR_TO_MAP_VALUE: kind.mapValue,
  PTR_TO_SOCKET: kind.socket,
  PTR_TO_SOCK_COMMON: kind.sockCommon,
  PTR_TO_TCP_SOCK: kind.tcpSock,
  PTR_TO_MEM: kind.mem,
} as const;

function resultOf(env: Env, f: CallFacts): MutableReg | Reg {
  const { prototype: p } = f;
  switch (p.ret) {
    case "INTEGER":
      return unknownReg;
    case "VOID":
      return notInitReg;
    case "PTR_TO_BTF_ID":
      if (p.id === helperId.kptrXchg) return kptrResult(env, f);
      return objectResult(env, p);
    case "PTR_TO_MEM_OR_BTF_ID":
      return perCpuResult(env, f);
    default: {
      const reg = pointerReg(returnKinds[p.ret] | p.retFlags);
      if (p.ret === "PTR_TO_MAP_VALUE") setMapResult(env, f, reg);
      if (p.ret === "PTR_TO_MEM") reg.range = f.memSize;
      if (mayBeNull(reg.type)) reg.id = env.newId();
      return reg;
    }
  }
}

function setMapResult(env: Env, f: CallFacts, reg: MutableReg): void {
  const { map } = f;
  if (map === undefined) env.unsupported("map helper without a map");
  const isKnownKey =
    f.prototype.id === helperId.mapLookup &&
    isArrayLike(map) &&
    f.constantKey >= 0 &&
    f.constantKey < map.maxEntries;
  if (isKnownKey) reg.type &= ~typeFlag.maybeNull;
  reg.map = map;
  reg.mapUid = f.mapUid;
  if (!mayBeNull(reg.type) && mayHoldLock(env, reg)) reg.id = env.newId();
}

const trampolineHooks: ReadonlySet<number> = new Set([
  attachType.fentry,
  attachType.fexit,
  attachType.modifyReturn,
]);

const casts: ReadonlySet<number> = new Set([
  helperId.tcpSock,
  helperId.skFullsock,
  helperId.skcToTcpSock,
  helperId.skcToTcp6Sock,
  helperId.skcToUdp6Sock,
  helperId.skcToMptcpSock,
  helperId.skcToTcpTimewait,
  helperId.skcToTcpRequest,
]);

const acquirers: ReadonlySet<number> = new Set([
  helperId.skLookupTcp,
  helperId.skLookupUdp,
  helperId.skcLookupTcp,
  helperId.ringbufReserve,
  helperId.kptrXchg,
]);

function acquires(f: CallFacts): boolean {
  if (acquirers.has(f.prototype.id)) return true;
  if (f.prototype.id !== helperId.mapLookup) return false;
  return f.map?.type === mapType.sockmap || f.map?.type === mapType.sockhash;
}

/** Helpers whose result is at most the size that they were given, or an error. */
const sizedResults: ReadonlySet<number> = new Set([
  helperId.getStack,
  helperId.getTaskStack,
  helperId.probeReadStr,
  helperId.probeReadKernelStr,
  helperId.probeReadUserStr,
]);

const maxErrno = 4095;

function refineResult(env: Env, f: CallFacts): Reg | undefined {
  const { id } = f.prototype;
  if (sizedResults.has(id)) {
    const s = new MutableScalar(unknownScalar);
    s.smax = f.maxSize;
    s.s32max = Number(BigInt.asIntN(32, f.maxSize));
    s.smin = BigInt(-maxErrno);
    s.s32min = -maxErrno;
    syncBounds(s);
    return scalarReg(s);
  }
  if (id !== helperId.getSmpProcessorId) return undefined;
  const { cpus } = env.input.config ?? measuredConfig;
  const s = new MutableScalar(unknownScalar);
  s.umax = s.smax = BigInt(cpus - 1);
  s.u32max = s.s32max = cpus - 1;
  s.smin = 0n;
  s.s32min = 0;
  syncBounds(s);
  return scalarReg(s);
}

function setResult(env: Env, f: CallFacts): void {
  let result = resultOf(env, f);
  const { id } = f.prototype;
  if (result.type !== kind.scalar && result.type !== kind.notInit) {
    const pointer = result as MutableReg;
    if (id === helperId.dynptrData) pointer.dynptrId = f.dynptrId;
    if (casts.has(id) || id === helperId.dynptrData) {
      pointer.refObjId = f.refObjId;
    } else if (acquires(f)) {
      pointer.id = acquireReference(env, env.insn);
      pointer.refObjId = pointer.id;
    }
  } else if (result.type === kind.scalar) {
    result = refineResult(env, f) ?? result;
  }
  setReg(env, 0, result);
}

/**
 * In an inner frame a tail call that succeeds ends the whole chain as if the function had returned
 * anything, with the packet moved; one that fails goes on behind it.
 */
function tailCallFromFunction(env: Env): number {
  pushPath(env, env.insn + 1, env.insn);
  invalidatePacketPointers(env);
  setReg(env, 0, unknownReg);
  env.liveStack?.update();
  env.isNewPath = true;
  return returnFromFunction(env);
}

/** The address of the hook is known to probes and trampolines only. */
function checkFunctionIp(env: Env, { id, name }: HelperPrototype): void {
  const { programType: type, attachType: attach } = env.input;
  if (type === programType.kprobe) return;
  if (type !== programType.tracing) {
    env.reject(`func ${name}#${id} not supported for program type ${type}`, errno.notSupported);
  }
  if (trampolineHooks.has(attach)) return;
  env.reject(
    `func ${name}#${id} supported only for fentry/fexit/fmod_ret programs`,
    errno.notSupported,
  );
}

/** Gives the next instruction. */
export function callHelper(env: Env, insn: RawInsn): number {
  const prototype = findPrototype(env, insn.imm);
  const facts = newCallFacts(prototype);
  prototype.args.forEach((arg, index) => {
    checkArg(env, index, arg, facts);
  });
  recordMap(env, facts);
  writeRaw(env, facts);
  release(env, facts);
  checkSpecial(env, facts);
  clearCallerSaved(env);
  setResult(env, facts);
  if (facts.map !== undefined) checkMapHelper(env, facts.map, prototype.id);
  if (prototype.id === helperId.tailCall) {
    return env.state.frames.length > 1 ? tailCallFromFunction(env) : env.insn + 1;
  }
  if (prototype.id === helperId.getFuncIp) checkFunctionIp(env, prototype);
  if (facts.changesPacket || changesPacketHelpers.has(prototype.id)) invalidatePacketPointers(env);
  return env.insn + 1;
}
