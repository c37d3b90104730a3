/* Chains of IPv6 extension headers, as a firewall walks them to find the transport protocol. */
#include "workload.h"

#define ROUNDS 16
#define CHAIN 6

struct extension {
  __u8 next;
  __u8 length;
};

__attribute__((noinline)) int walk(struct xdp_md *ctx, __u32 offset, __u32 next) {
  void *start = PACKET_START(ctx), *end = PACKET_END(ctx);
  for (int i = 0; i < CHAIN; i++) {
    struct extension *header = start + (offset & 0x3ff);
    if ((void *)(header + 1) > end) return -1;
    switch (next & 63) {
      case IPPROTO_HOPOPTS:
      case IPPROTO_ROUTING & 63:
      case IPPROTO_DSTOPTS & 63:
        offset += (header->length & 15) * 8 + 8;
        break;
      case IPPROTO_FRAGMENT & 63:
        offset += 8;
        break;
      case IPPROTO_AH & 63:
        offset += (header->length & 15) * 4 + 8;
        break;
      case IPPROTO_TCP:
      case IPPROTO_UDP:
      case IPPROTO_ICMPV6 & 63:
        return offset;
      default:
        offset += 4;
    }
    next = header->next;
  }
  return -2;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 sum = 0;
  for (int i = 0; i < ROUNDS; i++) {
    sum = sum * 31 + walk(ctx, 70 + i * 37, i * 11);
  }
  return sum;
}
