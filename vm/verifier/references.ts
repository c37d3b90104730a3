/** Things that a program acquires and must give back: sockets, ring buffer records, locks. */
import type { Env } from "./env.ts";
import { programType } from "./program-variants.ts";
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

export type LockKind = Exclude<Reference["kind"], "resource" | "irq">;

/** Locks of every kind. */
export const lockKinds: readonly LockKind[] = ["lock", "res-lock", "res-lock-irq"];

export function acquireLock(env: Env, lockKind: LockKind, id: number, lockOf: unknown): void {
  const lock: Reference = { kind: lockKind, id, insn: env.insn, lockOf };
  const { state } = env;
  state.refs = [...state.refs, lock];
  state.activeLocks += 1;
  state.activeLockId = id;
  state.activeLockOf = lockOf;
}

export function findLock(
  state: State,
  kinds: readonly LockKind[],
  id: number,
  lockOf: unknown,
): Reference | undefined {
  return state.refs.find(
    (ref) =>
      kinds.some((lockKind) => lockKind === ref.kind) && ref.id === id && ref.lockOf === lockOf,
  );
}

/** The lock taken before it is then the last one. */
export function releaseLock(state: State, lock: Reference): void {
  const before = state.refs.slice(0, state.refs.indexOf(lock));
  const previous = before.findLast((ref) => lockKinds.some((one) => one === ref.kind));
  state.refs = state.refs.filter((ref) => ref !== lock);
  state.activeLocks -= 1;
  state.activeLockId = previous?.id ?? 0;
  state.activeLockOf = previous?.lockOf;
}

/** At the end of the program, and before tail calls: nothing may be held. */
export function checkResources(
  env: Env,
  checksLocks: boolean,
  place: string,
  isException = false,
): void {
  const { state } = env;
  if (checksLocks && state.activeLocks > 0) {
    env.reject(`${place} cannot be used inside bpf_spin_lock-ed region`, errno.invalid);
  }
  checkReferenceLeak(env, place, isException);
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

/** Some functions of the kernel's tables give an object back; its type is judged with the result. */
function mayReturnObject(env: Env, isException: boolean): boolean {
  return env.input.programType === programType.structOps && !isException;
}

/** Inner frames may hold references: their callers can still release them, unless it all ends. */
function checkReferenceLeak(env: Env, place: string, isException: boolean): void {
  const { state } = env;
  if (state.frames.length > 1 && !isException) return;
  const returned = mayReturnObject(env, isException) ? env.regs[0]!.refObjId : 0;
  const held = state.refs.filter((ref) => ref.kind === "resource" && ref.id !== returned);
  if (held.length === 0) return;
  for (const ref of held) {
    env.say(`Unreleased reference id=${ref.id} alloc_insn=${ref.insn}`);
  }
  env.reject(`${place} would lead to reference leak`, errno.invalid);
}
