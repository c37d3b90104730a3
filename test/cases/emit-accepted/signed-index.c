// An int index is checked on both sides.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int table[16];

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  int index = (int)ctx->args[1];
  if (index < 0 || index >= 16) return 0;
  table[index] += 1;
  return table[15 - index];
}
char _license[] SEC("license") = "GPL";
