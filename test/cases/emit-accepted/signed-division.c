// Signed division below v4, by constants and by variables.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  int a = ctx->args[0], b = ctx->args[1];
  long c = ctx->args[0];
  if (b == 0) return 0;
  return a / b + a % b + c / 10 + c % 8 + a / -4;
}
char _license[] SEC("license") = "GPL";
