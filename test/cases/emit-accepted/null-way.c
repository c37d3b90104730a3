// Optimised only: a pointer that one way leaves null, and then an access through it: that way is none.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

int seen, other;

SEC("xdp") int by_protocol(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = 0;
  if ((void *)(eth + 1) > end) return XDP_PASS;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) {
    ip = (void *)(eth + 1);
    if ((void *)(ip + 1) > end) return XDP_PASS;
    seen++;
  } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *h = (void *)(eth + 1);
    if ((void *)(h + 1) > end) return XDP_PASS;
    other += h->nexthdr;
  } else {
    return XDP_DROP;
  }
  if (ip->ttl < 5) return XDP_DROP;
  ip->ttl++;
  return XDP_TX;
}

char license[] SEC("license") = "GPL";
