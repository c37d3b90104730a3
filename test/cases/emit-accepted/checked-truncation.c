// A 64-bit value is cut to 32 bits, checked, and used as an index: check and use are one register.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

unsigned char table[64];

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  unsigned int index = ctx->args[1];
  unsigned long offset = ctx->args[0];
  int sum = 0;
  if (index < 64) sum = table[index];
  bpf_get_smp_processor_id();
  if (index < 32) sum += table[index + 32];
  if ((unsigned short)offset < 60) sum += table[(unsigned short)offset + 3];
  return sum;
}
char _license[] SEC("license") = "GPL";
