/** Loads through pointers to kernel objects: what the member is, and how far it may be trusted. */

import { printTnum } from "../../common/domain/tnum.ts";
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { btfName, isStructure, type WalkResult, walkStructure } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { isGplCompatible } from "./license.ts";
import { objectRecord } from "./map-record.ts";
import { checkObjectWrite } from "./object-writes.ts";
import { isTrustedReg, type MutableReg, pointerReg, type Reg } from "./reg.ts";
import { kind, mayBeNull, typeFlag } from "./reg-types.ts";
import { setReg, setUnknown } from "./registers.ts";
import { errno, Rejection } from "./stop.ts";

const { untrusted, trusted, rcu, maybeNull, user, percpu, readOnly, alloc, nonOwningRef } =
  typeFlag;

/** Read-side protection: an explicit section, a lock, or a program that cannot sleep. */
export function inRcuSection(env: Env): boolean {
  const { state } = env;
  return state.activeRcu > 0 || state.activeLocks > 0 || !state.inSleepable;
}

/** The kernel lists members that are as safe as their structure in structures of such names. */
function isListed(env: Env, reg: Reg, field: string, target: TypeId, suffix: string): boolean {
  const { kernel } = env.input;
  const own = reg.btf && btfTypeById(reg.btf, reg.btfId);
  if (kernel === undefined || reg.btf !== kernel.btf || !isStructure(own)) return false;
  const list = btfTypeById(kernel.btf, kernel.find(own.kind, own.name + suffix));
  if (!isStructure(list)) return false;
  return list.members.some((member) => {
    const type = btfTypeById(kernel.btf, member.type);
    if (type?.kind !== "ptr" || member.name !== field) return false;
    return skipModifierIds(kernel.btf, type.type) === target;
  });
}

const trustedFlags = alloc | trusted | nonOwningRef;

function trustOf(env: Env, reg: Reg, found: { flags: number; field: string; id: TypeId }): number {
  const { flags, field, id } = found;
  const listed = (suffix: string): boolean => isListed(env, reg, field, id, suffix);
  if ((reg.type & untrusted) !== 0) return untrusted;
  if (!isTrustedReg(reg) && (reg.type & rcu) === 0) return flags & ~(trustedFlags | rcu);
  if (listed("__safe_trusted")) return flags | trusted;
  if (listed("__safe_trusted_or_null")) return flags | trusted | maybeNull;
  if (!inRcuSection(env) || mayBeNull(reg.type)) return untrusted;
  if (listed("__safe_rcu")) return flags | rcu;
  const isOrNull = listed("__safe_rcu_or_null");
  if ((flags & rcu) !== 0 || isOrNull) {
    const kept = isOrNull ? flags & ~untrusted : flags;
    return kept | rcu | maybeNull;
  }
  if ((flags & (percpu | user)) !== 0) return flags;
  return flags & ~(trustedFlags | rcu);
}

function checkReachable(env: Env, reg: Reg, register: number, offset: number): void {
  const name = reg.btfName;
  const isKernelType = reg.btf === env.input.kernel?.btf;
  if (isKernelType && !isGplCompatible(env.input.license)) {
    env.reject(
      `Cannot access kernel 'struct ${name}' from non-GPL compatible program`,
      errno.invalid,
    );
  }
  const what = `R${register} is ptr_${name}`;
  if (offset < 0) env.reject(`${what} invalid negative access: off=${offset}`);
  if (reg.scalar.mask !== 0n || reg.scalar.value !== 0n) {
    const bits = printTnum(reg.scalar);
    env.reject(`${what} invalid variable offset: off=${offset}, var_off=${bits}`);
  }
  if ((reg.type & user) !== 0) env.reject(`${what} access user memory: off=${offset}`);
  if ((reg.type & percpu) !== 0) env.reject(`${what} access percpu memory: off=${offset}`);
}

/** A pointer to a structure of the kernel. */
export function objectPointer(kernel: KernelTypes, name: string, flags: number): MutableReg {
  const reg = pointerReg(kind.btfId | flags);
  reg.btf = kernel.btf;
  reg.btfId = kernel.find("struct", name);
  reg.btfName = name;
  return reg;
}

function checkSpecialFields(env: Env, reg: Reg, offset: number, size: number): void {
  const fields = reg.btf === undefined ? [] : objectRecord(env, reg.btf, reg.btfId);
  for (const field of fields) {
    if (offset >= field.offset + field.size || field.offset >= offset + size) continue;
    env.reject(`direct access to ${field.name} is disallowed`);
  }
}

/** `value` is the register loaded, -1 for none. Helpers that read memory come here too. */
export function accessKernelObject(
  env: Env,
  register: number,
  offset: number,
  size: number,
  isRead: boolean,
  value: number,
): void {
  const reg = env.regs[register]!;
  const { btf } = reg;
  if (btf === undefined) env.unsupported("pointer without its type");
  checkReachable(env, reg, register, offset);
  const isAllocated = (reg.type & alloc) !== 0;
  if (!isRead && !isAllocated) {
    checkObjectWrite(env, reg, offset, size);
    return;
  }
  if (isAllocated) checkSpecialFields(env, reg, offset, size);
  const found = walkStructure(btf, reg.btfId, offset, size, (text) => env.say(text));
  if (found.kind === "error") throw new Rejection(errno.access);
  if (!isRead) return;
  // Members of the program's own objects are numbers, whatever their type.
  const member: WalkResult = isAllocated && found.kind === "pointer" ? { kind: "scalar" } : found;
  setMember(env, value, btf, member, (pointer) => trustOf(env, reg, pointer));
}

type Pointer = Extract<WalkResult, { kind: "pointer" }>;

/** Leaves what a member holds in the register; `trust` gives the flags of a pointer. */
function setMember(
  env: Env,
  value: number,
  btf: Btf,
  found: WalkResult,
  trust: (member: Pointer) => number,
): void {
  if (value < 0) return;
  if (found.kind === "leaf-pointer") {
    setReg(env, value, pointerReg(kind.mem | readOnly | untrusted));
    return;
  }
  if (found.kind !== "pointer") {
    setUnknown(env, value);
    return;
  }
  const pointer = pointerReg(kind.btfId | trust(found));
  pointer.btf = btf;
  pointer.btfId = found.id;
  pointer.btfName = btfName(btf, found.id);
  if (mayBeNull(pointer.type)) pointer.id = env.newId();
  setReg(env, value, pointer);
}

/** Reads of the kernel's own structure behind a map pointer. */
export function readMapField(
  env: Env,
  structure: string,
  offset: number,
  size: number,
  value: number,
): void {
  const { kernel } = env.input;
  if (kernel === undefined) env.unsupported("read of a map's own fields");
  const id = kernel.find("struct", structure);
  if (id === 0) env.unsupported(`read of a map's own fields (${structure})`);
  const found = walkStructure(kernel.btf, id, offset, size, (text) => env.say(text));
  if (found.kind === "error") throw new Rejection(errno.access);
  setMember(env, value, kernel.btf, found, (member) => member.flags);
}
