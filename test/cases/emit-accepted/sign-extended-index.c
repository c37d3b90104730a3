// A number that is extended twice, to be compared and to be an index: what the comparison says must hold for the index.
#include <linux/bpf.h>
#include <linux/ipv6.h>
#include <bpf/bpf_helpers.h>

__u32 table[4];

SEC("tc") int prog(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct ipv6hdr *header = data;
  if ((void *)(header + 1) > end) return 0;
  int index = (__s16)header->saddr.s6_addr32[1];
  if (index < 0 || index >= 4) return 2;
  table[index] += header->nexthdr;
  return 1;
}
char _license[] SEC("license") = "GPL";
