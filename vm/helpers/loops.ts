/** Helpers that call back. */
import { errno } from "../errno.ts";
import type { Helper } from "./helper-call.ts";

export const maximumLoops = 1 << 23;

export const loopHelpers: Readonly<Record<string, Helper>> = {
  bpf_loop: (call) => {
    const count = call.low(1);
    const [callback, context, flags] = [call.arg(2), call.arg(3), call.arg(4)];
    if (flags !== 0n) return -errno.EINVAL;
    if (count > maximumLoops) return -errno.E2BIG;
    for (let i = 0; i < count; i += 1) {
      if (call.engine.callFunction(callback, [BigInt(i), context]) !== 0n) return i + 1;
    }
    return count;
  },
};
