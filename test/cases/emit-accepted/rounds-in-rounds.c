// Optimised only: more ways out of the inner loop, all rounds together, than the verifier puts by.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNT 256

SEC("xdp") int prog(struct xdp_md *ctx) {
  __u64 *data = (void *)(long)ctx->data;
  if (data + COUNT + 1 > (__u64 *)(long)ctx->data_end) return XDP_DROP;
  __u64 sum = data[0];
  for (__u32 i = 0; i < COUNT; i++) {
    __u64 value = data[i + 1] ^ sum, count = 0;
    for (__u32 bit = 0; bit < 64 && value != 0; bit++) {
      value &= value - 1;
      count++;
    }
    sum += count;
    sum ^= data[i + 1] >> (i & 7);
  }
  return sum & 1 ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
