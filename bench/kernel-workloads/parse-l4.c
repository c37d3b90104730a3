/* Headers up to the ports, again and again: what a load balancer does to each packet. */
#include "workload.h"

struct vlan {
  __be16 tci;
  __be16 protocol;
};

struct flow {
  __be32 source, target;
  __be16 source_port, target_port;
  __u8 protocol;
};

static __always_inline int parse_ports(void *at, void *end, struct flow *flow) {
  if (flow->protocol == IPPROTO_TCP) {
    struct tcphdr *tcp = at;
    if ((void *)(tcp + 1) > end) return -1;
    flow->source_port = tcp->source;
    flow->target_port = tcp->dest;
    return tcp->doff * 4;
  }
  if (flow->protocol == IPPROTO_UDP) {
    struct udphdr *udp = at;
    if ((void *)(udp + 1) > end) return -1;
    flow->source_port = udp->source;
    flow->target_port = udp->dest;
    return sizeof(*udp);
  }
  return -1;
}

__attribute__((noinline)) int parse(struct xdp_md *ctx, struct flow *flow) {
  struct ethhdr *eth = PACKET_START(ctx);
  void *end = PACKET_END(ctx);
  if (!flow) return -1;
  if ((void *)(eth + 1) > end) return -1;
  __be16 protocol = eth->h_proto;
  void *at = eth + 1;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    struct vlan *vlan = at;
    if (protocol != bpf_htons(ETH_P_8021Q)) break;
    if ((void *)(vlan + 1) > end) return -1;
    protocol = vlan->protocol;
    at = vlan + 1;
  }
  if (protocol == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = at;
    if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return -1;
    if (ip->frag_off & bpf_htons(0x3fff)) return -1;
    flow->source = ip->saddr;
    flow->target = ip->daddr;
    flow->protocol = ip->protocol;
    return parse_ports(at + ip->ihl * 4, end, flow);
  }
  if (protocol == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *ip = at;
    if ((void *)(ip + 1) > end) return -1;
    flow->source = ip->saddr.s6_addr32[0] ^ ip->saddr.s6_addr32[3];
    flow->target = ip->daddr.s6_addr32[0] ^ ip->daddr.s6_addr32[3];
    flow->protocol = ip->nexthdr;
    return parse_ports(ip + 1, end, flow);
  }
  return -1;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 result = 0;
  for (int i = 0; i < 64; i++) {
    struct flow flow = {};
    int length = parse(ctx, &flow);
    if (length > 0) result += (flow.source ^ flow.target) + flow.source_port * 31 + flow.target_port;
    result = result << 1 | result >> 31;
    result ^= length;
  }
  return result;
}
