/** bpf_timer: callbacks on simulated time. */
import { errno } from "../errno.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

/** CLOCK_REALTIME, MONOTONIC, BOOTTIME. */
const knownClocks: readonly bigint[] = [0n, 1n, 7n];
const absoluteFlag = 1n;
const pinFlag = 2n;

const timerAt = (call: HelperCall) =>
  call.kernel.timers.at(call.memory.check(call.arg(1), 16, true));

export const timerHelpers: Readonly<Record<string, Helper>> = {
  bpf_timer_init: (call) => {
    const map = call.map(2);
    if (!knownClocks.includes(call.arg(3))) return -errno.EINVAL;
    const address = call.memory.check(call.arg(1), 16, true);
    return call.kernel.timers.add(address, map.id) ? 0 : -errno.EBUSY;
  },
  bpf_timer_set_callback: (call) => {
    const timer = timerAt(call);
    if (timer === undefined) return -errno.EINVAL;
    timer.callback = call.arg(2);
    timer.program = call.run.program;
    return 0;
  },
  bpf_timer_start: (call) => {
    const [nanoseconds, flags] = [call.arg(2), call.arg(3)];
    if ((flags & ~(absoluteFlag | pinFlag)) !== 0n) return -errno.EINVAL;
    const timer = timerAt(call);
    if (timer === undefined || timer.callback === undefined) return -errno.EINVAL;
    timer.due = (flags & absoluteFlag) !== 0n ? nanoseconds : call.kernel.time + nanoseconds;
    return 0;
  },
  bpf_timer_cancel: (call) => {
    const timer = timerAt(call);
    if (timer === undefined) return -errno.EINVAL;
    const wasArmed = timer.due !== undefined;
    timer.due = undefined;
    return wasArmed ? 1 : 0;
  },
};
