/* Longest prefixes of addresses in a binary trie of an array. */
#include "workload.h"

#define NODES 1024

struct node {
  __u16 child[2];
  __u32 value;
};

struct node nodes[NODES];
int ready;

static __always_inline void fill(void) {
  __u32 random = 12345;
  for (int i = 0; i < NODES; i++) {
    random = random * 1664525 + 1013904223;
    nodes[i].child[0] = 2 * i + 1 < NODES ? 2 * i + 1 : 0;
    nodes[i].child[1] = 2 * i + 2 < NODES ? 2 * i + 2 : 0;
    nodes[i].value = random >> 28 ? 0 : random;
  }
  ready = 1;
}

static __always_inline __u32 longest_prefix(__u32 address) {
  __u32 at = 0, best = 0;
  for (int depth = 0; depth < 32; depth++) {
    struct node *node = &nodes[at & (NODES - 1)];
    if (node->value) best = node->value;
    at = node->child[address >> 31];
    if (at == 0) break;
    address <<= 1;
  }
  return best;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  if ((void *)(ip + 1) > PACKET_END(ctx)) return 0;
  if (!ready) fill();
  __u32 address = bpf_ntohl(ip->saddr);
  __u32 result = 0;
  for (int i = 0; i < 40; i++) {
    result ^= longest_prefix(address);
    address = address * 2654435761u + i;
  }
  return result;
}
