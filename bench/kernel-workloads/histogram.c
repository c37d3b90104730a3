/* Logarithmic histogram of numbers of different size, as latency tools keep it. */
#include "workload.h"

#define SLOTS 64

__u32 slots[SLOTS];

static __always_inline __u64 log2_32(__u32 v) {
  __u32 shift, r;
  r = (v > 0xffff) << 4;
  v >>= r;
  shift = (v > 0xff) << 3;
  v >>= shift;
  r |= shift;
  shift = (v > 0xf) << 2;
  v >>= shift;
  r |= shift;
  shift = (v > 0x3) << 1;
  v >>= shift;
  r |= shift;
  r |= v >> 1;
  return r;
}

static __always_inline __u64 log2_64(__u64 v) {
  __u32 high = v >> 32;
  return high ? log2_32(high) + 32 : log2_32(v);
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u64 random = 88172645463325252ULL;
  for (int i = 0; i < SLOTS; i++) slots[i] = 0;
  for (int i = 0; i < 128; i++) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    __u64 slot = log2_64(random >> (random & 63));
    if (slot >= SLOTS) slot = SLOTS - 1;
    slots[slot]++;
  }
  return slots[20] * 10000 + slots[40] * 100 + slots[60];
}
