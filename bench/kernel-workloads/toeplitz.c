/* Toeplitz hash of addresses and ports, as receive-side scaling does it. */
#include "workload.h"

static const __u8 key[40] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static __always_inline __u32 toeplitz(const __u8 *input, int length) {
  __u32 hash = 0;
  __u32 window = (__u32)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];
  for (int i = 0; i < length; i++) {
    for (int bit = 7; bit >= 0; bit--) {
      if (input[i] & (1 << bit)) hash ^= window;
      window = window << 1 | ((key[i + 4] >> bit) & 1);
    }
  }
  return hash;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  if ((void *)(tcp + 1) > PACKET_END(ctx)) return 0;
  __u8 tuple[12];
  __builtin_memcpy(tuple, &ip->saddr, 4);
  __builtin_memcpy(tuple + 4, &ip->daddr, 4);
  __builtin_memcpy(tuple + 8, &tcp->source, 2);
  __builtin_memcpy(tuple + 10, &tcp->dest, 2);
  __u32 sum = 0;
  for (int i = 0; i < 6; i++) {
    tuple[11] += i;
    sum += toeplitz(tuple, 12);
  }
  return sum;
}
