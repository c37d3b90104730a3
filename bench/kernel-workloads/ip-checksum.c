/* The Internet checksum of the packet, 16 bits at a time, with a bounds check for each. */
#include "workload.h"

static __always_inline __u16 fold(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u16 *word = PACKET_START(ctx);
  void *end = PACKET_END(ctx);
  __u32 sum = 0;
  for (int i = 0; i < 512; i++) {
    if ((void *)(word + 1) > end) break;
    sum += bpf_ntohs(*word++);
  }
  return fold(sum);
}
