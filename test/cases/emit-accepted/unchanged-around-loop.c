// Optimised only: a number that a loop would change only if it were another. The kernel knows nothing of a remainder,
// which is a constant here.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u32 mode = 0, sum = 0;
  for (__u32 i = 0; i < 20; i++) {
    __u16 *place = data + (mode + 130) % 127 + 1;
    if ((void *)(place + 16) > end) return XDP_PASS;
    sum += place[i & 1];
    if (mode == 7) mode += sum;
  }
  return sum & 3;
}
char _license[] SEC("license") = "GPL";
