/* A load balancer's lookup: hash of the connection, slot in a table, weighted choice of a server. */
#include "workload.h"

#define TABLE 256
#define SERVERS 13

struct server {
  __u32 address;
  __u16 port;
  __u16 weight;
  __u64 packets;
};

__u8 table[TABLE];
struct server servers[16];
int ready;

static __always_inline void fill(void) {
  for (__u32 i = 0; i < TABLE; i++) table[i] = i * 7 % SERVERS;
  for (__u32 i = 0; i < 16; i++) {
    servers[i].address = 0x0a000001 + i;
    servers[i].port = 8000 + i;
    servers[i].weight = 1 + i % 3;
  }
  ready = 1;
}

static __always_inline __u32 mix(__u32 a, __u32 b, __u32 c) {
  a += b * 0x85ebca6b;
  a ^= a >> 16;
  a *= 0xc2b2ae35;
  a ^= a >> 13;
  return a + c;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  if ((void *)(tcp + 1) > PACKET_END(ctx)) return 0;
  if (!ready) fill();
  __u32 result = 0;
  for (__u32 i = 0; i < 96; i++) {
    __u32 hash = mix(ip->saddr + i, ip->daddr, (__u32)tcp->source << 16 | tcp->dest);
    __u32 slot = hash >> 8 & (TABLE - 1);
    struct server *server = &servers[table[slot] & 15];
    if (server->weight > 2 && hash & 1) server = &servers[(table[slot] + 1) & 15];
    server->packets++;
    result = result * 31 + server->address + server->port;
  }
  return result;
}
