/* The first of six rules that flows meet: masked addresses, a range of ports, a protocol. */
#include "workload.h"

static const struct rule {
  __u32 source, source_mask, target, target_mask;
  __u16 low, high;
  __u8 protocol, action;
} rules[] = {
    {0x0a000000, 0xff000000, 0, 0, 0, 65535, IPPROTO_UDP, 1},
    {0xc0a80000, 0xffff0000, 0x0a000000, 0xff000000, 80, 80, IPPROTO_TCP, 2},
    {0, 0, 0xc0a80100, 0xffffff00, 8000, 9000, IPPROTO_TCP, 3},
    {0x0a000001, 0xffffffff, 0, 0, 22, 22, IPPROTO_TCP, 4},
    {0, 0, 0, 0, 443, 443, IPPROTO_TCP, 5},
    {0, 0, 0, 0, 0, 65535, IPPROTO_ICMP, 6},
};

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  if ((void *)(tcp + 1) > PACKET_END(ctx)) return 0;
  __u32 result = 0;
  for (int i = 0; i < 160; i++) {
    __u32 source = bpf_ntohl(ip->saddr) + i * 0x01010101;
    __u32 target = bpf_ntohl(ip->daddr) ^ i;
    __u16 port = bpf_ntohs(tcp->dest) + (i & 3) * 7700;
    __u8 protocol = i & 8 ? IPPROTO_UDP : IPPROTO_TCP;
    int action = 0;
    for (int k = 0; k < 6; k++) {
      const struct rule *rule = &rules[k];
      if ((source & rule->source_mask) != rule->source) continue;
      if ((target & rule->target_mask) != rule->target) continue;
      if (port < rule->low || port > rule->high || protocol != rule->protocol) continue;
      action = rule->action;
      break;
    }
    result = result * 7 + action;
  }
  return result;
}
