#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static inline int fill(int seed) {
  char buffer[200];
  buffer[0] = seed;
  bpf_trace_printk(buffer, 200);
  return buffer[3];
}

static inline int both(int seed) {
  int other[60];
  other[seed & 31] = 3;
  bpf_trace_printk((char *)other, 240);
  return fill(seed) + other[1];
}

SEC("xdp")
int program(struct xdp_md *ctx) {
  char name[280];
  name[0] = ctx->data;
  bpf_trace_printk(name, 280);
  int result = both(ctx->data_end);
  bpf_trace_printk(name, 28);
  return result;
}
