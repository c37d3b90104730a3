// More values live across calls than registers that survive them: bounds must survive the stack.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

unsigned char table[256];

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  __u64 a = ctx->args[0] & 63, b = ctx->args[1] & 63;
  __u32 c = bpf_get_prandom_u32() & 63, d = bpf_get_prandom_u32() & 63;
  __u32 e = bpf_get_prandom_u32() % 64, f = bpf_get_prandom_u32() & 31;
  __u64 now = bpf_ktime_get_ns();
  int sum = 0;
  for (int i = 0; i < 8; i++) {
    sum += table[a + i] + table[b + i] + table[c + i];
    sum += bpf_get_smp_processor_id();
    sum += table[d + i] + table[e + i] + table[f + i];
  }
  return sum + now;
}
char _license[] SEC("license") = "GPL";
