/**
 * Arguments of tracing hooks that are not what their BTF types say, as Linux 6.18 has them. Measured
 * by loading every argument of every raw tracepoint and iterator.
 */

/** Raw tracepoints with pointers that may be NULL: `name:argument,argument`. */
const nullableRows = `
afs_flock_ev:1 afs_make_fs_call:1 afs_make_fs_call1:1 afs_make_fs_call2:1 afs_make_fs_calli:1
afs_protocol_error:0 amdgpu_vm_bo_map:0 amdgpu_vm_bo_unmap:0 break_lease_block:1
break_lease_noblock:1 break_lease_unblock:1 cachefiles_io_error:0 cachefiles_lookup:0
cachefiles_mark_active:0 cachefiles_mark_failed:0 cachefiles_mark_inactive:0
cachefiles_ondemand_close:0 cachefiles_ondemand_copen:0 cachefiles_ondemand_cread:0
cachefiles_ondemand_fd_release:0 cachefiles_ondemand_fd_write:0 cachefiles_ondemand_open:0
cachefiles_ondemand_read:0 cachefiles_prep_read:0 cachefiles_rename:0 cachefiles_unlink:0
cachefiles_vfs_error:0 device_pm_callback_start:1 ext4_mballoc_discard:1 ext4_mballoc_free:1
fcntl_setlk:1 fib_table_lookup:2 flock_lock_inode:1 folio_wait_writeback:1 generic_delete_lease:1
host1x_cdma_push_gather:4 hugetlbfs_alloc_inode:1 kfree_skb:3 locks_remove_posix:1
mm_collapse_huge_page_isolate:0 mm_khugepaged_collapse_file:1 mm_khugepaged_scan_file:1
mm_khugepaged_scan_pmd:1 mm_page_alloc:0 mm_page_alloc_zone_locked:0 mm_page_pcpu_drain:0
netfs_failure:1 netfs_folioq:0 posix_lock_inode:1 qdisc_dequeue:3 rxrpc_client:0
rxrpc_recvdata:0 rxrpc_resend:1 rxrpc_tq:1 sched_pi_setprio:1 sched_stick_numa:2
sched_swap_numa:2 tcp_send_reset:0,1 tcp_sendmsg_locked:2 tegra_dma_tx_status:2
time_out_leases:1 tmigr_update_events:0 writeback_dirty_folio:1 xfs_blockgc_flush_all:0
xfs_blockgc_free_space:1 xfs_blockgc_start:0 xfs_blockgc_stop:0 xfs_blockgc_worker:0
xfs_btree_overlapped_query_range:2 xfs_btree_updkeys:2 xfs_defer_add_item:0
xfs_defer_cancel_item:0 xfs_defer_cancel_list:0 xfs_defer_create_intent:0
xfs_defer_finish_item:0 xfs_defer_isolate_paused:0 xfs_defer_item_pause:0
xfs_defer_item_unpause:0 xfs_defer_pending_abort:0 xfs_defer_pending_finish:0
xfs_defer_relog_intent:0 xfs_fs_sync_fs:0 xfs_inodegc_flush:0 xfs_inodegc_push:0
xfs_inodegc_queue:0 xfs_inodegc_start:0 xfs_inodegc_stop:0 xfs_inodegc_throttle:0
xfs_ioc_free_eofblocks:1 xfs_iomap_alloc:3 xfs_iomap_found:3 xfs_map_blocks_alloc:4
xfs_map_blocks_found:4 xprt_get_cong:1 xprt_put_cong:1 xprt_release_cong:1 xprt_reserve_cong:1
xs_stream_read_data:0`;

const nullable: ReadonlyMap<string, readonly number[]> = new Map(
  nullableRows
    .trim()
    .split(/\s+/)
    .map((row) => {
      const [name = "", list = ""] = row.split(":");
      return [name, list.split(",").map(Number)] as const;
    }),
);

/** Whether a pointer argument of a raw tracepoint may be NULL; `argument` counts from 0. */
export function isNullableTracepointArgument(tracepoint: string, argument: number): boolean {
  return nullable.get(tracepoint)?.includes(argument) ?? false;
}

/** What an argument of an iterator is; all of these may be NULL. */
export type IteratorArgument = "pointer" | "trusted-pointer" | "buffer" | "read-only-buffer";

/** Per iterator: its arguments behind the first, which is the iterator's own data. */
const iteratorArguments: Readonly<
  Record<string, Readonly<Record<number, { kind: IteratorArgument; struct?: string }>>>
> = {
  bpf_link: { 1: { kind: "pointer", struct: "bpf_link" } },
  bpf_map: { 1: { kind: "trusted-pointer", struct: "bpf_map" } },
  bpf_map_elem: { 2: { kind: "read-only-buffer" }, 3: { kind: "buffer" } },
  bpf_prog: { 1: { kind: "pointer", struct: "bpf_prog" } },
  bpf_sk_storage_map: { 2: { kind: "pointer", struct: "sock" }, 3: { kind: "buffer" } },
  cgroup: { 1: { kind: "trusted-pointer", struct: "cgroup" } },
  dmabuf: { 1: { kind: "pointer", struct: "dma_buf" } },
  ipv6_route: { 1: { kind: "pointer", struct: "fib6_info" } },
  kmem_cache: { 1: { kind: "trusted-pointer", struct: "kmem_cache" } },
  ksym: { 1: { kind: "pointer", struct: "kallsym_iter" } },
  netlink: { 1: { kind: "pointer", struct: "netlink_sock" } },
  sockmap: { 2: { kind: "read-only-buffer" }, 3: { kind: "pointer", struct: "sock" } },
  task: { 1: { kind: "trusted-pointer", struct: "task_struct" } },
  task_file: {
    1: { kind: "pointer", struct: "task_struct" },
    3: { kind: "pointer", struct: "file" },
  },
  task_vma: {
    1: { kind: "pointer", struct: "task_struct" },
    2: { kind: "pointer", struct: "vm_area_struct" },
  },
  tcp: { 1: { kind: "trusted-pointer", struct: "sock_common" } },
  udp: { 1: { kind: "trusted-pointer", struct: "udp_sock" } },
  unix: { 1: { kind: "pointer", struct: "unix_sock" } },
};

/** Iterators that exist; the kernel has functions with such names that are none. */
export function isIterator(name: string): boolean {
  return iteratorArguments[name] !== undefined;
}

/** What the verifier knows of an iterator's argument beyond its BTF type, if anything. */
export function iteratorArgument(
  iterator: string,
  argument: number,
): { readonly kind: IteratorArgument; readonly struct?: string } | undefined {
  return iteratorArguments[iterator]?.[argument];
}
