/** Helpers on sockets, messages and cgroup hooks, of which the simulated kernel has the plain parts. */
import { errno } from "../errno.ts";
import { CgroupStorageMap } from "../maps/cgroup-storage.ts";
import { ReuseportArray } from "../maps/socket-maps.ts";
import { alignUp } from "../memory.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const overflowUid = 65534;
const none: Helper = () => 0;
const invalid: Helper = () => -errno.EINVAL;

function selectReuseport(call: HelperCall): number {
  const map = call.map(2);
  if (map instanceof ReuseportArray) {
    const key = call.bytes(3, 4);
    return map.slot(map.keyIndex(key)) === undefined ? -errno.ENOENT : 0;
  }
  return -errno.ENOENT;
}

/** The loopback device's; there are no others. */
const loopbackMtu = 65536;
const loopbackIndex = 1;
/** BPF_MTU_CHK_RET_FRAG_NEEDED. */
const fragmentationNeeded = 1;
const segmentsFlag = 1n;
const ethernetHeader = 14;

/** `(ctx, device, length, difference, flags)`; `length` gets the device's MTU. */
function checkMtu(call: HelperCall): number {
  const device = call.low(2);
  const flags = call.arg(5);
  const isXdp = call.run.program.spec.type === 6;
  if ((flags & ~(isXdp ? 0n : segmentsFlag)) !== 0n) return -errno.EINVAL;
  if (device !== 0 && device !== loopbackIndex) return -errno.ENODEV;
  const at = call.address(3, 4, true);
  const { view } = call.memory;
  const asked = view.getUint32(at, call.kernel.little);
  const length = (asked === 0 ? call.packet.length - ethernetHeader : asked) + call.int(4);
  view.setUint32(at, loopbackMtu, call.kernel.little);
  return length <= loopbackMtu ? 0 : fragmentationNeeded;
}

export const contextHelpers: Readonly<Record<string, Helper>> = {
  bpf_get_retval: (call) => call.run.returnValue,
  bpf_set_retval: (call) => {
    call.run.returnValue = call.int(1);
    return 0;
  },
  bpf_get_socket_cookie: () => 1,
  bpf_get_socket_uid: () => overflowUid,
  bpf_get_netns_cookie: () => 1,
  /** There are no sockets to find. */
  bpf_sk_lookup_tcp: none,
  bpf_sk_lookup_udp: none,
  bpf_skc_lookup_tcp: none,
  bpf_sk_release: none,
  bpf_sk_fullsock: none,
  bpf_tcp_sock: none,
  bpf_get_listener_sock: none,
  bpf_skc_to_tcp6_sock: none,
  bpf_skc_to_tcp_sock: none,
  bpf_skc_to_tcp_timewait_sock: none,
  bpf_skc_to_tcp_request_sock: none,
  bpf_skc_to_udp6_sock: none,
  bpf_skc_to_unix_sock: none,
  bpf_skc_to_mptcp_sock: none,
  bpf_sock_from_file: none,
  bpf_sk_select_reuseport: (call) => selectReuseport(call),
  /** The storage of the cgroup that the process is in. */
  bpf_get_local_storage: (call) => {
    const map = call.mapOf(1, CgroupStorageMap);
    const { attachType } = call.run.program.spec;
    const start = map.attach(call.kernel.process.cgroupId, attachType);
    return map.isPerCpu ? start + call.kernel.cpu * alignUp(map.description.valueSize, 8) : start;
  },
  bpf_check_mtu: (call) => checkMtu(call),
  bpf_sk_assign: (call) => (call.arg(2) === 0n ? 0 : -errno.EINVAL),
  bpf_sk_cgroup_id: () => 0,
  bpf_sk_ancestor_cgroup_id: () => 0,
  bpf_sock_map_update: invalid,
  bpf_sock_hash_update: invalid,
  bpf_sk_redirect_map: none,
  bpf_sk_redirect_hash: none,
  bpf_msg_redirect_map: none,
  bpf_msg_redirect_hash: none,
  bpf_msg_apply_bytes: none,
  bpf_msg_cork_bytes: none,
  bpf_msg_pull_data: none,
  bpf_setsockopt: invalid,
  bpf_getsockopt: invalid,
  bpf_sock_ops_cb_flags_set: none,
  bpf_bind: invalid,
  bpf_sysctl_get_name: invalid,
  bpf_sysctl_get_current_value: invalid,
  bpf_sysctl_get_new_value: invalid,
  bpf_sysctl_set_new_value: invalid,
};
