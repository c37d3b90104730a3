/** Helpers that tell who runs, where and when. */
import { errno } from "../errno.ts";
import { StackTraceMap, stackFlags } from "../maps/stack-trace.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const taskStructSize = 4096;
const registersSize = 168;
const nanosecondsPerJiffy = 4_000_000n;
/** INITIAL_JIFFIES is five minutes before the counter wraps, at 250 Hz. */
const initialJiffies = 4_294_892_296n;

/** Two 32-bit halves; a number costs less than a BigInt, where it is exact. */
const pair = (high: number, low: number): number | bigint =>
  high < 1 << 21 ? high * 0x1_0000_0000 + (low >>> 0) : (BigInt(high) << 32n) | BigInt(low >>> 0);

const monotonic: Helper = (call) => call.kernel.time;

function stackOf(call: HelperCall, flags: bigint): readonly bigint[] {
  const { kernelStack, userStack } = call.kernel.process;
  const stack = (flags & stackFlags.user) === 0n ? kernelStack : userStack;
  return stack.slice(Number(flags & stackFlags.skipMask));
}

/** `(ctx or task, buffer, size, flags)`: bytes written. */
function copyStack(call: HelperCall): number {
  const target = call.bytes(2, call.size(3), true);
  const flags = call.arg(4);
  target.fill(0);
  if ((flags & ~(stackFlags.skipMask | stackFlags.user)) !== 0n) return -errno.EINVAL;
  if (target.length % 8 !== 0) return -errno.EINVAL;
  const stack = stackOf(call, flags).slice(0, target.length / 8);
  if (stack.length === 0) return -errno.EFAULT;
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  for (const [i, address] of stack.entries()) {
    view.setBigUint64(i * 8, address, call.kernel.little);
  }
  return stack.length * 8;
}

/** BPF_TRACE_FEXIT and BPF_MODIFY_RETURN: the result comes after the arguments. */
const withResult: readonly number[] = [25, 26];

/** Arguments of the traced function, as many as the caller gave. */
function argumentCount({ run }: HelperCall): number {
  const words = Math.floor(run.givenSize / 8);
  return withResult.includes(run.program.spec.attachType) ? Math.max(0, words - 1) : words;
}

/** Copies a word of the context to where `register` points. */
function copyArgument(call: HelperCall, index: number, register: number): number {
  call.memory.copy(call.address(register, 8, true), call.run.context + index * 8, 8);
  return 0;
}

export const processHelpers: Readonly<Record<string, Helper>> = {
  bpf_get_func_arg_cnt: argumentCount,
  bpf_get_func_arg: (call) => {
    const index = call.arg(2);
    if (index >= BigInt(argumentCount(call))) return -errno.EINVAL;
    return copyArgument(call, Number(index), 3);
  },
  bpf_get_func_ret: (call) => {
    const hasResult = withResult.includes(call.run.program.spec.attachType);
    return hasResult ? copyArgument(call, argumentCount(call), 2) : -errno.EOPNOTSUPP;
  },
  bpf_ktime_get_ns: monotonic,
  bpf_ktime_get_boot_ns: monotonic,
  bpf_ktime_get_coarse_ns: (call) => call.kernel.time - (call.kernel.time % nanosecondsPerJiffy),
  bpf_ktime_get_tai_ns: (call) => call.kernel.time + call.kernel.wallClockOffset,
  bpf_jiffies64: (call) => initialJiffies + call.kernel.time / nanosecondsPerJiffy,
  bpf_get_smp_processor_id: (call) => call.kernel.cpu,
  bpf_get_numa_node_id: () => 0,
  bpf_get_prandom_u32: (call) => call.kernel.random(),
  bpf_get_current_pid_tgid: (call) => {
    const { pid, tgid } = call.kernel.process;
    return pair(tgid, pid);
  },
  bpf_get_current_uid_gid: (call) => {
    const { uid, gid } = call.kernel.process;
    return pair(gid, uid);
  },
  bpf_get_current_comm: (call) => {
    const target = call.bytes(1, call.size(2), true);
    const name = new TextEncoder().encode(call.kernel.process.comm).subarray(0, target.length - 1);
    target.fill(0);
    target.set(name);
    return 0;
  },
  bpf_get_current_cgroup_id: (call) => call.kernel.process.cgroupId,
  bpf_get_current_ancestor_cgroup_id: (call) =>
    call.int(1) === 0 ? 1n : call.int(1) === 1 ? call.kernel.process.cgroupId : 0n,
  bpf_get_cgroup_classid: () => 0,
  bpf_current_task_under_cgroup: () => 0,
  bpf_get_current_task: (call) => call.kernel.object("task_struct", taskStructSize),
  bpf_get_current_task_btf: (call) => call.kernel.object("task_struct", taskStructSize),
  bpf_get_ns_current_pid_tgid: (call) => {
    const size = call.size(4);
    if (size !== 8) return -errno.EINVAL;
    const { view } = call.memory;
    const at = call.memory.check(call.arg(3), size, true);
    view.setUint32(at, call.kernel.process.pid, call.kernel.little);
    view.setUint32(at + 4, call.kernel.process.tgid, call.kernel.little);
    return 0;
  },
  bpf_get_stackid: (call) => {
    const flags = call.arg(3);
    const allowed = stackFlags.skipMask | stackFlags.user | stackFlags.fastCompare;
    if ((flags & ~(allowed | stackFlags.reuse)) !== 0n) return -errno.EINVAL;
    const stack = stackOf(call, flags);
    return stack.length === 0 ? -errno.EFAULT : call.mapOf(2, StackTraceMap).put(stack, flags);
  },
  bpf_get_stack: (call) => copyStack(call),
  bpf_get_task_stack: (call) => copyStack(call),
  bpf_task_pt_regs: (call) => call.kernel.object("pt_regs", registersSize),
  /** There are no symbols. */
  bpf_kallsyms_lookup_name: (call) => {
    if (call.low(3) !== 0) return -errno.EINVAL;
    const at = call.memory.check(call.arg(4), 8, true);
    call.memory.store(at, 8, 0n, call.kernel.little);
    return -errno.ENOENT;
  },
  bpf_send_signal: () => 0,
  bpf_send_signal_thread: () => 0,
  bpf_override_return: () => 0,
  bpf_get_func_ip: () => 0,
  bpf_get_attach_cookie: () => 0,
  bpf_this_cpu_ptr: (call) => call.arg(1),
  bpf_per_cpu_ptr: (call) => (call.low(2) < call.kernel.cpuCount ? call.arg(1) : 0),
  bpf_perf_event_read: () => -errno.ENOENT,
  bpf_perf_event_read_value: (call) => {
    call.bytes(3, call.size(4), true).fill(0);
    return -errno.ENOENT;
  },
};
