/* Bits of masks: how many, the highest, the lowest, reversed, interleaved. */
#include "workload.h"

#define WORDS 48

__u64 words[WORDS] = {1, 0x80, 0xff00ff, 0x123456789abcdef0, 0x8000000000000000, 7, 0xfffffffffffffffe};

static __always_inline __u32 count(__u64 v) {
  v -= v >> 1 & 0x5555555555555555;
  v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
  v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return v * 0x0101010101010101 >> 56;
}

static __always_inline __u32 highest(__u64 v) {
  __u32 bit = 0;
  for (int step = 32; step > 0; step >>= 1) {
    if (v >> step) {
      v >>= step;
      bit += step;
    }
  }
  return bit;
}

static __always_inline __u32 reverse(__u32 v) {
  v = (v >> 1 & 0x55555555) | (v & 0x55555555) << 1;
  v = (v >> 2 & 0x33333333) | (v & 0x33333333) << 2;
  v = (v >> 4 & 0x0f0f0f0f) | (v & 0x0f0f0f0f) << 4;
  return __builtin_bswap32(v);
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 sum = 0;
  for (int i = 0; i < WORDS; i++) {
    __u64 v = words[i] ^ (__u64)i << 40;
    sum = sum * 31 + count(v) + highest(v) * 64 + count((v & -v) - 1) + reverse(v);
  }
  return sum;
}
