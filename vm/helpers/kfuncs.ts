/** Kernel functions that programs call by name. */
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import type { Program } from "../program.ts";
import type { Helper, HelperCall, HelperResult } from "./helper-call.ts";

/** struct bpf_iter_num: current and end, as s32. */
const numberIterator: Readonly<Record<string, Helper>> = {
  bpf_iter_num_new: (call) => {
    const at = call.memory.check(call.arg(1), 8, true);
    const [start, end] = [call.int(2), call.int(3)];
    const { little } = call.kernel;
    const problem = start > end ? -errno.EINVAL : end - start > 1 << 23 ? -errno.E2BIG : 0;
    call.memory.view.setInt32(at, problem === 0 ? start - 1 : 0, little);
    call.memory.view.setInt32(at + 4, problem === 0 ? end : 0, little);
    return problem;
  },
  bpf_iter_num_next: (call) => {
    const at = call.memory.check(call.arg(1), 8, true);
    const { view } = call.memory;
    const { little } = call.kernel;
    const current = view.getInt32(at, little);
    const end = view.getInt32(at + 4, little);
    if (current + 1 >= end) {
      view.setInt32(at, 0, little);
      view.setInt32(at + 4, 0, little);
      return 0;
    }
    view.setInt32(at, current + 1, little);
    return at;
  },
  bpf_iter_num_destroy: (call) => {
    const at = call.memory.check(call.arg(1), 8, true);
    call.memory.bytes.fill(0, at, at + 8);
    return 0;
  },
};

export const servedKfuncs: Readonly<Record<string, Helper>> = {
  ...numberIterator,
  bpf_rcu_read_lock: () => 0,
  bpf_rcu_read_unlock: () => 0,
  bpf_preempt_disable: () => 0,
  bpf_preempt_enable: () => 0,
  bpf_cast_to_kern_ctx: (call) => call.arg(1),
  bpf_rdonly_cast: (call) => call.arg(1),
};

/** Calls the kfunc that the program names at a slot. */
export function callKfunc(program: Program, slot: number, call: HelperCall): HelperResult {
  const reference = program.spec.kernelReferences.find((r) => r.slot === slot);
  if (reference === undefined) throw new Fault("unsupported", "call of an unknown kernel function");
  const served = servedKfuncs[reference.name];
  if (served === undefined) {
    throw new Fault("unsupported", `kernel function ${reference.name} is not there`);
  }
  return served(call);
}
