// Objects of inlined helpers share bytes of the frame; 3 x 200 bytes fit into 512.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __always_inline int part(int seed) {
  char text[200];
  __builtin_memset(text, seed, sizeof(text));
  bpf_get_current_comm(text, 16);
  return text[seed & 15];
}

SEC("raw_tp/sys_enter") int prog(struct bpf_raw_tracepoint_args *ctx) {
  int sum = part(1);
  if (ctx->args[0] > 5) sum += part(2);
  return sum + part(3);
}
char _license[] SEC("license") = "GPL";
