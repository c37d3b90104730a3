// Atomic additions without and (from v3 on) with their old value.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 total;
__u32 small;

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  __sync_fetch_and_add(&total, ctx->args[1]);
  __sync_fetch_and_add(&small, 2);
  __sync_fetch_and_sub(&total, 1);
  return 0;
}
char _license[] SEC("license") = "GPL";
