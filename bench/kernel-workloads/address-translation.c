/* Addresses and ports rewritten in the packet, with checksums that follow; then all as it was. */
#include "workload.h"

static __always_inline __u16 fold(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

static __always_inline void replace32(__u16 *check, __be32 from, __be32 to) {
  __u32 sum = (__u16)~*check;
  sum += (__u16)~from;
  sum += (__u16)~(from >> 16);
  sum += to & 0xffff;
  sum += to >> 16;
  *check = ~fold(sum);
}

static __always_inline void replace16(__u16 *check, __be16 from, __be16 to) {
  *check = ~fold((__u16)~*check + (__u32)(__u16)~from + to);
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  if ((void *)(tcp + 1) > PACKET_END(ctx)) return XDP_DROP;
  __be32 address = ip->saddr;
  __be16 port = tcp->source;
  __u32 result = 0;
  for (int i = 0; i < 48; i++) {
    __be32 next = bpf_htonl(0x0a000001 + i);
    __be16 next_port = bpf_htons(1024 + i * 7);
    replace32(&ip->check, ip->saddr, next);
    replace32(&tcp->check, ip->saddr, next);
    replace16(&tcp->check, tcp->source, next_port);
    ip->saddr = next;
    tcp->source = next_port;
    __u32 ttl = ip->ttl;
    if (ttl > 1) {
      replace16(&ip->check, bpf_htons(ttl << 8), bpf_htons((ttl - 1) << 8));
      ip->ttl = ttl - 1;
    }
    result = result * 3 + ip->check + tcp->check;
    ip->ttl = ttl;
    __u8 mac[6];
    __builtin_memcpy(mac, eth->h_dest, 6);
    __builtin_memcpy(eth->h_dest, eth->h_source, 6);
    __builtin_memcpy(eth->h_source, mac, 6);
  }
  ip->saddr = address;
  tcp->source = port;
  ip->check = 0xabcd;
  tcp->check = 0;
  return result;
}
