/** Locks and timers inside map values. */
import type { Env } from "./env.ts";
import type { CallFacts } from "./helper-args.ts";
import { recordOf } from "./map-record.ts";
import { acquireLock, findLock, releaseLock } from "./references.ts";
import { kind } from "./reg-types.ts";
import { errno } from "./stop.ts";

const fieldNames = { spinLock: "bpf_spin_lock", timer: "bpf_timer" } as const;

/** The map value's field of that kind must be exactly where the register points to. */
function checkField(env: Env, register: number, field: "spinLock" | "timer"): void {
  const reg = env.regs[register]!;
  const name = fieldNames[field];
  const { map } = reg;
  if (map === undefined) env.unsupported("lock outside of a map value");
  const record = recordOf(env, map);
  if (record.isUnknown) env.unsupported("map value type without its BTF");
  if (reg.scalar.mask !== 0n) {
    env.reject(
      `R${register} doesn't have constant offset. ${name} has to be at the constant offset`,
      errno.invalid,
    );
  }
  if (map.btfValue === 0) {
    env.reject(`map '${map.name}' has to have BTF in order to use ${name}`, errno.invalid);
  }
  const offset = record[field];
  if (offset === undefined) env.reject(`map '${map.name}' has no valid ${name}`, errno.invalid);
  const at = BigInt.asIntN(64, reg.scalar.value) + BigInt(reg.off);
  if (at !== BigInt(offset)) {
    env.reject(`off ${at} doesn't point to 'struct ${name}' that is at ${offset}`, errno.invalid);
  }
}

/** bpf_spin_lock and bpf_spin_unlock: one lock at a time, unlocked as it was locked. */
export function processSpinLock(env: Env, register: number, isLock: boolean): void {
  const reg = env.regs[register]!;
  if (reg.type !== kind.mapValue) env.unsupported("lock in an allocated object");
  checkField(env, register, "spinLock");
  const { state } = env;
  if (isLock) {
    if (state.activeLocks > 0) {
      env.reject("Locking two bpf_spin_locks are not allowed", errno.invalid);
    }
    acquireLock(env, env.insn, reg.id, reg.map);
    return;
  }
  if (state.activeLocks === 0) {
    env.reject("bpf_spin_unlock without taking a lock", errno.invalid);
  }
  const lock = findLock(state, reg.id, reg.map);
  if (lock === undefined) env.reject("bpf_spin_unlock of different lock", errno.invalid);
  releaseLock(state, lock);
}

/** The timer argument of the bpf_timer helpers. */
export function processTimer(env: Env, register: number, facts: CallFacts): void {
  const reg = env.regs[register]!;
  checkField(env, register, "timer");
  facts.map = reg.map;
  facts.mapUid = reg.mapUid;
}
