/** Loads and stores through every kind of pointer. */

import { constantScalar } from "../../common/domain/scalar.ts";
import { isTnumAligned, printTnum, tnumAdd, tnumConst } from "../../common/domain/tnum.ts";
import type { ContextValueKind } from "../../common/platform/context-access.ts";
import { hasHookContext } from "./attach-target.ts";
import { accessKernelObject, objectPointer, readMapField } from "./btf-pointers.ts";
import { contextField } from "./context-access.ts";
import type { Env } from "./env.ts";
import { accessKptr } from "./kptrs.ts";
import { checkMapAccess, checkMapDirection, kptrAt, readFrozen } from "./map-access.ts";
import { mapType } from "./map-rules.ts";
import { checkPointerOffset } from "./pointer-offset.ts";
import { programFlag } from "./program-variants.ts";
import { type MutableReg, pointerReg, type Reg, scalarReg } from "./reg.ts";
import { kind, kindOf, mayBeNull, typeFlag, typeName } from "./reg-types.ts";
import { checkBuffer, checkPacketAccess, checkRegion, mayWritePacket } from "./regions.ts";
import { loadedReg, setReg, setUnknown } from "./registers.ts";
import { checkSocketField } from "./socket-fields.ts";
import { verboseLine } from "./source-lines.ts";
import { readStack, writeStack } from "./stack-access.ts";
import { errno, Rejection } from "./stop.ts";
import { tracingContextField } from "./tracing-context.ts";

export interface MemoryAccess {
  readonly register: number;
  readonly offset: number;
  readonly size: number;
  readonly isRead: boolean;
  /** Register that is loaded or stored; -1 for none. */
  readonly value: number;
  /** Aligned even on machines that need not. */
  readonly isStrict: boolean;
  readonly signed: boolean;
}

const alignmentWords: Record<number, string> = {
  [kind.flowKeys]: "flow keys ",
  [kind.mapKey]: "key ",
  [kind.mapValue]: "value ",
  [kind.ctx]: "context ",
  [kind.stack]: "stack ",
  [kind.socket]: "sock ",
  [kind.sockCommon]: "sock_common ",
  [kind.tcpSock]: "tcp_sock ",
  [kind.xdpSock]: "xdp_sock ",
};

/** Ethernet headers are 14 bytes: packets start two bytes off where alignment matters. */
const packetAlign = 2;

/** Machines that can do without alignment are asked for it by a flag, unless another one forbids. */
function isStrictlyAligned({ input: { flags } }: Env): boolean {
  if ((flags & programFlag.anyAlignment) !== 0) return false;
  return (flags & programFlag.strictAlignment) !== 0;
}

export function checkAlignment(
  env: Env,
  reg: Reg,
  offset: number,
  size: number,
  isStrict: boolean,
): void {
  const strict = isStrict || isStrictlyAligned(env) || reg.type === kind.stack;
  if (!strict || size === 1 || reg.type === kind.arena) return;
  const isPacket = reg.type === kind.packet || reg.type === kind.packetMeta;
  const start = isPacket ? packetAlign : 0;
  const at = tnumAdd(reg.scalar, tnumConst(BigInt(start + reg.off + offset)));
  if (isTnumAligned(at, size)) return;
  const bits = printTnum(reg.scalar);
  if (isPacket) {
    env.reject(`misaligned packet access off ${start}+${bits}+${reg.off}+${offset} size ${size}`);
  }
  const word = alignmentWords[reg.type] ?? "";
  env.reject(`misaligned ${word}access off ${bits}+${reg.off}+${offset} size ${size}`);
}

function afterRead(env: Env, a: MemoryAccess): void {
  if (a.isRead && a.value >= 0) setUnknown(env, a.value);
}

function accessMapValue(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  checkMapDirection(env, reg, a.offset, a.size, a.isRead);
  checkMapAccess(env, a.register, offset, a.size, false, true);
  const field = kptrAt(env, reg, offset);
  if (field !== undefined) {
    accessKptr(env, field, a.isRead, a.value);
    return;
  }
  if (!a.isRead || a.value < 0) return;
  const known = readFrozen(reg, offset, a.size, a.signed);
  if (known === undefined) setUnknown(env, a.value);
  else setReg(env, a.value, scalarReg(constantScalar(known)));
}

function accessMemory(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  if (mayBeNull(reg.type)) rejectKind(env, reg, a);
  const isReadOnly = (reg.type & typeFlag.readOnly) !== 0;
  if (!a.isRead && isReadOnly) {
    env.reject(`R${a.register} cannot write into ${typeName(reg.type)}`);
  }
  // Memory that nothing vouches for is read by probing.
  const isProbed = isReadOnly && (reg.type & typeFlag.untrusted) !== 0;
  if (!isProbed) checkRegion(env, a.register, offset, a.size, reg.range, false);
  if (a.value >= 0 && (a.isRead || isReadOnly)) setUnknown(env, a.value);
}

function accessBuffer(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  const isReadOnly = (reg.type & typeFlag.readOnly) !== 0;
  if (!a.isRead && isReadOnly) {
    env.reject(`R${a.register} cannot write into ${typeName(reg.type)}`);
  }
  checkBuffer(env, a.register, offset, a.size, isReadOnly ? "rdonly" : "rdwr");
  if (a.value >= 0 && (a.isRead || isReadOnly)) setUnknown(env, a.value);
}

/** Pointer types of context fields; kernel objects behind BTF pointers are not modelled. */
const contextPointers: Partial<Record<ContextValueKind, number>> = {
  pkt: kind.packet,
  pkt_end: kind.packetEnd,
  pkt_meta: kind.packetMeta,
  sock: kind.socket,
  sock_common_or_null: kind.sockCommon | typeFlag.maybeNull,
  sock_or_null: kind.socket | typeFlag.maybeNull,
  flow_keys: kind.flowKeys,
  tp_buffer: kind.tpBuffer,
};

/** Context fields that point to objects of the kernel. */
const contextObjects: Partial<Record<ContextValueKind, string>> = {
  trusted_ptr_sk_buff: "sk_buff",
  trusted_ptr_nf_hook_state: "nf_hook_state",
};

function contextValue(
  env: Env,
  offset: number,
  size: number,
  isRead: boolean,
): "scalar" | MutableReg | undefined {
  if (hasHookContext(env.input.programType)) return tracingContextField(env, offset, size, isRead);
  const field = contextField(env, offset, size, isRead);
  if (field === undefined || field === "scalar") return field;
  const type = contextPointers[field];
  if (type !== undefined) return pointerReg(type);
  const name = contextObjects[field];
  const { kernel } = env.input;
  if (name === undefined || kernel === undefined) env.unsupported(`context field of type ${field}`);
  return objectPointer(kernel, name, typeFlag.trusted);
}

function accessContext(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  checkPointerOffset(env, reg, a.register, false);
  const field = contextValue(env, offset, a.size, a.isRead);
  const isPointer = field !== undefined && field !== "scalar" && field.type !== kind.scalar;
  if (field === undefined || (isPointer && a.signed)) {
    env.say(`invalid bpf_context access off=${offset} size=${a.size}`);
    verboseLine(env, env.insn, "; ");
    throw new Rejection(errno.access);
  }
  if (!a.isRead || a.value < 0) return;
  if (field === "scalar") {
    setUnknown(env, a.value);
    return;
  }
  if (mayBeNull(field.type)) field.id = env.newId();
  setReg(env, a.value, field);
}

function accessStack(env: Env, a: MemoryAccess, offset: number): void {
  if (a.isRead) readStack(env, a.register, offset, a.size, a.value);
  else writeStack(env, a.register, offset, a.size, a.value);
}

function accessPacket(env: Env, a: MemoryAccess, offset: number): void {
  if (!a.isRead && !mayWritePacket(env)) env.reject("cannot write into packet");
  checkPacketAccess(env, a.register, offset, a.size, false);
  afterRead(env, a);
}

/** struct bpf_flow_keys. */
const flowKeysSize = 56;

function accessFlowKeys(env: Env, a: MemoryAccess, offset: number): void {
  if (a.size <= 0 || offset < 0 || offset + a.size > flowKeysSize) {
    env.reject(`invalid access to flow keys off=${offset} size=${a.size}`);
  }
  afterRead(env, a);
}

function rejectKind(env: Env, reg: Reg, a: MemoryAccess): never {
  env.reject(`R${a.register} invalid mem access '${typeName(reg.type)}'`);
}

function accessSocket(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  if (!a.isRead) env.reject(`R${a.register} cannot write into ${typeName(reg.type)}`);
  checkSocketField(env, reg, a.register, offset, a.size);
  if (a.value >= 0) setUnknown(env, a.value);
}

function accessMapKey(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  if (!a.isRead) env.reject(`write to change key R${a.register} not allowed`);
  checkRegion(env, a.register, offset, a.size, reg.map?.keySize ?? 0, false);
  if (a.value >= 0) setUnknown(env, a.value);
}

function accessByKind(env: Env, reg: Reg, a: MemoryAccess): void {
  const offset = a.offset + reg.off;
  switch (reg.type) {
    case kind.mapKey:
      accessMapKey(env, reg, a, offset);
      break;
    case kind.mapValue:
      accessMapValue(env, reg, a, offset);
      break;
    case kind.ctx:
      accessContext(env, reg, a, offset);
      break;
    case kind.stack:
      accessStack(env, a, offset);
      break;
    case kind.packet:
    case kind.packetMeta:
      accessPacket(env, a, offset);
      break;
    case kind.flowKeys:
      accessFlowKeys(env, a, offset);
      break;
    case kind.socket:
    case kind.sockCommon:
    case kind.tcpSock:
    case kind.xdpSock:
      accessSocket(env, reg, a, offset);
      break;
    default:
      accessOther(env, reg, a, offset);
  }
}

function accessOther(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  const base = kindOf(reg.type);
  if (base === kind.mem) {
    accessMemory(env, reg, a, offset);
    return;
  }
  if (reg.type === kind.arena) {
    // Any address will do: what is not mapped reads as zero.
    if (a.isRead && a.value >= 0) setUnknown(env, a.value);
    return;
  }
  if (reg.type === kind.tpBuffer) {
    checkBuffer(env, a.register, offset, a.size, "tracepoint");
    afterRead(env, a);
    return;
  }
  if (base === kind.btfId && !mayBeNull(reg.type)) {
    accessKernelObject(env, a.register, offset, a.size, a.isRead, a.value);
    return;
  }
  if (base === kind.buf && !mayBeNull(reg.type)) {
    accessBuffer(env, reg, a, offset);
    return;
  }
  if (reg.type === kind.mapPtr) {
    accessMapPointer(env, reg, a, offset);
    return;
  }
  rejectKind(env, reg, a);
}

/** Stores that a helper or kernel function does, of values that are not known. */
export function writeUnknown(env: Env, register: number, offset: number, size: number): void {
  accessAt(env, {
    register,
    offset,
    size,
    isRead: false,
    value: -1,
    isStrict: false,
    signed: false,
  });
}

/** The kernel's structures behind map pointers, by map type. */
const mapStructs: Record<number, string> = {
  [mapType.hash]: "bpf_htab",
  [mapType.array]: "bpf_array",
  [mapType.progArray]: "bpf_array",
  [mapType.perfEventArray]: "bpf_array",
  [mapType.percpuHash]: "bpf_htab",
  [mapType.percpuArray]: "bpf_array",
  [mapType.stackTrace]: "bpf_stack_map",
  [mapType.cgroupArray]: "bpf_array",
  [mapType.lruHash]: "bpf_htab",
  [mapType.lruPercpuHash]: "bpf_htab",
  [mapType.lpmTrie]: "lpm_trie",
  [mapType.arrayOfMaps]: "bpf_array",
  [mapType.hashOfMaps]: "bpf_htab",
  [mapType.devmap]: "bpf_dtab",
  [mapType.sockmap]: "bpf_stab",
  [mapType.cpumap]: "bpf_cpu_map",
  [mapType.xskmap]: "xsk_map",
  [mapType.sockhash]: "bpf_shtab",
  [mapType.cgroupStorage]: "bpf_cgroup_storage_map",
  [mapType.reuseportSockarray]: "reuseport_array",
  [mapType.percpuCgroupStorage]: "bpf_cgroup_storage_map",
  [mapType.queue]: "bpf_queue_stack",
  [mapType.stack]: "bpf_queue_stack",
  [mapType.skStorage]: "bpf_local_storage_map",
  [mapType.devmapHash]: "bpf_dtab",
  [mapType.ringbuf]: "bpf_ringbuf_map",
  [mapType.inodeStorage]: "bpf_local_storage_map",
  [mapType.taskStorage]: "bpf_local_storage_map",
  [mapType.bloomFilter]: "bpf_bloom_filter",
  [mapType.userRingbuf]: "bpf_ringbuf_map",
  [mapType.cgrpStorage]: "bpf_local_storage_map",
  [mapType.arena]: "bpf_arena",
};

/** Reads of `struct bpf_map` itself go through the kernel's BTF. */
function accessMapPointer(env: Env, reg: Reg, a: MemoryAccess, offset: number): void {
  const name = mapStructs[reg.map?.type ?? 0];
  if (name === undefined) env.unsupported("access to a map's own fields");
  if (offset < 0) {
    env.reject(`R${a.register} is ${name} invalid negative access: off=${offset}`);
  }
  if (!a.isRead) env.reject(`only read from ${name} is supported`);
  readMapField(env, name, offset, a.size, a.value);
}

/** One access, checked; a load leaves its result in the value register. */
export function accessAt(env: Env, a: MemoryAccess): void {
  const reg = env.regs[a.register]!;
  checkAlignment(env, reg, a.offset, a.size, a.isStrict);
  accessByKind(env, reg, a);
  if (!a.isRead || a.value < 0 || a.size === 8) return;
  const value = env.regs[a.value]!;
  if (value.type === kind.scalar) setReg(env, a.value, loadedReg(value, a.size, a.signed));
}
