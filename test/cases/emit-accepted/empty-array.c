/* An array without elements has an address below the frame's end, where nothing may be read. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc") int sum(struct __sk_buff *skb) {
  __u32 word = skb->len;
  __be32 none[0];
  return bpf_csum_diff(none, sizeof(none), &word, sizeof(word), 0);
}

SEC("tc") int only(struct __sk_buff *skb) {
  __be32 none[0];
  return bpf_csum_diff(none, sizeof(none), none, sizeof(none), 0);
}

char license[] SEC("license") = "GPL";
