/** Sections in which a program may not sleep: RCU read sides, preemption disabled. */
import type { Env } from "./env.ts";
import { editReg, type Reg } from "./reg.ts";
import { typeFlag } from "./reg-types.ts";
import { byteKind, byteOf, mapRegs } from "./state.ts";
import { errno } from "./stop.ts";

/** Pointers that were protected are no longer. */
function untrust(reg: Reg): Reg {
  if ((reg.type & typeFlag.rcu) === 0) return reg;
  const edited = editReg(reg);
  edited.type = (reg.type & ~(typeFlag.rcu | typeFlag.maybeNull)) | typeFlag.untrusted;
  return edited;
}

function untrustIterators(env: Env): void {
  for (const { stack } of env.state.frames) {
    stack.forEach((slot, index) => {
      if (byteOf(slot, 0) !== byteKind.iter) return;
      const reg = untrust(slot.reg);
      if (reg !== slot.reg) stack[index] = { types: slot.types, reg };
    });
  }
}

export function enterRegion(env: Env, name: string): void {
  const { state } = env;
  if (name === "bpf_rcu_read_lock") {
    if (state.activeRcu > 0) {
      env.reject(`nested rcu read lock (kernel function ${name})`, errno.invalid);
    }
    state.activeRcu = 1;
  } else if (name === "bpf_preempt_disable") state.activePreempt += 1;
}

export function leaveRegion(env: Env, name: string): void {
  const { state } = env;
  if (name === "bpf_rcu_read_unlock") {
    if (state.activeRcu === 0) {
      env.reject(`unmatched rcu read unlock (kernel function ${name})`, errno.invalid);
    }
    mapRegs(state, untrust);
    untrustIterators(env);
    state.activeRcu = 0;
  } else if (name === "bpf_preempt_enable") {
    if (state.activePreempt === 0) {
      env.reject(`unmatched attempt to enable preemption (kernel function ${name})`, errno.invalid);
    }
    state.activePreempt -= 1;
  }
}
