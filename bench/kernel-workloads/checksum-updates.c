/* Addresses, ports and hop limits that are replaced in a packet, with both checksums brought up to date. */
#include "workload.h"

static __always_inline void replace(__u16 *sum, __be32 from, __be32 to) {
  __u32 total = (__u16)~*sum;
  total += (__u16)~(from & 0xffff);
  total += (__u16)~(from >> 16);
  total += to & 0xffff;
  total += to >> 16;
  total = (total & 0xffff) + (total >> 16);
  total = (total & 0xffff) + (total >> 16);
  *sum = ~total;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  if ((void *)(tcp + 1) > PACKET_END(ctx)) return 0;
  struct iphdr old_ip = *ip;
  __be16 source = tcp->source, check = tcp->check;
  __u32 result = 0;
  for (int i = 0; i < 56; i++) {
    __be32 to = bpf_htonl(0xc0a80000 + i);
    replace(&ip->check, ip->saddr, to);
    replace(&tcp->check, ip->saddr, to);
    ip->saddr = to;
    __be16 port = bpf_htons(1024 + i * 3);
    replace(&tcp->check, tcp->source, port);
    tcp->source = port;
    __u16 hops = *(__u16 *)&ip->ttl;
    replace(&ip->check, hops, hops - 1);
    ip->ttl--;
    result = result * 31 + ip->check + tcp->check;
  }
  *ip = old_ip;
  tcp->source = source;
  tcp->check = check;
  return result;
}
