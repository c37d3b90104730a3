/** Locks, timers and work items inside map values and allocated objects. */
import type { Env } from "./env.ts";
import { dropBorrowed } from "./graphs.ts";
import type { VerifierMap } from "./input.ts";
import { fieldOffset, recordBehind, recordOf } from "./map-record.ts";
import { acquireLock, findLock, type LockKind, releaseLock } from "./references.ts";
import type { Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { errno } from "./stop.ts";

type FieldName = "bpf_spin_lock" | "bpf_res_spin_lock" | "bpf_timer" | WorkItem;

/** The field of that name must be exactly where the register points to. */
function checkField(env: Env, register: number, name: FieldName): void {
  const reg = env.regs[register]!;
  const { map } = reg;
  if (reg.type === kind.mapValue && map !== undefined && recordOf(env, map).isUnknown) {
    env.unsupported("map value type without its BTF");
  }
  if (reg.scalar.mask !== 0n) {
    env.reject(
      `R${register} doesn't have constant offset. ${name} has to be at the constant offset`,
      errno.invalid,
    );
  }
  if (map !== undefined && !recordOf(env, map).hasTypes) {
    env.reject(`map '${map.name}' has to have BTF in order to use ${name}`, errno.invalid);
  }
  const offset = fieldOffset(recordBehind(env, reg), name);
  const owner = map === undefined ? "local 'kptr'" : `map '${map.name}'`;
  if (offset === undefined) env.reject(`${owner} has no valid ${name}`, errno.invalid);
  const at = BigInt.asIntN(64, reg.scalar.value) + BigInt(reg.off);
  if (at !== BigInt(offset)) {
    env.reject(`off ${at} doesn't point to 'struct ${name}' that is at ${offset}`, errno.invalid);
  }
}

/** How a lock is handled: plain, or resilient with or without interrupts. */
export interface LockCall {
  readonly kind: LockKind;
  readonly isLock: boolean;
}

/** Locks of one map or one type of object are told apart by the ids of their pointers. */
function lockOwner(reg: Reg): unknown {
  return reg.type === kind.mapValue ? reg.map : reg.btf;
}

/** Taking and giving back a lock: in order, and as it was taken. */
export function processLock(env: Env, register: number, call: LockCall): void {
  const reg = env.regs[register]!;
  const isResilient = call.kind !== "lock";
  const word = isResilient ? "bpf_res_spin" : "bpf_spin";
  checkField(env, register, isResilient ? "bpf_res_spin_lock" : "bpf_spin_lock");
  const { state } = env;
  const owner = lockOwner(reg);
  if (call.isLock) {
    const held: readonly LockKind[] = ["res-lock", "res-lock-irq"];
    if (isResilient && findLock(state, held, reg.id, owner) !== undefined) {
      env.reject("Acquiring the same lock again, AA deadlock detected", errno.invalid);
    }
    acquireLock(env, call.kind, reg.id, owner);
    return;
  }
  if (state.activeLocks === 0) {
    env.reject(`${word}_unlock without taking a lock`, errno.invalid);
  }
  const lock = findLock(state, [call.kind], reg.id, owner);
  if (lock === undefined) env.reject(`${word}_unlock of different lock`, errno.invalid);
  if (reg.id !== state.activeLockId || owner !== state.activeLockOf) {
    env.reject(`${word}_unlock cannot be out of order`, errno.invalid);
  }
  releaseLock(state, lock);
  dropBorrowed(env);
}

/** What the map argument of the same call is compared with. */
export interface MapFacts {
  map: VerifierMap | undefined;
  mapUid: number;
}

function processMapField(env: Env, register: number, name: FieldName, facts: MapFacts): void {
  const reg = env.regs[register]!;
  checkField(env, register, name);
  facts.map = reg.map;
  facts.mapUid = reg.mapUid;
}

/** The timer argument of the bpf_timer helpers. */
export function processTimer(env: Env, register: number, facts: MapFacts): void {
  processMapField(env, register, "bpf_timer", facts);
}

export type WorkItem = "bpf_wq" | "bpf_task_work";

/** The item of the bpf_wq or bpf_task_work functions. */
export function processWork(env: Env, register: number, name: WorkItem, facts: MapFacts): void {
  processMapField(env, register, name, facts);
}
