// Barriers, bounds in assembly, jumps inside it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char table[32];

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  __u64 index = ctx->args[1];
  asm volatile("%[i] &= 31; if %[i] < 30 goto 1f; %[i] = 0; 1:" : [i] "+r"(index));
  __u64 other = 7, sum;
  asm volatile("" : "+r"(other));
  asm("%0 = %1; %0 += %2" : "=&r"(sum) : "r"(other), "i"(35));
  asm volatile("*(u64 *)(r10 - 8) = %0; r1 = 5" : : "r"(sum) : "r1", "memory");
  return table[index] + sum;
}
char _license[] SEC("license") = "GPL";
