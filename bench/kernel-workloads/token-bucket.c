/* Rate limits of several classes: 64-bit arithmetic with divisions. */
#include "workload.h"

#define CLASSES 16

struct bucket {
  __u64 tokens, last, rate, burst;
  __u32 passed, dropped;
};

struct bucket buckets[CLASSES];

static __always_inline int allow(struct bucket *bucket, __u64 now, __u32 size) {
  __u64 gained = (now - bucket->last) * bucket->rate / 1000000;
  __u64 tokens = bucket->tokens + gained;
  if (tokens > bucket->burst) tokens = bucket->burst;
  bucket->last = now;
  if (tokens < size) {
    bucket->tokens = tokens;
    bucket->dropped++;
    return 0;
  }
  bucket->tokens = tokens - size;
  bucket->passed++;
  return 1;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 length = ctx->data_end - ctx->data;
  __u32 passed = 0;
  __u64 now = 1000;
  for (int i = 0; i < CLASSES; i++) {
    buckets[i] = (struct bucket){.rate = 1000 + i * 500, .burst = 4096, .tokens = i * 128};
  }
  for (__u32 i = 0; i < 128; i++) {
    passed = passed << 1 ^ allow(&buckets[i % CLASSES], now, length >> (i & 3));
    now += 50000 + i * 77;
  }
  return passed;
}
