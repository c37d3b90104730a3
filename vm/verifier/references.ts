/** Things that a program acquires and must give back: sockets, ring buffer records, locks. */
import type { Env } from "./env.ts";
import { unknownReg } from "./reg.ts";
import { mapRegs, type Reference, type State } from "./state.ts";
import { errno } from "./stop.ts";

/** A new reference; its id marks every pointer to it. */
export function acquireReference(env: Env, insn: number): number {
  const id = env.newId();
  env.state.refs = [...env.state.refs, { kind: "resource", id, insn }];
  return id;
}

/** Forgets a reference; false if there is none with this id. */
export function releaseReference(state: State, id: number): boolean {
  const kept = state.refs.filter((ref) => ref.kind !== "resource" || ref.id !== id);
  const found = kept.length < state.refs.length;
  state.refs = kept;
  return found;
}

/** Releases and takes away every pointer to what was released. */
export function releaseAndInvalidate(env: Env, id: number): boolean {
  if (!releaseReference(env.state, id)) return false;
  mapRegs(env.state, (reg) => (reg.refObjId === id ? unknownReg : reg));
  return true;
}

export function acquireLock(env: Env, insn: number, id: number, lockOf: unknown): void {
  const lock: Reference = { kind: "lock", id, insn, lockOf };
  const { state } = env;
  state.refs = [...state.refs, lock];
  state.activeLocks += 1;
  state.activeLockId = id;
  state.activeLockOf = lockOf;
}

export function findLock(state: State, id: number, lockOf: unknown): Reference | undefined {
  return state.refs.find((ref) => ref.kind === "lock" && ref.id === id && ref.lockOf === lockOf);
}

export function releaseLock(state: State, lock: Reference): void {
  state.refs = state.refs.filter((ref) => ref !== lock);
  state.activeLocks -= 1;
  state.activeLockId = 0;
  state.activeLockOf = undefined;
}

/** At the end of the program, and before tail calls: nothing may be held. */
export function checkResources(env: Env, checksLocks: boolean, place: string): void {
  const { state } = env;
  if (checksLocks && state.activeLocks > 0) {
    env.reject(`${place} cannot be used inside bpf_spin_lock-ed region`, errno.invalid);
  }
  checkReferenceLeak(env, place);
  if (checksLocks && state.activeIrq !== 0) {
    env.reject(`${place} cannot be used inside bpf_local_irq_save-ed region`, errno.invalid);
  }
  if (checksLocks && state.activeRcu > 0) {
    env.reject(`${place} cannot be used inside bpf_rcu_read_lock-ed region`, errno.invalid);
  }
  if (checksLocks && state.activePreempt > 0) {
    env.reject(`${place} cannot be used inside bpf_preempt_disable-ed region`, errno.invalid);
  }
}

/** Inner frames may hold references: their callers can still release them. */
function checkReferenceLeak(env: Env, place: string): void {
  const { state } = env;
  if (state.frames.length > 1) return;
  const held = state.refs.filter((ref) => ref.kind === "resource");
  if (held.length === 0) return;
  for (const ref of held) {
    env.say(`Unreleased reference id=${ref.id} alloc_insn=${ref.insn}`);
  }
  env.reject(`${place} would lead to reference leak`, errno.invalid);
}
