/**
 * What helpers do to memory, by helper number: one row per helper. Derived from the argument types that
 * Linux 6.18 declares for them (which pointers are read, which are written).
 *
 * Letters, one per argument: `-` no memory (numbers, maps), `?` any value (a pointer is only read),
 * `r` read, `w` overwritten, `m` read and written, `c` context that is only read, `C` context that
 * may change. Flags: `packet` – pointers into the packet and context fields are stale afterwards;
 * `all` – any memory may change (callbacks run, locks order accesses); `quiet` – map values and
 * globals stay as they are, but for what the arguments point to.
 */
export const helperEffectRows: Readonly<Record<number, string>> = {
  // bpf_map_lookup_elem
  1: "-r quiet",
  // bpf_map_update_elem
  2: "-rr?",
  // bpf_map_delete_elem
  3: "-r",
  // bpf_probe_read
  4: "w-? quiet",
  // bpf_ktime_get_ns
  5: " quiet",
  // bpf_trace_printk
  6: "r- quiet",
  // bpf_get_prandom_u32
  7: " quiet",
  // bpf_get_smp_processor_id
  8: " quiet",
  // bpf_skb_store_bytes
  9: "C?r-? packet",
  // bpf_l3_csum_replace
  10: "C???? packet",
  // bpf_l4_csum_replace
  11: "C???? packet",
  // bpf_tail_call
  12: "C-? packet all",
  // bpf_clone_redirect
  13: "C?? packet",
  // bpf_get_current_pid_tgid
  14: " quiet",
  // bpf_get_current_uid_gid
  15: " quiet",
  // bpf_get_current_comm
  16: "w- quiet",
  // bpf_get_cgroup_classid
  17: "c quiet",
  // bpf_skb_vlan_push
  18: "C?? packet",
  // bpf_skb_vlan_pop
  19: "C packet",
  // bpf_skb_get_tunnel_key
  20: "cw-?",
  // bpf_skb_set_tunnel_key
  21: "Cr-?",
  // bpf_perf_event_read
  22: "-?",
  // bpf_redirect
  23: "?? quiet",
  // bpf_get_route_realm
  24: "c",
  // bpf_perf_event_output
  25: "c-?r- quiet",
  // bpf_skb_load_bytes
  26: "c?w- quiet",
  // bpf_get_stackid
  27: "c-? quiet",
  // bpf_csum_diff
  28: "r-r-? quiet",
  // bpf_skb_get_tunnel_opt
  29: "cw-",
  // bpf_skb_set_tunnel_opt
  30: "Cr-",
  // bpf_skb_change_proto
  31: "C?? packet",
  // bpf_skb_change_type
  32: "C?",
  // bpf_skb_under_cgroup
  33: "c-?",
  // bpf_get_hash_recalc
  34: "C",
  // bpf_get_current_task
  35: " quiet",
  // bpf_probe_write_user
  36: "?r- all",
  // bpf_current_task_under_cgroup
  37: "-?",
  // bpf_skb_change_tail
  38: "C?? packet",
  // bpf_skb_pull_data
  39: "C? packet",
  // bpf_csum_update
  40: "c?",
  // bpf_set_hash_invalid
  41: "C",
  // bpf_get_numa_node_id
  42: " quiet",
  // bpf_skb_change_head
  43: "C?? packet",
  // bpf_xdp_adjust_head
  44: "C? packet",
  // bpf_probe_read_str
  45: "w-? quiet",
  // bpf_get_socket_cookie
  46: "c quiet",
  // bpf_get_socket_uid
  47: "c quiet",
  // bpf_set_hash
  48: "C?",
  // bpf_setsockopt
  49: "C??r-",
  // bpf_skb_adjust_room
  50: "C??? packet",
  // bpf_redirect_map
  51: "-?? quiet",
  // bpf_sk_redirect_map
  52: "C-??",
  // bpf_sock_map_update
  53: "C-r?",
  // bpf_xdp_adjust_meta
  54: "C? packet",
  // bpf_perf_event_read_value
  55: "-?w-",
  // bpf_perf_prog_read_value
  56: "cw-",
  // bpf_getsockopt
  57: "C??w-",
  // bpf_override_return
  58: "C?",
  // bpf_sock_ops_cb_flags_set
  59: "C?",
  // bpf_msg_redirect_map
  60: "C-??",
  // bpf_msg_apply_bytes
  61: "C?",
  // bpf_msg_cork_bytes
  62: "C?",
  // bpf_msg_pull_data
  63: "C??? packet",
  // bpf_bind
  64: "Cr-",
  // bpf_xdp_adjust_tail
  65: "C? packet",
  // bpf_skb_get_xfrm_state
  66: "c?w-?",
  // bpf_get_stack
  67: "cw-?",
  // bpf_skb_load_bytes_relative
  68: "c?w-?",
  // bpf_fib_lookup
  69: "cm-? quiet",
  // bpf_sock_hash_update
  70: "C-r?",
  // bpf_msg_redirect_hash
  71: "C-r?",
  // bpf_sk_redirect_hash
  72: "C-r?",
  // bpf_lwt_push_encap
  73: "C?r- packet",
  // bpf_lwt_seg6_store_bytes
  74: "C?r- packet",
  // bpf_lwt_seg6_adjust_srh
  75: "C?? packet",
  // bpf_lwt_seg6_action
  76: "C?r- packet",
  // bpf_rc_repeat
  77: "C",
  // bpf_rc_keydown
  78: "C???",
  // bpf_skb_cgroup_id
  79: "c",
  // bpf_get_current_cgroup_id
  80: " quiet",
  // bpf_get_local_storage
  81: "-?",
  // bpf_sk_select_reuseport
  82: "C-r?",
  // bpf_skb_ancestor_cgroup_id
  83: "c?",
  // bpf_sk_lookup_tcp
  84: "cr-??",
  // bpf_sk_lookup_udp
  85: "cr-??",
  // bpf_sk_release
  86: "m",
  // bpf_map_push_elem
  87: "-r?",
  // bpf_map_pop_elem
  88: "-w",
  // bpf_map_peek_elem
  89: "-w",
  // bpf_msg_push_data
  90: "C??? packet",
  // bpf_msg_pop_data
  91: "C??? packet",
  // bpf_rc_pointer_rel
  92: "C??",
  // bpf_spin_lock
  93: "m all",
  // bpf_spin_unlock
  94: "m all",
  // bpf_sk_fullsock
  95: "m",
  // bpf_tcp_sock
  96: "m",
  // bpf_skb_ecn_set_ce
  97: "C",
  // bpf_get_listener_sock
  98: "m",
  // bpf_skc_lookup_tcp
  99: "cr-??",
  // bpf_tcp_check_syncookie
  100: "mr-r-",
  // bpf_sysctl_get_name
  101: "cm-?",
  // bpf_sysctl_get_current_value
  102: "cw-",
  // bpf_sysctl_get_new_value
  103: "cw-",
  // bpf_sysctl_set_new_value
  104: "Cr-",
  // bpf_strtol
  105: "r-?w",
  // bpf_strtoul
  106: "r-?w",
  // bpf_sk_storage_get
  107: "-mr?",
  // bpf_sk_storage_delete
  108: "-m",
  // bpf_send_signal
  109: "?",
  // bpf_tcp_gen_syncookie
  110: "mr-r-",
  // bpf_skb_output
  111: "m-?r-",
  // bpf_probe_read_user
  112: "w-? quiet",
  // bpf_probe_read_kernel
  113: "w-? quiet",
  // bpf_probe_read_user_str
  114: "w-? quiet",
  // bpf_probe_read_kernel_str
  115: "w-? quiet",
  // bpf_tcp_send_ack
  116: "m?",
  // bpf_send_signal_thread
  117: "?",
  // bpf_jiffies64
  118: " quiet",
  // bpf_read_branch_records
  119: "cm-?",
  // bpf_get_ns_current_pid_tgid
  120: "??w-",
  // bpf_xdp_output
  121: "m-?r-",
  // bpf_get_netns_cookie
  122: "c",
  // bpf_get_current_ancestor_cgroup_id
  123: "?",
  // bpf_sk_assign
  124: "Cm?",
  // bpf_ktime_get_boot_ns
  125: " quiet",
  // bpf_seq_printf
  126: "mr-r-",
  // bpf_seq_write
  127: "mr-",
  // bpf_sk_cgroup_id
  128: "m",
  // bpf_sk_ancestor_cgroup_id
  129: "m?",
  // bpf_ringbuf_output
  130: "-r-? quiet",
  // bpf_ringbuf_reserve
  131: "--? quiet",
  // bpf_ringbuf_submit
  132: "m? quiet",
  // bpf_ringbuf_discard
  133: "m? quiet",
  // bpf_ringbuf_query
  134: "-?",
  // bpf_csum_level
  135: "C?",
  // bpf_skc_to_tcp6_sock
  136: "m",
  // bpf_skc_to_tcp_sock
  137: "m",
  // bpf_skc_to_tcp_timewait_sock
  138: "m",
  // bpf_skc_to_tcp_request_sock
  139: "m",
  // bpf_skc_to_udp6_sock
  140: "m",
  // bpf_get_task_stack
  141: "mw-?",
  // bpf_load_hdr_opt
  142: "cm-?",
  // bpf_store_hdr_opt
  143: "Cr-? packet",
  // bpf_reserve_hdr_opt
  144: "C??",
  // bpf_inode_storage_get
  145: "-mr?",
  // bpf_inode_storage_delete
  146: "-m",
  // bpf_d_path
  147: "mm-",
  // bpf_copy_from_user
  148: "w-?",
  // bpf_snprintf_btf
  149: "m-r-?",
  // bpf_seq_printf_btf
  150: "mr-?",
  // bpf_skb_cgroup_classid
  151: "C",
  // bpf_redirect_neigh
  152: "?r-?",
  // bpf_per_cpu_ptr
  153: "m?",
  // bpf_this_cpu_ptr
  154: "m",
  // bpf_redirect_peer
  155: "??",
  // bpf_task_storage_get
  156: "-mr?",
  // bpf_task_storage_delete
  157: "-m",
  // bpf_get_current_task_btf
  158: " quiet",
  // bpf_bprm_opts_set
  159: "m?",
  // bpf_ktime_get_coarse_ns
  160: " quiet",
  // bpf_ima_inode_hash
  161: "mw-",
  // bpf_sock_from_file
  162: "m",
  // bpf_check_mtu
  163: "c?m?? quiet",
  // bpf_for_each_map_elem
  164: "-mm? all",
  // bpf_snprintf
  165: "m-rr-",
  // bpf_sys_bpf
  166: "?r-",
  // bpf_btf_find_by_name_kind
  167: "r-??",
  // bpf_sys_close
  168: "?",
  // bpf_timer_init
  169: "m-? all",
  // bpf_timer_set_callback
  170: "mm all",
  // bpf_timer_start
  171: "m?? all",
  // bpf_timer_cancel
  172: "m all",
  // bpf_get_func_ip
  173: "c",
  // bpf_get_attach_cookie
  174: "c",
  // bpf_task_pt_regs
  175: "m",
  // bpf_get_branch_snapshot
  176: "w-",
  // bpf_trace_vprintk
  177: "r-r- quiet",
  // bpf_skc_to_unix_sock
  178: "m",
  // bpf_kallsyms_lookup_name
  179: "r-?w",
  // bpf_find_vma
  180: "m?mm? all",
  // bpf_loop
  181: "?mm? all",
  // bpf_strncmp
  182: "r-r quiet",
  // bpf_get_func_arg
  183: "c?w",
  // bpf_get_func_ret
  184: "cw",
  // bpf_get_func_arg_cnt
  185: "c",
  // bpf_get_retval
  186: "",
  // bpf_set_retval
  187: "?",
  // bpf_xdp_get_buff_len
  188: "m quiet",
  // bpf_xdp_load_bytes
  189: "c?w- quiet",
  // bpf_xdp_store_bytes
  190: "c?r-",
  // bpf_copy_from_user_task
  191: "w-?m?",
  // bpf_skb_set_tstamp
  192: "C??",
  // bpf_ima_file_hash
  193: "mw-",
  // bpf_kptr_xchg
  194: "mm all",
  // bpf_map_lookup_percpu_elem
  195: "-r? quiet",
  // bpf_skc_to_mptcp_sock
  196: "m",
  // bpf_dynptr_from_mem
  197: "w-?m",
  // bpf_ringbuf_reserve_dynptr
  198: "-??m",
  // bpf_ringbuf_submit_dynptr
  199: "m?",
  // bpf_ringbuf_discard_dynptr
  200: "m?",
  // bpf_dynptr_read
  201: "w-m??",
  // bpf_dynptr_write
  202: "m?r-?",
  // bpf_dynptr_data
  203: "m?-",
  // bpf_tcp_raw_gen_syncookie_ipv4
  204: "rr-",
  // bpf_tcp_raw_gen_syncookie_ipv6
  205: "rr-",
  // bpf_tcp_raw_check_syncookie_ipv4
  206: "rr",
  // bpf_tcp_raw_check_syncookie_ipv6
  207: "rr",
  // bpf_ktime_get_tai_ns
  208: " quiet",
  // bpf_user_ringbuf_drain
  209: "-mm? all",
  // bpf_cgrp_storage_get
  210: "-mr?",
  // bpf_cgrp_storage_delete
  211: "-m",
};
