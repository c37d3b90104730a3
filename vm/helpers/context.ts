/** Helpers on sockets, messages and cgroup hooks, of which the simulated kernel has the plain parts. */
import { errno } from "../errno.ts";
import type { Helper } from "./helper-call.ts";

const overflowUid = 65534;
const none: Helper = () => 0;
const invalid: Helper = () => -errno.EINVAL;

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
