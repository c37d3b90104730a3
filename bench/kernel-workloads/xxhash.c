/* XXH64 over the packet, 32 bytes at a time. */
#include "workload.h"

#define PRIME1 0x9e3779b185ebca87ULL
#define PRIME2 0xc2b2ae3d27d4eb4fULL

static __always_inline __u64 rotate(__u64 x, int by) { return x << by | x >> (64 - by); }

static __always_inline __u64 mix(__u64 sum, __u64 word) {
  return rotate(sum + word * PRIME2, 31) * PRIME1;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u64 a = PRIME1 + PRIME2, b = PRIME2, c = 0, d = -PRIME1;
  for (int round = 0; round < 4; round++) {
    __u64 *words = PACKET_START(ctx);
    void *end = PACKET_END(ctx);
    for (int i = 0; i < 31; i++) {
      if ((void *)(words + 4) > end) break;
      a = mix(a, words[0]);
      b = mix(b, words[1]);
      c = mix(c, words[2]);
      d = mix(d, words[3]);
      words += 4;
    }
  }
  __u64 hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  hash ^= hash >> 33;
  hash *= PRIME2;
  return hash ^ hash >> 29;
}
