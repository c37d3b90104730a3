/**
 * Helpers that the simulated kernel cannot serve: what they give instead, and why. Together with the
 * served ones these are all helpers of the table, which a test checks; docs/helpers-not-served.md is
 * made from it.
 */
import type { ErrnoName } from "../errno.ts";

export interface NotServed {
  /** What a call returns, negated. */
  readonly errno: ErrnoName;
  readonly reason: string;
}

const because = (errno: ErrnoName, reason: string) => ({ errno, reason }) as const;

const noRemote = because("EOPNOTSUPP", "there are no infrared receivers");
const noIma = because("EOPNOTSUPP", "there is no integrity measurement");
const noCookies = because("ENOENT", "SYN cookies need the kernel's secret");
const noBranches = because("ENOENT", "processors here record no branches");
const noTransform = because("EINVAL", "there is no IPsec state");
const noSegments = because("EINVAL", "there is no segment routing");
const noOptions = because("ENOENT", "sockets here have no TCP header options");
const noTypes = because("EOPNOTSUPP", "kernel objects are not printed by their type");

export const notServed: Readonly<Record<string, NotServed>> = {
  bpf_skb_change_proto: because("ENOTSUPP", "packets are not translated between IPv4 and IPv6"),
  bpf_perf_prog_read_value: because("EINVAL", "there are no perf counters"),
  bpf_skb_get_xfrm_state: noTransform,
  bpf_lwt_push_encap: because("EINVAL", "there are no routes to tunnel by"),
  bpf_lwt_seg6_store_bytes: noSegments,
  bpf_lwt_seg6_adjust_srh: noSegments,
  bpf_lwt_seg6_action: noSegments,
  bpf_rc_repeat: noRemote,
  bpf_rc_keydown: noRemote,
  bpf_rc_pointer_rel: noRemote,
  bpf_msg_push_data: because("EINVAL", "messages cannot be made longer"),
  bpf_msg_pop_data: because("EINVAL", "messages cannot be made shorter"),
  bpf_tcp_check_syncookie: noCookies,
  bpf_tcp_gen_syncookie: noCookies,
  bpf_tcp_raw_gen_syncookie_ipv4: noCookies,
  bpf_tcp_raw_gen_syncookie_ipv6: noCookies,
  bpf_tcp_raw_check_syncookie_ipv4: noCookies,
  bpf_tcp_raw_check_syncookie_ipv6: noCookies,
  bpf_tcp_send_ack: because("EOPNOTSUPP", "there are no TCP connections"),
  bpf_read_branch_records: noBranches,
  bpf_get_branch_snapshot: noBranches,
  bpf_load_hdr_opt: noOptions,
  bpf_store_hdr_opt: noOptions,
  bpf_reserve_hdr_opt: noOptions,
  bpf_d_path: because("EINVAL", "there is no file tree"),
  bpf_snprintf_btf: noTypes,
  bpf_seq_printf_btf: noTypes,
  bpf_bprm_opts_set: because("EINVAL", "nothing is executed"),
  bpf_ima_inode_hash: noIma,
  bpf_ima_file_hash: noIma,
  bpf_sys_bpf: because("EPERM", "programs do not call bpf() here"),
  bpf_sys_close: because("EBADF", "there are no descriptors"),
  bpf_btf_find_by_name_kind: because("ENOENT", "the running kernel's types are not there"),
  bpf_find_vma: because("ENOENT", "processes have no memory maps"),
};
