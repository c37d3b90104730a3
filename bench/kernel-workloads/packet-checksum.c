/* The Internet checksum of the whole packet word by word, with one word left out and an odd end. */
#include "workload.h"

static __always_inline __u16 checksum(void *start, void *end, int skip) {
  __u16 *words = start;
  __u32 sum = 0;
  for (int i = 0; i < 500; i++) {
    if ((void *)(words + 1) > end) break;
    if (i != skip) sum += bpf_ntohs(*words);
    words++;
  }
  if ((void *)words + 1 <= end) sum += *(__u8 *)words << 8;
  for (int i = 0; i < 2; i++) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

SEC("xdp")
int workload(struct xdp_md *ctx) { return checksum(PACKET_START(ctx), PACKET_END(ctx), 12); }
