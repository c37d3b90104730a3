// Optimised only: loops that end by a pointer's distance from its start, of which the verifier knows nothing.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define START(skb) ((__u8 *)(long)(skb)->data)
#define END(skb) ((__u8 *)(long)(skb)->data_end)
__u8 bytes[128];

SEC("tc") int distance(struct __sk_buff *skb) {
  __u8 *p = START(skb), *end = END(skb);
  __u64 sum = 0;
  while (p + 4 <= end && sum < 5000) {
    sum += p[3] * 31 + p[0];
    p += 4;
    if (p - START(skb) > 200) break;
  }
  return sum > 1000;
}

SEC("tc") int order(struct __sk_buff *skb) {
  __u8 *start = START(skb) + 14, *end = END(skb);
  __u32 sum = 0;
  for (__u8 *p = start; p < start + 120; p += 2) {
    if (p + 2 > end) break;
    sum += p[0] ^ p[1] * 3;
  }
  return sum;
}

SEC("tc") int in_variable(struct __sk_buff *skb) {
  __u8 *p = bytes;
  while (p != bytes + sizeof(bytes) && *p != (__u8)skb->mark) p++;
  return p - bytes;
}

SEC("tc") int on_stack(struct __sk_buff *skb) {
  __u8 text[64];
  __u32 length = 0;
  if (bpf_skb_load_bytes(skb, 0, text, sizeof(text))) return 0;
  for (__u8 *p = text; p < text + sizeof(text) && *p; p++) length++;
  return length;
}
char _license[] SEC("license") = "GPL";
