// A length in an int variable reaches a helper that wants 64-bit bounds.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char buffer[128];

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  int length = bpf_get_smp_processor_id() * 3;
  if (length <= 0) return 0;
  if (length > 100) length = 100;
  bpf_probe_read_kernel(buffer, length, (void *)ctx->args[0]);
  unsigned int second = ctx->args[1];
  if (second > 64) second = 64;
  bpf_probe_read_kernel(buffer + 64, second, (void *)ctx->args[0]);
  return length;
}
char _license[] SEC("license") = "GPL";
