/** Kernel functions that programs call by name. */
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import { programStreams, streamCapacity } from "../kernel/streams.ts";
import { ArenaMap } from "../maps/arena.ts";
import type { Program } from "../program.ts";
import { ProgramException } from "../program-exception.ts";
import { formatText } from "./format.ts";
import type { Helper, HelperCall, HelperResult } from "./helper-call.ts";
import { cpumaskKfuncs } from "./kfuncs-cpumask.ts";
import { dynptrKfuncs } from "./kfuncs-dynptr.ts";
import { objectKfuncs } from "./kfuncs-objects.ts";
import { stringKfuncs } from "./kfuncs-strings.ts";
import { systemKfuncs } from "./kfuncs-system.ts";
import { readString } from "./memory.ts";
import { timerHelpers } from "./timers.ts";

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

const largestBits = 511;

/** struct bpf_iter_bits: the bits' address, their number, and where it is; a word for what is found. */
const bitsIterator: Readonly<Record<string, Helper>> = {
  bpf_iter_bits_new: (call) => {
    const at = call.memory.check(call.arg(1), 16, true);
    const words = call.low(3);
    call.memory.bytes.fill(0, at, at + 16);
    if (words === 0) return -errno.EINVAL;
    if (words > largestBits) return -errno.E2BIG;
    const source = call.arg(2);
    const isThere =
      source < 0x1_0000_0000n && call.memory.isAccessible(Number(source), words * 8, false);
    if (!isThere) return -errno.EFAULT;
    const copy = call.memory.region("iterator", "bits", 8 + words * 8);
    call.memory.bytes.copyWithin(copy + 8, Number(source), Number(source) + words * 8);
    call.memory.view.setUint32(at, copy, true);
    call.memory.view.setUint32(at + 4, words, true);
    call.memory.view.setUint32(at + 8, 0, true);
    return 0;
  },
  bpf_iter_bits_next: (call) => {
    const at = call.memory.check(call.arg(1), 16, true);
    const { view, bytes } = call.memory;
    const [copy, words] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    for (let bit = view.getUint32(at + 8, true); bit < words * 64; bit += 1) {
      if (((bytes[copy + 8 + (bit >> 3)] as number) & (1 << (bit & 7))) === 0) continue;
      view.setUint32(at + 8, bit + 1, true);
      view.setInt32(copy, bit, call.kernel.little);
      return copy;
    }
    view.setUint32(at + 8, words * 64, true);
    return 0;
  },
  bpf_iter_bits_destroy: (call) => {
    const at = call.memory.check(call.arg(1), 16, true);
    const { view } = call.memory;
    const [copy, words] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (copy !== 0) {
      call.memory.forgetRegion(copy);
      call.memory.release(copy, 8 + words * 8);
    }
    call.memory.bytes.fill(0, at, at + 16);
    return 0;
  },
};

const none: Helper = () => 0;
const first: Helper = (call) => call.arg(1);
const taskStructSize = 4096;

/** The one process that there is. */
const taskOf: Helper = (call) =>
  call.int(1) === call.kernel.process.pid ? call.kernel.object("task_struct", taskStructSize) : 0;

const arenaKfuncs: Readonly<Record<string, Helper>> = {
  bpf_arena_alloc_pages: (call) =>
    call.arg(5) === 0n ? call.mapOf(1, ArenaMap).allocatePages(call.arg(2), call.low(3)) : 0,
  bpf_arena_free_pages: (call) => {
    call.mapOf(1, ArenaMap).freePages(call.arg(2), call.low(3));
    return 0;
  },
};

const longestFormat = 512;
const longestArguments = 96;

/** `(stream, format, arguments, their size, aux)`: text for PROG_STREAM_READ_BY_FD. */
const streamPrint: Helper = (call) => {
  const stream = programStreams(call.run.program)[call.int(1)];
  if (stream === undefined) return -errno.ENOENT;
  const size = call.low(4);
  if (size % 8 !== 0 || size > longestArguments) return -errno.EINVAL;
  const format = readString(call, call.arg(2), longestFormat);
  if (format === undefined) return -errno.EINVAL;
  const start = size === 0 ? 0 : call.address(3, size, false);
  const args = (i: number): bigint | undefined =>
    (i + 1) * 8 > size ? undefined : call.load64(start + i * 8);
  const text = formatText(format, args, call);
  if (typeof text === "number") return text;
  if (stream.length + text.length > streamCapacity) return -errno.ENOSPC;
  for (const character of text) stream.push(character.charCodeAt(0));
  return 0;
};

const queueWork = (name: string): Helper => timerHelpers[name] as Helper;

/** Work queues run when the clock is next moved. */
const workKfuncs: Readonly<Record<string, Helper>> = {
  bpf_wq_init: (call) => {
    const address = call.memory.check(call.arg(1), 16, true);
    return call.kernel.timers.add(address, call.map(2).id) ? 0 : -errno.EBUSY;
  },
  bpf_wq_set_callback_impl: queueWork("bpf_timer_set_callback"),
  bpf_wq_set_callback: queueWork("bpf_timer_set_callback"),
  bpf_wq_start: (call) => {
    const timer = call.kernel.timers.at(call.memory.check(call.arg(1), 16, true));
    if (timer?.callback === undefined) return -errno.EINVAL;
    timer.due = call.kernel.time;
    return 0;
  },
};

export const servedKfuncs: Readonly<Record<string, Helper>> = {
  ...numberIterator,
  ...bitsIterator,
  ...objectKfuncs,
  ...cpumaskKfuncs,
  ...dynptrKfuncs,
  ...stringKfuncs,
  ...systemKfuncs,
  ...arenaKfuncs,
  ...workKfuncs,
  bpf_stream_vprintk: streamPrint,
  bpf_stream_vprintk_impl: streamPrint,
  /** Ends the program, whatever function it is in. */
  bpf_throw: (call) => {
    throw new ProgramException(call.arg(1));
  },
  bpf_local_irq_save: none,
  bpf_local_irq_restore: none,
  bpf_res_spin_lock: none,
  bpf_res_spin_unlock: none,
  bpf_res_spin_lock_irqsave: none,
  bpf_res_spin_unlock_irqrestore: none,
  bpf_task_acquire: first,
  bpf_task_release: none,
  bpf_task_from_pid: taskOf,
  bpf_task_from_vpid: taskOf,
  bpf_task_under_cgroup: () => 1,
  bpf_cgroup_acquire: first,
  bpf_cgroup_release: none,
  bpf_cgroup_from_id: (call) =>
    call.arg(1) === call.kernel.process.cgroupId ? call.kernel.object("cgroup", taskStructSize) : 0,
  bpf_cgroup_ancestor: (call) => (call.int(2) === 0 ? call.arg(1) : 0),
  bpf_map_sum_elem_count: (call) => call.map(1).entries().length,
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
