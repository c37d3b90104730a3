/* Jenkins' hash over the packet, twelve bytes at a time. */
#include "workload.h"

static __always_inline __u32 rotate(__u32 word, int shift) {
  return word << shift | word >> (32 - shift);
}

#define MIX(a, b, c)       \
  {                        \
    a -= c;                \
    a ^= rotate(c, 4);     \
    c += b;                \
    b -= a;                \
    b ^= rotate(a, 6);     \
    a += c;                \
    c -= b;                \
    c ^= rotate(b, 8);     \
    b += a;                \
    a -= c;                \
    a ^= rotate(c, 16);    \
    c += b;                \
    b -= a;                \
    b ^= rotate(a, 19);    \
    a += c;                \
    c -= b;                \
    c ^= rotate(b, 4);     \
    b += a;                \
  }

#define FINAL(a, b, c)     \
  {                        \
    c ^= b;                \
    c -= rotate(b, 14);    \
    a ^= c;                \
    a -= rotate(c, 11);    \
    b ^= a;                \
    b -= rotate(a, 25);    \
    c ^= b;                \
    c -= rotate(b, 16);    \
    a ^= c;                \
    a -= rotate(c, 4);     \
    b ^= a;                \
    b -= rotate(a, 14);    \
    c ^= b;                \
    c -= rotate(b, 24);    \
  }

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 *words = PACKET_START(ctx);
  void *end = PACKET_END(ctx);
  __u32 a = 0xdeadbeef, b = a, c = a;
  for (int i = 0; i < 60; i++) {
    if ((void *)(words + 3) > end) break;
    a += words[0];
    b += words[1];
    c += words[2];
    MIX(a, b, c);
    words += 3;
  }
  FINAL(a, b, c);
  return c;
}
