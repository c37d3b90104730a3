/* SipHash-2-4 of several connection tuples. */
#include "workload.h"

#define ROTATE(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

struct state {
  __u64 v0, v1, v2, v3;
};

static __always_inline void round(struct state *s) {
  s->v0 += s->v1;
  s->v1 = ROTATE(s->v1, 13);
  s->v1 ^= s->v0;
  s->v0 = ROTATE(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = ROTATE(s->v3, 16);
  s->v3 ^= s->v2;
  s->v0 += s->v3;
  s->v3 = ROTATE(s->v3, 21);
  s->v3 ^= s->v0;
  s->v2 += s->v1;
  s->v1 = ROTATE(s->v1, 17);
  s->v1 ^= s->v2;
  s->v2 = ROTATE(s->v2, 32);
}

static __always_inline __u64 siphash(const __u64 *words, int count, __u64 k0, __u64 k1) {
  struct state s = {
      k0 ^ 0x736f6d6570736575ULL,
      k1 ^ 0x646f72616e646f6dULL,
      k0 ^ 0x6c7967656e657261ULL,
      k1 ^ 0x7465646279746573ULL,
  };
  for (int i = 0; i < count; i++) {
    s.v3 ^= words[i];
    round(&s);
    round(&s);
    s.v0 ^= words[i];
  }
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; i++) round(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  if ((void *)(tcp + 1) > PACKET_END(ctx)) return 0;
  __u64 key[2] = {
      (__u64)ip->saddr << 32 | ip->daddr,
      (__u64)tcp->source << 32 | (__u64)tcp->dest << 16 | ip->protocol,
  };
  __u64 hash = 1;
  for (int i = 0; i < 20; i++) {
    hash ^= siphash(key, 2, 0x0706050403020100ULL, hash);
    key[0] += hash;
  }
  return (int)(hash ^ hash >> 32);
}
