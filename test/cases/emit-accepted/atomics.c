// Atomic operations without and (of 64 bits before v3) with their old value.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 total;
__u32 small;

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  __sync_fetch_and_add(&total, ctx->args[1]);
  __sync_fetch_and_add(&small, 2);
  __sync_fetch_and_sub(&total, 1);
  __u64 old = __sync_fetch_and_add(&total, 3) + __sync_fetch_and_or(&total, 1);
  if (__sync_val_compare_and_swap(&total, old, 7) == old) __sync_lock_test_and_set(&total, 9);
  __sync_fetch_and_and(&total, ~4UL);
  return 0;
}
char _license[] SEC("license") = "GPL";
