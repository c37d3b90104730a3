/** Arguments of helper calls: the register kinds that each accepts, and the memory behind them. */

import type { Btf, TypeId } from "../../common/object/btf.ts";
import { constantMapKey } from "./constant-key.ts";
import { checkConstantString } from "./constant-string.ts";
import { isAcquiredDynptr, processDynptrArg } from "./dynptr.ts";
import type { Env } from "./env.ts";
import { inTreeCallback } from "./graphs.ts";
import { helperId } from "./helper-ids.ts";
import { checkHelperMemory, checkMemorySize } from "./helper-memory.ts";
import { checkObjectArg } from "./helper-objects.ts";
import type { ArgKind, HelperArg, HelperPrototype } from "./helper-prototypes.ts";
import type { VerifierMap } from "./input.ts";
import { processKptrDestination } from "./kptrs.ts";
import type { KptrTarget } from "./map-record.ts";
import { isArrayLike, mapType } from "./map-rules.ts";
import { accessAt, checkAlignment } from "./memory.ts";
import { checkPointerOffset } from "./pointer-offset.ts";
import { markPrecise } from "./precision.ts";
import { isNull, type Reg } from "./reg.ts";
import { dynptrFlags, isPacketKind, kind, kindOf, typeFlag, typeName } from "./reg-types.ts";
import { mayPassPacket } from "./regions.ts";
import { readReg } from "./registers.ts";
import { processLock, processTimer } from "./special-fields.ts";
import type { RawAccess } from "./stack-access.ts";
import { errno } from "./stop.ts";

/** What the arguments of one call said, for its result. */
export interface CallFacts {
  readonly prototype: HelperPrototype;
  map: VerifierMap | undefined;
  mapUid: number;
  constantKey: number;
  memSize: number;
  maxSize: bigint;
  refObjId: number;
  releaseRegister: number;
  subprogram: number;
  dynptrId: number;
  readonly raw: RawAccess;
  /** The type of a per-CPU object. */
  objectBtf: Btf | undefined;
  objectId: TypeId;
  changesPacket: boolean;
  /** The field that an object is put into. */
  kptr: KptrTarget | undefined;
}

const { maybeNull, readOnly, ringbuf, trusted, rcu, percpu, alloc } = typeFlag;

const memoryTypes = [
  kind.stack,
  kind.packet,
  kind.packetMeta,
  kind.mapKey,
  kind.mapValue,
  kind.mem,
  kind.mem | ringbuf,
  kind.buf,
  kind.btfId | trusted,
];
const sockTypes = [kind.sockCommon, kind.socket, kind.tcpSock, kind.xdpSock];

/** Register types that an argument accepts, in the order in which messages list them. */
const acceptedTypes: Partial<Record<ArgKind, readonly number[]>> = {
  PTR_TO_MAP_KEY: memoryTypes,
  PTR_TO_MAP_VALUE: memoryTypes,
  CONST_SIZE: [kind.scalar],
  CONST_SIZE_OR_ZERO: [kind.scalar],
  CONST_ALLOC_SIZE_OR_ZERO: [kind.scalar],
  CONST_MAP_PTR: [kind.mapPtr],
  PTR_TO_CTX: [kind.ctx],
  PTR_TO_SOCK_COMMON: sockTypes,
  PTR_TO_BTF_ID_SOCK_COMMON: [...sockTypes, kind.btfId, kind.btfId | trusted],
  PTR_TO_SOCKET: [kind.socket],
  PTR_TO_BTF_ID: [kind.btfId, kind.btfId | trusted, kind.btfId | rcu],
  PTR_TO_SPIN_LOCK: [kind.mapValue, kind.btfId | alloc],
  PTR_TO_MEM: memoryTypes,
  PTR_TO_RINGBUF_MEM: [kind.mem | ringbuf],
  PTR_TO_PERCPU_BTF_ID: [
    kind.btfId | percpu,
    kind.btfId | percpu | rcu,
    kind.btfId | percpu | trusted,
  ],
  PTR_TO_FUNC: [kind.func],
  PTR_TO_STACK: [kind.stack],
  PTR_TO_CONST_STR: [kind.mapValue],
  PTR_TO_TIMER: [kind.mapValue],
  KPTR_XCHG_DEST: [kind.mapValue, kind.btfId | alloc],
  PTR_TO_DYNPTR: [kind.stack, kind.dynptr],
};

/** Maps of sockets take sockets as values. */
function effectiveKind(env: Env, arg: HelperArg, facts: CallFacts): ArgKind {
  if (arg.kind !== "PTR_TO_MAP_VALUE") return arg.kind;
  const { map } = facts;
  if (map === undefined) {
    env.reject("invalid map_ptr to access map->type");
  }
  if (map.type !== mapType.sockmap && map.type !== mapType.sockhash) return arg.kind;
  if (arg.flags !== 0) env.reject("invalid arg_type for sockmap/sockhash", errno.invalid);
  return "PTR_TO_BTF_ID_SOCK_COMMON";
}

function checkType(
  env: Env,
  register: number,
  reg: Reg,
  wanted: ArgKind,
  arg: HelperArg,
  f: CallFacts,
): void {
  const { flags } = arg;
  const accepted = acceptedTypes[wanted];
  if (accepted === undefined) env.unsupported(`helper argument ${wanted}`);
  let { type } = reg;
  if ((flags & readOnly) !== 0) type &= ~readOnly;
  if ((flags & maybeNull) !== 0) type &= ~maybeNull;
  if (wanted === "PTR_TO_MEM") type &= ~dynptrFlags;
  const isExchanged = f.prototype.id === helperId.kptrXchg && register === 2;
  if (isExchanged && (type & alloc) !== 0) type &= ~(alloc | percpu);
  if (accepted.includes(type)) {
    if (kindOf(reg.type) === kind.btfId) checkObjectArg(env, register, reg, wanted, arg, f);
    return;
  }
  const expected = accepted.map(typeName).join(", ");
  env.reject(`R${register} type=${typeName(reg.type)} expected=${expected}`);
}

/** A fresh record for a call. */
export function newCallFacts(prototype: HelperPrototype): CallFacts {
  return {
    prototype,
    map: undefined,
    mapUid: 0,
    constantKey: -1,
    memSize: 0,
    maxSize: 0n,
    refObjId: 0,
    releaseRegister: 0,
    subprogram: 0,
    dynptrId: 0,
    raw: { isRaw: false, size: 0, register: 0 },
    objectBtf: undefined,
    objectId: 0,
    changesPacket: false,
    kptr: undefined,
  };
}

/** What stands for a helper where an argument is not one's. */
const noHelper: HelperPrototype = {
  id: 0,
  name: "",
  args: [],
  ret: "VOID",
  retBtf: undefined,
  retFlags: 0,
  gplOnly: false,
  pktAccess: false,
  mightSleep: false,
  needsTarget: false,
};

/** A register for a parameter that is a pointer to that structure of the kernel. */
export function checkObjectPointer(
  env: Env,
  register: number,
  structure: string,
  isNullable: boolean,
): void {
  const flags = trusted | (isNullable ? maybeNull : 0);
  const arg: HelperArg = { kind: "PTR_TO_BTF_ID", flags, size: 0, btf: structure };
  const reg = env.regs[register]!;
  checkType(env, register, reg, arg.kind, arg, newCallFacts(noHelper));
  checkArgOffset(env, reg, register, flags, false);
}

const anyOffset: ReadonlySet<number> = new Set([
  kind.stack,
  kind.packet,
  kind.packetMeta,
  kind.mapKey,
  kind.mapValue,
  kind.mem,
  kind.mem | readOnly,
  kind.mem | ringbuf,
  kind.buf,
  kind.buf | readOnly,
  kind.arena,
  kind.scalar,
]);

/** Objects that may be passed at a constant offset. */
const fixedOffset: ReadonlySet<number> = new Set([
  kind.btfId,
  kind.btfId | alloc,
  kind.btfId | trusted,
  kind.btfId | rcu,
  kind.btfId | alloc | typeFlag.nonOwningRef,
  kind.btfId | alloc | typeFlag.nonOwningRef | rcu,
]);

function isRelease(flags: number): boolean {
  return (flags & typeFlag.release) !== 0;
}

export function checkArgOffset(
  env: Env,
  reg: Reg,
  register: number,
  flags: number,
  isDynptr: boolean,
): void {
  if (isRelease(flags)) {
    if (isDynptr && reg.type === kind.stack) return;
    if (reg.off !== 0) {
      env.reject(
        `R${register} must have zero offset when passed to release func or trusted arg to kfunc`,
        errno.invalid,
      );
    }
    checkPointerOffset(env, reg, register, false);
    return;
  }
  if (anyOffset.has(reg.type)) return;
  checkPointerOffset(env, reg, register, fixedOffset.has(reg.type));
}

function checkRelease(env: Env, register: number, reg: Reg, arg: HelperArg, f: CallFacts): void {
  if (!isRelease(arg.flags)) return;
  if (arg.kind === "PTR_TO_DYNPTR") {
    if (reg.type !== kind.stack) {
      env.reject("cannot release unowned const bpf_dynptr", errno.invalid);
    }
    if (!isAcquiredDynptr(env, reg)) {
      env.reject(`arg ${register} is an unacquired reference`, errno.invalid);
    }
  } else if (reg.refObjId === 0 && !isNull(reg)) {
    env.reject(`R${register} must be referenced when passed to release function`, errno.invalid);
  }
  f.releaseRegister = register;
}

function checkMapPointer(env: Env, reg: Reg, f: CallFacts): void {
  if (f.map !== undefined && (f.map !== reg.map || f.mapUid !== reg.mapUid)) {
    env.reject(
      `timer pointer in R1 map_uid=${f.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`,
      errno.invalid,
    );
  }
  f.map = reg.map;
  f.mapUid = reg.mapUid;
}

function checkKey(env: Env, register: number, reg: Reg, f: CallFacts): void {
  const { map } = f;
  if (map === undefined) env.reject("invalid map_ptr to access map->key");
  checkHelperMemory(env, register, map.keySize, "read", false, undefined);
  if (isArrayLike(map)) f.constantKey = constantMapKey(env, reg, map.keySize);
}

function directionOf(flags: number): "read" | "write" {
  return (flags & typeFlag.write) !== 0 ? "write" : "read";
}

function checkValue(env: Env, register: number, reg: Reg, flags: number, f: CallFacts): void {
  if ((flags & maybeNull) !== 0 && isNull(reg)) return;
  const { map } = f;
  if (map === undefined) env.reject("invalid map_ptr to access map->value");
  f.raw.isRaw = (flags & typeFlag.uninit) !== 0;
  checkHelperMemory(env, register, map.valueSize, directionOf(flags), false, f.raw);
}

function checkMemoryArg(env: Env, register: number, reg: Reg, arg: HelperArg, f: CallFacts): void {
  f.raw.isRaw = (arg.flags & typeFlag.uninit) !== 0;
  if ((arg.flags & typeFlag.fixedSize) === 0) return;
  checkHelperMemory(env, register, arg.size, directionOf(arg.flags), false, f.raw);
  if ((arg.flags & typeFlag.aligned) !== 0) checkAlignment(env, reg, 0, arg.size, true);
}

function checkDynptr(env: Env, register: number, arg: HelperArg): void {
  processDynptrArg(env, register, {
    arg: register - 1,
    flags: arg.flags,
    writeBytes: (offset) =>
      accessAt(env, {
        register,
        offset,
        size: 8,
        isRead: false,
        value: -1,
        isStrict: false,
        signed: false,
      }),
  });
}

function checkSize(env: Env, register: number, reg: Reg, f: CallFacts, allowsZero: boolean): void {
  const memory = f.prototype.args[register - 2];
  const direction = directionOf(memory?.flags ?? 0);
  f.maxSize = reg.scalar.umax;
  checkMemorySize(env, register, direction, allowsZero, f.raw);
}

function checkAllocSize(env: Env, register: number, reg: Reg, f: CallFacts): void {
  if (reg.scalar.mask !== 0n) env.reject(`R${register} is not a known constant'`);
  f.memSize = Number(BigInt.asUintN(32, reg.scalar.value));
  markPrecise(env, register);
}

function checkContent(
  env: Env,
  register: number,
  reg: Reg,
  arg: HelperArg,
  wanted: ArgKind,
  f: CallFacts,
): void {
  switch (wanted) {
    case "CONST_MAP_PTR":
      checkMapPointer(env, reg, f);
      break;
    case "PTR_TO_MAP_KEY":
      checkKey(env, register, reg, f);
      break;
    case "PTR_TO_MAP_VALUE":
      checkValue(env, register, reg, arg.flags, f);
      break;
    case "PTR_TO_SPIN_LOCK":
      if (inTreeCallback(env)) env.reject("can't spin_{lock,unlock} in rbtree cb");
      processLock(env, register, { kind: "lock", isLock: f.prototype.id === helperId.spinLock });
      break;
    case "PTR_TO_TIMER":
      processTimer(env, register, f);
      break;
    case "PTR_TO_FUNC":
      f.subprogram = reg.range;
      return;
    case "PTR_TO_MEM":
      checkMemoryArg(env, register, reg, arg, f);
      break;
    case "CONST_SIZE":
      checkSize(env, register, reg, f, false);
      break;
    case "CONST_SIZE_OR_ZERO":
      checkSize(env, register, reg, f, true);
      break;
    case "CONST_ALLOC_SIZE_OR_ZERO":
      checkAllocSize(env, register, reg, f);
      break;
    case "PTR_TO_DYNPTR":
      checkDynptr(env, register, arg);
      break;
    case "PTR_TO_PERCPU_BTF_ID":
      f.objectBtf = reg.btf;
      f.objectId = reg.btfId;
      break;
    case "PTR_TO_CONST_STR":
      checkConstantString(env, register);
      break;
    case "KPTR_XCHG_DEST":
      processKptrDestination(env, register, f);
      break;
    default:
      return;
  }
}

/** A filter is asked whether it has the value, which other maps give. */
function isAskedFor(arg: HelperArg, { map, prototype }: CallFacts): boolean {
  const isPeek = prototype.id === helperId.mapPeek && arg.kind === "PTR_TO_MAP_VALUE";
  return isPeek && map?.type === mapType.bloomFilter;
}

/** One argument register. */
export function checkArg(env: Env, index: number, declared: HelperArg, f: CallFacts): void {
  const register = index + 1;
  const reg = readReg(env, register);
  if (declared.kind === "ANYTHING") return;
  const arg = isAskedFor(declared, f) ? { ...declared, flags: 0 } : declared;
  if (isPacketKind(reg.type) && !mayPassPacket(env, f.prototype.pktAccess)) {
    env.reject("helper access to the packet is not allowed");
  }
  const wanted = effectiveKind(env, arg, f);
  const isAllowedNull = isNull(reg) && (arg.flags & maybeNull) !== 0;
  if (!isAllowedNull) {
    checkType(env, register, reg, wanted, arg, f);
    checkArgOffset(env, reg, register, arg.flags, wanted === "PTR_TO_DYNPTR");
  }
  checkRelease(env, register, reg, arg, f);
  // The object that a field is in stays where it is.
  if (reg.refObjId !== 0 && wanted !== "KPTR_XCHG_DEST") {
    if (f.refObjId !== 0) {
      env.reject(`more than one arg with ref_obj_id R${register} ${reg.refObjId} ${f.refObjId}`);
    }
    f.refObjId = reg.refObjId;
  }
  checkContent(env, register, reg, arg, wanted, f);
}
