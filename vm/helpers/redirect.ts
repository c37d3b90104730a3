/** Redirection: what is asked for is kept with the run's result. */
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import { CpuMap, DevHashMap, DevMap, XskMap } from "../maps/redirect-maps.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const xdp = 6;
const xdpAborted = 0;
const xdpRedirect = 4;
const tcShot = 2;
const tcRedirect = 7;
/** BPF_F_INGRESS. */
const knownRedirectFlags = 1n;
/** BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS. */
const broadcastFlags = 0x18n;

const isXdp = (call: HelperCall): boolean => call.run.program.spec.type === xdp;

function redirectMap(call: HelperCall): number {
  const map = call.map(1);
  const [index, flags] = [call.low(2), call.arg(3)];
  const isTarget =
    map instanceof DevMap ||
    map instanceof DevHashMap ||
    map instanceof CpuMap ||
    map instanceof XskMap;
  if (!isTarget) throw new Fault("bad-argument", "bpf_redirect_map needs a redirect map");
  const allowed = map instanceof DevMap || map instanceof DevHashMap ? broadcastFlags : 0n;
  if ((flags & ~(3n | allowed)) !== 0n) return xdpAborted;
  const isBroadcast = (flags & 8n) !== 0n;
  if (map.target(index) === undefined && !isBroadcast) return Number(flags & 3n);
  call.run.redirect = { map, target: index, flags };
  return xdpRedirect;
}

export const redirectHelpers: Readonly<Record<string, Helper>> = {
  bpf_redirect: (call) => {
    const [target, flags] = [call.low(1), call.arg(2)];
    if (isXdp(call)) {
      if (flags !== 0n) return xdpAborted;
      call.run.redirect = { target, flags };
      return xdpRedirect;
    }
    if ((flags & ~knownRedirectFlags) !== 0n) return tcShot;
    call.run.redirect = { target, flags };
    return tcRedirect;
  },
  bpf_redirect_peer: (call) => {
    if (call.arg(2) !== 0n) return tcShot;
    call.run.redirect = { target: call.low(1), flags: 0n };
    return tcRedirect;
  },
  bpf_redirect_neigh: (call) => {
    if (call.arg(4) !== 0n) return tcShot;
    call.run.redirect = { target: call.low(1), flags: 0n };
    return tcRedirect;
  },
  bpf_redirect_map: redirectMap,
  bpf_clone_redirect: (call) => {
    if ((call.arg(3) & ~knownRedirectFlags) !== 0n) return -errno.EINVAL;
    call.run.redirect = { target: call.low(2), flags: call.arg(3) };
    return 0;
  },
  /** No routes: not forwarded. */
  bpf_fib_lookup: (call) => {
    const size = call.int(3);
    if (size < 64) return -errno.EINVAL;
    call.bytes(2, size, true);
    return 4;
  },
};
